/*
 * json.h - JSON in and out. Reading wraps jansson (its only home); writing renders straight into a
 * buf. Reading is strict (RFC 8259): any value at the root, at most JSON_DEPTH_MAX levels and
 * JSON_VALUES_MAX values, of members with the same name the last counts, \u0000 is allowed in
 * strings but not in names.
 */
#ifndef BERTH_BASE_JSON_H
#define BERTH_BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"

#define JSON_DEPTH_MAX  256
#define JSON_VALUES_MAX 131072 /* counted by commas and opening brackets, never too low */

/* A value; owned by the root that json_parse returned. */
struct json;

enum json_type { JSON_NULL, JSON_BOOL, JSON_INT, JSON_REAL, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Owns: the caller frees the root with json_free. Errors: INVALID with "Invalid JSON syntax" and
 * where. */
MUST_CHECK bool json_parse(struct str text, struct json **out, struct err *err);
/* As json_parse, but two members of the same name in an object are an error: for documents that
 * others judge too, who might take the first. */
MUST_CHECK bool json_parse_unique(struct str text, struct json **out, struct err *err);
void json_free(struct json *root); /* accepts NULL */
void json_freep(struct json **root);

enum json_type json_type(const struct json *v); /* NULL counts as JSON_NULL */
/* Member, or NULL when v is no object or has no such member. */
const struct json *json_get(const struct json *v, const char *name);
struct str json_str(const struct json *v); /* empty when it is no string */
struct str json_get_str(
	const struct json *v, const char *name); /* empty (ptr NULL) when absent or no string */
int64_t json_int(const struct json *v, int64_t otherwise);
double json_number(const struct json *v,
	double otherwise); /* reals and integers; not json_real: jansson exports that name */
bool json_bool(const struct json *v, bool otherwise);
size_t json_len(const struct json *v); /* of an array or object */
const struct json *json_at(const struct json *v, size_t i);
/* Calls fn for each member in the order of the text until it returns false. */
typedef bool (*json_member_fn)(void *arg, struct str name, const struct json *value);
bool json_each(const struct json *v, json_member_fn fn, void *arg);
/* Renders v compactly (members in order). */
void json_render(const struct json *v, struct buf *out);

/* A writer that puts the commas. Nesting is at most 32. name NULL inside arrays. */
struct json_out {
	struct buf *buf;
	uint32_t more; /* bit d: something was written at depth d */
	unsigned depth;
};

void jo_init(struct json_out *o, struct buf *buf);
void jo_object(struct json_out *o, const char *name); /* opens */
void jo_array(struct json_out *o, const char *name);
void jo_end(struct json_out *o, char bracket); /* '}' or ']' */
void jo_str(struct json_out *o, const char *name, struct str value);
void jo_c(struct json_out *o, const char *name, const char *value);
void jo_int(struct json_out *o, const char *name, int64_t value);
void jo_bool(struct json_out *o, const char *name, bool value);
void jo_time(struct json_out *o, const char *name,
	int64_t unix_ms); /* AWS JSON: number of seconds, three decimals */
void jo_raw(struct json_out *o, const char *name, struct str json); /* already JSON */
/* A JSON string literal with quotes; invalid UTF-8 becomes U+FFFD. */
void json_quote(struct buf *out, struct str s);

#endif
