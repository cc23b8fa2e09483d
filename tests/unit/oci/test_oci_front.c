/* The front over real layers below it, where only a test can go: tokens that have expired, storage
 * that fails. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"
#include "auth/token.h"
#include "base/clock.h"
#include "base/codec.h"
#include "crypt/hash.h"
#include "front/layer_url.h"
#include "meta/db.h"
#include "meta/db_fault.h"
#include "oci/oci.h"
#include "registry/repo.h"
#include "store/store_fault.h"
#include "store/store_mem.h"

#define ACCOUNT    "123456789012"
#define REGION     "eu-west-1"
#define ANSWER_MAX (64 * KIB)

static struct {
	char folder[256];
	struct db *db;
	struct blobstore *store;
	struct auth *auth;
	struct core *core;
	struct front_options front;
	struct http_front http_front;
	struct http_server *server;
	struct arena *arena;
	struct principal who;
	struct access_key key;
	char basic[1024]; /* the value of Authorization */
} t;

static struct registry_id registry(void)
{
	struct registry_id reg;
	assert_true(registry_id_make(STR(ACCOUNT), STR(REGION), &reg));
	return reg;
}

static void make_basic(void)
{
	struct err err;
	struct str token;
	int64_t expires_at_ms;
	ASSERT_DONE(token_issue(t.auth, &t.who, t.arena, &token, &expires_at_ms, &err));
	struct str pair = arena_printf(t.arena, "AWS:" STR_FMT, STR_ARG(token));
	size_t len = BASE64_LEN(pair.len);
	assert_true(len + 7 < sizeof(t.basic));
	memcpy(t.basic, "Basic ", 6);
	base64_encode((const uint8_t *)pair.ptr, pair.len, t.basic + 6);
	t.basic[6 + len] = 0;
}

static int start_with(bool no_auth)
{
	struct err err;
	char path[300];
	struct repo repo;
	struct http_listen listen = { "127.0.0.1:0", false };
	memset(&t, 0, sizeof(t));
	make_temp_folder(t.folder);
	(void)snprintf(path, sizeof(path), "%s/db", t.folder);
	ASSERT_DONE(crypt_init(&err));
	ASSERT_DONE(db_open(&(struct db_options){ .path = path }, &t.db, &err));
	t.store = store_fault_new(store_mem_new());
	ASSERT_DONE(auth_open(
		&(struct auth_options){
			.db = t.db, .no_auth = no_auth, .account = ACCOUNT, .region = REGION },
		&t.auth, &err));
	ASSERT_DONE(core_open(&(struct core_options){ .db = t.db,
				      .store = t.store,
				      .mounting_by_default = true,
				      .collect_grace_ms = 1000,
				      .upload_life_ms = 100000000 },
		&t.core, &err));
	t.arena = arena_new(1 * MIB);
	auth_default_principal(t.auth, &t.who);
	if (!no_auth) {
		/* A token is good as long as the key that it was given to. */
		ASSERT_DONE(auth_make_root_key(t.auth, ACCOUNT, &t.key, &err));
		t.who.key_id = str_from(t.key.id);
	}
	make_basic();
	struct registry_id reg = registry();
	ASSERT_DONE(repo_create(t.core, &reg,
		&(struct repo_new){
			.name = STR("app"), .enc_type = ENC_AES256, .mutability = MUTABLE },
		t.arena, &repo, &err));
	t.front = (struct front_options){
		.auth = t.auth, .core = t.core, .account = ACCOUNT, .region = REGION
	};
	t.http_front = oci_front(&t.front);
	ASSERT_DONE(http_server_start(&(struct http_options){ .listen = &listen,
					      .listen_count = 1,
					      .fronts = &t.http_front,
					      .front_count = 1,
					      .loops = 1 },
		&t.server, &err));
	return 0;
}

static int start(void **state UNUSED)
{
	return start_with(false);
}

static int start_without_auth(void **state UNUSED)
{
	return start_with(true);
}

static int stop(void **state UNUSED)
{
	http_server_stop(t.server, 2000);
	core_close(t.core);
	auth_close(t.auth);
	blobstore_close(t.store);
	db_close(t.db);
	arena_free(t.arena);
	remove_temp_folder(t.folder);
	return 0;
}

