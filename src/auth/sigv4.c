#include "auth/sigv4.h"

#include <assert.h>

#include "auth/auth_priv.h"
#include "auth/session.h"
#include "auth/sigv4_priv.h"
#include "base/codec.h"
#include "base/mem.h"
#include "crypt/hash.h"
#include "crypt/hmac.h"
#include "crypt/secret.h"
#include "iam/iam_key.h"

#define ALGORITHM     "AWS4-HMAC-SHA256"
#define TERMINATOR    "aws4_request"
#define KEY_ID_MAX    32
#define EXPIRES_MAX_S 604800 /* seven days */
#define CANONICAL_MAX (256 * KIB)
#define AMZ_DATE_LEN  16 /* 20261124T030000Z */
#define HASH_HEX_LEN  64
#define MISSING_CODE  "IncompleteSignatureException: "

/* What a request says of its signature; texts borrow from it or from the arena, ptr NULL: absent.
 */
struct signature {
	bool is_presigned;
	struct str credential, signed_headers, signature;
	struct str amz_date, expires, content_sha256, security_token;
	struct str http_date; /* the Date header */
	/* credential, taken apart */
	struct str key_id, scope, date, region, service;
	/* amz_date, or http_date in its form */
	int64_t date_s;
	char date_text[AMZ_DATE_LEN + 1];
};

bool sigv4_mismatch(struct err *err)
{
	return err_set(err, ERR_UNAUTHENTICATED,
		"InvalidSignatureException: The request signature we calculated does not match the signature you provided. "
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.");
}

static bool unknown_client(struct err *err)
{
	return err_set(err, ERR_UNAUTHENTICATED,
		"UnrecognizedClientException: The security token included in the request is invalid.");
}

/* The first header of each name that matters. */
struct header_set {
	struct str authorization, amz_date, date, content_sha256, security_token;
};

static bool collect_header(void *arg, struct str name, struct str value)
{
	struct header_set *h = arg;

	const struct {
		struct str name;
		struct str *out;
	} wanted[] = {
		{ STR("authorization"), &h->authorization },
		{ STR("x-amz-date"), &h->amz_date },
		{ STR("date"), &h->date },
		{ STR("x-amz-content-sha256"), &h->content_sha256 },
		{ STR("x-amz-security-token"), &h->security_token },
	};

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		if (wanted[i].out->ptr == NULL && str_eq_nocase(name, wanted[i].name))
			*wanted[i].out = str_trim(value);
	}
	return true;
}

/* The first parameter of that name, decoded; ptr NULL if absent or malformed. */
static struct str find_param(struct str query, const char *name, struct arena *arena)
{
	const struct str none = { NULL, 0 };
	struct str raw_name;
	struct str raw;
	while (sigv4_next_param(&query, &raw_name, &raw)) {
		if (!sigv4_name_is(raw_name, name))
			continue;
		struct str out = { NULL, 0 };
		char *p = arena_alloc(arena, raw.len + 1);
		if (p == NULL || !percent_decode(raw, true, p, &out.len))
			return none;
		out.ptr = p;
		return out;
	}
	return none;
}

/* "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=..." */
static void read_authorization(struct str parameters, struct signature *s)
{
	while (parameters.len != 0) {
		struct str part;
		struct str name;
		struct str value;
		struct str *out;
		str_cut(parameters, ',', &part, &parameters);
		str_cut(str_trim(part), '=', &name, &value);
		if (str_eq(name, STR("Credential")))
			out = &s->credential;
		else if (str_eq(name, STR("SignedHeaders")))
			out = &s->signed_headers;
		else if (str_eq(name, STR("Signature")))
			out = &s->signature;
		else
			continue;
		if (out->ptr == NULL && value.len != 0)
			*out = value;
	}
}

enum form {
	FORM_NONE,
	FORM_HEADER,
	FORM_QUERY,
	FORM_OTHER /* an Authorization that is not ours */
};

