-- The same request again and again: a GET or, with arguments, the POSTs of those bodies in turn.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "report.lua")

function init(args)
   if #args == 0 then
      return
   end
   local requests = {}
   for index, body in ipairs(args) do
      requests[index] = wrk.format("POST", nil, nil, body)
   end
   -- Each thread begins elsewhere.
   local offset = number * math.floor(#requests / 2)

   function request()
      sent = sent + 1
      return requests[(offset + sent) % #requests + 1]
   end
end
