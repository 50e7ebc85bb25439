-- One request after another, as the arguments say: `kind token count`. Prints what happened as one line of JSON.
-- kinds: get, list, create, pod (create one), update, patch. Names repeat after `count`; a created one is new each time (`run` makes it so).
local kind, count, run, number = "get", 1, "r", 0
local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local text = ""

-- A ConfigMap's text is like no other's: a server that compresses shall not be flattered.
local function write_text()
  local found = {}
  for index = 1, 1048576 do
    local at = math.random(#letters)
    found[index] = letters:sub(at, at)
  end
  text = table.concat(found)
end

local function configmap(name)
  local at = number * 7919 % (#text - 1024) + 1
  return '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"' .. name .. '"},"data":{"number":"' .. number ..
      '","text":"' .. text:sub(at, at + 1023) .. '"}}'
end

local function pod(name)
  return '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"' .. name .. '","labels":{"app":"bench"}},"spec":{"containers":[' ..
      '{"name":"main","image":"registry.k8s.io/pause:3.10","resources":{"requests":{"cpu":"100m","memory":"500Mi"}}}]}}'
end

function init(arguments)
  kind, count, run = arguments[1], tonumber(arguments[3]), arguments[4]
  wrk.headers["Authorization"] = "Bearer " .. arguments[2]
  wrk.headers["User-Agent"] = "bench/1"
  if kind == "create" or kind == "update" then
    write_text()
  end
end

function request()
  number = number + 1
  local name = "cm-" .. (number % count)
  local base = "/api/v1/namespaces/bench/"
  if kind == "get" then
    return wrk.format("GET", base .. "configmaps/" .. name)
  elseif kind == "list" then
    return wrk.format("GET", base .. "pods")
  end
  wrk.headers["Content-Type"] = "application/json"
  if kind == "create" then
    return wrk.format("POST", base .. "configmaps", nil, configmap(run .. "-" .. number))
  elseif kind == "pod" then
    return wrk.format("POST", "/api/v1/namespaces/bench-pods/pods", nil, pod(run .. "-" .. number))
  elseif kind == "update" then
    return wrk.format("PUT", base .. "configmaps/" .. name, nil, configmap(name))
  end
  wrk.headers["Content-Type"] = "application/merge-patch+json"
  local body = '{"status":{"conditions":[{"type":"Ready","status":"True","reason":"n' .. number .. '"}],"phase":"Running"}}'
  return wrk.format("PATCH", base .. "pods/pod-" .. (number % count) .. "/status", nil, body)
end

function done(summary, latency)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write +
      summary.errors.timeout
  io.write(string.format('{"requests":%d,"seconds":%f,"failed":%d,"p50_ms":%f,"p99_ms":%f}\n', summary.requests,
    summary.duration / 1e6, failed, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
