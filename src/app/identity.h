/*
 * identity.h - which account and Region this server stands for, and the access key of its root.
 *
 * The account is fixed at the first start and kept in the database. The Region is the last one that
 * was asked for. The first access key goes to a file, in the format of the AWS tools; whether that
 * has happened is kept in the database too, so that a crash between key and file does not lock the
 * operator out, and a file removed on purpose is not made again.
 */
#ifndef BERTH_APP_IDENTITY_H
#define BERTH_APP_IDENTITY_H

#include "app/config.h"
#include "app/folder.h"
#include "base/buf.h"

struct auth;
struct db;
struct access_key;

struct identity {
	char account[13];
	char region[26];
	char credentials[PATH_MAX]; /* path of the file */
	bool has_credentials;       /* the file is there */
	bool is_new;                /* it was written by this start */
};

/* Reads account and Region, or fixes them. Errors: CONFIG for another account than the fixed one.
 */
MUST_CHECK bool identity_load(
	struct db *db, const struct config *c, struct identity *out, struct err *err);
/* For tools: as stored; errors: CONFIG when the server never started. */
MUST_CHECK bool identity_find(struct db *db, struct identity *out, struct err *err);
/* Where the server was last reached, for tools that tell it: "http://127.0.0.1:5000". The empty
 * text when it never was. */
#define IDENTITY_URL_MAX 200
MUST_CHECK bool identity_note_url(struct db *db, const char *url, struct err *err);
MUST_CHECK bool identity_find_url(struct db *db, char out[IDENTITY_URL_MAX], struct err *err);
/* Makes the first key when there is none that the operator could know, and writes both files. */
MUST_CHECK bool identity_ensure_key(struct db *db, struct auth *auth, const struct config *c,
	const struct folder *folder, struct identity *id, struct err *err);
/* Makes another key and writes it in place of the one in the file. Errors: CONFIG when there is no
 * folder for the file; no key is made then. */
MUST_CHECK bool identity_new_key(struct db *db, struct auth *auth, const struct config *c,
	const struct folder *folder, struct identity *id, struct err *err);

/* The files' contents. */
void identity_render_credentials(struct buf *out, const struct access_key *key);
void identity_render_config(struct buf *out, const struct identity *id);

#endif
