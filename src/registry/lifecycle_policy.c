#include "registry/lifecycle_policy.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

#define WILDCARDS_MAX    4  /* user guide: "a maximum limit of four wildcards (*) per string" */
#define ARCHIVE_DAYS_MIN 90 /* user guide: images stay in the archive for at least 90 days */
#define QUOTED_MAX       64 /* of the client's text in a message */

/* What ECR's schema says of an alternative that no branch of it fits. */
#define NO_SCHEMA "instance failed to match exactly one schema (matched 0 out of 2)"

static bool PRINTF_LIKE(2, 3) fail(struct err *err, const char *fmt, ...)
{
	char text[400];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return err_set(err, ERR_INVALID,
		"Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
		"'Lifecycle policy validation failure: %s'",
		text);
}

static const char *type_name(const struct json *v)
{
	switch (json_type(v)) {
	case JSON_NULL:
		return "null";
	case JSON_BOOL:
		return "boolean";
	case JSON_INT:
		return "integer";
	case JSON_REAL:
		return "number";
	case JSON_STRING:
		return "string";
	case JSON_ARRAY:
		return "array";
	case JSON_OBJECT:
		return "object";
	}
	return "null";
}

static bool check_type(
	const struct json *v, enum json_type wanted, const char *name, struct err *err)
{
	return json_type(v) == wanted ||
	       fail(err,
		       "instance type (%s) does not match any allowed primitive type (allowed: [\"%s\"])",
		       type_name(v), name);
}

/* --- the members that an object may and must have --- */

struct member {
	const char *name; /* NULL ends the table; in byte order, as messages list them */
	bool is_required;
};

struct unknown {
	const struct member *members;
	struct str found; /* the first one that is not in the table */
};

static bool look_up(void *arg, struct str name, const struct json *value)
{
	struct unknown *u = arg;
	(void)value;
	for (const struct member *m = u->members; m->name; m++) {
		if (str_eq_c(name, m->name))
			return true;
	}
	u->found = name;
	return false;
}

static bool check_members(const struct json *v, const struct member *members, struct err *err)
{
	char missing[200] = "";
	size_t at = 0;
	struct unknown u = { .members = members };
	if (!check_type(v, JSON_OBJECT, "object", err))
		return false;
	for (const struct member *m = members; m->name; m++) {
		if (m->is_required && !json_get(v, m->name))
			at += (size_t)snprintf(missing + at, sizeof(missing) - at, "%s\"%s\"",
				at ? ", " : "", m->name);
	}
	if (at)
		return fail(err, "object has missing required properties ([%s])", missing);
	if (!json_each(v, look_up, &u))
		return fail(err,
			"object instance has properties which are not allowed by the schema: ([\"" STR_FMT
			"\"])",
			STR_ARG(str_sub(u.found, 0, QUOTED_MAX)));
	return true;
}

static const struct member policy_members[] = { { "rules", true }, { 0 } };
static const struct member rule_members[] = { { "action", true }, { "description", false },
	{ "rulePriority", true }, { "selection", true }, { 0 } };
static const struct member action_members[] = { { "targetStorageClass", false }, { "type", true },
	{ 0 } };
static const struct member selection_members[] = { { "countNumber", true }, { "countType", true },
	{ "countUnit", false }, { "storageClass", false }, { "tagPatternList", false },
	{ "tagPrefixList", false }, { "tagStatus", true }, { 0 } };

/* --- values --- */

/* values: ended by NULL. *out: index of the one that v is. */
static bool read_enum(
	const struct json *v, const char *const *values, unsigned *out, struct err *err)
{
	char list[160] = "";
	size_t at = 0;
	if (!check_type(v, JSON_STRING, "string", err))
		return false;
	for (unsigned i = 0; values[i]; i++) {
		if (str_eq_c(json_str(v), values[i])) {
			*out = i;
			return true;
		}
		at += (size_t)snprintf(
			list + at, sizeof(list) - at, "%s\"%s\"", i ? ", " : "", values[i]);
	}
	return fail(err, "instance value (" STR_FMT ") not found in enum (possible values: [%s])",
		STR_ARG(str_sub(json_str(v), 0, QUOTED_MAX)), list);
}

