-- Refreshes of a client that stores the successor it was given. Arguments: the token's name, and one for each thread.
-- A thread must have one connection only, else it presents successors in another order than it got them.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "report.lua")

function init(args)
   name, token = args[1], args[2 + number]
   pattern = ('"%s":"([^"]+)"'):format(name)
end

function request()
   sent = sent + 1
   return wrk.format("POST", nil, nil, ('{"%s":"%s"}'):format(name, token))
end

function response(status, headers, body)
   token = body:match(pattern) or token
end
