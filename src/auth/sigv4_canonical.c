/* The canonical request: AWS IAM User Guide, "Create a signed AWS API request", step 1. */
#include <stdlib.h>

#include "auth/sigv4_priv.h"
#include "base/codec.h"

#define SIGNED_HEADERS_MAX 100
#define PARAMS_MAX         1000 /* of a query */

bool sigv4_next_param(struct str *query, struct str *name, struct str *value)
{
	struct str part = { NULL, 0 };
	while (part.len == 0) {
		if (query->len == 0)
			return false;
		str_cut(*query, '&', &part, query);
	}
	str_cut(part, '=', name, value);
	return true;
}

bool sigv4_name_is(struct str raw, const char *name)
{
	char decoded[3 * SIGV4_NAME_MAX];
	size_t len;
	if (raw.len > sizeof(decoded) || !percent_decode(raw, true, decoded, &len))
		return false;
	return str_eq_c((struct str){ decoded, len }, name);
}

/*
 * Services other than S3 sign the normalized path, each segment encoded once more than on the wire.
 * As the SDKs do, "." and empty segments vanish and ".." takes its parent along.
 */
static void add_path(struct buf *out, struct str path)
{
	size_t start = out->len;
	bool ends_in_slash = str_ends(path, STR("/"));
	while (path.len != 0) {
		struct str segment;
		str_cut(path, '/', &segment, &path);
		if (segment.len == 0 || str_eq(segment, STR(".")))
			continue;
		if (!str_eq(segment, STR(".."))) {
			buf_add_char(out, '/');
			percent_encode(out, segment, false);
			continue;
		}
		while (out->len > start && out->ptr[--out->len] != '/')
			;
	}
	if (out->len == start || ends_in_slash)
		buf_add_char(out, '/');
}

/* One parameter, encoded; the texts are in a buffer that may move while it grows, hence offsets. */
struct param {
	size_t name_at, name_len, value_at, value_len;
};

/* A malformed escape stands for itself, as it does for http_query. */
static void encode_again(struct buf *out, struct str raw, char *scratch)
{
	size_t len;
	if (percent_decode(raw, true, scratch, &len))
		percent_encode(out, (struct str){ scratch, len }, false);
	else
		percent_encode(out, raw, false);
}

static int compare_params(const void *a, const void *b, void *text)
{
	const struct param *x = a;
	const struct param *y = b;
	const char *base = text;
	int order = str_cmp((struct str){ base + x->name_at, x->name_len },
		(struct str){ base + y->name_at, y->name_len });
	if (order != 0)
		return order;
	return str_cmp((struct str){ base + x->value_at, x->value_len },
		(struct str){ base + y->value_at, y->value_len });
}

static bool add_query(struct buf *out, struct str query, bool is_presigned)
{
	struct buf text CLEANUP(buf_fini);
	struct buf decoded CLEANUP(buf_fini);
	struct buf table CLEANUP(buf_fini);
	buf_init(&text, out->max);
	buf_init(&decoded, out->max);
	buf_init(&table, PARAMS_MAX * sizeof(struct param));
	if (query.len == 0)
		return true;
	size_t max = 1;
	size_t n = 0;
	for (size_t i = 0; i < query.len; i++)
		max += query.ptr[i] == '&';
	if (max > PARAMS_MAX)
		return false;
	struct param *params = buf_reserve(&table, max * sizeof(*params));
	char *scratch = buf_reserve(&decoded, query.len);
	if (params == NULL || scratch == NULL || buf_reserve(&text, query.len) == NULL)
		return false;

	struct str name;
	struct str value;
	while (sigv4_next_param(&query, &name, &value)) {
		if (is_presigned && sigv4_name_is(name, "X-Amz-Signature"))
			continue;
		struct param *p = &params[n++];
		p->name_at = text.len;
		encode_again(&text, name, scratch);
		p->name_len = text.len - p->name_at;
		p->value_at = text.len;
		encode_again(&text, value, scratch);
		p->value_len = text.len - p->value_at;
	}
	if (!buf_ok(&text))
		return false;
	qsort_r(params, n, sizeof(*params), compare_params, text.ptr);
	for (size_t i = 0; i < n; i++) {
		if (i != 0)
			buf_add_char(out, '&');
		buf_add(out, text.ptr + params[i].name_at, params[i].name_len);
		buf_add_char(out, '=');
		buf_add(out, text.ptr + params[i].value_at, params[i].value_len);
	}
	return true;
}

/* Adds the values of all headers of one name, joined by commas. */
struct header_values {
	struct buf *out;
	struct str name;
	bool found;
};

static void add_folded(struct buf *out, struct str value)
{
	struct str s = str_trim(value);
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != ' ' || s.ptr[i - 1] != ' ')
			buf_add_char(out, s.ptr[i]);
	}
}

static bool add_header(void *arg, struct str name, struct str value)
{
	struct header_values *v = arg;
	if (!str_eq_nocase(name, v->name))
		return true;
	if (v->found)
		buf_add_char(v->out, ',');
	v->found = true;
	add_folded(v->out, value);
	return true;
}

/* RFC 9110 5.6.2: a token; in lower case, as SigV4 wants header names. */
static bool is_lower_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL)))
			return false;
	}
	return s.len != 0;
}

static bool add_headers(
	const struct sigv4_request *r, struct str names, struct buf *out, struct err *err)
{
	struct str before = { NULL, 0 };
	for (unsigned n = 0; names.len != 0; n++) {
		struct header_values v = { .out = out };
		str_cut(names, ';', &v.name, &names);
		/* Sorted and without repetition, so that there is one spelling of a signature. */
		if (n == SIGNED_HEADERS_MAX || !is_lower_token(v.name) ||
			(n != 0 && str_cmp(before, v.name) >= 0))
			return err_set(err, ERR_UNAUTHENTICATED,
				"InvalidSignatureException: SignedHeaders must be a sorted list of lower-case header names");
		before = v.name;
		buf_add_str(out, v.name);
		buf_add_char(out, ':');
		r->headers(r->headers_arg, add_header, &v);
		if (!v.found) /* signed, and lost on the way */
			return sigv4_mismatch(err);
		buf_add_char(out, '\n');
	}
	return true;
}

bool sigv4_canonical(const struct sigv4_request *r, struct str signed_headers,
	struct str payload_hash, bool is_presigned, struct buf *out, struct err *err)
{
	buf_add_str(out, r->method);
	buf_add_char(out, '\n');
	add_path(out, r->path);
	buf_add_char(out, '\n');
	bool done = add_query(out, r->query, is_presigned);
	buf_add_char(out, '\n');
	if (!add_headers(r, signed_headers, out, err))
		return false;
	buf_add_char(out, '\n');
	buf_add_str(out, signed_headers);
	buf_add_char(out, '\n');
	buf_add_str(out, payload_hash);
	if (!done || !buf_ok(out))
		return err_set(
			err, ERR_TOO_LARGE, "The request's head is too large to be verified");
	return true;
}
