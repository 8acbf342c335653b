-- What every load has in common: numbers its threads, counts what they sent, and ends with one line of JSON.
local threads = {}

function setup(thread)
   thread:set("number", #threads)
   thread:set("sent", 0)
   table.insert(threads, thread)
end

function done(summary, latency, requests)
   local all_sent, errors = 0, summary.errors
   for _, thread in ipairs(threads) do
      all_sent = all_sent + thread:get("sent")
   end
   local line = '{"requests": %d, "sent": %d, "microseconds": %d, "p50": %d, "p99": %d, "longest": %d, '
      .. '"refused": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d}\n'
   io.write(line:format(
      summary.requests, math.max(all_sent, summary.requests), summary.duration,
      latency:percentile(50), latency:percentile(99), latency.max,
      errors.status, errors.connect, errors.read, errors.write, errors.timeout
   ))
end
