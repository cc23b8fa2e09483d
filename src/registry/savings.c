#include "registry/savings.h"

#include "meta/registry_table.h"
#include "registry/core_priv.h"

struct next_args {
	int64_t after;
	struct registry_sums sums;
	bool found;
};

static bool next_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct next_args *a = arg;
	return registry_table_next(conn, a->after, &a->sums, &a->found, err);
}

static void to_total(const struct registry_sums *s, struct savings_total *out)
{
	*out = (struct savings_total){
		.repositories = s->repositories,
		.images = s->images,
		.blobs = s->blobs,
		.links = s->links,
		.logical_bytes = s->logical_bytes,
		.stored_bytes = s->stored_bytes - s->waiting_bytes,
		.waiting_bytes = s->waiting_bytes,
	};
}

bool savings_registries(struct core *c, savings_registry_fn fn, void *arg, struct err *err)
{
	struct next_args a = { .after = 0 };
	while (true) {
		struct registry_id reg;
		struct savings_total total;
		if (!db_read(c->db, next_in, &a, err))
			return false;
		if (!a.found)
			return true;
		a.after = a.sums.id;
		if (!registry_id_make(str_from(a.sums.account), str_from(a.sums.region), &reg))
			return err_sys(err, ERR_CORRUPT, 0, "a registry row is malformed");
		to_total(&a.sums, &total);
		if ((total.repositories || total.blobs) && !fn(arg, &reg, &total))
			return true;
	}
}

bool savings_total(
	struct core *c, const struct registry_id *reg, struct savings_total *out, struct err *err)
{
	int64_t id = 0;
	if (!core_registry(c, reg, false, &id, err))
		return false;
	*out = (struct savings_total){ 0 };
	if (!id)
		return true;
	struct next_args a = { .after = id - 1 };
	if (!db_read(c->db, next_in, &a, err))
		return false;
	if (a.found && a.sums.id == id)
		to_total(&a.sums, out);
	return true;
}
