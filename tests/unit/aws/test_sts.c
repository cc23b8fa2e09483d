/* GetCallerIdentity over a socket, asked in requests that botocore signed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../auth/auth_fixture.h"
#include "aws/sts.h"

#define SIGNED_AT 1440938160 /* 20150830T123600Z */

struct vector {
	const char *name, *service, *region, *method, *path, *query, *headers, *body;
	size_t body_len;
	bool is_presigned;
};

static const struct vector vectors[] = {
#include "../auth/sigv4_vectors.h"
};

struct sts {
	struct fixture *f;
	struct front_options options;
	struct http_server *server;
	int64_t shifted_ms;
	char answer[16384];
};

static int setup(void **state)
{
	struct err err;
	struct sts *s = calloc(1, sizeof(*s));
	void *inner;
	assert_non_null(s);
	fixture_setup(&inner);
	s->f = inner;
	fixture_put_key(s->f, TEST_KEY_ID, "arn:aws:iam::" TEST_ACCOUNT ":root", true);
	s->options.auth = s->f->auth;
	s->shifted_ms = SIGNED_AT * (int64_t)1000 - clock_now_ms();
	clock_shift_ms(s->shifted_ms);
	struct http_listen listen = { "127.0.0.1:0", false };
	struct http_front front = { sts_route, &s->options };
	struct http_options o = {
		.listen = &listen, .listen_count = 1, .fronts = &front, .front_count = 1, .loops = 1
	};
	ASSERT_DONE(http_server_start(&o, &s->server, &err));
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct sts *s = *state;
	void *inner = s->f;
	http_server_stop(s->server, 2000);
	clock_shift_ms(-s->shifted_ms);
	fixture_teardown(&inner);
	free(s);
	return 0;
}

/* Sends it all, reads to the end, returns the status. */
static int ask(struct sts *s, const char *method, const char *path, const char *query,
	const char *headers, struct str body)
{
	char text[8192];
	int n = snprintf(text, sizeof(text), "%s %s%s%s HTTP/1.1\r\n", method, path,
		*query != '\0' ? "?" : "", query);
	for (const char *p = headers; *p != '\0'; p++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, *p == '\n' ? "\r\n" : "%c", *p);
	n += snprintf(text + n, sizeof(text) - (size_t)n,
		"Content-Length: %zu\r\nConnection: close\r\n\r\n" STR_FMT, body.len,
		STR_ARG(body));
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(http_server_port(s->server, 0)) };
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(send(fd, text, (size_t)n, MSG_NOSIGNAL), n);
	size_t len = 0;
	ssize_t got;
	while ((got = recv(fd, s->answer + len, sizeof(s->answer) - 1 - len, 0)) > 0)
		len += (size_t)got;
	close(fd);
	s->answer[len] = '\0';
	assert_memory_equal(s->answer, "HTTP/1.1 ", 9);
	return (int)strtol(s->answer + 9, NULL, 10);
}

static int ask_vector(struct sts *s, const struct vector *v)
{
	return ask(
		s, v->method, v->path, v->query, v->headers, (struct str){ v->body, v->body_len });
}

static const struct vector *find_vector(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		if (strcmp(vectors[i].name, name) == 0)
			return &vectors[i];
	}
	fprintf(stderr, "no vector %s\n", name);
	abort();
}

static void has(struct sts *s, const char *text)
{
	if (strstr(s->answer, text) == NULL)
		fail_msg("no \"%s\" in: %s", text, s->answer);
}

static void a_caller_learns_who_it_is(void **state)
{
	static const char *const names[] = { "header: an STS call", "header: an STS call by query",
		"presigned: a caller's identity", "presigned: an extra header",
		"presigned: a week" };
	struct sts *s = *state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (ask_vector(s, find_vector(names[i])) != 200)
			fail_msg("%s: %s", names[i], s->answer);
		has(s, "Content-Type: text/xml\r\n");
		has(s, "\r\n\r\n<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
		       "<GetCallerIdentityResult><Arn>arn:aws:iam::" TEST_ACCOUNT
		       ":root</Arn><UserId>" TEST_ACCOUNT "</UserId><Account>" TEST_ACCOUNT
		       "</Account></GetCallerIdentityResult>"
		       "<ResponseMetadata><RequestId>");
		has(s, "</RequestId></ResponseMetadata></GetCallerIdentityResponse>");
	}
}

static void an_unsigned_call_lacks_a_token(void **state)
{
	struct sts *s = *state;
	assert_int_equal(ask(s, "POST", "/", "",
				 "Host: h\nContent-Type: application/x-www-form-urlencoded\n",
				 STR("Action=GetCallerIdentity&Version=2011-06-15")),
		403);
	has(s, "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
	       "<Code>MissingAuthenticationToken</Code><Message>Missing Authentication Token</Message></Error><RequestId>");
	assert_int_equal(ask(s, "GET", "/", "Action=GetCallerIdentity", "Host: h\n", STR("")), 403);
	has(s, "<Code>MissingAuthenticationToken</Code>");
}

static void an_altered_call_is_refused_in_the_words_of_sts(void **state)
{
	struct sts *s = *state;
	const struct vector *v = find_vector("header: an STS call");
	assert_int_equal(ask(s, "POST", "/", "", v->headers, STR("Action=GetSessionToken")), 403);
	has(s, "<Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated");
	const struct vector *ecr = find_vector("presigned: escapes");
	assert_int_equal(ask(s, "GET", "/", ecr->query, "Host: elsewhere\n", STR("")), 403);
	has(s, "<Code>SignatureDoesNotMatch</Code>");
	/* Signed well, but an STS action it is not. */
	assert_int_equal(ask_vector(s, ecr), 400);
	has(s, "<Code>MissingAction</Code>");
}

static void what_is_meant_for_others_is_left_to_them(void **state)
{
	struct sts *s = *state;
	assert_int_equal(ask_vector(s, find_vector("header: an ECR call")), 404);
	assert_int_equal(ask(s, "GET", "/v2/", "", "Host: h\n", STR("")), 404);
	assert_int_equal(ask(s, "GET", "/", "", "Host: h\n", STR("")), 404);
	assert_int_equal(ask(s, "PUT", "/", "Action=GetCallerIdentity", "Host: h\n", STR("")), 404);
}

static void an_action_that_is_not_there_is_named(void **state)
{
	struct sts *s = *state;
	fixture_open_auth(s->f, true);
	s->options.auth = s->f->auth;
	assert_int_equal(
		ask(s, "GET", "/", "Action=Get%3C&Version=2011-06-15", "Host: h\n", STR("")), 400);
	has(s, "<Code>InvalidAction</Code><Message>Could not find operation Get&lt; for version 2011-06-15</Message>");
	assert_int_equal(ask(s, "GET", "/", "Action=GetCallerIdentity", "Host: h\n", STR("")), 400);
	has(s, "Could not find operation GetCallerIdentity for version NO_VERSION_SPECIFIED");
	assert_int_equal(ask(s, "GET", "/", "Action=GetCallerIdentity&Version=2011-06-15",
				 "Host: h\n", STR("")),
		200);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_caller_learns_who_it_is),
		TEST(an_unsigned_call_lacks_a_token),
		TEST(an_altered_call_is_refused_in_the_words_of_sts),
		TEST(what_is_meant_for_others_is_left_to_them),
		TEST(an_action_that_is_not_there_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
