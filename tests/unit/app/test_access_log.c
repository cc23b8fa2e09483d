#include "../unit.h"
#include "app/access_log.h"
#include "app/metrics.h"
#include "base/json.h"
#include "http/http.h"

static const struct http_op get_op = { .name = "GetBlob" };
/* Another address with the same text: the metrics must not tell the two apart. */
static const char same_name[] = "GetBlob";
static const struct http_op twin_op = { .name = same_name };

static void a_line_is_one_json_object_without_the_query(void **state UNUSED)
{
	struct buf out CLEANUP(buf_fini);
	struct json *line CLEANUP(json_freep) = NULL;
	struct err err;
	struct http_req req = {
		.method = STR("GET"),
		.target = STR("/v2/a/blobs/x?X-Amz-Signature=secret"),
		.path = STR("/v2/a\"\n\xff/blobs/x"),
		.query = STR("X-Amz-Signature=secret"),
		.remote_ip = STR("127.0.0.1"),
		.id = "0123456789abcdef0123456789abcdef",
		.op = &get_op,
		.log_repository = STR("a"),
		.log_outcome = STR("other-pool"),
		.status = 206,
		.bytes_in = 1,
		.bytes_out = 5000000000,
	};
	buf_init(&out, ACCESS_LOG_MAX);
	struct access access = { STR("curl/8"), 1234567, 1700000000123 };
	access_log_render(&out, &req, &access);
	assert_true(buf_ok(&out));
	assert_null(memchr(out.ptr, '\n', out.len));
	assert_null(strstr(buf_c(&out), "secret"));
	assert_true(json_parse(buf_str(&out), &line, &err));
	assert_true(str_eq_c(json_get_str(line, "time"), "2023-11-14T22:13:20.123Z"));
	assert_true(str_eq_c(json_get_str(line, "event"), "request"));
	assert_true(str_eq_c(json_get_str(line, "operation"), "GetBlob"));
	assert_true(str_eq_c(json_get_str(line, "mount_outcome"), "other-pool"));
	assert_true(str_eq_c(json_get_str(line, "path"), "/v2/a\"\n\xef\xbf\xbd/blobs/x"));
	assert_int_equal(json_int(json_get(line, "status"), 0), 206);
	assert_int_equal(json_int(json_get(line, "bytes_out"), 0), 5000000000);
	assert_true(json_number(json_get(line, "ms"), 0) > 1234.5);
	assert_true(str_eq_c(json_get_str(line, "user_agent"), "curl/8"));
	assert_null(json_get(line, "principal"));
}

static void the_signature_of_a_layer_url_is_left_out(void **state UNUSED)
{
	static const char signature[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF";
	char path[256];
	struct buf out CLEANUP(buf_fini);
	struct http_req req = { .op = &get_op, .status = 200 };
	buf_init(&out, ACCESS_LOG_MAX);
	snprintf(path, sizeof(path), "/layers/1/us-east-1/99/%s/sha256:%s/team/app", signature,
		signature);
	req.path = str_from(path);
	access_log_render(&out, &req, &(struct access){ .now_ms = 0 });
	snprintf(path, sizeof(path), "\"/layers/1/us-east-1/99/-/sha256:%s/team/app\"", signature);
	assert_non_null(strstr(buf_c(&out), path));
}

static void requests_are_counted_by_operation_and_status(void **state UNUSED)
{
	struct buf out CLEANUP(buf_fini);
	struct metrics *m = metrics_new();
	struct http_req req = { .op = &get_op, .status = 200, .bytes_in = 3, .bytes_out = 7 };
	buf_init(&out, 1 * MIB);
	metrics_count(m, &req, 400);
	req.op = &twin_op;
	metrics_count(m, &req, 90000000);
	req.status = 404;
	metrics_count(m, &req, 1000);
	req.op = NULL;
	metrics_count(m, &req, 1001);
	metrics_render_requests(m, &out);
	metrics_free(m);
	static const char *const lines[] = {
		"berth_requests_total{operation=\"GetBlob\",status=\"200\"} 2\n",
		"berth_requests_total{operation=\"GetBlob\",status=\"404\"} 1\n",
		"berth_requests_total{operation=\"none\",status=\"404\"} 1\n",
		"berth_request_duration_seconds_bucket{operation=\"GetBlob\",le=\"0.0005\"} 1\n",
		"berth_request_duration_seconds_bucket{operation=\"GetBlob\",le=\"0.001\"} 2\n",
		"berth_request_duration_seconds_bucket{operation=\"GetBlob\",le=\"60\"} 2\n",
		"berth_request_duration_seconds_bucket{operation=\"GetBlob\",le=\"+Inf\"} 3\n",
		"berth_request_duration_seconds_count{operation=\"GetBlob\"} 3\n",
		"berth_request_duration_seconds_sum{operation=\"GetBlob\"} 90.001400\n",
		"berth_received_bytes_total 12\n",
		"berth_sent_bytes_total 28\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const char *found = strstr(buf_c(&out), lines[i]);
		if (found == NULL || strstr(found + 1, lines[i]) != NULL)
			fail_msg("not exactly once: %s", lines[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_one_json_object_without_the_query),
		cmocka_unit_test(the_signature_of_a_layer_url_is_left_out),
		cmocka_unit_test(requests_are_counted_by_operation_and_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
