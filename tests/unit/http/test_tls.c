/* TLS: answers, bodies, objects, early answers, and certificates replaced while serving. */
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "fixture.h"
#include "http/tls_start.h"

static char folder[256], cert_file[300], key_file[300];
static int object_fd = -1;

#define OBJECT_BYTES 500000

/* --- certificates --- */

static void write_pem(const char *file, const gnutls_datum_t *pem)
{
	FILE *f = fopen(file, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(pem->data, 1, pem->size, f), pem->size);
	assert_int_equal(fclose(f), 0);
}

static void write_certificate(const char *name, bool with_cert, bool with_key)
{
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
	gnutls_datum_t pem;
	time_t now = time(NULL);

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
				 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		0);
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_set_version(crt, 3), 0);
	assert_int_equal(gnutls_x509_crt_set_serial(crt, "\x01", 1), 0);
	assert_int_equal(gnutls_x509_crt_set_activation_time(crt, now - 10), 0);
	assert_int_equal(gnutls_x509_crt_set_expiration_time(crt, now + 1000), 0);
	assert_int_equal(gnutls_x509_crt_set_dn_by_oid(
				 crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)),
		0);
	assert_int_equal(gnutls_x509_crt_set_key(crt, key), 0);
	assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
	if (with_cert) {
		assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), 0);
		write_pem(cert_file, &pem);
		gnutls_free(pem.data);
	}
	if (with_key) {
		assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
		write_pem(key_file, &pem);
		gnutls_free(pem.data);
	}
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

/* --- the server --- */

static void say_url(struct http_req *req)
{
	http_reply_bytes(req, 200, "text/plain", http_base_url(req));
}

static bool take_data(struct http_req *req, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != pattern(atomic_load(&data_bytes) + i))
			atomic_fetch_add(&data_errors, 1);
	atomic_fetch_add(&data_bytes, len);
	(void)req;
	return true;
}

static bool refuse(struct http_req *req)
{
	http_reply_bytes(req, 401, "text/plain", STR("no"));
	return false;
}

static void say_done(struct http_req *req)
{
	http_reply_bytes(req, 201, "text/plain", STR("done"));
}

static void say_object(struct http_req *req)
{
	struct http_object o = { .fd = object_fd, .size_bytes = OBJECT_BYTES };

	http_reply_object(req, "application/x-test", STR("tag"), &o);
}

static const struct http_op op_url = { .name = "url", .handle = say_url };
static const struct http_op op_upload = { .name = "upload",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_STREAM,
	.data = take_data,
	.handle = say_done };
static const struct http_op op_refuse = { .name = "refuse",
	.run = HTTP_WORKER,
	.body = HTTP_BODY_STREAM,
	.begin = refuse,
	.data = take_data,
	.handle = say_done };
static const struct http_op op_object = { .name = "object", .handle = say_object };

static const struct http_op *route(struct http_req *req, void *ctx)
{
	(void)ctx;
	return str_eq_c(req->path, "/url")      ? &op_url
	       : str_eq_c(req->path, "/upload") ? &op_upload
	       : str_eq_c(req->path, "/refuse") ? &op_refuse
						: &op_object;
}

static int start(void **state)
{
	struct http_listen listen = { "127.0.0.1:0", true };
	struct http_options o = {
		.listen = &listen, .listen_count = 1, .tls_cert = cert_file, .tls_key = key_file
	};

	(void)state;
	write_certificate("first", true, true);
	start_server_with(&o, route);
	return 0;
}

/* --- the client --- */

struct tls_client {
	struct client *tcp;
	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
};

static bool handshake(struct tls_client *c, const char *priorities)
{
	int rc;

	c->tcp = dial();
	assert_int_equal(gnutls_certificate_allocate_credentials(&c->credentials), 0);
	assert_int_equal(gnutls_init(&c->session, GNUTLS_CLIENT), 0);
	assert_int_equal(gnutls_priority_set_direct(c->session, priorities, NULL), 0);
	assert_int_equal(
		gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, c->credentials), 0);
	gnutls_transport_set_int(c->session, c->tcp->fd);
	do
		rc = gnutls_handshake(c->session);
	while (rc < 0 && gnutls_error_is_fatal(rc) == 0);
	return rc == 0;
}

static void leave(struct tls_client *c)
{
	gnutls_deinit(c->session);
	gnutls_certificate_free_credentials(c->credentials);
	hang_up(c->tcp);
}

/* The common name of the server's certificate. */
static void server_name(struct tls_client *c, char *name, size_t cap)
{
	unsigned count;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(c->session, &count);
	gnutls_x509_crt_t crt;

	assert_non_null(list);
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &list[0], GNUTLS_X509_FMT_DER), 0);
	assert_int_equal(
		gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &cap),
		0);
	gnutls_x509_crt_deinit(crt);
}