/* What a request was answered; one at a time. */
static struct {
	int status;
	char text[ANSWER_MAX]; /* head and body */
} answer;

/* One request on a connection of its own. authorization NULL: none. */
static void ask(const char *method, const char *target, const char *authorization, struct str body)
{
	char head[2048];
	size_t len = 0;
	ssize_t n;
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(http_server_port(t.server, 0)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	int head_len = snprintf(head, sizeof(head),
		"%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %zu\r\n%s%s%s\r\n",
		method, target, body.len, authorization ? "Authorization: " : "",
		authorization ? authorization : "", authorization ? "\r\n" : "");
	assert_int_equal(send(fd, head, (size_t)head_len, MSG_NOSIGNAL), head_len);
	if (body.len > 0)
		assert_int_equal(send(fd, body.ptr, body.len, MSG_NOSIGNAL), body.len);
	while (len + 1 < sizeof(answer.text) &&
		(n = recv(fd, answer.text + len, sizeof(answer.text) - 1 - len, 0)) > 0)
		len += (size_t)n;
	answer.text[len] = 0;
	(void)close(fd);
	assert_int_equal(sscanf(answer.text, "HTTP/1.1 %d", &answer.status), 1);
}

static void expect(int status, const char *text)
{
	if (answer.status != status || !strstr(answer.text, text))
		fail_msg("not %d with \"%s\" but:\n%s", status, text, answer.text);
}

static struct digest digest_of(struct str bytes)
{
	struct err err;
	struct digest d;
	ASSERT_DONE(hash_bytes(DIGEST_SHA256, bytes, &d, &err));
	return d;
}

static const char *target_of(const char *format, struct str bytes)
{
	static char target[300];
	char text[DIGEST_TEXT_MAX];
	struct digest d = digest_of(bytes);
	struct str digest = str_from(digest_text(&d, text));
	(void)snprintf(target, sizeof(target), "%s" STR_FMT, format, STR_ARG(digest));
	return target;
}

static void an_expired_token_is_told_apart_from_a_wrong_one(void **state UNUSED)
{
	ask("GET", "/v2/", t.basic, STR(""));
	expect(200, "{}");
	ask("GET", "/v2/", "Basic QVdTOng=", STR(""));
	expect(401, "Not Authorized\n");
	clock_shift_ms(TOKEN_LIFE_MS + 1000);
	ask("GET", "/v2/", t.basic, STR(""));
	clock_shift_ms(-TOKEN_LIFE_MS - 1000);
	expect(403,
		"{\"errors\":[{\"code\":\"DENIED\",\"message\":\"Your authorization token has expired. "
		"Reauthenticate and try again.\"}]}");
}

static void without_authentication_everyone_is_the_default_account(void **state UNUSED)
{
	ask("GET", "/v2/_catalog", NULL, STR(""));
	expect(200, "{\"repositories\":[\"app\"]}");
	ask("GET", "/v2/_catalog", "Basic QVdTOng=", STR(""));
	expect(200, "{\"repositories\":[\"app\"]}");
	ask("POST", "/v2/app/blobs/uploads/", NULL, STR(""));
	expect(202, "Location: /v2/app/blobs/uploads/");
}

static void a_signed_layer_url_ends_with_its_time(void **state UNUSED)
{
	struct str data = STR("some layer");
	struct layer_url url = { .reg = registry(),
		.expires_at_s = clock_now_ms() / 1000 + 100,
		.digest = digest_of(data),
		.repo = STR("app") };
	ask("POST", target_of("/v2/app/blobs/uploads/?digest=", data), t.basic, data);
	expect(201, "Docker-Content-Digest: ");
	struct str path = layer_url_path(t.auth, &url, t.arena);
	assert_non_null(path.ptr);
	ask("GET", path.ptr, NULL, STR(""));
	expect(200, "\r\n\r\nsome layer");
	clock_shift_ms(101000);
	ask("GET", path.ptr, NULL, STR(""));
	clock_shift_ms(-101000);
	expect(403, "This layer URL has expired");
	/* The signature covers the expiry. */
	url.expires_at_s += 1000;
	struct str longer = layer_url_path(t.auth, &url, t.arena);
	struct str forged = arena_str(t.arena, longer);
	size_t head = strlen("/layers/" ACCOUNT "/" REGION "/") + 11;
	char *writable = arena_alloc(t.arena, forged.len + 1);
	memcpy(writable, forged.ptr, forged.len);
	memcpy(writable + head, path.ptr + head, 64);
	ask("GET", writable, NULL, STR(""));
	expect(403, "The signature of this layer URL does not match");
}

/* Whatever call of the store meets a full disk: a clear 507, nothing half-visible, and the next try
 * works. */
static void a_full_store_refuses_the_blob_and_shows_nothing_of_it(void **state UNUSED)
{
	struct str data = STR("bytes that do not fit");
	for (unsigned n = 1;; n++) {
		assert_true(n < 50);
		store_fault_set(t.store, n, ERR_STORAGE_FULL);
		ask("POST", target_of("/v2/app/blobs/uploads/?digest=", data), t.basic, data);
		store_fault_set(t.store, 0, ERR_STORAGE_FULL);
		if (answer.status == 201) {
			assert_true(n > 2);
			break;
		}
		expect(507,
			"{\"code\":\"TOOMANYREQUESTS\",\"message\":\"The registry's storage is full");
		expect(507, "(request id ");
		ask("HEAD", target_of("/v2/app/blobs/", data), t.basic, STR(""));
		assert_int_equal(answer.status, 404);
	}
	ask("GET", target_of("/v2/app/blobs/", data), t.basic, STR(""));
	expect(200, "\r\n\r\nbytes that do not fit");
}

static void push_through_faults(enum db_fault fault, const char *method, const char *target,
	struct str body, int done, int failed)
{
	for (unsigned n = 1;; n++) {
		assert_true(n < 200);
		db_fault_set(t.db, n, fault, DB_FAULT_AT_ANY);
		ask(method, target, t.basic, body);
		bool is_spent = db_fault_left(t.db) == 0;
		db_fault_set(t.db, 0, fault, DB_FAULT_AT_ANY);
		/* What fails on the event loop is tried once more by a worker. */
		if (answer.status == done && is_spent && strcmp(method, "PUT") == 0)
			continue;
		if (answer.status == done) {
			assert_true(n > 1);
			break;
		}
		expect(failed, "{\"errors\":[{\"code\":\"");
		expect(failed, "(request id ");
	}
}

static void a_failing_database_never_gives_an_empty_answer(void **state UNUSED)
{
	static const char manifest[] =
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}";

	static const struct {
		enum db_fault fault;
		int failed;
	} faults[] = { { DB_FAULT_FULL, 507 }, { DB_FAULT_IO, 503 }, { DB_FAULT_CORRUPT, 500 } };

	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		char target[100];
		char text[30];
		(void)snprintf(text, sizeof(text), "layer %zu", i);
		push_through_faults(faults[i].fault, "POST",
			target_of("/v2/app/blobs/uploads/?digest=", str_from(text)), str_from(text),
			201, faults[i].failed);
		(void)snprintf(target, sizeof(target), "/v2/app/manifests/v%zu", i);
		push_through_faults(
			faults[i].fault, "PUT", target, STR(manifest), 201, faults[i].failed);
		push_through_faults(faults[i].fault, "GET", target, STR(""), 200, faults[i].failed);
		push_through_faults(faults[i].fault, "GET", "/v2/app/tags/list", STR(""), 200,
			faults[i].failed);
		push_through_faults(
			faults[i].fault, "DELETE", target, STR(""), 202, faults[i].failed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			an_expired_token_is_told_apart_from_a_wrong_one, start, stop),
		cmocka_unit_test_setup_teardown(
			without_authentication_everyone_is_the_default_account, start_without_auth,
			stop),
		cmocka_unit_test_setup_teardown(a_signed_layer_url_ends_with_its_time, start, stop),
		cmocka_unit_test_setup_teardown(
			a_full_store_refuses_the_blob_and_shows_nothing_of_it, start, stop),
		cmocka_unit_test_setup_teardown(
			a_failing_database_never_gives_an_empty_answer, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
