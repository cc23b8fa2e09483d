/* One exchange at a time with a server that sends what a test wrote down. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"
#include "base/thread.h"
#include "net/fetch.h"

struct stub {
	int fd;
	char url[64];
	struct thread *thread;
	const char *answer; /* all of it; NULL: the client is left waiting */
	size_t padding;     /* bytes behind the answer */
	char got[8192];
	_Atomic unsigned requests;
	_Atomic bool is_stopping;
};

static void send_all(int c, const char *bytes, size_t len)
{
	while (len != 0) {
		ssize_t n = send(c, bytes, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

static void serve_one(struct stub *s, int c)
{
	static const char zeros[4096];

	size_t len = 0;
	struct pollfd p = { .fd = c, .events = POLLIN };
	while (len < sizeof(s->got) - 1 && poll(&p, 1, len == 0 ? 2000 : 50) == 1) {
		ssize_t n = recv(c, s->got + len, sizeof(s->got) - 1 - len, 0);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	s->got[len] = '\0';
	atomic_fetch_add(&s->requests, 1);
	if (s->answer == NULL) {
		(void)poll(&p, 1, 2000);
		return;
	}
	send_all(c, s->answer, strlen(s->answer));
	for (size_t i = 0; i < s->padding; i += sizeof(zeros))
		send_all(c, zeros, sizeof(zeros));
}

static void stub_main(void *arg)
{
	struct stub *s = arg;
	while (!atomic_load(&s->is_stopping)) {
		struct pollfd p = { .fd = s->fd, .events = POLLIN };
		if (poll(&p, 1, 20) != 1)
			continue;
		int c = accept(s->fd, NULL, NULL);
		if (c >= 0) {
			serve_one(s, c);
			close(c);
		}
	}
}

static void stub_start(struct stub *s, const char *answer, size_t padding)
{
	struct err err;
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	*s = (struct stub){ .answer = answer, .padding = padding };
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s->fd, 16), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &len), 0);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u/hook?a=b", ntohs(at.sin_port));
	ASSERT_DONE(thread_start("stub", stub_main, s, 0, &s->thread, &err));
}

static void stub_stop(struct stub *s)
{
	atomic_store(&s->is_stopping, true);
	thread_join(s->thread);
	close(s->fd);
}

static struct fetch *client(void)
{
	struct err err;
	struct fetch *f = NULL;
	struct fetch_options o = { .timeout_ms = 500 };
	ASSERT_DONE(fetch_open(&o, &f, &err));
	return f;
}

static void a_post_brings_headers_and_body_and_gives_the_answer(void **state)
{
	struct stub s;
	struct err err;
	struct buf answer CLEANUP(buf_fini);
	int status = 0;
	const char *headers[] = { "Content-Type: application/json", "X-One: 1", NULL };
	(void)state;
	stub_start(&s, "HTTP/1.1 202 X\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes", 0);
	struct fetch *f = client();
	struct fetch_request r = {
		.url = s.url, .headers = headers, .is_post = true, .body = STR("{\"a\":1}")
	};
	buf_init(&answer, KIB);
	ASSERT_DONE(fetch_send(f, &r, &answer, &status, &err));
	assert_int_equal(status, 202);
	ASSERT_STR(buf_str(&answer), "yes");
	stub_stop(&s);
	assert_non_null(strstr(s.got, "POST /hook?a=b HTTP/1.1\r\n"));
	assert_non_null(strstr(s.got, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(s.got, "X-One: 1\r\n"));
	assert_non_null(strstr(s.got, "\r\n\r\n{\"a\":1}"));
	assert_null(strstr(s.got, "Expect"));
	fetch_close(f);
}

static void a_redirection_is_an_answer_and_is_not_followed(void **state)
{
	struct stub s;
	struct err err;
	int status = 0;
	(void)state;
	stub_start(&s,
		"HTTP/1.1 302 X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		0);
	struct fetch *f = client();
	struct fetch_request r = { .url = s.url };
	ASSERT_DONE(fetch_send(f, &r, NULL, &status, &err));
	assert_int_equal(status, 302);
	stub_stop(&s);
	assert_int_equal(atomic_load(&s.requests), 1);
	fetch_close(f);
}

static void an_answer_that_does_not_fit_is_a_failure(void **state)
{
	struct stub s;
	struct err err;
	struct buf answer CLEANUP(buf_fini);
	int status = 7;
	(void)state;
	stub_start(&s, "HTTP/1.1 200 X\r\nConnection: close\r\n\r\n", MIB);
	struct fetch *f = client();
	struct fetch_request r = { .url = s.url };
	buf_init(&answer, KIB);
	ASSERT_FAILS(ERR_UNAVAILABLE, fetch_send(f, &r, &answer, &status, &err));
	assert_non_null(strstr(err.detail, "too long"));
	assert_int_equal(status, 7);
	stub_stop(&s);
	fetch_close(f);
}

static void an_answer_that_nobody_reads_may_be_as_long_as_it_likes(void **state)
{
	struct stub s;
	struct err err;
	int status = 0;
	(void)state;
	stub_start(&s, "HTTP/1.1 200 X\r\nConnection: close\r\n\r\n", MIB);
	struct fetch *f = client();
	struct fetch_request r = { .url = s.url };
	ASSERT_DONE(fetch_send(f, &r, NULL, &status, &err));
	assert_int_equal(status, 200);
	stub_stop(&s);
	fetch_close(f);
}

static void silence_ends_with_the_time_limit(void **state)
{
	struct stub s;
	struct err err;
	int status = 0;
	(void)state;
	stub_start(&s, NULL, 0);
	struct fetch *f = client();
	struct fetch_request r = { .url = s.url };
	ASSERT_FAILS(ERR_UNAVAILABLE, fetch_send(f, &r, NULL, &status, &err));
	stub_stop(&s);
	fetch_close(f);
}

static void the_authority_of_a_url_is_read_strictly(void **state)
{
	static const struct {
		const char *url, *authority; /* NULL: refused */
		bool is_https, is_loopback;
	} cases[] = {
		{ "https://a.example", "a.example", true, false },
		{ "https://a.example:8443/x?y=z", "a.example:8443", true, false },
		{ "http://localhost:1/", "localhost:1", false, true },
		{ "http://127.0.0.1?x", "127.0.0.1", false, true },
		{ "http://[::1]:80/", "[::1]:80", false, true },
		{ "http://[::2]:80/", "[::2]:80", false, false },
		{ "http://localhost.example/", "localhost.example", false, false },
		{ "https://user@host/", NULL, false, false },
		{ "https://host/#part", NULL, false, false },
		{ "https:///path", NULL, false, false },
		{ "https://ho st/", NULL, false, false },
		{ "https://host\\@evil/", NULL, false, false },
		{ "ftp://host/", NULL, false, false },
		{ "", NULL, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str authority = STR("");
		bool is_https = false;
		bool ok = fetch_authority(str_from(cases[i].url), &is_https, &authority);
		if (ok != (cases[i].authority != NULL))
			fail_msg("%s", cases[i].url);
		if (!ok)
			continue;
		ASSERT_STR(authority, cases[i].authority);
		assert_int_equal(is_https, cases[i].is_https);
		assert_int_equal(fetch_is_loopback(authority), cases[i].is_loopback);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_post_brings_headers_and_body_and_gives_the_answer),
		cmocka_unit_test(a_redirection_is_an_answer_and_is_not_followed),
		cmocka_unit_test(an_answer_that_does_not_fit_is_a_failure),
		cmocka_unit_test(an_answer_that_nobody_reads_may_be_as_long_as_it_likes),
		cmocka_unit_test(silence_ends_with_the_time_limit),
		cmocka_unit_test(the_authority_of_a_url_is_read_strictly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
