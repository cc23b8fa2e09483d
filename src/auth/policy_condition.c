#include "auth/policy_priv.h"
#include "base/codec.h"

struct operator_name {
	struct str name;
	enum condition_type type;
	enum condition_order order;
	bool is_negated;
};

#define NAME(text, type, order, negated)                                             \
	{                                                                            \
		{ text, sizeof(text) - 1 }, CONDITION_##type, ORDER_##order, negated \
	}

/* "IAM JSON policy elements: Condition operators" */
static const struct operator_name operators[] = {
	NAME("StringEquals", STRING, EQUAL, false),
	NAME("StringNotEquals", STRING, EQUAL, true),
	NAME("StringEqualsIgnoreCase", STRING_NOCASE, EQUAL, false),
	NAME("StringNotEqualsIgnoreCase", STRING_NOCASE, EQUAL, true),
	NAME("StringLike", LIKE, EQUAL, false),
	NAME("StringNotLike", LIKE, EQUAL, true),
	NAME("NumericEquals", NUMERIC, EQUAL, false),
	NAME("NumericNotEquals", NUMERIC, EQUAL, true),
	NAME("NumericLessThan", NUMERIC, LESS, false),
	NAME("NumericLessThanEquals", NUMERIC, LESS_EQUAL, false),
	NAME("NumericGreaterThan", NUMERIC, MORE, false),
	NAME("NumericGreaterThanEquals", NUMERIC, MORE_EQUAL, false),
	NAME("DateEquals", DATE, EQUAL, false),
	NAME("DateNotEquals", DATE, EQUAL, true),
	NAME("DateLessThan", DATE, LESS, false),
	NAME("DateLessThanEquals", DATE, LESS_EQUAL, false),
	NAME("DateGreaterThan", DATE, MORE, false),
	NAME("DateGreaterThanEquals", DATE, MORE_EQUAL, false),
	NAME("Bool", BOOL, EQUAL, false),
	NAME("BinaryEquals", BINARY, EQUAL, false),
	NAME("IpAddress", IP, EQUAL, false),
	NAME("NotIpAddress", IP, EQUAL, true),
	NAME("ArnEquals", ARN, EQUAL, false),
	NAME("ArnLike", ARN, EQUAL, false),
	NAME("ArnNotEquals", ARN, EQUAL, true),
	NAME("ArnNotLike", ARN, EQUAL, true),
	NAME("Null", NULL, EQUAL, false),
};

bool operator_parse(struct str name, struct condition_operator *out)
{
	const struct str all = STR("ForAllValues:");
	const struct str any = STR("ForAnyValue:");
	const struct str suffix = STR("IfExists");
	struct condition_operator op = { .over = OVER_ONE };
	if (str_starts(name, all)) {
		op.over = OVER_ALL;
		name = str_sub(name, all.len, name.len);
	} else if (str_starts(name, any)) {
		op.over = OVER_ANY;
		name = str_sub(name, any.len, name.len);
	}
	if (str_ends(name, suffix)) {
		op.if_exists = true;
		name = str_sub(name, 0, name.len - suffix.len);
	}
	for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
		if (!str_eq(name, operators[i].name))
			continue;
		op.type = operators[i].type;
		op.order = operators[i].order;
		op.is_negated = operators[i].is_negated;
		/* Null asks whether the key is there: "if it is there" would answer itself. */
		if (op.type == CONDITION_NULL && op.if_exists)
			return false;
		*out = op;
		return true;
	}
	return false;
}

bool condition_value_parse(struct arena *arena, const struct condition_operator *op,
	struct str text, bool variables, union condition_value *out)
{
	unsigned syntax = variables ? PATTERN_VARIABLES : 0;
	switch (op->type) {
	case CONDITION_LIKE:
	case CONDITION_ARN:
		return pattern_compile(arena, text, syntax | PATTERN_WILDCARDS, &out->text);
	case CONDITION_STRING:
	case CONDITION_STRING_NOCASE:
		return pattern_compile(arena, text, syntax, &out->text);
	case CONDITION_NUMERIC:
		return value_number(text, &out->number);
	case CONDITION_DATE:
		return value_date(text, &out->date_ms);
	case CONDITION_BOOL:
	case CONDITION_NULL:
		return value_bool(text, &out->flag);
	case CONDITION_IP:
		return value_net(text, &out->net);
	case CONDITION_BINARY: {
		uint8_t *bytes = arena_alloc(arena, text.len + 1);
		size_t len;
		/* There is one base64 text for each run of bytes: comparing texts is enough. */
		return bytes != NULL && base64_decode(text, bytes, &len) &&
		       pattern_compile(arena, text, 0, &out->text);
	}
	}
	return false;
}

