-- Sends the requests of a file in turn, and prints the measurements as one line of JSON.
-- A line of the file is: METHOD <tab> path <tab> Name: value <tab> Name: value ...
local requests = {}
local nth = 0

function init(args)
  for line in io.lines(args[1]) do
    local fields = {}
    for field in line:gmatch('[^\t]+') do
      fields[#fields + 1] = field
    end
    local headers = {}
    for index = 3, #fields do
      local name, value = fields[index]:match('^([^:]+): (.*)$')
      headers[name] = value
    end
    requests[#requests + 1] = wrk.format(fields[1], fields[2], headers)
  end
  nth = tonumber(args[2]) % #requests
end

function request()
  nth = nth % #requests + 1
  return requests[nth]
end

function done(summary, latency)
  local errors = summary.errors
  print(
    string.format(
      'RESULT {"requests":%d,"seconds":%.6f,"p50Ms":%.3f,"p99Ms":%.3f,"failed":%d}',
      summary.requests,
      summary.duration / 1e6,
      latency:percentile(50) / 1e3,
      latency:percentile(99) / 1e3,
      errors.status + errors.connect + errors.read + errors.write + errors.timeout
    )
  )
end
