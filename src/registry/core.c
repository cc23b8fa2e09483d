#include "registry/core.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "meta/registry_table.h"
#include "registry/collect.h"
#include "registry/core_priv.h"
#include "registry/event_priv.h"
#include "registry/mount_log.h"
#include "registry/name.h"
#include "registry/pool.h"
#include "registry/pull.h"
#include "registry/session.h"
#include "registry/small_store.h"

#define UPLOADS_MAX     10000
#define LAYER_MAX_BYTES (52000ULL * 1024 * 1024) /* ECR quota "Maximum layer size" */
#define MOUNT_LOG_KEEP  100000
/* ECR quotas "Registered repositories", "Images per repository", "Tags per image" */
#define REPOSITORIES_MAX 100000
#define IMAGES_MAX       100000
#define LAYER_PARTS_MAX  4200
#define IMAGE_TAGS_MAX   1000

struct registry_node {
	struct registry_node *next;
	struct registry_id reg;
	int64_t id;
};

bool registry_id_make(struct str account, struct str region, struct registry_id *out)
{
	if (account.len != 12 || region.len < 2 || region.len > 25)
		return false;
	for (size_t i = 0; i < account.len; i++) {
		if (account.ptr[i] < '0' || account.ptr[i] > '9')
			return false;
	}
	for (size_t i = 0; i < region.len; i++) {
		char ch = region.ptr[i];
		if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '-'))
			return false;
	}
	struct registry_id r;
	if (!str_to_c(account, r.account, sizeof(r.account)) ||
		!str_to_c(region, r.region, sizeof(r.region)))
		return false;
	*out = r;
	return true;
}

bool core_open(const struct core_options *o, struct core **out, struct err *err)
{
	(void)err;
	struct core *c = xmalloc(sizeof(*c));
	c->db = o->db;
	c->store = small_store_open(o->store, o->db, o->small_object_max);
	c->o = *o;
	if (!c->o.uploads_max)
		c->o.uploads_max = UPLOADS_MAX;
	if (!c->o.layer_max_bytes)
		c->o.layer_max_bytes = LAYER_MAX_BYTES;
	if (!c->o.mount_log_keep)
		c->o.mount_log_keep = MOUNT_LOG_KEEP;
	if (!c->o.repositories_max)
		c->o.repositories_max = REPOSITORIES_MAX;
	if (!c->o.layer_parts_max)
		c->o.layer_parts_max = LAYER_PARTS_MAX;
	if (!c->o.images_max)
		c->o.images_max = IMAGES_MAX;
	if (!c->o.image_tags_max)
		c->o.image_tags_max = IMAGE_TAGS_MAX;
	mutex_init(&c->log_mutex, "mount-log");
	c->sessions = session_set_new();
	c->pulls = pull_set_new();
	c->pools = pool_set_new();
	*out = c;
	return true;
}

void core_close(struct core *c)
{
	if (!c)
		return;
	struct err e;
	err_ignore(
		collect_flush_log(c, &e)); /* the mount log is best effort; the process is ending */
	err_ignore(pull_flush(c, &e));     /* so are pull times */
	mount_log_drop(c);
	struct registry_node *n = atomic_load(&c->registries);
	while (n) {
		struct registry_node *next = n->next;
		free(n);
		n = next;
	}
	session_set_free(c->sessions);
	pull_set_free(c->pulls);
	pool_set_free(c->pools);
	event_set_free(c->events);
	mutex_fini(&c->log_mutex);
	blobstore_close(c->store);
	free(c);
}

static int64_t remembered(struct core *c, const struct registry_id *reg)
{
	for (struct registry_node *n = atomic_load_explicit(&c->registries, memory_order_acquire);
		n; n = n->next) {
		if (strcmp(n->reg.account, reg->account) == 0 &&
			strcmp(n->reg.region, reg->region) == 0)
			return n->id;
	}
	return 0;
}

/* Two threads may remember the same registry twice: harmless, ids never change. */
static void remember(struct core *c, const struct registry_id *reg, int64_t id)
{
	struct registry_node *n = xmalloc(sizeof(*n));
	n->reg = *reg;
	n->id = id;
	n->next = atomic_load(&c->registries);
	while (!atomic_compare_exchange_weak(&c->registries, &n->next, n))
		;
}

struct registry_args {
	const struct registry_id *reg;
	int64_t id;
};

static bool registry_find(struct db_conn *conn, void *arg, struct err *err)
{
	struct registry_args *a = arg;
	return registry_table_find(
		conn, str_from(a->reg->account), str_from(a->reg->region), &a->id, err);
}

static bool registry_ensure(struct db_conn *conn, void *arg, struct err *err)
{
	struct registry_args *a = arg;
	return registry_table_ensure(conn, str_from(a->reg->account), str_from(a->reg->region),
		clock_now_ms(), &a->id, err);
}

bool core_registry(
	struct core *c, const struct registry_id *reg, bool create, int64_t *id, struct err *err)
{
	*id = remembered(c, reg);
	if (*id)
		return true;
	struct registry_args a = { reg, 0 };
	if (!db_read(c->db, registry_find, &a, err))
		return false;
	if (!a.id && create && !db_write(c->db, registry_ensure, &a, err))
		return false;
	if (a.id)
		remember(c, reg, a.id);
	*id = a.id;
	return true;
}

bool core_repo_unknown(const struct registry_id *reg, struct str repo, struct err *err)
{
	return err_set(err, ERR_REPO_UNKNOWN,
		"The repository with name '" STR_FMT
		"' does not exist in the registry with id '%s'",
		STR_ARG(repo), reg->account);
}

bool core_no_memory(const struct arena *arena, struct err *err)
{
	if (arena_is_starved(arena))
		return err_sys(err, ERR_UNAVAILABLE, 0, "no memory for an answer");
	return err_set(err, ERR_TOO_LARGE,
		"The request asks for more than one answer can hold; ask for fewer items");
}

bool core_check_name(struct str repo, struct err *err)
{
	if (name_is_repository(repo))
		return true;
	if (repo.len > REPO_NAME_MAX)
		return err_set(err, ERR_NAME_INVALID,
			"Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must have length less than or equal to %d'",
			REPO_NAME_MAX);
	return err_set(err, ERR_NAME_INVALID,
		"Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression "
		"'[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*''");
}

void core_counters(struct core *c, struct core_counters *out)
{
	*out = (struct core_counters){
		.blobs_pushed = c->blobs_pushed,
		.bytes_pushed = c->bytes_pushed,
		.bytes_duplicate = c->bytes_duplicate,
		.bytes_mounted = c->bytes_mounted,
		.images_pushed = c->images_pushed,
		.images_deleted = c->images_deleted,
		.links_collected = c->links_collected,
		.blobs_collected = c->blobs_collected,
		.bytes_collected = c->bytes_collected,
		.uploads_expired = c->uploads_expired,
		.collect_runs = c->collect_runs,
		.collect_errors = c->collect_errors,
		.uploads_open = session_set_busy(c->sessions),
		.db_queue = db_queue_length(c->db),
	};
}