static bool read_number(const struct json *v, int32_t *out, struct err *err)
{
	if (!check_type(v, JSON_INT, "integer", err))
		return false;
	int64_t n = json_int(v, 0);
	if (n < 1)
		return fail(err,
			"numeric instance is lower than the required minimum (minimum: 1, found: %" PRId64
			")",
			n);
	if (n > INT32_MAX)
		return fail(err, "Could not map policyString into LifecyclePolicy.");
	*out = (int32_t)n;
	return true;
}

static bool read_action(const struct json *v, struct lifecycle_rule *r, struct err *err)
{
	static const char *const types[] = { "expire", "transition", NULL };
	const struct json *target = json_get(v, "targetStorageClass");
	unsigned type = 0;
	if (!check_members(v, action_members, err) ||
		!read_enum(json_get(v, "type"), types, &type, err))
		return false;
	r->action = type == 0 ? LIFECYCLE_EXPIRE : LIFECYCLE_TRANSITION;
	bool fits = r->action == LIFECYCLE_EXPIRE ? target == NULL
						  : str_eq_c(json_str(target), "archive");
	return fits || fail(err, NO_SCHEMA);
}

/* --- tags --- */

static int order_strings(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static unsigned count_stars(struct str s)
{
	unsigned n = 0;
	for (size_t i = 0; i < s.len; i++)
		n += s.ptr[i] == '*';
	return n;
}

/* One entry as a pattern: a prefix gets a star, so that lists of both kinds compare. */
static bool read_pattern(
	const struct json *v, bool is_prefix, struct arena *arena, struct str *out, struct err *err)
{
	struct str s = json_str(v);
	if (!check_type(v, JSON_STRING, "string", err))
		return false;
	if (s.len == 0)
		return fail(err, "string \"\" is too short (length: 0, required minimum: 1)");
	if (!is_prefix && count_stars(s) > WILDCARDS_MAX)
		return fail(err, "A tag pattern can have at most %d wildcards: " STR_FMT,
			WILDCARDS_MAX, STR_ARG(str_sub(s, 0, QUOTED_MAX)));
	*out = arena_printf(arena, STR_FMT "%s", STR_ARG(s), is_prefix ? "*" : "");
	return out->ptr || err_sys(err, ERR_UNAVAILABLE, 0, "lifecycle policy: arena is used up");
}

static bool read_patterns(
	const struct json *list, struct lifecycle_rule *r, struct arena *arena, struct err *err)
{
	size_t n = json_len(list);
	if (!check_type(list, JSON_ARRAY, "array", err))
		return false;
	if (n == 0)
		return fail(err,
			"array is too short: must have at least 1 elements but instance has 0 elements");
	struct str *patterns = arena_alloc(arena, n * sizeof(*patterns));
	if (!patterns)
		return err_sys(err, ERR_UNAVAILABLE, 0, "lifecycle policy: arena is used up");
	for (size_t i = 0; i < n; i++) {
		if (!read_pattern(json_at(list, i), r->are_prefixes, arena, &patterns[i], err))
			return false;
	}
	qsort(patterns, n, sizeof(*patterns), order_strings);
	size_t kept = 1;
	for (size_t i = 1; i < n; i++) {
		if (!str_eq(patterns[i], patterns[kept - 1]))
			patterns[kept++] = patterns[i];
	}
	r->patterns = patterns;
	r->pattern_count = kept;
	return true;
}

static bool read_tags(
	const struct json *v, struct lifecycle_rule *r, struct arena *arena, struct err *err)
{
	static const char *const states[] = { "any", "tagged", "untagged", NULL };

	static const enum lifecycle_tags tags[] = { LIFECYCLE_ANY, LIFECYCLE_TAGGED,
		LIFECYCLE_UNTAGGED };
	const struct json *patterns = json_get(v, "tagPatternList");
	const struct json *prefixes = json_get(v, "tagPrefixList");
	unsigned state = 0;
	if (!read_enum(json_get(v, "tagStatus"), states, &state, err))
		return false;
	r->tags = tags[state];
	if (r->tags != LIFECYCLE_TAGGED && (patterns || prefixes))
		return fail(err,
			"tagPrefixList and tagPatternList can only be specified when tagStatus=TAGGED.");
	if (r->tags != LIFECYCLE_TAGGED)
		return true;
	if (!patterns && !prefixes)
		return fail(
			err, "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.");
	if (patterns && prefixes)
		return fail(err, "tagPrefixList and tagPatternList cannot be specified together.");
	r->are_prefixes = prefixes != NULL;
	return read_patterns(prefixes ? prefixes : patterns, r, arena, err);
}

/* --- counts --- */

static const char *const count_types[] = { "imageCountMoreThan", "sinceImagePushed",
	"sinceImagePulled", "sinceImageTransitioned", NULL };

/* Which storage class and action go with which count (user guide, "Count type"). */
static bool check_count(const struct lifecycle_rule *r, bool has_class, struct err *err)
{
	const char *name = count_types[r->count];
	if (r->count == LIFECYCLE_SINCE_TRANSITIONED) {
		if (!has_class || r->class != LIFECYCLE_ARCHIVE)
			return fail(err, "%s can only be used when storageClass=ARCHIVE.", name);
		if (r->action != LIFECYCLE_EXPIRE)
			return fail(err, "Images in the archive can only be expired.");
		if (r->number < ARCHIVE_DAYS_MIN)
			return fail(err,
				"countNumber must be at least %d for %s: images stay in the archive for %d days.",
				ARCHIVE_DAYS_MIN, name, ARCHIVE_DAYS_MIN);
		return true;
	}
	if (r->class != LIFECYCLE_STANDARD)
		return fail(err, "%s can only be used when storageClass=STANDARD.", name);
	if (r->count == LIFECYCLE_SINCE_PULLED && r->action != LIFECYCLE_TRANSITION)
		return fail(err, "%s can only be used with the action transition.", name);
	return true;
}

static bool read_count(const struct json *v, struct lifecycle_rule *r, struct err *err)
{
	static const char *const classes[] = { "archive", "standard", NULL };
	static const char *const units[] = { "days", NULL };
	const struct json *class = json_get(v, "storageClass");
	const struct json *unit = json_get(v, "countUnit");
	const struct json *count = json_get(v, "countType");
	unsigned i = 1;
	if (class && !read_enum(class, classes, &i, err))
		return false;
	r->class = i == 0 ? LIFECYCLE_ARCHIVE : LIFECYCLE_STANDARD;
	if (!check_type(count, JSON_STRING, "string", err))
		return false;
	for (i = 0; count_types[i] && !str_eq_c(json_str(count), count_types[i]); i++)
		;
	if (!count_types[i])
		return fail(err, NO_SCHEMA);
	r->count = (enum lifecycle_count)i;
	if (unit && !read_enum(unit, units, &i, err))
		return false;
	if ((unit != NULL) == (r->count == LIFECYCLE_COUNT_MORE_THAN))
		return fail(err, NO_SCHEMA);
	return read_number(json_get(v, "countNumber"), &r->number, err) &&
	       check_count(r, class != NULL, err);
}

static bool read_rule(
	const struct json *v, struct lifecycle_rule *r, struct arena *arena, struct err *err)
{
	const struct json *selection = json_get(v, "selection");
	const struct json *description = json_get(v, "description");
	if (!check_members(v, rule_members, err) ||
		!read_number(json_get(v, "rulePriority"), &r->priority, err) ||
		(description && !check_type(description, JSON_STRING, "string", err)))
		return false;
	return read_action(json_get(v, "action"), r, err) &&
	       check_members(selection, selection_members, err) &&
	       read_tags(selection, r, arena, err) && read_count(selection, r, err);
}

/* --- between rules --- */

static bool same_patterns(const struct lifecycle_rule *a, const struct lifecycle_rule *b)
{
	if (a->pattern_count != b->pattern_count)
		return false;
	for (size_t i = 0; i < a->pattern_count; i++) {
		if (!str_eq(a->patterns[i], b->patterns[i]))
			return false;
	}
	return true;
}

/* first comes before second in priority. */
static bool check_pair(
	const struct lifecycle_rule *first, const struct lifecycle_rule *second, struct err *err)
{
	if (first->priority == second->priority)
		return fail(err, "Rules must have unique priorities: %" PRId32 " is used twice.",
			first->priority);
	if (first->class != second->class)
		return true;
	if (first->tags == LIFECYCLE_ANY)
		return fail(err,
			"Rule for tagStatus=ANY must have the lowest priority per storage class.");
	if (first->tags != second->tags)
		return true;
	if (first->tags == LIFECYCLE_UNTAGGED)
		return fail(err, "Only one rule can select Untagged images per storage class.");
	if (same_patterns(first, second))
		return fail(err,
			"Rules %" PRId32 " and %" PRId32
			" select the same tags in one storage class.",
			first->priority, second->priority);
	return true;
}

static int order_rules(const void *a, const void *b)
{
	const struct lifecycle_rule *x = a;
	const struct lifecycle_rule *y = b;
	return x->priority < y->priority ? -1 : x->priority > y->priority;
}

static bool read_policy(
	const struct json *root, struct arena *arena, struct lifecycle_policy *out, struct err *err)
{
	const struct json *list = json_get(root, "rules");
	size_t n = json_len(list);
	if (json_type(list) != JSON_ARRAY)
		return fail(err, "object has missing required properties ([\"rules\"])");
	if (!check_members(root, policy_members, err))
		return false;
	if (n < 1 || n > LIFECYCLE_RULES_MAX)
		return fail(err,
			"array is too %s: must have at %s %d elements but instance has %zu elements",
			n ? "long" : "short", n ? "most" : "least", n ? LIFECYCLE_RULES_MAX : 1, n);
	struct lifecycle_rule *rules = arena_alloc(arena, n * sizeof(*rules));
	if (!rules)
		return err_sys(err, ERR_UNAVAILABLE, 0, "lifecycle policy: arena is used up");
	size_t patterns = 0;
	for (size_t i = 0; i < n; i++) {
		if (!read_rule(json_at(list, i), &rules[i], arena, err))
			return false;
		patterns += rules[i].pattern_count;
	}
	qsort(rules, n, sizeof(*rules), order_rules);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n; k++) {
			if (!check_pair(&rules[i], &rules[k], err))
				return false;
		}
	}
	*out = (struct lifecycle_policy){ rules, n, patterns };
	return true;
}

bool lifecycle_policy_parse(
	struct str text, struct arena *arena, struct lifecycle_policy *out, struct err *err)
{
	struct json *root CLEANUP(json_freep) = NULL;
	struct err why;
	if (text.len > (size_t)LIFECYCLE_TEXT_MAX * 4) /* characters of UTF-8 */
		return fail(err, "The policy is longer than %d characters.", LIFECYCLE_TEXT_MAX);
	bool parsed = json_parse(text, &root, &why);
	if (!parsed && why.kind == ERR_UNAVAILABLE) {
		*err = why;
		return false;
	}
	if (!parsed || json_type(root) != JSON_OBJECT)
		return fail(err, "Could not map policyString into LifecyclePolicy.");
	return read_policy(root, arena, out, err);
}

bool lifecycle_rule_meets(const struct lifecycle_rule *rule, size_t pattern, struct str tag)
{
	struct str p = rule->patterns[pattern];
	return rule->are_prefixes ? str_starts(tag, str_sub(p, 0, p.len - 1)) : str_glob(p, tag);
}
