#include "auth/policy_priv.h"

static bool is_account_id(struct str s)
{
	uint64_t ignored;
	return s.len == 12 && str_to_u64(s, UINT64_MAX, &ignored);
}

/* Cuts "arn:<partition>:<service>::<account>:<rest>". */
static bool cut_arn(struct str s, struct str *service, struct str *account, struct str *rest)
{
	struct str field;
	struct str region;
	if (!str_cut(s, ':', &field, &s) || !str_eq_c(field, "arn") ||
		!str_cut(s, ':', &field, &s) || !check_is_partition(field))
		return false;
	return str_cut(s, ':', service, &s) && str_cut(s, ':', &region, &s) && region.len == 0 &&
	       str_cut(s, ':', account, rest) && is_account_id(*account);
}

/* Something behind the prefix, without wildcards: principals have none but a lone "*". */
static bool is_named(struct str s, struct str prefix)
{
	return str_starts(s, prefix) && s.len > prefix.len && str_find_char(s, '*') == s.len &&
	       str_find_char(s, '?') == s.len;
}

bool principal_parse(struct str value, bool *is_account, struct str *out)
{
	struct str service;
	struct str account;
	struct str rest;
	*is_account = is_account_id(value);
	*out = value;
	if (*is_account)
		return true;
	if (!cut_arn(value, &service, &account, &rest))
		return false;
	if (str_eq_c(service, "iam") && str_eq_c(rest, "root")) {
		*is_account = true;
		*out = account;
		return true;
	}
	if (str_eq_c(service, "iam"))
		return is_named(rest, STR("user/")) || is_named(rest, STR("role/"));
	return str_eq_c(service, "sts") &&
	       (is_named(rest, STR("assumed-role/")) || is_named(rest, STR("federated-user/")));
}

static bool has(const struct str *list, size_t count, struct str s)
{
	for (size_t i = 0; s.len > 0 && i < count; i++) {
		if (str_eq(list[i], s))
			return true;
	}
	return false;
}

static enum principal_match match_positive(
	const struct principals *p, bool is_deny, const struct policy_caller *caller)
{
	/* Whoever holds a token of some identity provider is let in only where that is named. */
	if (p->has_everyone && (is_deny || caller->kind != CALLER_WEB_IDENTITY))
		return PRINCIPAL_DIRECT;
	bool in_account = has(p->accounts, p->account_count, caller->account);
	switch (caller->kind) {
	case CALLER_ANONYMOUS:
		return PRINCIPAL_NONE;
	case CALLER_SERVICE:
		return has(p->services, p->service_count, caller->arn) ? PRINCIPAL_DIRECT
								       : PRINCIPAL_NONE;
	case CALLER_WEB_IDENTITY:
		return has(p->federated, p->federated_count, caller->arn) ? PRINCIPAL_DIRECT
									  : PRINCIPAL_NONE;
	case CALLER_ROOT:
		return in_account ? PRINCIPAL_DIRECT : PRINCIPAL_NONE;
	case CALLER_ROLE_SESSION:
	case CALLER_FEDERATED_USER:
		if (has(p->arns, p->arn_count, caller->arn))
			return PRINCIPAL_DIRECT;
		if (has(p->arns, p->arn_count, caller->issuer_arn))
			return PRINCIPAL_ISSUER;
		break;
	case CALLER_USER:
		if (has(p->arns, p->arn_count, caller->arn))
			return PRINCIPAL_DIRECT;
		break;
	}
	return in_account ? PRINCIPAL_ACCOUNT : PRINCIPAL_NONE;
}

/*
 * "When you use NotPrincipal, you must also specify the account ARN of the not-denied principal";
 * account, role and session are verified one after the other, and one with a permissions boundary
 * is always denied ("AWS JSON policy elements: NotPrincipal").
 */
static bool is_spared(
	const struct principals *p, const struct policy_caller *caller, bool has_boundary)
{
	if (has_boundary)
		return false;
	if (p->has_everyone)
		return true;
	bool in_account = has(p->accounts, p->account_count, caller->account);
	switch (caller->kind) {
	case CALLER_ANONYMOUS:
		return false;
	case CALLER_SERVICE:
		return has(p->services, p->service_count, caller->arn);
	case CALLER_WEB_IDENTITY:
		return has(p->federated, p->federated_count, caller->arn);
	case CALLER_ROOT:
		return in_account;
	case CALLER_ROLE_SESSION:
		return in_account && has(p->arns, p->arn_count, caller->issuer_arn) &&
		       has(p->arns, p->arn_count, caller->arn);
	case CALLER_USER:
	case CALLER_FEDERATED_USER:
		return in_account && has(p->arns, p->arn_count, caller->arn);
	}
	return false;
}

enum principal_match principals_match(const struct principals *p, bool is_deny,
	const struct policy_caller *caller, bool has_boundary)
{
	if (!p->is_present)
		return PRINCIPAL_DIRECT;
	if (!p->is_negated)
		return match_positive(p, is_deny, caller);
	return is_spared(p, caller, has_boundary) ? PRINCIPAL_NONE : PRINCIPAL_DIRECT;
}
