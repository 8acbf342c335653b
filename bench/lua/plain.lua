-- The same request again and again: a GET, or with an argument the POST of that body.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "report.lua")

function init(args)
   if args[1] then
      wrk.method, wrk.body = "POST", args[1]
   end
end
