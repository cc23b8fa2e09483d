#include <assert.h>

#include "auth/policy_priv.h"

#define ACTION_MAX 128

/* What one class of policies says of a request. */
struct finding {
	bool is_denied, is_allowed;
	enum principal_match allowed; /* the closest way in which an Allow names the caller */
};

/* The request with what is worked out once. */
struct question {
	const struct policy_request *request;
	struct str action; /* lower case */
	bool has_boundary;
};

static bool matches_patterns(const struct pattern *patterns, size_t count,
	const struct policy_request *request, struct str text)
{
	char buffer[PATTERN_EXPANDED_MAX];
	for (size_t i = 0; i < count; i++) {
		struct str pattern;
		if (pattern_expand(&patterns[i], request, buffer, &pattern) &&
			(patterns[i].has_wildcards ? pattern_glob(pattern, text)
						   : str_eq(pattern, text)))
			return true;
	}
	return false;
}

static enum principal_match statement_match(const struct statement *s, const struct question *q)
{
	const struct policy_request *request = q->request;
	if (matches_patterns(s->actions, s->action_count, request, q->action) == s->not_action)
		return PRINCIPAL_NONE;
	if (s->resources != NULL && matches_patterns(s->resources, s->resource_count, request,
					    request->resource) == s->not_resource)
		return PRINCIPAL_NONE;
	enum principal_match match =
		principals_match(&s->principals, s->is_deny, &request->caller, q->has_boundary);
	for (size_t i = 0; match != PRINCIPAL_NONE && i < s->condition_count; i++) {
		if (!condition_holds(&s->conditions[i], request))
			match = PRINCIPAL_NONE;
	}
	return match;
}

static struct finding find(struct policy_list list, const struct question *q)
{
	struct finding f = { .allowed = PRINCIPAL_NONE };
	for (size_t i = 0; i < list.count; i++) {
		const struct policy *p = list.items[i];
		for (size_t j = 0; j < p->statement_count; j++) {
			const struct statement *s = &p->statements[j];
			/* An Allow that could not say more than another did is not looked at. */
			if (!s->is_deny && f.allowed == PRINCIPAL_DIRECT)
				continue;
			enum principal_match match = statement_match(s, q);
			if (match == PRINCIPAL_NONE)
				continue;
			if (s->is_deny)
				f.is_denied = true;
			else if (match > f.allowed)
				f.allowed = match;
		}
	}
	f.is_allowed = f.allowed != PRINCIPAL_NONE;
	return f;
}

static struct policy_decision allowed_by(enum policy_class by)
{
	return (struct policy_decision){ .is_allowed = true, .by = by };
}

static struct policy_decision denied_by(enum policy_class by, bool is_explicit)
{
	return (struct policy_decision){ .is_explicit = is_explicit, .by = by };
}

/* The operations that mend a resource policy which locks its owner out. */
static bool is_mending(struct str action)
{
	return str_eq_c(action, "ecr:setrepositorypolicy") ||
	       str_eq_c(action, "ecr:deleterepositorypolicy") ||
	       str_eq_c(action, "ecr:putregistrypolicy") ||
	       str_eq_c(action, "ecr:deleteregistrypolicy");
}

/* Everything that was found out about a request. */
struct findings {
	struct finding identity, boundary, session, repository, registry, trust;
	bool same_account, has_identity;
	enum policy_class missing; /* what the identity side lacks; NONE: it allows */
};

/* Where the caller has policies of its own, what they allow is cut by boundary and session. */
static enum policy_class identity_lacks(
	const struct findings *f, const struct policy_set *set, bool is_root)
{
	if (is_root)
		return POLICY_BY_NONE;
	if (!f->has_identity || !f->identity.is_allowed)
		return POLICY_BY_IDENTITY;
	if (set->boundary.count > 0 && !f->boundary.is_allowed)
		return POLICY_BY_BOUNDARY;
	if (set->session.count > 0 && !f->session.is_allowed)
		return POLICY_BY_SESSION;
	return POLICY_BY_NONE;
}

/* Whether what a resource policy allows by that way of naming reaches the caller without an Allow
 * of its identity policies. */
static bool reaches(enum principal_match match, const struct findings *f,
	const struct policy_set *set, bool account_delegates)
{
	if (match == PRINCIPAL_DIRECT)
		return true;
	if (match == PRINCIPAL_NONE || (match == PRINCIPAL_ACCOUNT && account_delegates))
		return false;
	return (set->boundary.count == 0 || f->boundary.is_allowed) &&
	       (set->session.count == 0 || f->session.is_allowed);
}

/* Only when the resource side would have granted does a boundary or session policy lack something
 * that identity policies did not need to say. */
static struct policy_decision decide_same_account(const struct findings *f,
	const struct policy_set *set, bool account_delegates, bool resources_grant)
{
	if (f->missing == POLICY_BY_NONE)
		return allowed_by(POLICY_BY_IDENTITY);
	if (resources_grant && reaches(f->repository.allowed, f, set, account_delegates))
		return allowed_by(POLICY_BY_REPOSITORY);
	if (resources_grant && reaches(f->registry.allowed, f, set, account_delegates))
		return allowed_by(POLICY_BY_REGISTRY);
	return denied_by(f->missing, false);
}

static struct policy_decision decide_cross_account(const struct findings *f, bool resources_grant)
{
	bool is_granted = resources_grant && (f->repository.is_allowed || f->registry.is_allowed);
	if (!is_granted)
		return denied_by(POLICY_BY_REPOSITORY, false);
	if (f->has_identity && f->missing != POLICY_BY_NONE)
		return denied_by(f->missing, false);
	return allowed_by(f->repository.is_allowed ? POLICY_BY_REPOSITORY : POLICY_BY_REGISTRY);
}

