#include "auth/oidc.h"

#include <inttypes.h>

#include <cjose/cjose.h>

#include "auth/oidc_fetch.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/thread.h"

#define DISCOVERY "/.well-known/openid-configuration"

/* What is known of an issuer; free: issuer NULL. */
struct keys {
	char *issuer;
	char *text; /* its key set, JSON; NULL: never fetched */
	int64_t fetched_at_ms, tried_at_ms;
	bool is_fetching;
};

struct oidc {
	char *ca_file; /* may be NULL */
	struct mutex lock;
	struct cond fetched;                   /* some issuer's keys, or not */
	struct keys issuers[OIDC_ISSUERS_MAX]; /* guarded by lock */
};

bool oidc_open(const char *ca_file, struct oidc **out, struct err *err)
{
	(void)err;
	struct oidc *o = xmalloc(sizeof(*o));
	o->ca_file = ca_file != NULL ? xstrdup(ca_file) : NULL;
	mutex_init(&o->lock, "oidc");
	cond_init(&o->fetched);
	*out = o;
	return true;
}

void oidc_close(struct oidc *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < OIDC_ISSUERS_MAX; i++) {
		freep(&o->issuers[i].issuer);
		freep(&o->issuers[i].text);
	}
	freep(&o->ca_file);
	cond_fini(&o->fetched);
	mutex_fini(&o->lock);
	freep(&o);
}

static bool invalid(struct err *err, const char *text)
{
	return err_set(err, ERR_INVALID, "InvalidIdentityToken: %s", text);
}

static bool no_keys(struct err *err)
{
	struct err why = *err;
	return err_set(err, ERR_INVALID,
		       "IDPCommunicationError: Couldn't retrieve verification key from your identity provider, "
		       "please reference AssumeRoleWithWebIdentity documentation for requirements") ||
	       err_wrap(err, "%s", why.detail);
}

/* One of the three parts of a compact JWS, as JSON. */
static bool read_part(struct str part, struct arena *arena, struct json **out, struct err *err)
{
	size_t len = 0;
	char *bytes = arena_alloc(arena, part.len + 1);
	if (bytes == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "request arena exhausted");
	if (!base64url_decode(part, (uint8_t *)bytes, part.len, &len) ||
		!json_parse((struct str){ bytes, len }, out, err))
		return invalid(err, "The ID Token provided is not a valid JWT");
	return true;
}

static bool split(struct str token, struct str parts[3])
{
	struct str rest;
	return str_cut(token, '.', &parts[0], &rest) && str_cut(rest, '.', &parts[1], &parts[2]) &&
	       str_find_char(parts[2], '.') == parts[2].len && parts[2].len != 0;
}

bool oidc_issuer(struct str token, struct arena *arena, struct str *out, struct err *err)
{
	struct json *payload CLEANUP(json_freep) = NULL;
	struct str parts[3];
	if (token.len > OIDC_TOKEN_MAX || !split(token, parts))
		return invalid(err, "The ID Token provided is not a valid JWT. "
				    "(You may see this error if you sent an Access Token)");
	if (!read_part(parts[1], arena, &payload, err))
		return false;
	struct str issuer = json_get_str(payload, "iss");
	if (issuer.len == 0)
		return invalid(err, "Missing a required claim: iss");
	*out = arena_str(arena, issuer);
	return out->ptr != NULL || err_sys(err, ERR_INTERNAL, 0, "request arena exhausted");
}

/* Keys of issuers. */