static bool send_all(struct tls_client *c, const char *p, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = gnutls_record_send(c->session, p + at, len - at);

		if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
			continue;
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

/* Reads until the text that ends the answer, or len bytes; the caller frees. */
static char *receive(struct tls_client *c, size_t len, const char *until)
{
	char *all = calloc(1, len + 1);

	for (size_t at = 0; at < len && (until == NULL || strstr(all, until) == NULL);) {
		ssize_t n = gnutls_record_recv(c->session, all + at, len - at);

		if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
			continue;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	return all;
}

static void expect_name(const char *wanted)
{
	struct tls_client c;
	char name[64];

	assert_true(handshake(&c, "NORMAL"));
	server_name(&c, name, sizeof(name));
	assert_string_equal(name, wanted);
	leave(&c);
}

/* --- tests --- */

static void requests_over_tls_are_answered(void **state)
{
	static const char request[] = "GET /url HTTP/1.1\r\nHost: reg:1\r\n\r\n";
	static const char *const versions[] = { "NORMAL:-VERS-ALL:+VERS-TLS1.2",
		"NORMAL:-VERS-ALL:+VERS-TLS1.3" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct tls_client c;

		assert_true(handshake(&c, versions[i]));
		for (int j = 0; j < 3; j++) {
			char *answer;

			assert_true(send_all(&c, request, strlen(request)));
			answer = receive(&c, 1000, "https://reg:1");
			assert_non_null(strstr(answer, "\r\n\r\nhttps://reg:1"));
			free(answer);
		}
		leave(&c);
	}
}

static void old_versions_of_tls_are_refused(void **state)
{
	struct tls_client c;

	(void)state;
	assert_false(handshake(&c, "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0:%COMPAT"));
	leave(&c);
}

static void bodies_and_objects_pass_through_tls(void **state)
{
	struct tls_client c;
	char *body = malloc(3 * MIB), *answer, *start_of_body;
	static const char put[] =
		"PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 3145728\r\n\r\n";
	static const char get[] = "GET /object HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

	(void)state;
	fill_pattern(body, 3 * MIB, 0);
	assert_true(handshake(&c, "NORMAL"));
	assert_true(send_all(&c, put, strlen(put)) && send_all(&c, body, 3 * MIB));
	answer = receive(&c, 1000, "done");
	assert_non_null(strstr(answer, "201 Created"));
	assert_int_equal(data_bytes, 3 * MIB);
	assert_int_equal(data_errors, 0);
	free(answer);
	assert_true(send_all(&c, get, strlen(get)));
	answer = receive(&c, OBJECT_BYTES + 4000, NULL);
	start_of_body = strstr(answer, "\r\n\r\n");
	assert_non_null(start_of_body);
	assert_memory_equal(start_of_body + 4, body, OBJECT_BYTES);
	free(answer);
	free(body);
	leave(&c);
}

static void an_early_answer_reaches_a_client_that_keeps_sending(void **state)
{
	struct tls_client c;
	char *body = calloc(1, 1 * MIB), *answer;
	static const char put[] =
		"PUT /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 31457280\r\n\r\n";

	(void)state;
	assert_true(handshake(&c, "NORMAL"));
	assert_true(send_all(&c, put, strlen(put)));
	for (int i = 0; i < 10; i++)
		assert_true(send_all(&c, body, 1 * MIB));
	answer = receive(&c, 1000, "\r\n\r\nno");
	assert_non_null(strstr(answer, "401 Unauthorized"));
	free(answer);
	free(body);
	leave(&c);
	assert_int_equal(data_bytes, 0);
}

static void a_certificate_can_be_replaced(void **state)
{
	struct tls_client old;
	struct err err;
	char *answer;
	static const char request[] = "GET /url HTTP/1.1\r\nHost: h\r\n\r\n";

	(void)state;
	assert_true(handshake(&old, "NORMAL"));
	expect_name("first");
	write_certificate("second", true, true);
	expect_name("first");
	assert_true(http_server_reload_tls(server, &err));
	expect_name("second");
	/* a connection from before lives on */
	assert_true(send_all(&old, request, strlen(request)));
	answer = receive(&old, 1000, "https://h");
	assert_non_null(strstr(answer, "200 OK"));
	free(answer);
	leave(&old);
}

static void a_bad_replacement_is_refused_and_the_old_one_stays(void **state)
{
	struct err err;

	(void)state;
	write_certificate("third", true, false);
	assert_false(http_server_reload_tls(server, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.msg, "does not belong"));
	assert_int_equal(unlink(cert_file), 0);
	assert_false(http_server_reload_tls(server, &err));
	assert_non_null(strstr(err.msg, cert_file));
	expect_name("first");
}

static void a_tls_listener_without_a_certificate_does_not_start(void **state)
{
	struct http_listen listen = { "127.0.0.1:0", true };
	struct http_options o = { .listen = &listen, .listen_count = 1 };
	struct http_server *s = NULL;
	struct err err;

	(void)state;
	assert_false(http_server_start(&o, &s, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	o.tls_cert = "/nonexistent/cert";
	o.tls_key = "/nonexistent/key";
	assert_false(http_server_start(&o, &s, &err));
	assert_non_null(strstr(err.msg, "/nonexistent/cert"));
}

int main(void)
{
	char *bytes = malloc(OBJECT_BYTES);
	struct err err;
	int failed;

	if (!tls_start(&err))
		return 1;
	make_temp_folder(folder);
	(void)snprintf(cert_file, sizeof(cert_file), "%s/cert.pem", folder);
	(void)snprintf(key_file, sizeof(key_file), "%s/key.pem", folder);
	object_fd = memfd_create("object", MFD_CLOEXEC);
	fill_pattern(bytes, OBJECT_BYTES, 0);
	if (write(object_fd, bytes, OBJECT_BYTES) != OBJECT_BYTES)
		return 1;
	free(bytes);
#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop_server)
	const struct CMUnitTest tests[] = {
		SERVED(requests_over_tls_are_answered),
		SERVED(old_versions_of_tls_are_refused),
		SERVED(bodies_and_objects_pass_through_tls),
		SERVED(an_early_answer_reaches_a_client_that_keeps_sending),
		SERVED(a_certificate_can_be_replaced),
		SERVED(a_bad_replacement_is_refused_and_the_old_one_stays),
		cmocka_unit_test(a_tls_listener_without_a_certificate_does_not_start),
	};

	failed = cmocka_run_group_tests(tests, NULL, NULL);
	remove_temp_folder(folder);
	return failed;
}
