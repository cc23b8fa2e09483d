#include "app/keys.h"

#include <stdlib.h>

#include "base/buf.h"
#include "crypt/root_key.h"
#include "http/tls_start.h"
#include "kms/kms.h"
#include "kms/kms_external.h"
#include "meta/db.h"
#include "meta/key_table.h"

#define CHECK_NAME "root-key-check"

const char *keys_place(const struct config *c, const struct folder *folder, char path[PATH_MAX])
{
	struct err e;
	if (c->root_key)
		return c->root_key;
	return folder_path(folder, c->pkcs11_module ? "root-key.wrapped" : "root-key", path, &e)
		       ? path
		       : "root-key";
}

struct check_args {
	struct secret value;
	bool found;
};

static bool get_check_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct check_args *a = arg;
	return server_value_get(conn, CHECK_NAME, &a->value, &a->found, err);
}

static bool put_check_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct check_args *a = arg;
	return server_value_put(conn, CHECK_NAME, &a->value, err);
}

/* The HSM's options belong together. */
static bool read_pkcs11(const struct config *c, const char *path, bool may_make,
	struct root_key *out, bool *made, struct err *err)
{
	struct root_key_pkcs11 from = {
		.module = c->pkcs11_module,
		.token = c->pkcs11_token,
		.pin_file = c->pkcs11_pin_file,
		.key_label = c->pkcs11_key,
		.wrapped_file = path,
		.may_make = may_make,
	};
	if (!from.token || !from.pin_file)
		return err_set(err, ERR_CONFIG,
			"--pkcs11-module needs --pkcs11-token and --pkcs11-pin-file");
	/* A module may use GnuTLS and expect it to have started with the process. */
	return tls_start(err) && root_key_from_pkcs11(&from, out, made, err);
}

static bool read_root_key(const struct config *c, const struct folder *folder, bool may_make,
	struct root_key *out, bool *made, struct err *err)
{
	char buf[PATH_MAX];
	const char *path = keys_place(c, folder, buf);
	if (c->pkcs11_module)
		return read_pkcs11(c, path, may_make, out, made, err);
	if (str_eq_c(str_from(path), "systemd")) {
		/* systemd.exec(5). Nobody changes the environment.
		 * NOLINTNEXTLINE(concurrency-mt-unsafe) */
		const char *credentials = getenv("CREDENTIALS_DIRECTORY");
		if (!credentials)
			return err_set(err, ERR_CONFIG,
				"--root-key systemd: systemd passed no credentials; the unit needs LoadCredential=" ROOT_KEY_CREDENTIAL
				":FILE");
		return root_key_from_credential(credentials, out, err);
	}
	return root_key_from_file(path, may_make, out, made, err);
}

/* Compares the root key with what the database remembers, or has it remember. */
static bool recognize(
	struct db *db, const struct root_key *root, struct check_args *check, struct err *err)
{
	struct str value = { (const char *)check->value.bytes, check->value.len };
	if (check->found)
		return root_key_verify(root, value, err);
	struct buf made;
	buf_init(&made, SECRET_MAX);
	bool ok = root_key_check_value(root, &made, err) &&
		  secret_set(&check->value, made.ptr, made.len) &&
		  db_write(db, put_check_in, check, err);
	buf_fini(&made);
	return ok;
}

static bool open_kms(const struct config *c, struct db *db, const struct root_key *root,
	struct keys *out, struct err *err)
{
	struct secret wrapping CLEANUP(secret_wipe) = { .len = 0 };
	struct kms_external_options external = {
		.endpoint = c->kms_endpoint,
		.region = c->kms_region ? c->kms_region : "us-east-1",
		.access_key_id = c->kms_access_key,
		.secret_file = c->kms_secret_file,
		.ca_file = c->kms_ca,
	};
	if (c->kms_endpoint && (!c->kms_access_key || !c->kms_secret_file))
		return err_set(err, ERR_CONFIG,
			"--kms-endpoint needs --kms-access-key and --kms-secret-file");
	struct kms_options o = {
		.db = db,
		.wrapping_key = &wrapping,
		.external = c->kms_endpoint ? &external : NULL,
		.cache_life_ms = c->kms_cache_ms,
	};
	return root_key_derive(root, STR("kms"), &wrapping, err) && kms_open(&o, &out->kms, err);
}

bool keys_open(const struct config *c, const struct folder *folder, struct db *db, bool may_make,
	struct keys *out, struct err *err)
{
	struct root_key root CLEANUP(root_key_wipe) = { .secret = { .len = 0 } };
	struct check_args check = { .found = false };
	struct keys k = { .made = false };
	bool ok = db_read(db, get_check_in, &check, err) &&
		  read_root_key(c, folder, may_make && !check.found, &root, &k.made, err) &&
		  recognize(db, &root, &check, err) &&
		  root_key_derive(&root, STR("managed-kek"), &k.managed, err) &&
		  root_key_derive(&root, STR("secrets"), &k.secrets, err) &&
		  open_kms(c, db, &root, &k, err);
	if (!ok) {
		keys_close(&k);
		return false;
	}
	*out = k;
	return true;
}

void keys_close(struct keys *k)
{
	kms_close(k->kms);
	secret_wipe(&k->managed);
	secret_wipe(&k->secrets);
	k->kms = NULL;
}
