/*
 * iam_key.h - access keys of users and of the account's root. Errors and threads as in iam.h.
 *
 * When a key was used is noted in memory and written in batches, off the path of requests.
 */
#ifndef BERTH_IAM_IAM_KEY_H
#define BERTH_IAM_IAM_KEY_H

#include "crypt/secret.h"
#include "iam/iam.h"

#define IAM_KEYS_MAX 2 /* a user */

struct iam_key {
	char id[33]; /* "AKIA..." */
	bool is_active;
	int64_t created_at_ms;
};

/* A new key's secret, told once. */
struct iam_new_key {
	struct iam_key key;
	char secret[41];
};

/* user.ptr NULL: the root's keys. */
MUST_CHECK bool iam_key_create(struct iam *i, struct str account, struct str user,
	struct iam_new_key *out, struct err *err);
MUST_CHECK bool iam_key_set_active(struct iam *i, struct str account, struct str user,
	struct str id, bool is_active, struct err *err);
MUST_CHECK bool iam_key_remove(
	struct iam *i, struct str account, struct str user, struct str id, struct err *err);

struct iam_key_page {
	struct str account;
	struct str user;  /* ptr NULL: root's */
	struct str after; /* an id; empty: from the start */
	unsigned limit;
};

/* By id; keys has room for page->limit. */
MUST_CHECK bool iam_key_list(struct iam *i, const struct iam_key_page *page, struct iam_key *keys,
	size_t *out_n, struct err *err);

struct iam_key_use {
	char account[13];
	char user[65];      /* empty: root */
	int64_t used_at_ms; /* 0: never */
	char service[65], region[33];
};

/* Errors: NoSuchEntity. */
MUST_CHECK bool iam_key_last_use(
	struct iam *i, struct str id, struct iam_key_use *out, struct err *err);
/* Notes a use now; never waits, never fails, forgets some when there are very many at once. */
void iam_key_used(struct iam *i, struct str id, struct str service, struct str region);
/* Writes down what was noted. */
MUST_CHECK bool iam_key_flush(struct iam *i, struct err *err);

/* The one place that knows how a secret stands in its row: wrapped by the key that iam_open was
 * given, under the name of its access key. i NULL: as it is. Errors: CORRUPT. */
MUST_CHECK bool iam_secret_encode(const struct iam *i, struct str key_id,
	const struct secret *plain, struct secret *out, struct err *err);
MUST_CHECK bool iam_secret_decode(const struct iam *i, struct str key_id,
	const struct secret *stored, struct secret *out, struct err *err);

#endif