/* Discovery, then the key set. */
static bool fetch_keys(const struct oidc *o, struct str issuer, struct buf *out, struct err *err)
{
	struct buf text CLEANUP(buf_fini);
	struct json *document CLEANUP(json_freep) = NULL;
	struct str base = issuer;
	while (str_ends(base, STR("/")))
		base.len--;
	buf_init(&text, OIDC_DOCUMENT_MAX);
	buf_add_str(&text, base);
	buf_add_c(&text, DISCOVERY);
	struct buf url CLEANUP(buf_fini) = text;
	buf_init(&text, OIDC_DOCUMENT_MAX);
	if (!oidc_fetch(buf_str(&url), o->ca_file, &text, err) ||
		!json_parse(buf_str(&text), &document, err))
		return no_keys(err);
	if (!str_eq(json_get_str(document, "issuer"), issuer)) {
		err_ignore(err_sys(err, ERR_UNAVAILABLE, 0, "it names another issuer"));
		return no_keys(err);
	}
	struct str jwks_uri = json_get_str(document, "jwks_uri");
	return oidc_fetch(jwks_uri, o->ca_file, out, err) || no_keys(err);
}

static struct keys *find(struct oidc *o, struct str issuer)
{
	mutex_assert_held(&o->lock);
	for (size_t i = 0; i < OIDC_ISSUERS_MAX; i++) {
		if (o->issuers[i].issuer != NULL && str_eq_c(issuer, o->issuers[i].issuer))
			return &o->issuers[i];
	}
	return NULL;
}

/* The issuer's place; a new one takes the oldest's. */
static struct keys *place(struct oidc *o, struct str issuer)
{
	struct keys *k = find(o, issuer);
	if (k != NULL)
		return k;
	k = &o->issuers[0];
	for (size_t i = 0; i < OIDC_ISSUERS_MAX && k->issuer != NULL; i++) {
		if (o->issuers[i].issuer == NULL || o->issuers[i].tried_at_ms < k->tried_at_ms)
			k = &o->issuers[i];
	}
	freep(&k->issuer);
	freep(&k->text);
	*k = (struct keys){ .issuer = xmalloc(issuer.len + 1) };
	memcpy(k->issuer, issuer.ptr, issuer.len);
	return k;
}

/* Whether what is kept must do (*text gets a copy of it, or NULL: there is nothing); else the
 * caller fetches and tells done_fetching. One at a time does; the others wait, or go on with what
 * there is. */
static bool must_do(struct oidc *o, struct str issuer, bool is_missing, char **text)
{
	LOCKED(&o->lock);
	struct keys *k = place(o, issuer);
	while (k->text == NULL && k->is_fetching &&
		cond_wait_ms(&o->fetched, &o->lock, OIDC_RETRY_MS))
		k = place(o, issuer);
	int64_t now_ms = clock_now_ms();
	int64_t age = now_ms - k->fetched_at_ms;
	int64_t since = now_ms - k->tried_at_ms;
	bool is_good = k->text != NULL && age >= 0 && age < OIDC_KEYS_LIFE_MS && !is_missing;
	int64_t pause = k->text != NULL ? OIDC_RETRY_MS : OIDC_FIRST_RETRY_MS;
	if (is_good || k->is_fetching || (since >= 0 && since < pause)) {
		*text = k->text != NULL ? xstrdup(k->text) : NULL;
		return true;
	}
	k->tried_at_ms = now_ms;
	k->is_fetching = true;
	return false;
}

/* text NULL: it failed. */
static void done_fetching(struct oidc *o, struct str issuer, const char *text)
{
	LOCKED(&o->lock);
	struct keys *k = place(o, issuer);
	k->is_fetching = false;
	if (text != NULL) {
		freep(&k->text);
		k->text = xstrdup(text);
		k->fetched_at_ms = clock_now_ms();
	}
	cond_broadcast(&o->fetched);
}

