/*
 * auth.h - who is calling, and may they.
 *
 * Callers prove themselves by SigV4 (sigv4.h) or by a registry token (token.h); both give a struct
 * principal. Every decision goes through auth_allow.
 */
#ifndef BERTH_AUTH_AUTH_H
#define BERTH_AUTH_AUTH_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct db;

/* Everything lives in the request's arena. */
struct principal {
	struct str account; /* twelve digits */
	struct str region;  /* of the credential scope or token */
	struct str arn;     /* arn:aws:iam::<account>:root */
	struct str user_id; /* as GetCallerIdentity tells: the account for root */
	struct str key_id;  /* access key id that proved it; empty for --no-auth */
	bool is_root;
};

struct auth_context {
	struct str source_ip;
	bool is_tls;
	struct str user_agent;
};

struct auth_question {
	const struct principal *who;
	struct str action;                  /* "ecr:BatchGetImage" */
	struct str account;                 /* that owns the resource */
	struct str resource;                /* ARN, or "*" */
	const struct auth_context *context; /* may be NULL */
};

struct auth;

struct auth_options {
	struct db *db;
	bool no_auth;                 /* every caller is root of the default account */
	const char *account, *region; /* the defaults */
};

/* Loads (or makes at first start) the token key. */
MUST_CHECK bool auth_open(const struct auth_options *o, struct auth **out, struct err *err);
void auth_close(struct auth *a); /* accepts NULL */
bool auth_is_off(const struct auth *a);
/* The default account's root principal, for no_auth. */
void auth_default_principal(const struct auth *a, struct principal *out);

/* Errors: DENIED with ECR's sentence ("User: <arn> is not authorized to perform: <action> on
 * resource: <resource> because no identity-based policy allows the <action> action"). For now: a
 * root principal may do all in its own account, else nothing. */
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
