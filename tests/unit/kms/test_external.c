/* The client of an external KMS against a server that answers what a test wrote down. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"
#include "kms/kms_external.h"
#include "kms_fixture.h"

#define KEY "arn:aws:kms:" REGION ":" ACCOUNT ":key/12345678-1234-1234-1234-123456789012"

/* One connection an answer. body NULL: the connection is closed without one. delay_ms: before it.
 */
struct answer {
	int status;
	const char *body;
	int delay_ms;
};

struct stub {
	int fd;
	struct thread *thread;
	const struct answer *answers; /* the last one is repeated */
	size_t count;
	_Atomic int requests;
	_Atomic bool is_stopping;
	char last[16384]; /* the last request */
};

struct world {
	struct stub stub;
	struct kms_external *x;
	struct arena *arena;
	char folder[256];
	char secret_file[300];
	char endpoint[64];
};

static void serve_one(struct stub *s, int c)
{
	size_t len = 0;
	struct pollfd p = { .fd = c, .events = POLLIN };
	/* All that libcurl sends is short and comes at once: headers, then the body. */
	while (len < sizeof(s->last) - 1 && poll(&p, 1, len == 0 ? 2000 : 50) == 1) {
		ssize_t n = recv(c, s->last + len, sizeof(s->last) - 1 - len, 0);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	s->last[len] = '\0';
	size_t i = (size_t)atomic_fetch_add(&s->requests, 1);
	const struct answer *a = &s->answers[i < s->count ? i : s->count - 1];
	usleep((useconds_t)a->delay_ms * 1000);
	if (a->body != NULL)
		dprintf(c,
			"HTTP/1.1 %d X\r\nContent-Type: application/x-amz-json-1.1\r\n"
			"Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
			a->status, strlen(a->body), a->body);
	close(c);
}

static void stub_main(void *arg)
{
	struct stub *s = arg;
	while (!atomic_load(&s->is_stopping)) {
		struct pollfd p = { .fd = s->fd, .events = POLLIN };
		if (poll(&p, 1, 20) != 1)
			continue;
		int c = accept(s->fd, NULL, NULL);
		if (c >= 0)
			serve_one(s, c);
	}
}

static int setup(void **state)
{
	struct err err;
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ASSERT_DONE(crypt_init(&err));
	w->stub.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(w->stub.fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(w->stub.fd, 16), 0);
	assert_int_equal(getsockname(w->stub.fd, (struct sockaddr *)&at, &len), 0);
	snprintf(w->endpoint, sizeof(w->endpoint), "http://127.0.0.1:%u/", ntohs(at.sin_port));
	make_temp_folder(w->folder);
	snprintf(w->secret_file, sizeof(w->secret_file), "%s/secret", w->folder);
	FILE *f = fopen(w->secret_file, "we");
	assert_non_null(f);
	fputs("  a:secret/+\n", f);
	fclose(f);
	w->arena = arena_new(1 * MIB);
	struct kms_external_options o = { .endpoint = w->endpoint,
		.region = REGION,
		.access_key_id = "AKIDEXAMPLE",
		.secret_file = w->secret_file,
		.timeout_ms = 300 };
	ASSERT_DONE(kms_external_open(&o, &w->x, &err));
	*state = w;
	return 0;
}

static void stub_stop(struct stub *s)
{
	atomic_store(&s->is_stopping, true);
	thread_join(s->thread);
	s->thread = NULL;
}

static int teardown(void **state)
{
	struct world *w = *state;
	stub_stop(&w->stub);
	close(w->stub.fd);
	kms_external_close(w->x);
	arena_free(w->arena);
	remove_temp_folder(w->folder);
	free(w);
	return 0;
}

static void answer_with(struct world *w, const struct answer *answers, size_t count)
{
	struct err err;
	w->stub.answers = answers;
	w->stub.count = count;
	ASSERT_DONE(thread_start("stub", stub_main, &w->stub, 0, &w->stub.thread, &err));
}

static bool resolve(struct world *w, struct err *err)
{
	struct str arn;
	return kms_external_resolve(w->x, STR("alias/x"), w->arena, &arn, err);
}

static void requests_are_signed_json(void **state)
{
	static const struct answer answers[] = { { 200,
		"{\"KeyMetadata\":{\"Arn\":\"" KEY "\",\"KeyState\":\"Enabled\"}}", 0 } };
	struct world *w = *state;
	struct err err;
	answer_with(w, answers, 1);
	ASSERT_DONE(resolve(w, &err));
	stub_stop(&w->stub);
	static const char *const parts[] = { "POST / HTTP/1.1\r\n",
		"X-Amz-Target: TrentService.DescribeKey\r\n",
		"Content-Type: application/x-amz-json-1.1\r\n",
		"Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/",
		"/" REGION "/kms/aws4_request", "\r\n\r\n{\"KeyId\":\"alias/x\"}" };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (strstr(w->stub.last, parts[i]) == NULL)
			fail_msg("no \"%s\" in: %s", parts[i], w->stub.last);
	}
	assert_null(strstr(w->stub.last, "a:secret"));
}