/* The key set. is_missing: what is kept lacks a key. Owns: *out is the caller's. */
static bool get_keys(
	struct oidc *o, struct str issuer, bool is_missing, char **out, struct err *err)
{
	char *text CLEANUP(freep) = NULL;
	struct buf fetched CLEANUP(buf_fini);
	buf_init(&fetched, OIDC_DOCUMENT_MAX);
	if (!must_do(o, issuer, is_missing, &text)) {
		bool done = fetch_keys(o, issuer, &fetched, err);
		done_fetching(o, issuer, done ? buf_c(&fetched) : NULL);
		if (!done)
			return false;
		text = xstrdup(buf_c(&fetched));
	}
	if (text == NULL) {
		err_ignore(err_sys(err, ERR_UNAVAILABLE, 0, "it failed a moment ago"));
		return no_keys(err);
	}
	*out = text;
	text = NULL;
	return true;
}

/* Signatures. */

static const struct algorithm {
	const char *name, *type;
	const char *curve; /* of EC keys */
} algorithms[] = {
	{ "RS256", "RSA", NULL },
	{ "RS384", "RSA", NULL },
	{ "RS512", "RSA", NULL },
	{ "ES256", "EC", "P-256" },
	{ "ES384", "EC", "P-384" },
	{ "ES512", "EC", "P-521" },
};

#define RSA_BITS_MIN  2048
#define KEY_BYTES_MAX 1024 /* an RSA modulus of 8192 bits */
#define KEY_TEXT_MAX  (8 * KIB)

static const struct algorithm *find_algorithm(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		if (str_eq_c(name, algorithms[i].name))
			return &algorithms[i];
	}
	return NULL;
}

/* Whether a key of the set is meant for this: by kind, use and, where both name one, id. */
static bool key_fits(const struct json *key, const struct algorithm *alg, struct str kid)
{
	struct str id = json_get_str(key, "kid");
	struct str use = json_get_str(key, "use");
	struct str its = json_get_str(key, "alg");
	return str_eq_c(json_get_str(key, "kty"), alg->type) &&
	       (alg->curve == NULL || str_eq_c(json_get_str(key, "crv"), alg->curve)) &&
	       (use.ptr == NULL || str_eq(use, STR("sig"))) &&
	       (its.ptr == NULL || str_eq_c(its, alg->name)) &&
	       (kid.ptr == NULL || id.ptr == NULL || str_eq(id, kid));
}

/* A number of a key (RFC 7518 6). */
static bool add_number(struct json_out *o, const struct json *key, const char *name)
{
	uint8_t bytes[KEY_BYTES_MAX];
	size_t len = 0;
	struct str text = json_get_str(key, name);
	if (!base64url_decode(text, bytes, sizeof(bytes), &len) || len == 0)
		return false;
	jo_str(o, name, text);
	return true;
}

/* What a public key consists of and nothing else, all of it well-formed: cjose aborts the process
 * on some texts that are no base64url. */
static bool render_key(const struct json *key, const struct algorithm *alg, struct buf *out)
{
	struct json_out o;
	bool is_rsa = alg->curve == NULL;
	jo_init(&o, out);
	jo_object(&o, NULL);
	jo_c(&o, "kty", alg->type);
	if (!is_rsa)
		jo_c(&o, "crv", alg->curve);
	if (!add_number(&o, key, is_rsa ? "n" : "x") || !add_number(&o, key, is_rsa ? "e" : "y"))
		return false;
	jo_end(&o, '}');
	return buf_ok(out);
}

static bool verify_by(const struct json *key, struct str token, const struct algorithm *alg)
{
	struct buf text CLEANUP(buf_fini);
	cjose_err e;
	bool right = false;
	buf_init(&text, KEY_TEXT_MAX);
	if (!render_key(key, alg, &text))
		return false;
	cjose_jwk_t *jwk = cjose_jwk_import(text.ptr, text.len, &e);
	cjose_jws_t *jws = cjose_jws_import(token.ptr, token.len, &e);
	if (jwk != NULL && jws != NULL &&
		(alg->curve != NULL || cjose_jwk_get_keysize(jwk, &e) >= RSA_BITS_MIN))
		right = cjose_jws_verify(jws, jwk, &e);
	cjose_jws_release(jws);
	(void)cjose_jwk_release(jwk);
	return right;
}

