#include "registry/mount_sums.h"

#include <stdlib.h>

#include "base/mem.h"

#define SLOTS_MAX 256 /* a power of two */
#define PROBES    16

/* One sum: of an outcome, or of a target. */
struct slot {
	bool is_used, is_target;
	int64_t registry_id;
	struct mount_sums sums;
};

struct mount_summing {
	struct slot slots[SLOTS_MAX];
};

struct mount_summing *mount_summing_new(void)
{
	return xcalloc(1, sizeof(struct mount_summing));
}

void mount_summing_freep(struct mount_summing **s)
{
	free(*s);
}

static uint64_t mix(uint64_t h, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 1099511628211ULL; /* FNV-1a */
	return h;
}

static bool is_same(const struct slot *a, const struct slot *b)
{
	return a->is_target == b->is_target && a->registry_id == b->registry_id &&
	       a->sums.day == b->sums.day && str_eq(a->sums.text, b->sums.text);
}

/* False: there is no place left near its own. */
static bool place(struct mount_summing *s, const struct slot *add)
{
	uint64_t h = mix(14695981039346656037ULL, add->sums.text.ptr, add->sums.text.len);
	h = mix(h, &add->registry_id, sizeof(add->registry_id));
	h = mix(h, &add->sums.day, sizeof(add->sums.day)) + add->is_target;
	for (size_t i = 0; i < PROBES; i++) {
		struct slot *at = &s->slots[(h + i) % SLOTS_MAX];
		if (!at->is_used) {
			*at = *add;
			at->is_used = true;
			return true;
		}
		if (is_same(at, add)) {
			at->sums.mounts += add->sums.mounts;
			at->sums.bytes += add->sums.bytes;
			at->sums.avoidable_mounts += add->sums.avoidable_mounts;
			at->sums.avoidable_bytes += add->sums.avoidable_bytes;
			return true;
		}
	}
	return false;
}

static bool add_slot(
	struct mount_summing *s, struct db_conn *conn, const struct slot *add, struct err *err)
{
	if (place(s, add))
		return true;
	if (!mount_summing_flush(s, conn, err))
		return false;
	return place(s, add) || err_sys(err, ERR_INTERNAL, 0, "no place in an empty table");
}

bool mount_summing_add(struct mount_summing *s, struct db_conn *conn,
	const struct mount_log_row *row, bool avoidable, struct err *err)
{
	int64_t bytes = (int64_t)row->size_bytes;
	struct slot add = {
		.registry_id = row->registry_id,
		.sums = {
			.day = row->at_ms / MOUNT_DAY_MS,
			.text = row->outcome,
			.mounts = 1,
			.bytes = bytes,
			.avoidable_mounts = avoidable,
			.avoidable_bytes = avoidable ? bytes : 0,
		},
	};
	if (!add_slot(s, conn, &add, err))
		return false;
	if (!avoidable)
		return true;
	add.is_target = true;
	add.sums.text = row->target;
	return add_slot(s, conn, &add, err);
}

bool mount_summing_flush(struct mount_summing *s, struct db_conn *conn, struct err *err)
{
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		struct slot *at = &s->slots[i];
		if (!at->is_used)
			continue;
		if (at->is_target
				? !mount_day_table_add_target(conn, at->registry_id, &at->sums, err)
				: !mount_day_table_add(conn, at->registry_id, &at->sums, err))
			return false;
		at->is_used = false;
	}
	return true;
}