static void what_may_pass_is_tried_once_more(void **state)
{
	static const struct answer answers[] = { { 500, "{\"__type\":\"KMSInternalException\"}",
							 0 },
		{ 200, "{\"KeyMetadata\":{\"Arn\":\"" KEY "\",\"KeyState\":\"Enabled\"}}", 0 },
		{ 0, NULL, 0 },
		{ 200, "{\"KeyMetadata\":{\"Arn\":\"" KEY "\",\"KeyState\":\"Enabled\"}}", 0 },
		{ 400, "{\"__type\":\"ThrottlingException\",\"message\":\"slow\"}", 0 },
		{ 200, "{\"KeyMetadata\":{\"Arn\":\"" KEY "\",\"KeyState\":\"Enabled\"}}", 0 } };
	struct world *w = *state;
	struct err err;
	answer_with(w, answers, ARRAY_LEN(answers));
	for (int i = 1; i <= 3; i++) {
		ASSERT_DONE(resolve(w, &err));
		assert_int_equal(w->stub.requests, 2 * i);
	}
}

static void what_does_not_pass_is_unavailable(void **state)
{
	static const struct answer answers[] = { { 503, "<html>", 0 } };
	struct world *w = *state;
	struct err err;
	answer_with(w, answers, 1);
	ASSERT_FAILS(ERR_KMS_UNAVAILABLE, resolve(w, &err));
	assert_int_equal(w->stub.requests, 2);
	/* For a moment nobody asks again. */
	ASSERT_FAILS(ERR_KMS_UNAVAILABLE, resolve(w, &err));
	assert_int_equal(w->stub.requests, 2);
}

static void a_kms_that_is_silent_costs_two_time_limits(void **state)
{
	static const struct answer answers[] = { { 200, "{}", 1500 } };
	struct world *w = *state;
	struct err err;
	answer_with(w, answers, 1);
	int64_t began = clock_mono_us();
	ASSERT_FAILS(ERR_KMS_UNAVAILABLE, resolve(w, &err));
	assert_true(clock_mono_us() - began < 1400 * 1000);
	assert_string_equal(err.msg, "The external KMS does not answer");
}

static void refusals_keep_their_meaning(void **state)
{
	static const struct {
		struct answer answer;
		enum err_kind kind;
		const char *message;
	} cases[] = {
		{ { 400, "{\"__type\":\"NotFoundException\",\"message\":\"Alias a is not found.\"}",
			  0 },
			ERR_KMS_KEY_UNKNOWN, "Alias a is not found." },
		{ { 400, "{\"__type\":\"com.amazonaws.kms#DisabledException\",\"Message\":\"off\"}",
			  0 },
			ERR_KMS_KEY_DISABLED, "off" },
		{ { 400, "{\"__type\":\"KMSInvalidStateException\"}", 0 }, ERR_KMS_KEY_STATE,
			"The external KMS answered KMSInvalidStateException" },
		{ { 400, "{\"__type\":\"IncorrectKeyException\"}", 0 }, ERR_KMS_KEY_INCORRECT,
			"The external KMS answered IncorrectKeyException" },
		{ { 400, "{\"__type\":\"AccessDeniedException\",\"message\":\"inside\"}", 0 },
			ERR_KMS_UNAVAILABLE, "The external KMS refuses the registry's request" },
		{ { 302, "", 0 }, ERR_KMS_UNAVAILABLE,
			"The external KMS refuses the registry's request" },
		{ { 200, "{", 0 }, ERR_KMS_UNAVAILABLE, NULL },
		{ { 200, "{}", 0 }, ERR_KMS_UNAVAILABLE, NULL },
		{ { 200, "{\"KeyMetadata\":{\"Arn\":\"a\",\"KeyState\":\"Disabled\"}}", 0 },
			ERR_KMS_KEY_DISABLED, "a is disabled." },
		{ { 200, "{\"KeyMetadata\":{\"Arn\":\"a\",\"KeyState\":\"PendingImport\"}}", 0 },
			ERR_KMS_KEY_STATE, "a is in state PendingImport." },
		{ { 200, "{\"KeyMetadata\":{\"Arn\":\"a\",\"KeyState\":\"Enabled\",\"KeySpec\":\"RSA_2048\"}}",
			  0 },
			ERR_KMS_KEY_STATE, "a is not a symmetric encryption key." },
	};
	struct world *w = *state;
	struct answer answers[ARRAY_LEN(cases)];
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		answers[i] = cases[i].answer;
	answer_with(w, answers, ARRAY_LEN(answers));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ASSERT_FAILS(cases[i].kind, resolve(w, &err));
		if (cases[i].message != NULL)
			assert_string_equal(err.msg, cases[i].message);
		assert_int_equal(w->stub.requests, i + 1);
	}
}

