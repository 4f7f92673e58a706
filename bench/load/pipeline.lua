-- For wrk: each request is ten at once. wrk counts the answers one by one.
local ten

init = function()
  local requests = {}
  for i = 1, 10 do
    requests[i] = wrk.format()
  end
  ten = table.concat(requests)
end

request = function()
  return ten
end