bool condition_has_text(const struct condition *c)
{
	switch (c->op.type) {
	case CONDITION_STRING:
	case CONDITION_STRING_NOCASE:
	case CONDITION_LIKE:
	case CONDITION_BINARY:
	case CONDITION_ARN:
		return true;
	case CONDITION_NUMERIC:
	case CONDITION_DATE:
	case CONDITION_BOOL:
	case CONDITION_IP:
	case CONDITION_NULL:
		return false;
	}
	return false;
}

static bool is_ordered(enum condition_order order, int cmp)
{
	switch (order) {
	case ORDER_EQUAL:
		return cmp == 0;
	case ORDER_LESS:
		return cmp < 0;
	case ORDER_LESS_EQUAL:
		return cmp <= 0;
	case ORDER_MORE:
		return cmp > 0;
	case ORDER_MORE_EQUAL:
		return cmp >= 0;
	}
	return false;
}

static bool matches_text(const struct condition *c, const union condition_value *wanted,
	const struct policy_request *request, struct str value)
{
	char buffer[PATTERN_EXPANDED_MAX];
	struct str pattern;
	if (!pattern_expand(&wanted->text, request, buffer, &pattern))
		return false;
	switch (c->op.type) {
	case CONDITION_STRING_NOCASE:
		return str_eq_nocase(pattern, value);
	case CONDITION_LIKE:
		return pattern_glob(pattern, value);
	case CONDITION_ARN:
		return pattern_glob_arn(pattern, value);
	default:
		return str_eq(pattern, value);
	}
}

/* A value of the request, read once for all values of the policy. False: it is not of the type. */
static bool read_value(const struct condition *c, struct str text, union condition_value *out)
{
	switch (c->op.type) {
	case CONDITION_NUMERIC:
		return value_number(text, &out->number);
	case CONDITION_DATE:
		return value_date(text, &out->date_ms);
	case CONDITION_BOOL:
		return value_bool(text, &out->flag);
	case CONDITION_IP:
		return value_net(text, &out->net);
	default:
		return true;
	}
}

/* Whether the value of the request stands in the operator's relation to one of the policy's; the
 * negation is not looked at. */
static bool matches_any(
	const struct condition *c, const struct policy_request *request, struct str text)
{
	union condition_value value;
	if (!read_value(c, text, &value))
		return false;
	for (size_t i = 0; i < c->value_count; i++) {
		const union condition_value *wanted = &c->values[i];
		bool does = false;
		switch (c->op.type) {
		case CONDITION_NUMERIC:
			does = is_ordered(c->op.order,
				(value.number > wanted->number) - (value.number < wanted->number));
			break;
		case CONDITION_DATE:
			does = is_ordered(c->op.order, (value.date_ms > wanted->date_ms) -
							       (value.date_ms < wanted->date_ms));
			break;
		case CONDITION_BOOL:
			does = value.flag == wanted->flag;
			break;
		case CONDITION_IP:
			does = value_net_holds(&wanted->net, &value.net);
			break;
		default:
			does = matches_text(c, wanted, request, text);
			break;
		}
		if (does)
			return true;
	}
	return false;
}

static bool null_holds(const struct condition *c, bool is_missing)
{
	for (size_t i = 0; i < c->value_count; i++) {
		if (c->values[i].flag == is_missing)
			return true;
	}
	return false;
}

/* "ForAllValues ... also returns true if there are no context keys in the request, or if the value
 * resolves to a null data set, such as an empty string" ("Single-valued vs. multivalued context
 * keys"); ForAnyValue is false then. */
static bool is_empty_set(const struct policy_key *key)
{
	for (size_t i = 0; key != NULL && i < key->count; i++) {
		if (key->values[i].len > 0)
			return false;
	}
	return true;
}

bool condition_holds(const struct condition *c, const struct policy_request *request)
{
	const struct policy_key *key = request_key(request, c->key);
	if (c->op.type == CONDITION_NULL)
		return null_holds(c, key == NULL);
	if (c->op.over != OVER_ONE && is_empty_set(key))
		return c->op.over == OVER_ALL;
	if (key == NULL)
		return c->op.if_exists || c->op.is_negated;

	bool any = false;
	bool all = true;
	for (size_t i = 0; i < key->count; i++) {
		bool does = matches_any(c, request, key->values[i]);
		/* With a set, each value is asked by itself, also whether it is NOT among them. */
		if (c->op.over != OVER_ONE)
			does = does != c->op.is_negated;
		any = any || does;
		all = all && does;
	}
	if (c->op.over == OVER_ONE)
		return any != c->op.is_negated;
	return c->op.over == OVER_ALL ? all : any;
}

const struct policy_key *request_key(const struct policy_request *request, struct str name)
{
	for (size_t i = 0; i < request->key_count; i++) {
		const struct policy_key *key = &request->keys[i];
		if (key->name.len == name.len && str_eq_nocase(key->name, name))
			return key->count > 0 ? key : NULL;
	}
	return NULL;
}