static void an_answer_that_is_no_data_key_is_not_taken_for_one(void **state)
{
	static char long_answer[200 * 1024];
	memset(long_answer, ' ', sizeof(long_answer) - 1);
	const struct answer answers[] = {
		{ 200, "{\"Plaintext\":\"AAAA\",\"CiphertextBlob\":\"AAAA\"}", 0 },
		{ 200, "{\"Plaintext\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}", 0 },
		{ 200, "{\"Plaintext\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"CiphertextBlob\":\"!\"}",
			0 },
		{ 200, "{\"Plaintext\":7,\"CiphertextBlob\":\"AAAA\"}", 0 },
		{ 200, "{\"Plaintext\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"CiphertextBlob\":\"AQID\"}",
			0 },
		{ 200, long_answer, 0 },
	};
	struct world *w = *state;
	struct secret plain;
	struct err err;
	struct buf out CLEANUP(buf_fini);
	buf_init(&out, KMS_WRAPPED_MAX);
	answer_with(w, answers, ARRAY_LEN(answers));
	for (int i = 0; i < 4; i++) {
		ASSERT_FAILS(ERR_KMS_UNAVAILABLE,
			kms_external_generate(w->x, STR(KEY), NULL, &plain, &out, &err));
		assert_int_equal(out.len, 0);
	}
	ASSERT_DONE(kms_external_generate(w->x, STR(KEY), NULL, &plain, &out, &err));
	ASSERT_STR(buf_str(&out), "\001\002\003");
	assert_int_equal(plain.len, 32);
	ASSERT_FAILS(ERR_KMS_UNAVAILABLE,
		kms_external_decrypt(w->x, STR(KEY), STR("x"), NULL, &plain, &err));
}

static void settings_that_cannot_work_stop_the_start(void **state)
{
	struct world *w = *state;
	static const struct answer nothing[] = { { 0, NULL, 0 } };
	answer_with(w, nothing, 1);
	char none[310];
	snprintf(none, sizeof(none), "%s-none", w->secret_file);
	const struct kms_external_options good = { .endpoint = "https://kms.example",
		.region = REGION,
		.access_key_id = "A",
		.secret_file = w->secret_file };
	static const char *const endpoints[] = { "kms.example", "ftp://kms.example", "https://",
		"https://h/path", "https://user@h", "http://kms.example", "http://127.0.0.1.evil" };
	struct kms_external *x;
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
		struct kms_external_options o = good;
		o.endpoint = endpoints[i];
		ASSERT_FAILS(ERR_CONFIG, kms_external_open(&o, &x, &err));
	}
	struct kms_external_options o = good;
	o.region = NULL;
	ASSERT_FAILS(ERR_CONFIG, kms_external_open(&o, &x, &err));
	o = good;
	o.region = "eu:west";
	ASSERT_FAILS(ERR_CONFIG, kms_external_open(&o, &x, &err));
	o = good;
	o.secret_file = none;
	ASSERT_FAILS(ERR_CONFIG, kms_external_open(&o, &x, &err));
	o = good;
	o.secret_file = "/dev/null";
	ASSERT_FAILS(ERR_CONFIG, kms_external_open(&o, &x, &err));
	o = good;
	o.ca_file = none;
	ASSERT_FAILS(ERR_CONFIG, kms_external_open(&o, &x, &err));
	ASSERT_DONE(kms_external_open(&good, &x, &err));
	kms_external_close(x);
	o = good;
	o.endpoint = "http://[::1]:5000/";
	ASSERT_DONE(kms_external_open(&o, &x, &err));
	kms_external_close(x);
}

int main(void)
{
#define EXTERNAL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		EXTERNAL_TEST(requests_are_signed_json),
		EXTERNAL_TEST(what_may_pass_is_tried_once_more),
		EXTERNAL_TEST(what_does_not_pass_is_unavailable),
		EXTERNAL_TEST(a_kms_that_is_silent_costs_two_time_limits),
		EXTERNAL_TEST(refusals_keep_their_meaning),
		EXTERNAL_TEST(an_answer_that_is_no_data_key_is_not_taken_for_one),
		EXTERNAL_TEST(settings_that_cannot_work_stop_the_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
