#include <assert.h>
#include <stdlib.h>

#include "auth/policy_priv.h"
#include "base/json.h"
#include "base/mem.h"

/* A value of two bytes becomes one of 40: enough for every document that the text's limit lets in.
 */
#define ARENA_MAX   ((size_t)POLICY_TEXT_MAX * 64)

#define LEGACY_TEXT "The policy failed legacy parsing"

/* What is being compiled. Functions return false when the document cannot be read further (the
 * fault is noted); faults of a later rank are only noted. */
struct compiler {
	struct policy *policy;
	struct arena *arena;
	struct fault fault;
	const char *what;   /* the element that is wrong in syntax, for the log */
	bool has_variables; /* Version 2012-10-17 */
};

static bool syntax(struct compiler *c, const char *what)
{
	c->what = what;
	return fault_note(&c->fault, FAULT_SYNTAX, "Syntax errors in policy.");
}

/* A value that is one or a list of them, as most elements are. */
static size_t many_len(const struct json *v)
{
	return json_type(v) == JSON_ARRAY ? json_len(v) : 1;
}

static const struct json *many_at(const struct json *v, size_t i)
{
	return json_type(v) == JSON_ARRAY ? json_at(v, i) : v;
}

static struct str number_text(struct arena *arena, const struct json *v)
{
	struct buf out CLEANUP(buf_fini);
	buf_init(&out, 64);
	json_render(v, &out);
	return buf_ok(&out) ? arena_str(arena, buf_str(&out)) : (struct str){ NULL, 0 };
}

/* Text of a string, number or boolean; ptr NULL for other types. */
static struct str scalar_text(struct arena *arena, const struct json *v)
{
	switch (json_type(v)) {
	case JSON_STRING:
		return json_str(v);
	case JSON_BOOL:
		return json_bool(v, false) ? STR("true") : STR("false");
	case JSON_INT:
	case JSON_REAL:
		return number_text(arena, v);
	default:
		return (struct str){ NULL, 0 };
	}
}

struct members {
	const char *const *names;
	size_t count;
	bool known;
};

static bool is_known(void *arg, struct str name, const struct json *value)
{
	struct members *m = arg;
	(void)value;
	m->known = false;
	for (size_t i = 0; i < m->count; i++)
		m->known = m->known || str_eq_c(name, m->names[i]);
	return m->known;
}

static bool has_only(const struct json *v, const char *const *names, size_t count)
{
	struct members m = { names, count, true };
	return json_type(v) == JSON_OBJECT && json_each(v, is_known, &m);
}

/* Strings only, at least `least` of them. */
static bool is_strings(const struct json *v, size_t least)
{
	if (json_type(v) != JSON_STRING && json_type(v) != JSON_ARRAY)
		return false;
	for (size_t i = 0; i < many_len(v); i++) {
		if (json_type(many_at(v, i)) != JSON_STRING)
			return false;
	}
	return many_len(v) >= least;
}

/* Fields that a resource ARN lacks are stars ("Grammar of the IAM JSON policy language", notes). */
static bool compile_resource(
	struct arena *arena, struct str text, unsigned flags, struct pattern *out)
{
	if (!pattern_compile(arena, text, flags, out))
		return false;
	size_t colons = pattern_count(out, ':');
	if (colons >= 5 || str_eq_c(text, "*"))
		return true;
	text = arena_printf(
		arena, STR_FMT "%.*s", STR_ARG(text), (int)(5 - colons) * 2, ":*:*:*:*:*");
	return text.ptr != NULL && pattern_compile(arena, text, flags, out);
}

static bool add_patterns(struct compiler *c, const struct json *list, bool is_resource,
	const struct pattern **out, size_t *out_count)
{
	size_t n = many_len(list);
	unsigned flags = PATTERN_WILDCARDS;
	if (!is_resource)
		flags |= PATTERN_LOWER;
	else if (c->has_variables)
		flags |= PATTERN_VARIABLES;
	struct pattern *patterns = arena_alloc(c->arena, (n + 1) * sizeof(*patterns));
	if (patterns == NULL)
		return syntax(c, "too large");
	for (size_t i = 0; i < n; i++) {
		struct str text = json_str(many_at(list, i));
		if (is_resource ? !compile_resource(c->arena, text, flags, &patterns[i])
				: !pattern_compile(c->arena, text, flags, &patterns[i]))
			return fault_note(&c->fault, FAULT_LEGACY, LEGACY_TEXT);
	}
	*out = patterns;
	*out_count = n;
	return true;
}

