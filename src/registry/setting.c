#include "registry/setting.h"

#include "meta/registry_table.h"
#include "registry/core_priv.h"
#include "registry/setting_priv.h"

struct setting_def {
	const char *name;
	const char *otherwise; /* the value of a registry that never set it */
	const char *values[3];
};

/* facts: ECR's account settings, and what each takes since CLAIR and V1 are gone. */
static const struct setting_def defs[] = {
	{ SETTING_BLOB_MOUNTING, "DISABLED", { "ENABLED", "DISABLED", NULL } },
	{ "BASIC_SCAN_TYPE_VERSION", "AWS_NATIVE", { "AWS_NATIVE", NULL, NULL } },
	{ "REGISTRY_POLICY_SCOPE", "V2", { "V2", NULL, NULL } },
};

static const struct setting_def *find_def(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(defs); i++) {
		if (str_eq_c(name, defs[i].name))
			return &defs[i];
	}
	return NULL;
}

static bool unknown_name(struct str name, struct err *err)
{
	return err_set(err, ERR_INVALID,
		"Invalid parameter at 'name' failed to satisfy constraint: 'Member must satisfy enum value set: "
		"[BASIC_SCAN_TYPE_VERSION, BLOB_MOUNTING, REGISTRY_POLICY_SCOPE]', not '" STR_FMT
		"'",
		STR_ARG(str_sub(name, 0, 64)));
}

static struct str otherwise(const struct core *c, const struct setting_def *d)
{
	if (c->o.mounting_by_default && strcmp(d->name, SETTING_BLOB_MOUNTING) == 0)
		return STR("ENABLED");
	return str_from(d->otherwise);
}

struct setting_args {
	int64_t registry_id;
	struct str name, value;
	struct arena *arena;
};

static bool get_value(struct db_conn *conn, void *arg, struct err *err)
{
	struct setting_args *a = arg;
	return setting_table_get(conn, a->registry_id, a->name, a->arena, &a->value, err);
}

bool setting_get(struct core *c, const struct registry_id *reg, struct str name,
	struct arena *arena, struct str *value, struct err *err)
{
	const struct setting_def *d = find_def(name);
	if (!d)
		return unknown_name(name, err);
	struct setting_args a = { .name = name, .arena = arena };
	if (!core_registry(c, reg, false, &a.registry_id, err))
		return false;
	if (a.registry_id && !db_read(c->db, get_value, &a, err))
		return false;
	*value = a.value.ptr ? a.value : otherwise(c, d);
	return true;
}

bool setting_mounting_in(struct core *c, struct db_conn *conn, int64_t registry_id,
	struct arena *arena, bool *enabled, struct err *err)
{
	struct str v;
	if (!setting_table_get(conn, registry_id, STR(SETTING_BLOB_MOUNTING), arena, &v, err))
		return false;
	*enabled = v.ptr ? str_eq_c(v, "ENABLED") : c->o.mounting_by_default;
	return true;
}

static bool put_value(struct db_conn *conn, void *arg, struct err *err)
{
	struct setting_args *a = arg;
	return setting_table_put(conn, a->registry_id, a->name, a->value, err);
}

bool setting_put(struct core *c, const struct registry_id *reg, struct str name, struct str value,
	struct err *err)
{
	const struct setting_def *d = find_def(name);
	if (!d)
		return unknown_name(name, err);
	bool ok = false;
	for (size_t i = 0; d->values[i]; i++)
		ok = ok || str_eq_c(value, d->values[i]);
	if (!ok)
		return err_set(err, ERR_INVALID,
			"Invalid parameter at 'value' failed to satisfy constraint: 'Member must satisfy enum value set: [%s%s%s]', not "
			"'" STR_FMT "'",
			d->values[0], d->values[1] ? ", " : "", d->values[1] ? d->values[1] : "",
			STR_ARG(str_sub(value, 0, 64)));
	struct setting_args a = { .name = name, .value = value };
	return core_registry(c, reg, true, &a.registry_id, err) &&
	       db_write(c->db, put_value, &a, err);
}
