#include "app/identity.h"

#include <stdio.h>
#include <stdlib.h>

#include "auth/auth.h"
#include "base/file.h"
#include "base/mem.h"
#include "crypt/random.h"
#include "meta/key_table.h"

#define FIRST_REGION "us-east-1"
#define FILE_MAX     (4 * KIB)

/* Names of values in the database: kept, never changed. */
#define VALUE_ACCOUNT   "account"
#define VALUE_REGION    "region"
#define VALUE_DELIVERED "credentials-written"
#define VALUE_URL       "url" /* the last one, and no secret */

struct value {
	const char *name;
	struct secret content;
	bool is_found;
};

static bool value_get(struct db_conn *conn, void *arg, struct err *err)
{
	struct value *v = arg;
	return server_value_get(conn, v->name, &v->content, &v->is_found, err);
}

static bool value_put(struct db_conn *conn, void *arg, struct err *err)
{
	struct value *v = arg;
	return server_value_put(conn, v->name, &v->content, err);
}

/* "" when there is no such value. */
static bool text_get(struct db *db, const char *name, char *out, size_t cap, struct err *err)
{
	struct value v = { .name = name };
	out[0] = '\0';
	if (!db_read(db, value_get, &v, err))
		return false;
	struct str text = { (const char *)v.content.bytes, v.content.len };
	if (v.is_found && !str_to_c(text, out, cap))
		return err_set(err, ERR_CORRUPT, "the database's value '%s' is damaged", name);
	return true;
}

static bool text_put(struct db *db, const char *name, const char *text, struct err *err)
{
	struct value v = { .name = name };
	if (!secret_set(&v.content, text, strlen(text)))
		return err_set(err, ERR_INVALID, "the value '%s' is too long", name);
	return db_write(db, value_put, &v, err);
}

static bool account_settle(struct db *db, const struct config *c, char account[13], struct err *err)
{
	char where[CONFIG_WHERE_MAX];
	if (!text_get(db, VALUE_ACCOUNT, account, 13, err))
		return false;
	if (account[0] != '\0') {
		if (c->account == NULL || strcmp(c->account, account) == 0)
			return true;
		config_where(c, config_key_at(offsetof(struct config, account)), where);
		return err_set(err, ERR_CONFIG,
			"%s %s: this data folder belongs to account %s, fixed at its first start; "
			"use another --data for another account",
			where, c->account, account);
	}
	if (c->account != NULL) {
		snprintf(account, 13, "%s", c->account);
	} else {
		random_text(account, 1, "123456789"); /* tools that take it for a number */
		random_text(account + 1, 11, "0123456789");
		account[12] = '\0';
	}
	return text_put(db, VALUE_ACCOUNT, account, err);
}

static bool region_settle(struct db *db, const struct config *c, char region[26], struct err *err)
{
	char stored[26];
	if (!text_get(db, VALUE_REGION, stored, sizeof(stored), err))
		return false;
	snprintf(region, 26, "%s",
		c->region != NULL   ? c->region
		: stored[0] != '\0' ? stored
				    : FIRST_REGION);
	return strcmp(region, stored) == 0 || text_put(db, VALUE_REGION, region, err);
}

bool identity_load(struct db *db, const struct config *c, struct identity *out, struct err *err)
{
	struct identity id = { 0 };
	if (!account_settle(db, c, id.account, err) || !region_settle(db, c, id.region, err))
		return false;
	*out = id;
	return true;
}

bool identity_note_url(struct db *db, const char *url, struct err *err)
{
	char stored[IDENTITY_URL_MAX];
	return text_get(db, VALUE_URL, stored, sizeof(stored), err) &&
	       (strcmp(url, stored) == 0 || text_put(db, VALUE_URL, url, err));
}

bool identity_find_url(struct db *db, char out[IDENTITY_URL_MAX], struct err *err)
{
	return text_get(db, VALUE_URL, out, IDENTITY_URL_MAX, err);
}

bool identity_find(struct db *db, struct identity *out, struct err *err)
{
	struct identity id = { 0 };
	if (!text_get(db, VALUE_ACCOUNT, id.account, sizeof(id.account), err) ||
		!text_get(db, VALUE_REGION, id.region, sizeof(id.region), err))
		return false;
	if (id.account[0] == '\0')
		return err_set(err, ERR_CONFIG, "the server has never started on this data folder");
	*out = id;
	return true;
}