static bool compile_actions(struct compiler *c, const struct json *v, struct statement *s)
{
	const struct json *yes = json_get(v, "Action");
	const struct json *no = json_get(v, "NotAction");
	const struct json *list = yes != NULL ? yes : no;
	if (yes != NULL && no != NULL)
		return syntax(c, "Action and NotAction");
	if (list != NULL && !is_strings(list, 0))
		return syntax(c, "Action");
	if (list == NULL || many_len(list) == 0) {
		fault_note(&c->fault, FAULT_NO_ACTION, "Policy statement must contain actions.");
		return true;
	}
	for (size_t i = 0; i < many_len(list); i++) {
		check_action(&c->fault, json_str(many_at(list, i)));
		if (c->policy->kind == POLICY_TRUST)
			check_trust_action(&c->fault, json_str(many_at(list, i)));
	}
	s->not_action = no != NULL;
	if (no != NULL && c->policy->kind == POLICY_TRUST)
		check_trust_action(&c->fault, STR(""));
	return add_patterns(c, list, false, &s->actions, &s->action_count);
}

static bool compile_resources(struct compiler *c, const struct json *v, struct statement *s)
{
	const struct json *yes = json_get(v, "Resource");
	const struct json *no = json_get(v, "NotResource");
	const struct json *list = yes != NULL ? yes : no;
	if (yes != NULL && no != NULL)
		return syntax(c, "Resource and NotResource");
	if (list != NULL && !is_strings(list, 0))
		return syntax(c, "Resource");
	if (c->policy->kind == POLICY_TRUST) {
		if (list != NULL)
			fault_note(&c->fault, FAULT_REST, "Has prohibited field Resource.");
		return true;
	}
	if (list == NULL && c->policy->kind == POLICY_REPOSITORY)
		return true;
	if (list == NULL || many_len(list) == 0) {
		fault_note(&c->fault, FAULT_REST, "Policy statement must contain resources.");
		return true;
	}
	for (size_t i = 0; i < many_len(list); i++)
		check_resource(&c->fault, json_str(many_at(list, i)));
	s->not_resource = no != NULL;
	return add_patterns(c, list, true, &s->resources, &s->resource_count);
}

/* One "operator": { "key": value(s), ... } after the other. */
struct condition_reader {
	struct compiler *c;
	struct condition_operator op;
	struct condition *conditions;
	size_t count;
	bool ok;
};

static bool compile_condition(void *arg, struct str key, const struct json *values)
{
	struct condition_reader *r = arg;
	struct compiler *c = r->c;
	struct condition *out = &r->conditions[r->count++];
	struct pattern name;
	size_t n = many_len(values);
	union condition_value *list = arena_alloc(c->arena, (n + 1) * sizeof(*list));
	r->ok = list != NULL && key.len > 0 && pattern_compile(c->arena, key, PATTERN_LOWER, &name);
	if (!r->ok)
		return syntax(c, "Condition");
	for (size_t i = 0; i < n; i++) {
		struct str text = scalar_text(c->arena, many_at(values, i));
		r->ok = text.ptr != NULL;
		if (!r->ok)
			return syntax(c, "Condition");
		if (!condition_value_parse(c->arena, &r->op, text, c->has_variables, &list[i]))
			fault_note(&c->fault, FAULT_LEGACY, LEGACY_TEXT);
	}
	out->op = r->op;
	out->key = name.text;
	out->values = list;
	out->value_count = n;
	return true;
}

static bool count_conditions(void *arg, struct str name, const struct json *value)
{
	struct condition_reader *r = arg;
	r->ok = json_type(value) == JSON_OBJECT && operator_parse(name, &r->op);
	r->count += json_len(value);
	return r->ok;
}

static bool compile_operator(void *arg, struct str name, const struct json *value)
{
	struct condition_reader *r = arg;
	r->ok = operator_parse(name, &r->op) && json_each(value, compile_condition, r);
	return r->ok;
}

static bool compile_conditions(struct compiler *c, const struct json *v, struct statement *s)
{
	const struct json *block = json_get(v, "Condition");
	struct condition_reader r = { .c = c, .ok = true };
	if (block == NULL)
		return true;
	if (json_type(block) != JSON_OBJECT || !json_each(block, count_conditions, &r))
		return syntax(c, "Condition");
	r.conditions = arena_alloc(c->arena, (r.count + 1) * sizeof(*r.conditions));
	if (r.conditions == NULL)
		return syntax(c, "too large");
	r.count = 0;
	if (!json_each(block, compile_operator, &r))
		return syntax(c, "Condition");
	s->conditions = r.conditions;
	s->condition_count = r.count;
	return true;
}

static bool add_aws(struct compiler *c, struct principals *p, struct str value)
{
	bool is_account;
	struct str parsed;
	if (str_eq_c(value, "*")) {
		p->has_everyone = true;
		return true;
	}
	if (!principal_parse(value, &is_account, &parsed)) {
		fault_note(&c->fault, FAULT_REST,
			"Invalid principal in policy: \"AWS\":\"" STR_FMT "\"", STR_ARG(value));
		return true;
	}
	parsed = arena_str(c->arena, parsed);
	if (is_account)
		p->accounts[p->account_count++] = parsed;
	else
		p->arns[p->arn_count++] = parsed;
	return parsed.ptr != NULL;
}

