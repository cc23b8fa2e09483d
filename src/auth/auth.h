/*
 * auth.h - who is calling, and may they.
 *
 * Callers prove themselves by SigV4 (sigv4.h), with a key or a session (session.h), or by a
 * registry token (token.h); all give a struct principal. Every decision goes through auth_allow.
 */
#ifndef BERTH_AUTH_AUTH_H
#define BERTH_AUTH_AUTH_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct db;
struct iam;
struct policy;
struct policy_key;
struct secret;

/* Everything lives in the request's arena. */
struct principal {
	struct str account;  /* twelve digits */
	struct str region;   /* of the credential scope or token */
	struct str arn;      /* arn:aws:iam::<account>:root, ...:user/<path><name>,
				arn:aws:sts::<account>:assumed-role/<role>/<session> */
	struct str user_id;  /* as GetCallerIdentity tells: the account for root, "AIDA..." for a
				user, "AROA...:<session>" for a role's session */
	struct str key_id;   /* access key id that proved it; empty for --no-auth */
	bool is_root;        /* also in a session of root's */
	int64_t entity_id;   /* IAM's row of the user or role; 0: root */
	struct str name;     /* of the user or role; empty: root */
	struct str role_arn; /* of a role's session; empty: it is none */
	struct str session;  /* a record (session.h); empty: a long-lived key */
	int64_t session_issued_ms; /* 0: no session */
	int64_t session_ends_ms;   /* 0: no end */
};

struct auth_tag {
	struct str name, value;
};

/* Circumstances that conditions of policies may ask for. All zero is a context of which nothing is
 * known. */
struct auth_context {
	struct str source_ip;
	bool is_tls;
	struct str user_agent;
	/* Tags that the request brings: aws:RequestTag/<name>, aws:TagKeys. */
	const struct auth_tag *request_tags;
	size_t request_tag_count;
	/* Tags of the resource, asked only when a policy reads them: aws:ResourceTag/<name>,
	 * <service>:ResourceTag/<name>. NULL: it has none. */
	bool (*resource_tags)(
		void *arg, const struct auth_tag **out, size_t *out_n, struct err *err);
	void *resource_tags_arg;
	/* Keys of the service itself (auth/policy.h): ecr:AccountSetting, sts:ExternalId. */
	const struct policy_key *keys;
	size_t key_count;
};

struct auth_question {
	const struct principal *who;
	struct str action;                  /* "ecr:BatchGetImage" */
	struct str account;                 /* that owns the resource */
	struct str resource;                /* ARN, or "*" */
	const struct auth_context *context; /* may be NULL */
	/* Counts in place of the one on the repository: what would be, if it were set. NULL: that
	 * one. */
	const struct policy *repository_policy;
};

struct auth;

/* The policies that lie on a resource; NULL: none. */
struct auth_resource_policies {
	const struct policy *repository, *registry;
	void *held; /* the source's own */
};

/*
 * Where resource policies are found. find gives those in force at this moment for a resource of
 * (account, Region) (an ARN, or "*": the registry's policy alone); both stay as they are until
 * release, whatever is set meanwhile, so a source counts its references. release is called exactly
 * once for each find that was done. Both are called from any thread, and for actions of ecr only.
 */
struct auth_policy_source {
	bool (*find)(void *arg, struct str account, struct str region, struct str resource,
		struct auth_resource_policies *out, struct err *err); /* NULL: there are none */
	void (*release)(void *arg, struct auth_resource_policies *policies);
	void *arg;
};

struct auth_options {
	struct db *db;
	/* Wraps the token key and the secrets of access keys; copied. NULL: they stand in their
	 * rows as they are (tests). */
	const struct secret *secrets_key;
	bool no_auth;                 /* every caller is root of the default account */
	const char *account, *region; /* the defaults */
	struct auth_policy_source resource_policies;
	const char *oidc_ca_file; /* that signs the servers of OIDC issuers; NULL: the system's */
};

/* Loads (or makes at first start) the token key; opens IAM. */
MUST_CHECK bool auth_open(const struct auth_options *o, struct auth **out, struct err *err);
void auth_close(struct auth *a); /* accepts NULL */
struct iam *auth_iam(struct auth *a);
bool auth_is_off(const struct auth *a);
/* The default account's root principal, for no_auth. */
void auth_default_principal(const struct auth *a, struct principal *out);

/*
 * By identity policies (inline, attached, of groups), permissions boundary, session policies and
 * resource policies, as auth/policy.h combines them; what IAM or a source has changed counts at
 * once. Errors: DENIED with AWS's sentence ("User: <arn> is not authorized to perform: <action> on
 * resource: <resource> because no identity-based policy allows the <action> action"); CORRUPT when
 * a stored policy cannot be read (nothing is allowed then).
 */
MUST_CHECK bool auth_allow(struct auth *a, const struct auth_question *q, struct err *err);

/* Makes an access key of the account's root: id "AKIA" + 16 characters, secret of 40. Used at first
 * start and by tools. */
struct access_key {
	char id[21];
	char secret[41];
	char account[13];
};

MUST_CHECK bool auth_make_root_key(
	struct auth *a, const char *account, struct access_key *out, struct err *err);
/* How many keys exist; 0 means first start. */
MUST_CHECK bool auth_count_keys(struct auth *a, uint64_t *out, struct err *err);

#endif