static struct policy_decision decide_trust(
	const struct findings *f, const struct policy_set *set, enum caller_kind kind)
{
	if (!f->trust.is_allowed || kind == CALLER_ANONYMOUS)
		return denied_by(POLICY_BY_TRUST, false);
	if (!f->has_identity || f->missing == POLICY_BY_NONE ||
		(f->same_account && reaches(f->trust.allowed, f, set, true)))
		return allowed_by(POLICY_BY_TRUST);
	return denied_by(f->missing, false);
}

/* The first class with a Deny that counts, in the order in which AWS looks. */
static enum policy_class explicit_deny(const struct findings *f, bool is_mending_root)
{
	if (f->trust.is_denied)
		return POLICY_BY_TRUST;
	if (f->identity.is_denied)
		return POLICY_BY_IDENTITY;
	if (f->boundary.is_denied)
		return POLICY_BY_BOUNDARY;
	if (f->session.is_denied)
		return POLICY_BY_SESSION;
	if (is_mending_root)
		return POLICY_BY_NONE;
	if (f->repository.is_denied)
		return POLICY_BY_REPOSITORY;
	return f->registry.is_denied ? POLICY_BY_REGISTRY : POLICY_BY_NONE;
}

static bool has_own_policies(enum caller_kind kind)
{
	switch (kind) {
	case CALLER_ROOT:
	case CALLER_USER:
	case CALLER_ROLE_SESSION:
	case CALLER_FEDERATED_USER:
		return true;
	case CALLER_ANONYMOUS:
	case CALLER_WEB_IDENTITY:
	case CALLER_SERVICE:
		return false;
	}
	return false;
}

static void look(const struct policy_set *set, const struct question *q, struct findings *f)
{
	const struct policy_caller *caller = &q->request->caller;
	f->has_identity = has_own_policies(caller->kind);
	f->same_account = caller->account.len > 0 && str_eq(caller->account, q->request->account);
	if (f->has_identity) {
		f->identity = find(set->identity, q);
		f->boundary = find(set->boundary, q);
		f->session = find(set->session, q);
	}
	f->repository = find(set->repository, q);
	f->registry = find(set->registry, q);
	f->trust = find(set->trust, q);
	f->missing = identity_lacks(f, set, caller->kind == CALLER_ROOT);
}

struct policy_decision policy_eval(
	const struct policy_set *set, const struct policy_request *request)
{
	char action[ACTION_MAX];
	struct question q = { .request = request, .has_boundary = set->boundary.count > 0 };
	struct findings f = { .same_account = false };
	if (request->action.len > sizeof(action))
		return denied_by(POLICY_BY_IDENTITY, false);
	for (size_t i = 0; i < request->action.len; i++) {
		action[i] = pattern_lower(request->action.ptr[i]);
	}
	q.action = (struct str){ action, request->action.len };
	look(set, &q, &f);

	bool is_own_root = request->caller.kind == CALLER_ROOT && f.same_account;
	enum policy_class deny = explicit_deny(&f, is_own_root && is_mending(q.action));
	bool resources_grant = !str_eq_c(q.action, "ecr:getauthorizationtoken");
	if (deny != POLICY_BY_NONE)
		return denied_by(deny, true);
	if (set->trust.count > 0)
		return decide_trust(&f, set, request->caller.kind);
	if (is_own_root)
		return allowed_by(POLICY_BY_ROOT);
	if (f.same_account)
		return decide_same_account(&f, set, request->account_delegates, resources_grant);
	return decide_cross_account(&f, resources_grant);
}

/* How AWS calls a class in its sentences ("Troubleshoot access denied error messages"). */
static const char *class_text(enum policy_class by, bool is_explicit)
{
	switch (by) {
	case POLICY_BY_NONE:
	case POLICY_BY_ROOT:
	case POLICY_BY_IDENTITY:
		return is_explicit ? "an identity-based policy" : "identity-based policy";
	case POLICY_BY_BOUNDARY:
		return is_explicit ? "a permissions boundary" : "permissions boundary";
	case POLICY_BY_SESSION:
		return is_explicit ? "a session policy" : "session policy";
	case POLICY_BY_REPOSITORY:
	case POLICY_BY_REGISTRY:
		return is_explicit ? "a resource-based policy" : "resource-based policy";
	case POLICY_BY_TRUST:
		return is_explicit ? "the role trust policy" : "role trust policy";
	}
	return "policy";
}

bool policy_refuse(const struct policy_request *request, const struct policy_decision *decision,
	struct err *err)
{
	struct str who = request->caller.arn;
	assert(!decision->is_allowed);
	if (who.len == 0)
		who = STR("anonymous");
	const char *class = class_text(decision->by, decision->is_explicit);
	if (decision->is_explicit)
		return err_set(err, ERR_DENIED,
			"User: " STR_FMT " is not authorized to perform: " STR_FMT
			" on resource: " STR_FMT " with an explicit deny in %s",
			STR_ARG(who), STR_ARG(request->action), STR_ARG(request->resource), class);
	return err_set(err, ERR_DENIED,
		"User: " STR_FMT " is not authorized to perform: " STR_FMT " on resource: " STR_FMT
		" because no %s allows the " STR_FMT " action",
		STR_ARG(who), STR_ARG(request->action), STR_ARG(request->resource), class,
		STR_ARG(request->action));
}