static bool add_others(struct compiler *c, const struct json *list, struct str **out, size_t *count)
{
	size_t n = many_len(list);
	struct str *items = arena_alloc(c->arena, (n + 1) * sizeof(*items));
	if (items == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		items[i] = arena_str(c->arena, json_str(many_at(list, i)));
		if (items[i].ptr == NULL)
			return false;
		if (items[i].len == 0)
			fault_note(&c->fault, FAULT_REST, "Invalid principal in policy.");
	}
	*out = items;
	*count = n;
	return true;
}

struct principal_reader {
	struct compiler *c;
	struct principals *p;
};

static bool compile_principal(void *arg, struct str type, const struct json *list)
{
	struct principal_reader *r = arg;
	struct principals *p = r->p;
	if (!is_strings(list, 1))
		return syntax(r->c, "Principal");
	if (str_eq_c(type, "Service"))
		return add_others(r->c, list, &p->services, &p->service_count);
	if (str_eq_c(type, "Federated"))
		return add_others(r->c, list, &p->federated, &p->federated_count);
	if (str_eq_c(type, "CanonicalUser"))
		return add_others(r->c, list, &p->canonical, &p->canonical_count);
	if (!str_eq_c(type, "AWS"))
		return syntax(r->c, "Principal");
	p->accounts = arena_alloc(r->c->arena, (many_len(list) + 1) * sizeof(*p->accounts));
	p->arns = arena_alloc(r->c->arena, (many_len(list) + 1) * sizeof(*p->arns));
	if (p->accounts == NULL || p->arns == NULL)
		return syntax(r->c, "too large");
	for (size_t i = 0; i < many_len(list); i++) {
		if (!add_aws(r->c, p, json_str(many_at(list, i))))
			return syntax(r->c, "too large");
	}
	return true;
}

/* Whether the kind of policy wants principals at all. */
static void check_principals(struct compiler *c, const struct statement *s)
{
	const struct principals *p = &s->principals;
	switch (c->policy->kind) {
	case POLICY_IDENTITY:
	case POLICY_SESSION:
		if (p->is_present)
			fault_note(&c->fault, FAULT_REST,
				"Policy document should not specify a principal.");
		break;
	case POLICY_TRUST:
		if (!p->is_present)
			fault_note(&c->fault, FAULT_REST, "Missing required field Principal");
		else if (p->is_negated)
			fault_note(&c->fault, FAULT_REST, "Has prohibited field NotPrincipal");
		break;
	case POLICY_REPOSITORY:
	case POLICY_REGISTRY:
		if (!p->is_present)
			fault_note(&c->fault, FAULT_REST, "Missing required field Principal");
		else if (p->is_negated && !s->is_deny)
			fault_note(&c->fault, FAULT_REST, "NotPrincipal needs Effect Deny");
		break;
	}
}

static bool compile_principals(struct compiler *c, const struct json *v, struct statement *s)
{
	const struct json *yes = json_get(v, "Principal");
	const struct json *no = json_get(v, "NotPrincipal");
	const struct json *block = yes != NULL ? yes : no;
	struct principal_reader r = { c, &s->principals };
	if (yes != NULL && no != NULL)
		return syntax(c, "Principal and NotPrincipal");
	s->principals.is_present = block != NULL;
	s->principals.is_negated = no != NULL;
	check_principals(c, s);
	if (block == NULL)
		return true;
	if (json_type(block) == JSON_STRING) {
		s->principals.has_everyone = true;
		if (!str_eq_c(json_str(block), "*"))
			return syntax(c, "Principal");
		return true;
	}
	if (json_type(block) != JSON_OBJECT || json_len(block) == 0)
		return syntax(c, "Principal");
	return json_each(block, compile_principal, &r) || syntax(c, "Principal");
}

static bool compile_effect(struct compiler *c, const struct json *v, struct statement *s)
{
	struct str effect = json_get_str(v, "Effect");
	s->is_deny = str_eq_nocase(effect, STR("Deny"));
	if (!s->is_deny && !str_eq_nocase(effect, STR("Allow")))
		return syntax(c, "Effect");
	if (!str_eq_c(effect, "Deny") && !str_eq_c(effect, "Allow"))
		fault_note(&c->fault, FAULT_LEGACY, LEGACY_TEXT);
	return true;
}