static enum form read_signature(
	const struct sigv4_request *r, struct arena *arena, struct signature *s)
{
	struct header_set h = { .date = { NULL, 0 } };
	r->headers(r->headers_arg, collect_header, &h);
	*s = (struct signature){ .content_sha256 = h.content_sha256, .http_date = h.date };
	if (h.authorization.ptr != NULL) {
		struct str scheme;
		struct str parameters;
		str_cut(h.authorization, ' ', &scheme, &parameters);
		s->amz_date = h.amz_date;
		s->security_token = h.security_token;
		if (!str_eq(scheme, STR(ALGORITHM)))
			return FORM_OTHER;
		read_authorization(parameters, s);
		return FORM_HEADER;
	}
	struct str algorithm = find_param(r->query, "X-Amz-Algorithm", arena);
	s->credential = find_param(r->query, "X-Amz-Credential", arena);
	s->signature = find_param(r->query, "X-Amz-Signature", arena);
	if (algorithm.ptr == NULL && s->credential.ptr == NULL && s->signature.ptr == NULL)
		return FORM_NONE;
	s->is_presigned = true;
	s->signed_headers = find_param(r->query, "X-Amz-SignedHeaders", arena);
	s->amz_date = find_param(r->query, "X-Amz-Date", arena);
	s->expires = find_param(r->query, "X-Amz-Expires", arena);
	s->security_token = find_param(r->query, "X-Amz-Security-Token", arena);
	if (s->content_sha256.ptr == NULL)
		s->content_sha256 = find_param(r->query, "X-Amz-Content-Sha256", arena);
	return str_eq(algorithm, STR(ALGORITHM)) ? FORM_QUERY : FORM_OTHER;
}

/* Takes "<key id>/<date>/<Region>/<service>/aws4_request" apart; false when it has another form. */
static bool split_credential(struct signature *s, struct str *terminator)
{
	struct str rest;
	return str_cut(s->credential, '/', &s->key_id, &s->scope) &&
	       str_cut(s->scope, '/', &s->date, &rest) && str_cut(rest, '/', &s->region, &rest) &&
	       str_cut(rest, '/', &s->service, terminator) &&
	       str_find_char(*terminator, '/') == terminator->len;
}

struct str sigv4_service(const struct sigv4_request *r, struct arena *arena)
{
	struct signature s;
	struct str terminator;
	enum form form = read_signature(r, arena, &s);
	if ((form != FORM_HEADER && form != FORM_QUERY) || s.credential.ptr == NULL ||
		!split_credential(&s, &terminator))
		return (struct str){ NULL, 0 };
	return s.service;
}

