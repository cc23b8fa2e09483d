#include "kms/kms_external.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "kms/kms_crypt.h"
#include "kms/kms_priv.h"
#include "net/fetch.h"

#define TIMEOUT_MS   5000
#define TRIES        2
#define PAUSE_MS     100
#define DOWN_US      1000000 /* how long calls fail at once after one that failed for good */
#define ANSWER_MAX   (64 * KIB)
#define URL_TEXT_MAX 512

struct kms_external {
	char url[URL_TEXT_MAX];
	char *access_key_id;
	struct secret secret;      /* NUL-terminated */
	struct fetch_sigv4 signer; /* borrows the two above */
	struct fetch *fetch;
	_Atomic int64_t down_until_us;
};

/* Opening. */

static bool bad(const char *what, struct err *err)
{
	return err_set(err, ERR_CONFIG, "external KMS: %s", what);
}

/* Bytes on the wire are data keys, so plain HTTP must not leave the machine. */
static bool set_endpoint(struct kms_external *x, const char *endpoint, struct err *err)
{
	struct str url = str_from(endpoint);
	struct str host;
	bool is_https;
	while (str_ends(url, STR("/")))
		url.len--;
	if (!str_starts(url, STR("https://")) && !str_starts(url, STR("http://")))
		return bad("the endpoint begins with https://", err);
	if (!fetch_authority(url, &is_https, &host) || url.len >= URL_TEXT_MAX - 2 ||
		host.ptr + host.len != url.ptr + url.len)
		return bad("the endpoint is https:// and a host, with a port or without", err);
	if (!is_https && !fetch_is_loopback(host))
		return bad("an endpoint beyond loopback needs https://", err);
	(void)snprintf(x->url, sizeof(x->url), STR_FMT "/", STR_ARG(url));
	return true;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool read_secret(struct kms_external *x, const char *path, struct err *err)
{
	struct buf text CLEANUP(kms_wipe_buf);
	buf_init(&text, 4 * KIB);
	if (!file_read(path, &text, err)) {
		err->kind = ERR_CONFIG;
		return err_wrap(err, "external KMS");
	}
	struct str s = buf_str(&text);
	while (s.len != 0 && is_space(s.ptr[0]))
		s = str_sub(s, 1, s.len);
	while (s.len != 0 && is_space(s.ptr[s.len - 1]))
		s.len--;
	if (s.len == 0 || s.len >= SECRET_MAX || memchr(s.ptr, '\0', s.len) != NULL ||
		!secret_set(&x->secret, s.ptr, s.len))
		return bad("the file of the secret access key holds no secret access key", err);
	x->secret.bytes[s.len] = '\0';
	return true;
}

static bool set_up(struct kms_external *x, const struct kms_external_options *o, struct err *err)
{
	if (o->region == NULL || o->access_key_id == NULL || o->secret_file == NULL)
		return bad("Region, access key id and the secret's file are needed", err);
	if (!set_endpoint(x, o->endpoint, err) || !read_secret(x, o->secret_file, err))
		return false;
	if (o->ca_file != NULL && !file_exists(o->ca_file))
		return bad("there is no file of certificate authorities at that path", err);
	x->access_key_id = xstrdup(o->access_key_id);
	x->signer = (struct fetch_sigv4){
		.region = o->region,
		.service = "kms",
		.access_key_id = x->access_key_id,
		.secret = (const char *)x->secret.bytes,
	};
	struct fetch_options f = {
		.ca_file = o->ca_file,
		.timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : TIMEOUT_MS,
		.sigv4 = &x->signer,
	};
	struct err why;
	return fetch_open(&f, &x->fetch, &why) || bad(err_text(&why), err);
}

bool kms_external_open(
	const struct kms_external_options *o, struct kms_external **out, struct err *err)
{
	struct kms_external *x = xmalloc(sizeof(*x));
	if (!set_up(x, o, err)) {
		kms_external_close(x);
		return false;
	}
	*out = x;
	return true;
}

void kms_external_close(struct kms_external *x)
{
	if (x == NULL)
		return;
	fetch_close(x->fetch);
	freep(&x->access_key_id);
	secret_wipe(&x->secret);
	free(x);
}

/* One request. */

struct exchange {
	const char *operation;
	struct str body;
	struct buf answer;
	int status;
	struct err why; /* of no answer */
};

/* Sends once. False: no answer; e->why says why. */
static bool exchange_once(struct kms_external *x, struct exchange *e)
{
	char target[80];
	(void)snprintf(target, sizeof(target), "X-Amz-Target: TrentService.%s", e->operation);
	const char *headers[] = { "Content-Type: application/x-amz-json-1.1", target, NULL };
	struct fetch_request r = {
		.url = x->url, .headers = headers, .is_post = true, .body = e->body
	};
	buf_reset(&e->answer);
	return fetch_send(x->fetch, &r, &e->answer, &e->status, &e->why);
}

static void pause_ms(int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	(void)nanosleep(&t, NULL);
}

/* What AWS's error names mean here; prefixes such as "com.amazonaws.kms#" are off. */
static enum err_kind kind_of(struct str code)
{
	static const struct {
		const char *code;
		enum err_kind kind;
	} kinds[] = {
		{ "NotFoundException", ERR_KMS_KEY_UNKNOWN },
		{ "InvalidArnException", ERR_KMS_KEY_UNKNOWN },
		{ "ValidationException", ERR_KMS_KEY_UNKNOWN },
		{ "DisabledException", ERR_KMS_KEY_DISABLED },
		{ "KMSInvalidStateException", ERR_KMS_KEY_STATE },
		{ "InvalidKeyUsageException", ERR_KMS_KEY_STATE },
		{ "IncorrectKeyException", ERR_KMS_KEY_INCORRECT },
		{ "InvalidCiphertextException", ERR_KMS_CIPHERTEXT_INVALID },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (str_eq_c(code, kinds[i].code))
			return kinds[i].kind;
	}
	return ERR_KMS_UNAVAILABLE;
}

/* A refusal. The KMS's words go to the client only where they are about its key. */
static bool refused(const struct exchange *e, struct err *err)
{
	struct json *answer CLEANUP(json_freep) = NULL;
	struct err ignored;
	if (!json_parse(buf_str(&e->answer), &answer, &ignored))
		answer = NULL;
	struct str type = json_get_str(answer, "__type");
	struct str message = json_get_str(answer, "message");
	if (message.len == 0)
		message = json_get_str(answer, "Message");
	struct str head;
	struct str tail;
	if (str_cut(type, '#', &head, &tail))
		type = tail;
	enum err_kind kind = kind_of(type);
	message = str_sub(message, 0, 400);
	type = str_sub(type, 0, 64);
	if (kind != ERR_KMS_UNAVAILABLE && message.len != 0)
		return err_set(err, kind, STR_FMT, STR_ARG(message));
	if (kind != ERR_KMS_UNAVAILABLE)
		return err_set(err, kind, "The external KMS answered " STR_FMT, STR_ARG(type));
	err_sys(err, kind, 0, "external KMS, %s: HTTP %d " STR_FMT ": " STR_FMT, e->operation,
		e->status, STR_ARG(type), STR_ARG(message));
	(void)snprintf(
		err->msg, sizeof(err->msg), "The external KMS refuses the registry's request");
	return false;
}

static bool no_answer(const struct exchange *e, struct err *err)
{
	err_sys(err, ERR_KMS_UNAVAILABLE, 0, "external KMS, %s: %s", e->operation, e->why.detail);
	(void)snprintf(err->msg, sizeof(err->msg), "The external KMS does not answer");
	return false;
}

static bool malformed(const char *operation, struct err *err)
{
	return err_sys(err, ERR_KMS_UNAVAILABLE, 0,
		"external KMS, %s: an answer without what it should hold", operation);
}

static bool may_pass(const struct exchange *e)
{
	struct str answer = buf_str(&e->answer);
	return e->status >= 500 || e->status == 429 ||
	       (e->status >= 400 && answer.len != 0 &&
		       memmem(answer.ptr, answer.len, "Throttling", 10) != NULL);
}

/* Up to an answer of 200, parsed into *out. */
static bool call(struct kms_external *x, const char *operation, struct str body, struct json **out,
	struct err *err)
{
	struct exchange e = { .operation = operation, .body = body };
	bool done = false;
	bool answered = false;
	if (clock_mono_us() < atomic_load(&x->down_until_us))
		return err_set(err, ERR_KMS_UNAVAILABLE, "The external KMS does not answer");
	buf_init(&e.answer, ANSWER_MAX);
	for (unsigned i = 0; i < TRIES; i++) {
		if (i != 0)
			pause_ms(PAUSE_MS);
		answered = exchange_once(x, &e);
		if (answered && !may_pass(&e))
			break;
	}
	if (!answered || may_pass(&e))
		atomic_store(&x->down_until_us, clock_mono_us() + DOWN_US);
	if (!answered)
		done = no_answer(&e, err);
	else if (e.status != 200)
		done = refused(&e, err);
	else
		done = json_parse(buf_str(&e.answer), out, err) || malformed(operation, err);
	kms_wipe_buf(&e.answer);
	return done;
}

/* Operations. */

static void put_context(struct json_out *o, const struct kms_context *context)
{
	if (context == NULL || context->count == 0)
		return;
	jo_object(o, "EncryptionContext");
	for (size_t i = 0; i < context->count; i++) {
		char name[KMS_CONTEXT_MAX_BYTES + 1];
		if (str_to_c(context->pairs[i].name, name, sizeof(name)))
			jo_str(o, name, context->pairs[i].value);
	}
	jo_end(o, '}');
}

/* The member Plaintext, 32 bytes. */
static bool get_plain(
	const struct json *answer, const char *operation, struct secret *out, struct err *err)
{
	struct str text = json_get_str(answer, "Plaintext");
	struct secret plain CLEANUP(secret_wipe) = { 0 };
	if (text.len != BASE64_LEN(KMS_DATA_KEY_LEN) ||
		!base64_decode(text, plain.bytes, &plain.len) || plain.len != KMS_DATA_KEY_LEN)
		return malformed(operation, err);
	*out = plain;
	return true;
}

bool kms_external_resolve(struct kms_external *x, struct str text, struct arena *arena,
	struct str *out_arn, struct err *err)
{
	struct buf body CLEANUP(buf_fini);
	struct json *answer CLEANUP(json_freep) = NULL;
	struct json_out o;
	buf_init(&body, 32 * KIB);
	jo_init(&o, &body);
	jo_object(&o, NULL);
	jo_str(&o, "KeyId", text);
	jo_end(&o, '}');
	if (!call(x, "DescribeKey", buf_str(&body), &answer, err))
		return false;
	const struct json *key = json_get(answer, "KeyMetadata");
	struct str arn = json_get_str(key, "Arn");
	struct str state = json_get_str(key, "KeyState");
	struct str usage = json_get_str(key, "KeyUsage");
	struct str spec = json_get_str(key, "KeySpec");
	if (arn.len == 0 || arn.len > 2048)
		return malformed("DescribeKey", err);
	struct str shown = str_sub(arn, 0, 300);
	if (str_eq(state, STR("Disabled")))
		return err_set(err, ERR_KMS_KEY_DISABLED, STR_FMT " is disabled.", STR_ARG(shown));
	if (!str_eq(state, STR("Enabled")))
		return err_set(err, ERR_KMS_KEY_STATE, STR_FMT " is in state " STR_FMT ".",
			STR_ARG(shown), STR_ARG(str_sub(state, 0, 40)));
	if ((usage.len != 0 && !str_eq(usage, STR("ENCRYPT_DECRYPT"))) ||
		(spec.len != 0 && !str_eq(spec, STR("SYMMETRIC_DEFAULT"))))
		return err_set(err, ERR_KMS_KEY_STATE,
			STR_FMT " is not a symmetric encryption key.", STR_ARG(shown));
	struct str copy = arena_str(arena, arn);
	if (copy.ptr == NULL)
		return kms_out_of_memory(arena, err);
	*out_arn = copy;
	return true;
}

bool kms_external_generate(struct kms_external *x, struct str key_arn,
	const struct kms_context *context, struct secret *out, struct buf *out_wrapped,
	struct err *err)
{
	struct buf body CLEANUP(buf_fini);
	struct json *answer CLEANUP(json_freep) = NULL;
	struct json_out o;
	size_t len = 0;
	buf_init(&body, 64 * KIB);
	jo_init(&o, &body);
	jo_object(&o, NULL);
	jo_str(&o, "KeyId", key_arn);
	jo_c(&o, "KeySpec", "AES_256");
	put_context(&o, context);
	jo_end(&o, '}');
	if (!call(x, "GenerateDataKey", buf_str(&body), &answer, err))
		return false;
	struct str blob = json_get_str(answer, "CiphertextBlob");
	if (blob.len == 0 || blob.len > BASE64_LEN((size_t)6144))
		return malformed("GenerateDataKey", err);
	uint8_t *bytes = buf_reserve(out_wrapped, blob.len / 4 * 3 + 3);
	if (bytes == NULL || !base64_decode(blob, bytes, &len) || len == 0)
		return malformed("GenerateDataKey", err);
	if (!get_plain(answer, "GenerateDataKey", out, err))
		return false;
	buf_commit(out_wrapped, len);
	return true;
}

bool kms_external_decrypt(struct kms_external *x, struct str key_arn, struct str wrapped,
	const struct kms_context *context, struct secret *out, struct err *err)
{
	struct buf body CLEANUP(buf_fini);
	struct json *answer CLEANUP(json_freep) = NULL;
	struct json_out o;
	char *text CLEANUP(freep) = xmalloc(BASE64_LEN(wrapped.len) + 1);
	base64_encode((const uint8_t *)wrapped.ptr, wrapped.len, text);
	buf_init(&body, 64 * KIB);
	jo_init(&o, &body);
	jo_object(&o, NULL);
	jo_c(&o, "CiphertextBlob", text);
	jo_str(&o, "KeyId", key_arn);
	put_context(&o, context);
	jo_end(&o, '}');
	return call(x, "Decrypt", buf_str(&body), &answer, err) &&
	       get_plain(answer, "Decrypt", out, err);
}
