-- Sign-ups, each of a new name. Arguments: what no earlier run's names begin with, and the password.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "report.lua")

function init(args)
   prefix, password = ("%s-%d"):format(args[1], number), args[2]
end

function request()
   sent = sent + 1
   local name = ("%s-%d"):format(prefix, sent)
   local body = '{"username":"%s","email":"%s@example.com","password":"%s"}'
   return wrk.format("POST", nil, nil, body:format(name, name, password))
end