/* *known: whether any key of the set was meant for it. */
static bool verify_by_set(
	struct str set, struct str token, const struct algorithm *alg, struct str kid, bool *known)
{
	struct json *root CLEANUP(json_freep) = NULL;
	struct err ignored;
	*known = false;
	if (!json_parse(set, &root, &ignored))
		return false;
	const struct json *keys = json_get(root, "keys");
	for (size_t i = 0; i < json_len(keys); i++) {
		const struct json *key = json_at(keys, i);
		if (!key_fits(key, alg, kid))
			continue;
		*known = true;
		if (verify_by(key, token, alg))
			return true;
	}
	return false;
}

static bool wrong_signature(struct err *err)
{
	return invalid(err, "Couldn't verify the signature of the ID Token provided");
}

/* By the issuer's keys; they are fetched again once when none of them was meant for the token. */
static bool check_signature(struct oidc *o, struct str token, struct str issuer,
	const struct algorithm *alg, struct str kid, struct err *err)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		char *set CLEANUP(freep) = NULL;
		bool known;
		if (!get_keys(o, issuer, attempt == 1, &set, err))
			return false;
		if (verify_by_set(str_from(set), token, alg, kid, &known))
			return true;
		if (known)
			break;
	}
	return wrong_signature(err);
}

/* RFC 4648 5, as strict as render_key, and for the same reason. */
static bool is_base64url(struct str text, struct arena *arena)
{
	size_t len;
	uint8_t *bytes = arena_alloc(arena, text.len + 1);
	return bytes != NULL && base64url_decode(text, bytes, text.len, &len);
}

/* What the token says about its signature; NULL: err is filled. header: the caller's, holds kid's
 * text. */
static const struct algorithm *read_header(struct str token, struct arena *arena,
	struct json **header, struct str *kid, struct err *err)
{
	const struct algorithm *alg = NULL;
	struct str parts[3];
	if (token.len > OIDC_TOKEN_MAX || !split(token, parts) || !is_base64url(parts[1], arena) ||
		!is_base64url(parts[2], arena)) {
		err_ignore(invalid(err, "The ID Token provided is not a valid JWT"));
		return NULL;
	}
	if (!read_part(parts[0], arena, header, err))
		return NULL;
	/* RFC 7515 4.1.11: what is critical and not understood must be refused; nothing is here. */
	if (json_get(*header, "crit") == NULL)
		alg = find_algorithm(json_get_str(*header, "alg"));
	if (alg == NULL)
		err_ignore(
			invalid(err, "Unsupported algorithm or header in the ID Token provided"));
	*kid = json_get_str(*header, "kid");
	return alg;
}

/* Claims. */

struct collection {
	struct oidc_token *token;
	struct arena *arena;
	bool fits, is_too_long;
};

static bool collect(void *arg, struct str name, const struct json *value)
{
	struct collection *c = arg;
	struct oidc_token *t = c->token;
	bool is_list = json_type(value) == JSON_ARRAY;
	size_t n = is_list ? json_len(value) : 1;
	size_t count = 0;
	struct str *values = arena_alloc(c->arena, (n + 1) * sizeof(*values));
	c->fits = values != NULL;
	for (size_t i = 0; c->fits && i < n; i++) {
		const struct json *v = is_list ? json_at(value, i) : value;
		if (json_type(v) != JSON_STRING)
			continue;
		values[count] = arena_str(c->arena, json_str(v));
		c->fits = values[count++].ptr != NULL;
	}
	if (!c->fits || count == 0)
		return c->fits;
	/* A condition must not be asked about a part of what there is. */
	c->is_too_long = t->claim_count == OIDC_CLAIMS_MAX;
	if (c->is_too_long)
		return false;
	struct oidc_claim *claim = &t->claims[t->claim_count++];
	*claim = (struct oidc_claim){ arena_str(c->arena, name), values, count };
	c->fits = claim->name.ptr != NULL;
	return c->fits;
}