static bool compile_statement(struct compiler *c, const struct json *v, struct statement *s)
{
	static const char *const members[] = { "Sid", "Effect", "Principal", "NotPrincipal",
		"Action", "NotAction", "Resource", "NotResource", "Condition" };
	const struct json *sid = json_get(v, "Sid");
	if (!has_only(v, members, ARRAY_LEN(members)))
		return syntax(c, "Statement");
	if (sid != NULL && json_type(sid) != JSON_STRING)
		return syntax(c, "Sid");
	if (c->policy->kind <= POLICY_TRUST)
		check_sid(&c->fault, json_str(sid));
	return compile_effect(c, v, s) && compile_principals(c, v, s) && compile_actions(c, v, s) &&
	       compile_resources(c, v, s) && compile_conditions(c, v, s);
}

static int compare_sids(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* IAM wants them unique, ECR does not mind. */
static void check_unique_sids(struct compiler *c, const struct json *list)
{
	size_t n = many_len(list);
	size_t count = 0;
	struct str *sids CLEANUP(freep) = xcalloc(n + 1, sizeof(*sids));
	for (size_t i = 0; i < n; i++) {
		struct str sid = json_get_str(many_at(list, i), "Sid");
		if (sid.len > 0)
			sids[count++] = sid;
	}
	qsort(sids, count, sizeof(*sids), compare_sids);
	for (size_t i = 1; i < count; i++) {
		if (str_eq(sids[i - 1], sids[i]))
			fault_note(&c->fault, FAULT_SID,
				"Statement IDs (SID) in a single policy must be unique.");
	}
}

static bool compile_version(struct compiler *c, const struct json *root)
{
	const struct json *version = json_get(root, "Version");
	c->has_variables = str_eq_c(json_str(version), "2012-10-17");
	if (version != NULL && !c->has_variables && !str_eq_c(json_str(version), "2008-10-17"))
		return syntax(c, "Version");
	if (!c->has_variables && c->policy->kind == POLICY_IDENTITY)
		fault_note(&c->fault, FAULT_VERSION,
			"Policy document must be version 2012-10-17 or greater.");
	return true;
}

static bool compile_document(struct compiler *c, const struct json *root)
{
	static const char *const members[] = { "Version", "Id", "Statement" };
	const struct json *id = json_get(root, "Id");
	const struct json *list = json_get(root, "Statement");
	if (!has_only(root, members, ARRAY_LEN(members)))
		return syntax(c, "document");
	if (id != NULL && json_type(id) != JSON_STRING)
		return syntax(c, "Id");
	if (list == NULL || many_len(list) == 0)
		return syntax(c, "Statement");
	if (!compile_version(c, root))
		return false;

	size_t n = many_len(list);
	struct statement *statements = arena_alloc(c->arena, n * sizeof(*statements));
	if (statements == NULL)
		return syntax(c, "too large");
	for (size_t i = 0; i < n; i++) {
		if (!compile_statement(c, many_at(list, i), &statements[i]))
			return false;
	}
	if (c->policy->kind <= POLICY_TRUST)
		check_unique_sids(c, list);
	c->policy->statements = statements;
	c->policy->statement_count = n;
	return true;
}

/* IAM tells what it found; ECR only whose policy it is. */
static bool refuse(const struct compiler *c, enum policy_kind kind, struct err *err)
{
	const char *text = c->fault.text;
	if (kind == POLICY_REPOSITORY || kind == POLICY_REGISTRY)
		err_set(err, ERR_INVALID,
			"Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid "
			"%s policy provided'",
			kind == POLICY_REPOSITORY ? "repository" : "registry");
	else
		err_set(err, ERR_INVALID, "%s", text);
	return err_wrap(err, "%s (%s)", text, c->what != NULL ? c->what : "as it says");
}

bool policy_compile(struct str text, enum policy_kind kind, struct policy **out, struct err *err)
{
	struct json *root CLEANUP(json_freep) = NULL;
	struct policy *p CLEANUP(policy_freep) = xmalloc(sizeof(*p));
	struct compiler c = { .policy = p, .fault.rank = FAULT_NONE };
	struct err why;
	if (text.len > POLICY_TEXT_MAX)
		return err_set(
			err, ERR_TOO_LARGE, "The policy is longer than %d bytes", POLICY_TEXT_MAX);
	p->kind = kind;
	p->arena = c.arena = arena_new(ARENA_MAX);
	if (!json_parse_unique(text, &root, &why))
		syntax(&c, "not JSON");
	else if (!compile_document(&c, root))
		assert(c.fault.rank != FAULT_NONE);
	if (c.fault.rank != FAULT_NONE)
		return refuse(&c, kind, err);
	*out = p;
	p = NULL;
	return true;
}

void policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	arena_free(p->arena);
	freep(&p);
}

void policy_freep(struct policy **p)
{
	policy_free(*p);
	*p = NULL;
}
