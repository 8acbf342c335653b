-- Sign-ins of many people in turn. Arguments: how many they are, and their password.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "report.lua")

local requests = {}

function init(args)
   local people = tonumber(args[1])
   for person = 0, people - 1 do
      local body = ('{"username":"person%d","password":"%s"}'):format(person, args[2])
      requests[person] = wrk.format("POST", nil, nil, body)
   end
   offset, count = number * math.floor(people / 2), people
end

function request()
   sent = sent + 1
   return requests[(offset + sent) % count]
end