static bool check_complete_header(const struct signature *s, struct err *err)
{
	bool has_date = s->amz_date.ptr != NULL || s->http_date.ptr != NULL;
	if (s->credential.ptr != NULL && s->signature.ptr != NULL &&
		s->signed_headers.ptr != NULL && has_date)
		return true;
	return err_set(err, ERR_UNAUTHENTICATED, MISSING_CODE "%s%s%s%s",
		s->credential.ptr != NULL
			? ""
			: "Authorization header requires 'Credential' parameter. ",
		s->signature.ptr != NULL ? ""
					 : "Authorization header requires 'Signature' parameter. ",
		s->signed_headers.ptr != NULL
			? ""
			: "Authorization header requires 'SignedHeaders' parameter. ",
		has_date
			? ""
			: "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
}

static bool check_complete_query(const struct signature *s, struct err *err)
{
	if (s->credential.ptr != NULL && s->signature.ptr != NULL &&
		s->signed_headers.ptr != NULL && s->amz_date.ptr != NULL)
		return true;
#define MUST_INCLUDE(field, name) \
	(s->field.ptr != NULL ? "" : "AWS query-string parameters must include '" name "'. ")
	return err_set(err, ERR_UNAUTHENTICATED,
		MISSING_CODE "%s%s%s%sRe-examine the query-string parameters.",
		MUST_INCLUDE(credential, "X-Amz-Credential"),
		MUST_INCLUDE(signature, "X-Amz-Signature"),
		MUST_INCLUDE(signed_headers, "X-Amz-SignedHeaders"),
		MUST_INCLUDE(amz_date, "X-Amz-Date"));
#undef MUST_INCLUDE
}

static bool check_complete(enum form form, const struct signature *s, struct err *err)
{
	switch (form) {
	case FORM_NONE:
		return err_set(err, ERR_UNAUTHENTICATED,
			"MissingAuthenticationTokenException: Missing Authentication Token");
	case FORM_OTHER:
		if (s->is_presigned)
			return err_set(err, ERR_UNAUTHENTICATED,
				MISSING_CODE "X-Amz-Algorithm must be '" ALGORITHM "'.");
		return check_complete_header(s, err);
	case FORM_HEADER:
		return check_complete_header(s, err);
	case FORM_QUERY:
		return check_complete_query(s, err);
	}
	return err_sys(err, ERR_INTERNAL, 0, "unknown form of signature");
}

static bool parse_credential(struct signature *s, const char *service, struct err *err)
{
	struct str terminator;
	if (!split_credential(s, &terminator))
		return err_set(err, ERR_UNAUTHENTICATED,
			MISSING_CODE
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" STR_FMT
			"'",
			STR_ARG(s->credential));
	if (!auth_is_region(s->region))
		return err_set(err, ERR_UNAUTHENTICATED,
			"InvalidSignatureException: Credential should be scoped to a valid region.");
	if (!str_eq_c(s->service, service))
		return err_set(err, ERR_UNAUTHENTICATED,
			"InvalidSignatureException: Credential should be scoped to correct service: '%s'.",
			service);
	if (!str_eq(terminator, STR(TERMINATOR)))
		return err_set(err, ERR_UNAUTHENTICATED,
			"InvalidSignatureException: Credential should be scoped with a valid terminator: '" TERMINATOR
			"'.");
	return true;
}

static void amz_date_text(int64_t unix_s, char out[AMZ_DATE_LEN + 1])
{
	char iso[ISO8601_MAX];
	iso8601(unix_s * 1000, iso);
	size_t n = 0;
	for (const char *p = iso; *p != '\0' && *p != '.' && n < AMZ_DATE_LEN - 1; p++) {
		if (*p != '-' && *p != ':')
			out[n++] = *p;
	}
	out[n++] = 'Z';
	out[n] = '\0';
}

static bool parse_date(struct signature *s, struct err *err)
{
	struct str text = s->amz_date.ptr != NULL ? s->amz_date : s->http_date;
	/* A Date header may be in HTTP's own format (RFC 9110 5.6.7) as well. */
	if (!amz_date_parse(text, &s->date_s) &&
		(s->amz_date.ptr != NULL || !http_date_parse(text, &s->date_s)))
		return err_set(err, ERR_UNAUTHENTICATED,
			MISSING_CODE "Date must be in ISO-8601 'basic format'. Got '" STR_FMT
				     "'. See http://en.wikipedia.org/wiki/ISO_8601",
			STR_ARG(text));
	amz_date_text(s->date_s, s->date_text);
	if (!str_eq(s->date, (struct str){ s->date_text, 8 }))
		return err_set(err, ERR_UNAUTHENTICATED,
			"InvalidSignatureException: Date in Credential scope does not match YYYYMMDD from ISO-8601 "
			"version of date from HTTP: '" STR_FMT "' != '%.8s', from '%s'.",
			STR_ARG(s->date), s->date_text, s->date_text);
	return true;
}

static bool check_time(const struct signature *s, int64_t now_s, struct err *err)
{
	char now[AMZ_DATE_LEN + 1];
	char edge[AMZ_DATE_LEN + 1];
	amz_date_text(now_s, now);
	if (s->date_s > now_s + SIGV4_SKEW_S) {
		amz_date_text(now_s + SIGV4_SKEW_S, edge);
		return err_set(err, ERR_UNAUTHENTICATED,
			"InvalidSignatureException: Signature not yet current: %s is still later than %s (%s + %d min.)",
			s->date_text, edge, now, SIGV4_SKEW_S / 60);
	}
	/* Some SDKs presign STS requests without an expiry: those live as long as a header. */
	if (s->expires.ptr == NULL) {
		if (s->date_s >= now_s - SIGV4_SKEW_S)
			return true;
		amz_date_text(now_s - SIGV4_SKEW_S, edge);
		return err_set(err, ERR_UNAUTHENTICATED,
			"InvalidSignatureException: Signature expired: %s is now earlier than %s (%s - %d min.)",
			s->date_text, edge, now, SIGV4_SKEW_S / 60);
	}
	uint64_t life_s;
	if (!str_to_u64(s->expires, EXPIRES_MAX_S, &life_s) || life_s == 0)
		return err_set(err, ERR_UNAUTHENTICATED,
			MISSING_CODE "X-Amz-Expires must be a number from 1 to %d", EXPIRES_MAX_S);
	if (now_s <= s->date_s + (int64_t)life_s)
		return true;
	amz_date_text(s->date_s + (int64_t)life_s, edge);
	return err_set(err, ERR_UNAUTHENTICATED,
		"InvalidSignatureException: Signature expired: %s is now earlier than %s", edge,
		now);
}

static bool signs(struct str signed_headers, struct str name)
{
	while (signed_headers.len != 0) {
		struct str one;
		str_cut(signed_headers, ';', &one, &signed_headers);
		if (str_eq(one, name))
			return true;
	}
	return false;
}

/* Without the host a signature for one server would serve at another; without the date, at any
 * time. */
static bool check_signed_headers(const struct signature *s, struct err *err)
{
	if (!signs(s->signed_headers, STR("host")))
		return err_set(err, ERR_UNAUTHENTICATED,
			"InvalidSignatureException: 'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
	if (s->is_presigned)
		return true;
	if (s->amz_date.ptr != NULL && !signs(s->signed_headers, STR("x-amz-date")))
		return err_set(err, ERR_UNAUTHENTICATED,
			"InvalidSignatureException: 'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.");
	return true;
}

static bool hash_hex(struct str bytes, char out[HASH_HEX_LEN], struct err *err)
{
	struct digest d;
	if (!hash_bytes(DIGEST_SHA256, bytes, &d, err))
		return false;
	hex_encode(d.hash, HASH_HEX_LEN / 2, out);
	return true;
}

void sigv4_key(
	struct str secret, struct str date, struct str region, struct str service, uint8_t out[32])
{
	uint8_t first[4 + SECRET_MAX] = "AWS4";
	assert(secret.len <= SECRET_MAX); /* it came out of a struct secret */
	memcpy(first + 4, secret.ptr, secret.len);
	hmac_sha256(first, 4 + secret.len, date, out);
	mem_wipe(first, sizeof(first));
	hmac_sha256(out, HMAC_LEN, region, out);
	hmac_sha256(out, HMAC_LEN, service, out);
	hmac_sha256(out, HMAC_LEN, STR(TERMINATOR), out);
}

static bool compute(const struct sigv4_request *r, const struct signature *s, struct str payload,
	const uint8_t key[32], uint8_t out[HMAC_LEN], struct err *err)
{
	struct buf text CLEANUP(buf_fini);
	char hex[HASH_HEX_LEN];
	buf_init(&text, CANONICAL_MAX);
	if (!sigv4_canonical(r, s->signed_headers, payload, s->is_presigned, &text, err) ||
		!hash_hex(buf_str(&text), hex, err))
		return false;
	buf_reset(&text);
	buf_addf(&text, ALGORITHM "\n%s\n", s->date_text);
	buf_add_str(&text, s->scope);
	buf_add_char(&text, '\n');
	buf_add(&text, hex, sizeof(hex));
	if (!buf_ok(&text)) /* what is signed is short: it is not the maximum */
		return err_sys(err, ERR_UNAVAILABLE, 0, "no memory to check a signature");
	hmac_sha256(key, 32, buf_str(&text), out);
	return true;
}

/*
 * Compares the signature, then the body with the hash that was signed: a body costs hashing only
 * when a holder of the key vouches for it, wherever the client names its hash.
 */
static bool check_signature(const struct sigv4_request *r, const struct signature *s,
	const uint8_t key[32], struct err *err)
{
	char body_hash[HASH_HEX_LEN];
	struct str payload = s->content_sha256;
	bool is_unsigned = s->is_presigned && str_eq(payload, STR("UNSIGNED-PAYLOAD"));
	bool is_named = payload.ptr != NULL && !is_unsigned;
	if (is_named &&
		payload.len != HASH_HEX_LEN) /* also the streaming forms, which S3 alone has */
		return sigv4_mismatch(err);
	if (payload.ptr == NULL) {
		if (!hash_hex(r->body, body_hash, err))
			return false;
		payload = (struct str){ body_hash, sizeof(body_hash) };
	}
	uint8_t expected[HMAC_LEN];
	uint8_t given[HMAC_LEN];
	if (!hex_decode(s->signature, true, given, sizeof(given)))
		return sigv4_mismatch(err);
	if (!compute(r, s, payload, key, expected, err))
		return false;
	if (!secret_eq(expected, given, HMAC_LEN))
		return sigv4_mismatch(err);
	if (!is_named)
		return true;
	if (!hash_hex(r->body, body_hash, err))
		return false;
	return str_eq(payload, (struct str){ body_hash, sizeof(body_hash) }) || sigv4_mismatch(err);
}

/* Nobody is checked; the Region still counts, because it names the registry. */
static bool accept_anyone(
	struct auth *a, enum form form, struct signature *s, struct principal *out)
{
	struct str terminator;
	auth_default_principal(a, out);
	if ((form == FORM_HEADER || form == FORM_QUERY) && s->credential.ptr != NULL &&
		split_credential(s, &terminator) && auth_is_region(s->region))
		out->region = s->region;
	return true;
}

/* A long-lived key: the signing key is in the cache, or goes there. */
static bool verify_key(struct auth *a, const struct sigv4_request *r, const struct signature *s,
	struct arena *arena, struct principal *out, struct err *err)
{
	struct key_info key;
	struct secret signing CLEANUP(secret_wipe) = { .len = 32 };
	bool found = false;
	const struct key_use use = {
		.id = s->key_id, .date = s->date, .region = s->region, .service = s->service
	};
	if (!key_cache_find(a->keys, &use, &key, signing.bytes, &found, err))
		return false;
	if (!found)
		return unknown_client(err);
	return check_signature(r, s, signing.bytes, err) &&
	       auth_principal_make(arena, &key, s->key_id, s->region, out, err);
}

static void opened_wipe(struct opened_session *o)
{
	secret_wipe(&o->secret);
}

/* A session: its secret is in the token, and its signature is checked before anything that the
 * token says is told. */
static bool verify_session(struct auth *a, const struct sigv4_request *r, const struct signature *s,
	int64_t now_s, struct arena *arena, struct principal *out, struct err *err)
{
	struct opened_session o CLEANUP(opened_wipe) = { .secret = { .len = 0 } };
	struct secret signing CLEANUP(secret_wipe) = { .len = 32 };
	bool found = false;
	if (!session_open(a, s->key_id, s->security_token, arena, &o, &found, err))
		return false;
	if (!found)
		return unknown_client(err);
	sigv4_key((struct str){ (char *)o.secret.bytes, o.secret.len }, s->date, s->region,
		s->service, signing.bytes);
	if (!check_signature(r, s, signing.bytes, err))
		return false;
	if (o.session.ends_at_ms <= now_s * 1000)
		return err_set(err, ERR_UNAUTHENTICATED,
			"ExpiredTokenException: The security token included in the request is expired");
	if (!session_principal(a, &o.session, s->region, arena, out, &found, err))
		return false;
	return found || unknown_client(err);
}

bool sigv4_verify(struct auth *a, const struct sigv4_request *r, const char *service, int64_t now_s,
	struct arena *arena, struct principal *out, struct err *err)
{
	struct signature s;
	enum form form = read_signature(r, arena, &s);
	if (a->no_auth)
		return accept_anyone(a, form, &s, out);
	if (!check_complete(form, &s, err) || !parse_credential(&s, service, err) ||
		!parse_date(&s, err) || !check_time(&s, now_s, err) ||
		!check_signed_headers(&s, err))
		return false;
	if (s.key_id.len > KEY_ID_MAX)
		return unknown_client(err);
	/* A long-lived key with a token is as unknown as a session's key without. */
	struct principal who;
	bool is_session = s.security_token.len != 0;
	if (!(is_session ? verify_session(a, r, &s, now_s, arena, &who, err)
			 : verify_key(a, r, &s, arena, &who, err)))
		return false;
	if (!is_session)
		iam_key_used(a->iam, s.key_id, s.service, s.region);
	*out = who;
	return true;
}
