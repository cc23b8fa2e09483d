/*
 * policy.h - IAM's policy language: documents compiled once, requests decided against them.
 *
 * Pure functions over immutable values; nothing here knows a database, a clock or a socket.
 *
 * How policies combine (ECR User Guide "Repository policies", "Registry permissions"; IAM User
 * Guide "Policy evaluation logic"):
 *
 * - An explicit Deny in any policy decides. One exception, ours: root may always call the four
 *   operations that mend a resource policy of its own account (SetRepositoryPolicy,
 *   DeleteRepositoryPolicy, PutRegistryPolicy, DeleteRegistryPolicy), whatever resource policies
 *   say, so that nobody is locked out for ever (AWS has this for S3 only).
 * - Root of the owning account is allowed everything else that no resource policy denies. Root of
 *   another account counts as allowed by its identity policies.
 * - Same account: an Allow of identity OR repository OR registry policies. What identity policies
 *   allow is cut by the permissions boundary and by session policies (intersection). So is what a
 *   resource policy allows to a session by naming its role (or a federated user's user) or the
 *   account. A resource policy that names the user, the session itself or everyone ("*") grants
 *   without those limits.
 * - Cross account: identity (cut as above) AND (repository OR registry).
 * - Services, web identities and anonymous callers have no identity policies: resource policies
 *   alone decide.
 * - ecr:GetAuthorizationToken is never granted by a resource policy (facts of ECR).
 * - A trust policy is asked instead of repository and registry policies, and it must allow. That
 *   is enough for a principal of the role's account that it names, or "*"; where it names the
 * account only, or the caller is of another account, the caller's identity policies must allow too.
 *
 * Inside one policy:
 *
 * - NotPrincipal (only with Deny, only in resource policies) spares a caller when every step that
 *   leads to it is listed: account and user; account, role and session. Callers with a permissions
 *   boundary are never spared.
 * - A key counts as missing when it is not in the context or has no value. Missing: positive
 * operators do not match, negated ones and ...IfExists do; ForAllValues: matches; ForAnyValue: does
 * not, IfExists or not. A key of several values under an operator without prefix matches when any
 * value does.
 * - Variables (${key}, ${key, 'otherwise'}, ${*}, ${?}, ${$}) stand in Resource, NotResource and in
 * values of String and Arn operators, in documents of 2012-10-17. What a value brings in is
 * literal. A key that is missing, empty or of several values has none: such a resource matches
 * nothing, such a value equals nothing.
 * - '?' stands for one character (of UTF-8), '*' for any run. In actions and resources '*' crosses
 *   colons, in Arn operators it does not. A resource with fewer than six fields is completed by
 * "*".
 * - Case: actions, condition keys and Bool do not mind it (ASCII), all else does.
 */
#ifndef BERTH_AUTH_POLICY_H
#define BERTH_AUTH_POLICY_H

#include "base/err.h"
#include "base/str.h"

/* Bytes of a document. The APIs have tighter limits of their own (2,048 to 10,240 characters). */
#define POLICY_TEXT_MAX 131072

enum policy_kind {
	POLICY_IDENTITY,   /* users, groups, roles, managed policies, boundaries */
	POLICY_SESSION,    /* passed to AssumeRole and its like */
	POLICY_TRUST,      /* who may assume a role */
	POLICY_REPOSITORY, /* Resource may be left out: it is the repository */
	POLICY_REGISTRY,
};

/* A compiled document. Immutable. Threads: safe. */
struct policy;

/* Owns: *out is the caller's (policy_free); nothing of text is kept. Errors: INVALID with the
 * sentence that IAM (identity, session, trust: the text of MalformedPolicyDocument) or ECR
 * ("Invalid parameter at 'PolicyText' ...") gives, the finer reason in detail; TOO_LARGE. */
MUST_CHECK bool policy_compile(
	struct str text, enum policy_kind kind, struct policy **out, struct err *err);
void policy_free(struct policy *p); /* accepts NULL */
void policy_freep(struct policy **p);
enum policy_kind policy_kind_of(const struct policy *p);

/* Whether a condition or a variable of p reads a key that begins with prefix (in lower case), so
 * that tags need to be loaded only when asked for: policy_reads(p, STR("aws:resourcetag/")). */
bool policy_reads(const struct policy *p, struct str prefix);

/* Calls fn for each member of Principal and NotPrincipal, type "AWS", "Service", "Federated" or
 * "CanonicalUser" ("*" is type "AWS"; a root ARN is given as its account), until it returns false.
 * For the callers that check whether principals exist. */
typedef bool (*policy_principal_fn)(void *arg, struct str type, struct str value);
bool policy_each_principal(const struct policy *p, policy_principal_fn fn, void *arg);

enum caller_kind {
	CALLER_ANONYMOUS, /* nobody known: only "*" matches */
	CALLER_ROOT,
	CALLER_USER,
	CALLER_ROLE_SESSION,   /* arn: the session's; issuer_arn: the role's */
	CALLER_FEDERATED_USER, /* arn: the session's; issuer_arn: the user's */
	CALLER_WEB_IDENTITY,   /* arn: the identity provider, as in Principal's Federated */
	CALLER_SERVICE,        /* arn: the service's name */
};

struct policy_caller {
	enum caller_kind kind;
	struct str arn;
	struct str issuer_arn;
	struct str account; /* empty: anonymous, web identity, service */
};

/* A condition key of the request, with its values as text: dates as ISO 8601 or seconds since 1970,
 * "true" and "false", addresses without prefix length. */
struct policy_key {
	struct str name; /* any case */
	const struct str *values;
	size_t count;
};

struct policy_request {
	struct policy_caller caller;
	struct str action;   /* "ecr:BatchGetImage"; at most 128 bytes, or nothing matches */
	struct str resource; /* ARN, or "*" */
	struct str account;  /* that owns the resource */
	const struct policy_key *keys;
	size_t key_count;
	/* In the same account, a resource policy that names only the account lets its identity
	 * policies decide instead of granting by itself (for trust policies that is always so). */
	bool account_delegates;
};

struct policy_list {
	const struct policy *const *items;
	size_t count;
};

struct policy_set {
	struct policy_list identity;
	struct policy_list boundary; /* empty: no boundary */
	struct policy_list session;  /* empty: the session is not cut */
	struct policy_list repository;
	struct policy_list registry;
	struct policy_list trust; /* not empty: the request assumes a role */
};

enum policy_class {
	POLICY_BY_NONE,
	POLICY_BY_ROOT, /* allowed: root of the account */
	POLICY_BY_IDENTITY,
	POLICY_BY_BOUNDARY,
	POLICY_BY_SESSION,
	POLICY_BY_REPOSITORY,
	POLICY_BY_REGISTRY,
	POLICY_BY_TRUST,
};

struct policy_decision {
	bool is_allowed;
	bool is_explicit; /* denied by a Deny, not for want of an Allow */
	/* Allowed: what granted it. Denied: what has the Deny, or what was missing first
	 * (REPOSITORY stands for every resource policy when one was missing). */
	enum policy_class by;
};

/* Allocates nothing. Time: the sum of the lengths of documents and values, with '?' in a pattern
 * their product. */
struct policy_decision policy_eval(
	const struct policy_set *set, const struct policy_request *request);

/* Returns false with DENIED and AWS's sentence ("User: <arn> is not authorized to perform: <action>
 * on resource: <resource> because no identity-based policy allows the <action> action"). The
 * decision must not be an Allow. */
bool policy_refuse(const struct policy_request *request, const struct policy_decision *decision,
	struct err *err);

#endif
