#include "app/rules.h"

#include "app/nearest.h"
#include "base/file.h"
#include "ecr/ecr.h"
#include "front/throttle.h"
#include "registry/core.h"

#define CA_FILE_MAX ((size_t)4 * MIB)
#define KEY(f)      config_key_at(offsetof(struct config, f))

static bool bad(
	const struct config *c, const struct config_key *key, const char *what, struct err *err)
{
	char where[CONFIG_WHERE_MAX];
	return err_set(err, ERR_CONFIG, "%s: %s", config_where(c, key, where), what);
}

static bool tls_check(const struct config *c, struct err *err)
{
	if (c->tls_cert != NULL && c->tls_key == NULL)
		return bad(c, KEY(tls_cert), "give --tls-key too", err);
	if (c->tls_key != NULL && c->tls_cert == NULL)
		return bad(c, KEY(tls_key), "give --tls-cert too", err);
	return true;
}

/* A file of certificates that cannot be read would only show when something is fetched. */
static bool ca_check(
	const struct config *c, const char *path, const struct config_key *key, struct err *err)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	struct buf text CLEANUP(buf_fini);
	struct err why;
	buf_init(&text, CA_FILE_MAX);
	if (path == NULL)
		return true;
	if (!file_read(path, &text, &why))
		return bad(c, key, "cannot be read", err);
	return memmem(text.ptr, text.len, begin, sizeof(begin) - 1) != NULL ||
	       bad(c, key, "holds no certificate in PEM", err);
}

static bool names_check(const struct config *c, struct err *err)
{
	struct registry_id id;
	if (c->account != NULL && !registry_id_make(str_from(c->account), STR("us-east-1"), &id))
		return bad(c, KEY(account), "an account id is twelve digits", err);
	if (c->region != NULL && !registry_id_make(STR("000000000000"), str_from(c->region), &id))
		return bad(c, KEY(region),
			"a Region is 2 to 25 lower-case letters, digits and hyphens", err);
	if (c->domain == NULL)
		return true;
	size_t len = strlen(c->domain);
	if (strspn(c->domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") != len || len > 190 ||
		c->domain[0] == '.' || c->domain[len - 1] == '.')
		return bad(c, KEY(domain), "not a domain name such as registry.example.com", err);
	return true;
}

/* The other account settings of ECR exist, but the server has no use for a default of them. */
static bool setting_check(const struct config *c, struct str text, struct rules *r, struct err *err)
{
	struct str name;
	struct str value;
	if (!str_cut(text, '=', &name, &value))
		return bad(c, KEY(default_setting),
			"give NAME=VALUE, such as BLOB_MOUNTING=ENABLED", err);
	if (!str_eq_c(name, "BLOB_MOUNTING"))
		return bad(c, KEY(default_setting),
			"BLOB_MOUNTING is the only setting with a default of its own", err);
	if (!str_eq_c(value, "ENABLED") && !str_eq_c(value, "DISABLED"))
		return bad(c, KEY(default_setting), "BLOB_MOUNTING is ENABLED or DISABLED", err);
	r->mounting_by_default = str_eq_c(value, "ENABLED");
	return true;
}

static bool rate_check(const struct config *c, struct str text, struct err *err)
{
	struct str action;
	struct str number;
	uint64_t per_second;
	if (!str_cut(text, '=', &action, &number) ||
		!str_to_u64(number, THROTTLE_RATE_MAX, &per_second))
		return bad(
			c, KEY(rate), "give ACTION=N, such as PutImage=50, N at most 1000000", err);
	return ecr_is_operation(action) ||
	       bad(c, KEY(rate), "there is no such action; give the name of an operation of ECR",
		       err);
}

struct throttle *rules_throttle(const struct config *c)
{
	struct str action;
	struct str number;
	uint64_t per_second;
	if (c->throttle == THROTTLE_CHOICE_OFF && c->rate.count == 0)
		return NULL;
	struct throttle *t = throttle_new();
	if (c->throttle == THROTTLE_CHOICE_ECR)
		throttle_set_ecr(t);
	for (size_t i = 0; i < c->rate.count; i++) {
		if (str_cut(str_from(c->rate.items[i]), '=', &action, &number) &&
			str_to_u64(number, THROTTLE_RATE_MAX, &per_second))
			throttle_set(t, action, (unsigned)per_second);
	}
	return t;
}

static bool check(const struct config *c, struct rules *out, struct err *err)
{
	struct rules r = { 0 };
	if (!tls_check(c, err) || !names_check(c, err) ||
		!ca_check(c, c->oidc_ca, KEY(oidc_ca), err) ||
		!ca_check(c, c->kms_ca, KEY(kms_ca), err) ||
		!ca_check(c, c->event_webhook_ca, KEY(event_webhook_ca), err) ||
		!listen_all(c, r.listen, &r.listen_count, err) ||
		!webhooks_read(c, &r.webhooks, err))
		return false;
	for (size_t i = 0; i < c->default_setting.count; i++) {
		if (!setting_check(c, str_from(c->default_setting.items[i]), &r, err))
			return false;
	}
	for (size_t i = 0; i < c->rate.count; i++) {
		if (!rate_check(c, str_from(c->rate.items[i]), err))
			return false;
	}
	*out = r;
	return true;
}

bool rules_check(const struct config *c, struct rules *out, struct err *err)
{
	if (check(c, out, err))
		return true;
	config_one_line(err);
	return false;
}
