/*
 * iam.h - who there is: users, groups, roles, access keys, managed policies and OIDC providers of
 * accounts, as AWS IAM keeps them.
 *
 * Knows rows and rules (names are there once, in any case; limits; what must be gone before
 * something is deleted), not what a policy means: documents are text that the caller has checked.
 * IAM is of an account and knows no Region.
 *
 * Invariants: every change is one transaction; after it is committed the generation grows, so that
 * whoever remembers anything read from here (the caches of auth/) reads it again.
 *
 * Errors: IAM's refusals are INVALID with the message "<AWS code>: <AWS text>" (NoSuchEntity,
 * EntityAlreadyExists, DeleteConflict, LimitExceeded), as auth/sigv4.h does it; else those of the
 * database. Texts that come out live in the given arena. Threads: safe.
 */
#ifndef BERTH_IAM_IAM_H
#define BERTH_IAM_IAM_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct db;
struct iam;
struct secret;

/* Starts the thread that writes down when keys were used. db is borrowed. secrets_key: wraps the
 * secrets of access keys, copied; NULL: their rows hold them as they are (tests). */
MUST_CHECK bool iam_open(
	struct db *db, const struct secret *secrets_key, struct iam **out, struct err *err);
void iam_close(struct iam *i); /* writes what is still to be written; accepts NULL */
/* Grows with every change that this process makes. */
uint64_t iam_generation(const struct iam *i);

enum iam_type { IAM_TYPE_USER = 1, IAM_TYPE_GROUP, IAM_TYPE_ROLE, IAM_TYPE_POLICY, IAM_TYPE_OIDC };

struct iam_entity {
	int64_t id;
	enum iam_type type;
	struct str account;
	struct str name;        /* of an OIDC provider: its URL without "https://" */
	struct str path;        /* "/", "/team/" */
	struct str uid;         /* "AIDA...", "AGPA...", "AROA...", "ANPA..." */
	struct str description; /* roles, policies */
	struct str document;    /* roles: the trust policy */
	struct str boundary;    /* users, roles: ARN of the permissions boundary, or empty */
	int64_t max_session_s;  /* roles */
	int64_t version;        /* policies: the default version's number */
	int64_t created_at_ms, updated_at_ms;
};

struct iam_tag {
	struct str name, value;
};

struct iam_tags {
	const struct iam_tag *items;
	size_t count;
};

#define IAM_TAGS_MAX        50 /* an entity */
#define IAM_PAGE_MAX        1000
#define IAM_ARN_MAX         2048
#define IAM_POLICY_SIZE_MAX 6144 /* characters, white space not counted */
#define IAM_TRUST_SIZE_MAX  2048
#define IAM_SESSION_MAX_S   43200
#define IAM_SESSION_FIRST_S 3600 /* a role's longest session unless it says otherwise */

/* Which entity: of account and type, by its name in any case. */
struct iam_ref {
	struct str account;
	enum iam_type type;
	struct str name;
};

/* "arn:aws:iam::<account>:<type>/<path><name>" */
struct str iam_arn(struct arena *arena, const struct iam_entity *e);
/* The reference in an ARN of type (path: "/" at least). False: it is no such ARN; out untouched. */
bool iam_arn_parse(struct str arn, enum iam_type type, struct iam_ref *out, struct str *out_path);
/* The word of the ARN and of messages: "user", "oidc-provider". */
const char *iam_type_word(enum iam_type type);
/* How long a document is for IAM: its characters, white space not counted. */
size_t iam_document_size(struct str document);

/*
 * what: account, type, name, path and what else its type has. A policy's document becomes its
 * version 1. Limits: 5000 users, 300 groups, 1000 roles, 1500 policies, 100 providers an account.
 */
MUST_CHECK bool iam_create(struct iam *i, const struct iam_entity *what, struct iam_tags tags,
	struct arena *arena, struct iam_entity *out, struct err *err);
MUST_CHECK bool iam_get(struct iam *i, const struct iam_ref *ref, struct arena *arena,
	struct iam_entity *out, struct err *err);
/* By row. *found false: it is gone. */
MUST_CHECK bool iam_find_id(struct iam *i, int64_t id, struct arena *arena, struct iam_entity *out,
	bool *found, struct err *err);

/* ptr NULL, 0: stays as it is. boundary may be made empty. */
struct iam_change {
	struct str name, path, description, document, boundary;
	int64_t max_session_s;
};

MUST_CHECK bool iam_update(
	struct iam *i, const struct iam_ref *ref, const struct iam_change *change, struct err *err);
/* DeleteConflict while policies, keys, members or further versions are there; a provider goes
 * always. */
MUST_CHECK bool iam_delete(struct iam *i, const struct iam_ref *ref, struct err *err);

/* A page: entities behind `after` (a name in any case), at most limit. */
struct iam_list {
	struct str account;
	enum iam_type type;
	struct str path_prefix; /* empty: all */
	struct str after;
	unsigned limit;
	/* Of iam_attached_list (iam_part.h). */
	struct str policy_arn;
	bool is_boundary;
};

/* By name; out points at *out_n entities in the arena. */
MUST_CHECK bool iam_list(struct iam *i, const struct iam_list *page, struct arena *arena,
	const struct iam_entity **out, size_t *out_n, struct err *err);

MUST_CHECK bool iam_member_add(
	struct iam *i, struct str account, struct str group, struct str user, struct err *err);
MUST_CHECK bool iam_member_remove(
	struct iam *i, struct str account, struct str group, struct str user, struct err *err);
/* of: a group, whose members are listed, or a user, whose groups. */
MUST_CHECK bool iam_member_list(struct iam *i, const struct iam_ref *of,
	const struct iam_list *page, struct arena *arena, const struct iam_entity **out,
	size_t *out_n, struct err *err);

#endif