const struct oidc_claim *oidc_claim(const struct oidc_token *t, const char *name)
{
	for (size_t i = 0; i < t->claim_count; i++) {
		if (str_eq_c(t->claims[i].name, name))
			return &t->claims[i];
	}
	return NULL;
}

/* RFC 7519 2: a NumericDate may have a fraction. INT64_MIN: there is none. */
static int64_t date_claim(const struct json *payload, const char *name)
{
	double n = json_number(json_get(payload, name), -1e18);
	return n >= 0 && n < 1e15 ? (int64_t)n : INT64_MIN;
}

static bool check_times(const struct json *payload, int64_t now_ms, struct err *err)
{
	const int64_t none = INT64_MIN;
	int64_t now_s = now_ms / 1000;
	int64_t exp = date_claim(payload, "exp");
	int64_t nbf = date_claim(payload, "nbf");
	int64_t iat = date_claim(payload, "iat");
	if (exp == none)
		return invalid(err, "Missing a required claim: exp");
	if (iat == none)
		return invalid(err, "Missing a required claim: iat");
	if (now_s >= exp)
		return err_set(err, ERR_INVALID,
			"ExpiredTokenException: Token expired: current date/time %" PRId64
			" must be before the expiration date/time %" PRId64,
			now_s, exp);
	if (iat > now_s + OIDC_SKEW_S || (nbf != none && nbf > now_s + OIDC_SKEW_S))
		return invalid(err, "The ID Token provided is not yet valid");
	return true;
}

static bool read_claims(struct str token, struct str issuer, int64_t now_ms, struct arena *arena,
	struct oidc_token *out, struct err *err)
{
	struct json *payload CLEANUP(json_freep) = NULL;
	struct str parts[3];
	if (!split(token, parts) || !read_part(parts[1], arena, &payload, err))
		return false;
	out->claim_count = 0;
	out->issuer = arena_str(arena, json_get_str(payload, "iss"));
	out->subject = arena_str(arena, json_get_str(payload, "sub"));
	struct collection c = { .token = out, .arena = arena, .fits = true };
	(void)json_each(payload, collect, &c);
	if (!c.fits || out->issuer.ptr == NULL || out->subject.ptr == NULL)
		return err_sys(err, ERR_INTERNAL, 0, "request arena exhausted");
	if (c.is_too_long)
		return invalid(err, "The ID Token provided has too many claims");
	if (!str_eq(out->issuer, issuer))
		return invalid(err, "The ID Token provided is of another issuer");
	if (out->subject.len == 0)
		return invalid(err, "Missing a required claim: sub");
	if (oidc_claim(out, "aud") == NULL)
		return invalid(err, "Missing a required claim: aud");
	return check_times(payload, now_ms, err);
}

bool oidc_verify(struct oidc *o, struct str token, struct str issuer, int64_t now_ms,
	struct arena *arena, struct oidc_token *out, struct err *err)
{
	struct json *header CLEANUP(json_freep) = NULL;
	struct str kid = STR("");
	const struct algorithm *alg = read_header(token, arena, &header, &kid, err);
	return alg != NULL && check_signature(o, token, issuer, alg, kid, err) &&
	       read_claims(token, issuer, now_ms, arena, out, err);
}

bool oidc_verify_with(struct str set, struct str token, struct str issuer, int64_t now_ms,
	struct arena *arena, struct oidc_token *out, struct err *err)
{
	struct json *header CLEANUP(json_freep) = NULL;
	struct str kid = STR("");
	bool known;
	const struct algorithm *alg = read_header(token, arena, &header, &kid, err);
	if (alg == NULL)
		return false;
	return verify_by_set(set, token, alg, kid, &known)
		       ? read_claims(token, issuer, now_ms, arena, out, err)
		       : wrong_signature(err);
}
