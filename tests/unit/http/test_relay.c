/* Operations with a relay: nobody waits while http_ready is to come, whoever calls it and whenever.
 */
#include <string.h>

#include "fixture.h"

static atomic_uint looks, finishes;
static _Atomic(struct http_req *) waiting; /* started, and kept by the test */
static atomic_bool is_at_once, is_refused_by_look, is_refused_by_finish;

static void answer_late(struct http_req *req)
{
	atomic_fetch_add(&handles, 1);
	http_reply_bytes(req, 200, "text/plain", STR("by a worker"));
}

static enum http_turn look(struct http_req *req)
{
	atomic_fetch_add(&looks, 1);
	if (str_eq_c(http_body(req), "known")) {
		http_reply_bytes(req, 200, "text/plain", STR("at once"));
		return HTTP_TURN_DONE;
	}
	return atomic_load(&is_refused_by_look) ? HTTP_TURN_WORKER : HTTP_TURN_AWAIT;
}

static void start(struct http_req *req)
{
	if (atomic_load(&is_at_once))
		http_ready(req);
	else
		atomic_store(&waiting, req);
}

static enum http_turn finish(struct http_req *req)
{
	atomic_fetch_add(&finishes, 1);
	if (atomic_load(&is_refused_by_finish))
		return HTTP_TURN_WORKER;
	if (!str_eq_c(req->path, "/mute"))
		http_reply_bytes(req, 201, "text/plain", STR("when ready"));
	return HTTP_TURN_DONE;
}

static void count_end(struct http_req *req)
{
	(void)req;
	atomic_fetch_add(&ends, 1);
}

static const struct http_relay relay = { look, start, finish };
static const struct http_op op_relay = { .name = "relay",
	.run = HTTP_WORKER,
	.relay = &relay,
	.body = HTTP_BODY_WHOLE,
	.body_max = 1000,
	.handle = answer_late,
	.end = count_end };

static const struct http_op *route(struct http_req *req, void *ctx)
{
	(void)req;
	(void)ctx;
	return &op_relay;
}

static int start_relay(void **state)
{
	struct http_options o = { .workers_max = 1 };
	(void)state;
	looks = finishes = 0;
	waiting = NULL;
	is_at_once = is_refused_by_look = is_refused_by_finish = false;
	start_server_with(&o, route);
	return 0;
}

static void post(struct client *c, const char *path, const char *five)
{
	char text[200];
	(void)snprintf(text, sizeof(text),
		"POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n%s", path, five);
	assert_true(say(c, text));
}

static void expect(struct client *c, int status, const char *body)
{
	struct answer a;
	assert_true(hear(c, &a, false));
	assert_int_equal(a.status, status);
	assert_non_null(strstr(a.body, body));
	free(a.body);
}

static struct http_req *wait_for_start(void)
{
	struct http_req *req;
	for (int i = 0; i < 5000; i++) {
		req = atomic_exchange(&waiting, NULL);
		if (req != NULL)
			return req;
		(void)usleep(1000);
	}
	fail_msg("start was not called");
	return NULL;
}

static void it_answers_at_once_later_or_by_a_worker(void **state)
{
	(void)state;
	struct client *c = dial();
	post(c, "/", "known");
	expect(c, 200, "at once");
	is_at_once = true;
	post(c, "/", "other");
	expect(c, 201, "when ready");
	assert_int_equal(handles, 0);
	is_refused_by_finish = true;
	post(c, "/", "other");
	expect(c, 200, "by a worker");
	assert_int_equal(handles, 1);
	is_refused_by_look = true;
	post(c, "/", "other");
	expect(c, 200, "by a worker");
	assert_int_equal(handles, 2);
	assert_int_equal(looks, 4);
	assert_int_equal(finishes, 2);
	assert_true(reaches(&ends, 4));
	hang_up(c);
}

static void one_that_forgets_to_answer_is_an_internal_error(void **state)
{
	(void)state;
	is_at_once = true;
	struct client *c = dial();
	post(c, "/mute", "other");
	expect(c, 500, "internal error");
	hang_up(c);
}

static void others_are_served_while_one_waits(void **state)
{
	(void)state;
	struct client *one = dial();
	post(one, "/", "other");
	struct http_req *req = wait_for_start();
	is_at_once = true;
	for (int i = 0; i < 4; i++) { /* on both event loops */
		struct client *other = dial();
		post(other, "/", "other");
		expect(other, 201, "when ready");
		hang_up(other);
	}
	http_ready(req);
	expect(one, 201, "when ready");
	hang_up(one);
}

static void a_client_that_goes_away_ends_when_it_is_ready(void **state)
{
	(void)state;
	struct client *c = dial();
	post(c, "/", "other");
	struct http_req *req = wait_for_start();
	hang_up(c);
	(void)usleep(50000);
	assert_int_equal(ends, 0);
	http_ready(req);
	assert_true(reaches(&ends, 1));
	assert_true(reaches(&dones, 1));
}

static void *stop_in_thread(void *arg)
{
	(void)arg;
	http_server_stop(server, 0);
	return NULL;
}

static void stopping_waits_for_what_is_to_come(void **state)
{
	pthread_t thread;
	(void)state;
	struct client *c = dial();
	post(c, "/", "other");
	struct http_req *req = wait_for_start();
	assert_int_equal(pthread_create(&thread, NULL, stop_in_thread, NULL), 0);
	(void)usleep(100000);
	assert_int_equal(ends, 0);
	http_ready(req);
	assert_int_equal(pthread_join(thread, NULL), 0);
	server = NULL;
	assert_int_equal(ends, 1);
	assert_int_equal(finishes, 0);
	hang_up(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			it_answers_at_once_later_or_by_a_worker, start_relay, stop_server),
		cmocka_unit_test_setup_teardown(
			one_that_forgets_to_answer_is_an_internal_error, start_relay, stop_server),
		cmocka_unit_test_setup_teardown(
			others_are_served_while_one_waits, start_relay, stop_server),
		cmocka_unit_test_setup_teardown(
			a_client_that_goes_away_ends_when_it_is_ready, start_relay, stop_server),
		cmocka_unit_test_setup_teardown(
			stopping_waits_for_what_is_to_come, start_relay, stop_server),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