void identity_render_credentials(struct buf *out, const struct access_key *key)
{
	buf_addf(out, "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", key->id,
		key->secret);
}

void identity_render_config(struct buf *out, const struct identity *id)
{
	buf_addf(out, "[default]\nregion = %s\n", id->region);
}

static bool write_config(const struct folder *folder, const struct identity *id, struct err *err)
{
	struct buf wanted CLEANUP(buf_fini);
	struct buf there CLEANUP(buf_fini);
	char path[PATH_MAX];
	struct err e;
	buf_init(&wanted, FILE_MAX);
	buf_init(&there, FILE_MAX);
	identity_render_config(&wanted, id);
	if (!folder_path(folder, "config", path, err))
		return false;
	/* Unreadable counts as different. */
	if (file_exists(path) && file_read(path, &there, &e) &&
		str_eq(buf_str(&there), buf_str(&wanted)))
		return true;
	return file_write_atomic(path, buf_str(&wanted), 0600, err);
}

static void wipe_key(struct access_key *key)
{
	mem_wipe(key, sizeof(*key));
}

static void wipe_buf(struct buf *b)
{
	if (b->ptr != NULL)
		mem_wipe(b->ptr, b->len);
	buf_fini(b);
}

/* Where the credentials are: the option's file, absolute, or the data folder's. */
static bool place(
	const struct config *c, const struct folder *folder, char out[PATH_MAX], struct err *err)
{
	char where[CONFIG_WHERE_MAX];
	char dir[PATH_MAX];
	char real[PATH_MAX];
	if (c->credentials == NULL)
		return folder_path(folder, "credentials", out, err);
	const char *slash = strrchr(c->credentials, '/');
	const char *name = slash == NULL ? c->credentials : slash + 1;
	size_t len = slash == NULL ? 0 : (size_t)(slash - c->credentials) + 1;
	config_where(c, config_key_at(offsetof(struct config, credentials)), where);
	if (len + 2 > PATH_MAX || *name == '\0')
		return err_set(err, ERR_CONFIG, "%s %s: not a file's name", where, c->credentials);
	snprintf(dir, sizeof(dir), "%.*s.", (int)len, c->credentials);
	if (realpath(dir, real) == NULL)
		return err_set(
			err, ERR_CONFIG, "%s %s: there is no such folder", where, c->credentials);
	if (snprintf(out, PATH_MAX, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name) >= PATH_MAX)
		return err_set(err, ERR_CONFIG, "%s %s: too long", where, c->credentials);
	return true;
}

bool identity_new_key(struct db *db, struct auth *auth, const struct config *c,
	const struct folder *folder, struct identity *id, struct err *err)
{
	struct access_key key CLEANUP(wipe_key) = { 0 };
	struct buf text CLEANUP(wipe_buf);
	buf_init(&text, FILE_MAX);
	if (!place(c, folder, id->credentials, err) ||
		!auth_make_root_key(auth, id->account, &key, err))
		return false;
	identity_render_credentials(&text, &key);
	if (!file_write_atomic(id->credentials, buf_str(&text), 0600, err) ||
		!text_put(db, VALUE_DELIVERED, "1", err))
		return false;
	id->has_credentials = id->is_new = true;
	return true;
}

bool identity_ensure_key(struct db *db, struct auth *auth, const struct config *c,
	const struct folder *folder, struct identity *id, struct err *err)
{
	char delivered[2];
	struct err e;
	if (!write_config(folder, id, err) ||
		!text_get(db, VALUE_DELIVERED, delivered, sizeof(delivered), err))
		return false;
	if (delivered[0] == '\0')
		return identity_new_key(db, auth, c, folder, id, err);
	/* By now the operator may have taken the file away, and its folder with it. */
	if (!place(c, folder, id->credentials, &e))
		snprintf(id->credentials, PATH_MAX, "%s", c->credentials ? c->credentials : "");
	id->has_credentials = file_exists(id->credentials);
	return true;
}
