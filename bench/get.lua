-- The same request over and over, with totals as JSON.
--   BENCH_AUTH   Authorization header, if any
--   BENCH_RANGE  Range header, if any
local auth, range = os.getenv("BENCH_AUTH"), os.getenv("BENCH_RANGE")
if auth and auth ~= "" then wrk.headers["Authorization"] = auth end
if range then wrk.headers["Range"] = range end
wrk.headers["Accept"] = "application/vnd.oci.image.manifest.v1+json"

function done(summary, latency)
  io.write(string.format("JSON {\"requests\": %d, \"seconds\": %.4f, \"wrong\": %d, \"p50_ms\": %.3f, \"p99_ms\": %.3f}\n",
    summary.requests, summary.duration / 1e6, summary.errors.status, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
