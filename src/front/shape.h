/*
 * shape.h - what an operation's input must look like, as tables, and the walker that compares.
 *
 * A table states what the service's model states (types, required members, lengths, ranges,
 * patterns, enumerations); a rule that needs more than one value or the registry's state stands in
 * the operation's handler. After shape_check has passed, a handler may take every member by its
 * type: it is absent (or null) or well-formed.
 *
 * Invariants: tables are constant and finite (no cycles); a length is compared before its pattern,
 * patterns are linear matchers, so that a check costs time in proportion to the input. Pure;
 * threads: safe.
 */
#ifndef BERTH_FRONT_SHAPE_H
#define BERTH_FRONT_SHAPE_H

#include "base/json.h"

enum shape_type {
	SHAPE_STRING,
	SHAPE_INT,  /* 32 bits */
	SHAPE_LONG, /* 64 bits */
	SHAPE_BOOL,
	SHAPE_TIME, /* seconds since 1970: a number, with or without a fraction */
	SHAPE_BLOB, /* base64 */
	SHAPE_LIST,
	SHAPE_MAP, /* from text to `element` */
	SHAPE_STRUCT,
};

struct shape_pattern {
	const char *text; /* as messages quote it */
	bool (*matches)(struct str s);
};

struct shape_member;

struct shape {
	const char *name; /* as the service's model calls it */
	enum shape_type type;
	int64_t min; /* characters, bytes of a blob, elements, or the number itself */
	int64_t max; /* likewise; 0: no limit of its own (the body's applies) */
	const struct shape_pattern *pattern;
	const char *const *values;          /* an enumeration, ended by NULL */
	const struct shape *element;        /* of a list or map */
	const struct shape_member *members; /* of a structure, ended by a NULL name */
};

struct shape_member {
	const char *name;
	const struct shape *shape;
	bool is_required;
};

/* For tables. */
/* clang-format off */
#define STRUCTURE(...) .type = SHAPE_STRUCT, .members = (const struct shape_member[]){ __VA_ARGS__, { 0 } }
#define LIST_OF(shape) .type = SHAPE_LIST, .element = &(shape)
#define MAP_OF(shape)  .type = SHAPE_MAP, .element = &(shape)
#define ENUM(...)      .type = SHAPE_STRING, .values = (const char *const[]){ __VA_ARGS__, NULL }

/* clang-format on */

enum shape_verdict {
	SHAPE_FITS,
	SHAPE_WRONG_TYPE,  /* AWS: SerializationException */
	SHAPE_WRONG_VALUE, /* AWS: InvalidParameterException */
};

#define SHAPE_TEXT_MAX 1024
#define SHAPE_PATH_MAX 128

/* The first fault of an input, types before values. */
struct shape_fault {
	char path[SHAPE_PATH_MAX]; /* of a wrong value: "tags.1.member.Key" */
	char constraint[SHAPE_TEXT_MAX - SHAPE_PATH_MAX - 80]; /* "Member must not be null" */
	char text[SHAPE_TEXT_MAX]; /* of a wrong type: the whole message */
};

/*
 * Compares input (NULL counts as an empty object) with a structure. Members that the table does not
 * know are ignored, as AWS does. out is filled when the verdict is not SHAPE_FITS.
 */
enum shape_verdict shape_find_fault(
	const struct shape *shape, const struct json *input, struct shape_fault *out);
/* The same; text gets the message for the client as ECR words it. */
enum shape_verdict shape_check(
	const struct shape *shape, const struct json *input, char text[SHAPE_TEXT_MAX]);

#endif
