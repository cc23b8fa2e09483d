-- Requests for wrk whose paths change with every request. What to send comes in the environment:
--   BENCH_MODE  mount: POST a mount of digest n into repository m, each pair once
--               tag:   PUT one manifest under a new tag each time
--   BENCH_LIST  file with one digest a line (mount), or the manifest (tag)
--   BENCH_REPO  source repository (mount), or the repository (tag)
--   BENCH_FROM  number of the first request, so that no round repeats another
--   BENCH_AUTH  Authorization header, if any
-- One thread (-t1) only: the counter is the thread's.
local mode, repo = os.getenv("BENCH_MODE"), os.getenv("BENCH_REPO")
local from = tonumber(os.getenv("BENCH_FROM"))
local auth = os.getenv("BENCH_AUTH")
local headers = {}
if auth and auth ~= "" then headers["Authorization"] = auth end
local digests, body = {}, nil
if mode == "mount" then
  for line in io.lines(os.getenv("BENCH_LIST")) do digests[#digests + 1] = line end
  headers["Content-Length"] = "0"
else
  local f = io.open(os.getenv("BENCH_LIST"), "rb")
  body = f:read("*a")
  f:close()
  headers["Content-Type"] = "application/vnd.oci.image.manifest.v1+json"
end
local n = from - 1

function request()
  n = n + 1
  if mode == "mount" then
    local target = math.floor(n / #digests)
    return wrk.format("POST", "/v2/bench/t" .. target .. "/blobs/uploads/?mount=" .. digests[n % #digests + 1] .. "&from=" .. repo, headers)
  end
  return wrk.format("PUT", "/v2/" .. repo .. "/manifests/t" .. n, headers, body)
end

-- Only 201 counts: a mount that is refused answers 202, which wrk would take for success.
local wrong = 0
function response(status)
  if status ~= 201 then wrong = wrong + 1 end
  _G.wrong_answers = wrong
end

local threads = {}
function setup(thread) threads[#threads + 1] = thread end

function done(summary, latency)
  local bad = 0
  for _, t in ipairs(threads) do bad = bad + (t:get("wrong_answers") or 0) end
  io.write(string.format("JSON {\"requests\": %d, \"seconds\": %.4f, \"wrong\": %d, \"p50_ms\": %.3f, \"p99_ms\": %.3f}\n",
    summary.requests, summary.duration / 1e6, bad, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
