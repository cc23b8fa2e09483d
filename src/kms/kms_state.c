/* kms_state.c - what changes a key: the moves between its states, its rotation, its end. Each is
 * one transaction that looks at the key again. */
#include "base/clock.h"
#include "kms/kms_priv.h"

/* The states' moves:
 *
 *     ENABLED <-> DISABLED            enable, disable
 *     ENABLED, DISABLED -> PENDING    schedule_deletion
 *     PENDING -> DISABLED             cancel_deletion
 *     PENDING -> gone                 kms_tick, when the time has come
 */
struct change {
	const struct kms_key *key;
	/* Looks at the row and changes it. */
	bool (*apply)(struct db_conn *c, struct kms_row *row, struct change *ch, struct err *err);
	struct arena *arena; /* for the description; the key's own stays otherwise */
	int64_t now_ms;
	/* arguments and results of apply */
	struct str description;
	unsigned days;
	int64_t at_ms;
	struct kms *kms;
	bool is_demanded;
};

static bool run_change(struct db_conn *c, void *arg, struct err *err)
{
	struct change *ch = arg;
	struct kms_row row;
	bool found = false;
	if (!kms_row_find(c, ch->key->uuid, ch->arena, &row, &found, err))
		return false;
	if (!found)
		return kms_key_unknown(ch->key->arn, err);
	return ch->apply(c, &row, ch, err) && kms_table_put(c, &row, err);
}

static bool change_key(struct kms *k, struct change *ch, struct err *err)
{
	ch->kms = k;
	ch->now_ms = clock_now_ms();
	ch->arena = arena_new(256 * KIB);
	bool done = ch->arena != NULL ? db_write(k->db, run_change, ch, err)
				      : kms_out_of_memory(ch->arena, err);
	arena_free(ch->arena);
	/* After the commit, so that what is read from now on sees the change. */
	kms_cache_forget(k->cache, str_from(ch->key->arn));
	return done;
}

static bool not_managed(const struct kms_row *row, const char *what, struct err *err)
{
	char arn[KMS_ARN_MAX];
	if (row->manager != KMS_MANAGER_AWS)
		return true;
	kms_arn_render(row->account, row->region, row->uuid, arn);
	return err_set(err, ERR_DENIED,
		"%s is managed by the registry: it cannot be %s by the account", arn, what);
}

static bool enable(struct db_conn *c, struct kms_row *row, struct change *ch, struct err *err)
{
	(void)c;
	(void)ch;
	if (!kms_row_stays(row, err))
		return false;
	row->state = KMS_ENABLED;
	return true;
}

static bool disable(struct db_conn *c, struct kms_row *row, struct change *ch, struct err *err)
{
	(void)c;
	(void)ch;
	if (!not_managed(row, "disabled", err) || !kms_row_stays(row, err))
		return false;
	row->state = KMS_DISABLED;
	return true;
}

static bool describe(struct db_conn *c, struct kms_row *row, struct change *ch, struct err *err)
{
	(void)c;
	if (!not_managed(row, "changed", err) || !kms_row_stays(row, err))
		return false;
	row->description = ch->description;
	return true;
}

static bool schedule(struct db_conn *c, struct kms_row *row, struct change *ch, struct err *err)
{
	(void)c;
	if (!not_managed(row, "deleted", err) || !kms_row_stays(row, err))
		return false;
	row->state = KMS_PENDING_DELETION;
	row->delete_at_ms = ch->at_ms = ch->now_ms + ch->days * MS_PER_DAY;
	return true;
}

static bool cancel(struct db_conn *c, struct kms_row *row, struct change *ch, struct err *err)
{
	(void)c;
	if (row->state != KMS_PENDING_DELETION)
		return err_set(err, ERR_KMS_KEY_STATE, "%s is not pending deletion.", ch->key->arn);
	row->state = KMS_DISABLED;
	row->delete_at_ms = 0;
	return true;
}

static bool set_rotation(struct db_conn *c, struct kms_row *row, struct change *ch, struct err *err)
{
	(void)c;
	if (!not_managed(row, "given another rotation", err) || !kms_row_usable(row, err))
		return false;
	row->rotation_days = ch->days;
	row->rotate_at_ms = ch->days == 0 ? 0 : ch->now_ms + ch->days * MS_PER_DAY;
	return true;
}

/* Making material neither waits nor fails for lack of anything but memory: fit for a transaction.
 */
static bool add_version(struct db_conn *c, struct kms_row *row, struct change *ch, struct err *err)
{
	struct buf material CLEANUP(buf_fini);
	buf_init(&material, KMS_MATERIAL_MAX);
	if (!kms_material_make(ch->kms, row->uuid, row->version + 1, &material, err) ||
		!kms_table_add_version(c, row->id, row->version + 1, buf_str(&material),
			ch->is_demanded, ch->now_ms, err))
		return false;
	row->version++;
	return true;
}

static bool rotate(struct db_conn *c, struct kms_row *row, struct change *ch, struct err *err)
{
	if (!not_managed(row, "rotated", err) || !kms_row_usable(row, err))
		return false;
	if (row->demanded >= KMS_DEMANDED_MAX)
		return err_set(err, ERR_LIMIT, "A key can be rotated on demand %d times",
			KMS_DEMANDED_MAX);
	row->demanded++;
	return add_version(c, row, ch, err);
}

bool kms_key_enable(struct kms *k, const struct kms_key *key, struct err *err)
{
	struct change ch = { .key = key, .apply = enable };
	return change_key(k, &ch, err);
}

bool kms_key_disable(struct kms *k, const struct kms_key *key, struct err *err)
{
	struct change ch = { .key = key, .apply = disable };
	return change_key(k, &ch, err);
}

bool kms_key_describe(
	struct kms *k, const struct kms_key *key, struct str description, struct err *err)
{
	struct change ch = { .key = key, .apply = describe, .description = description };
	return change_key(k, &ch, err);
}

bool kms_key_schedule_deletion(struct kms *k, const struct kms_key *key, unsigned days,
	int64_t *out_at_ms, struct err *err)
{
	struct change ch = { .key = key, .apply = schedule, .days = days };
	if (days < KMS_DELETION_DAYS_MIN || days > KMS_DELETION_DAYS_MAX)
		return err_set(err, ERR_INVALID, "A key's deletion waits %d to %d days",
			KMS_DELETION_DAYS_MIN, KMS_DELETION_DAYS_MAX);
	if (!change_key(k, &ch, err))
		return false;
	*out_at_ms = ch.at_ms;
	return true;
}

bool kms_key_cancel_deletion(struct kms *k, const struct kms_key *key, struct err *err)
{
	struct change ch = { .key = key, .apply = cancel };
	return change_key(k, &ch, err);
}

bool kms_key_set_rotation(struct kms *k, const struct kms_key *key, unsigned days, struct err *err)
{
	struct change ch = { .key = key, .apply = set_rotation, .days = days };
	if (days != 0 && (days < KMS_ROTATION_DAYS_MIN || days > KMS_ROTATION_DAYS_MAX))
		return err_set(err, ERR_INVALID, "A rotation period is %d to %d days",
			KMS_ROTATION_DAYS_MIN, KMS_ROTATION_DAYS_MAX);
	return change_key(k, &ch, err);
}

bool kms_key_rotate(struct kms *k, const struct kms_key *key, struct err *err)
{
	struct change ch = { .key = key, .apply = rotate, .is_demanded = true };
	return change_key(k, &ch, err);
}

struct rotations {
	const struct kms_key *key;
	uint32_t after;
	unsigned limit;
	struct kms_version_row *rows;
	size_t n;
};

static bool read_rotations(struct db_conn *c, void *arg, struct err *err)
{
	struct rotations *r = arg;
	struct kms_row row;
	bool found = false;
	if (!kms_row_find(c, r->key->uuid, NULL, &row, &found, err))
		return false;
	if (!found)
		return kms_key_unknown(r->key->arn, err);
	return kms_table_versions(c, row.id, r->after, r->limit + 1, r->rows, &r->n, err);
}

bool kms_key_rotations(struct kms *k, const struct kms_key *key, uint32_t after, unsigned limit,
	struct arena *arena, struct kms_rotation_list *out, struct err *err)
{
	struct rotations r = { .key = key, .after = after, .limit = limit };
	r.rows = arena_alloc(arena, (limit + 1) * sizeof(*r.rows));
	struct kms_rotation *items = arena_alloc(arena, (limit + 1) * sizeof(*items));
	if (r.rows == NULL || items == NULL)
		return kms_out_of_memory(arena, err);
	if (!db_read(k->db, read_rotations, &r, err))
		return false;
	size_t n = r.n > limit ? limit : r.n;
	for (size_t i = 0; i < n; i++)
		items[i] = (struct kms_rotation){ r.rows[i].version, r.rows[i].is_demanded,
			r.rows[i].created_at_ms };
	*out = (struct kms_rotation_list){ .items = items, .count = n, .more = r.n > limit };
	return true;
}

/* Time. */

#define TICK_KEYS 16 /* a call */

struct due {
	int64_t now_ms;
	struct kms_row row;
	bool is_deletion, is_rotation;
};

static bool find_due(struct db_conn *c, void *arg, struct err *err)
{
	struct due *d = arg;
	if (!kms_table_next_deletion(c, d->now_ms, &d->row, &d->is_deletion, err))
		return false;
	return d->is_deletion ||
	       kms_table_next_rotation(c, d->now_ms, &d->row, &d->is_rotation, err);
}

/* Unless somebody has cancelled it since. */
static bool remove_due(struct db_conn *c, void *arg, struct err *err)
{
	const struct due *d = arg;
	struct kms_row row;
	bool found = false;
	if (!kms_table_find(c, d->row.uuid, NULL, &row, &found, err))
		return false;
	if (!found || row.state != KMS_PENDING_DELETION || row.delete_at_ms > d->now_ms)
		return true;
	return kms_table_remove(c, row.id, err);
}

/* Unless somebody has changed that since. */
static bool rotate_due(struct db_conn *c, struct kms_row *row, struct change *ch, struct err *err)
{
	if (row->state != KMS_ENABLED || row->rotate_at_ms == 0 || row->rotate_at_ms > ch->at_ms)
		return true;
	if (!add_version(c, row, ch, err))
		return false;
	row->rotate_at_ms = ch->at_ms + row->rotation_days * MS_PER_DAY;
	return true;
}

bool kms_tick(struct kms *k, int64_t now_ms, bool *more, struct err *err)
{
	kms_cache_expire(k->cache);
	for (unsigned i = 0; i < TICK_KEYS; i++) {
		struct due d = { .now_ms = now_ms };
		struct kms_key key;
		if (!db_read(k->db, find_due, &d, err))
			return false;
		if (!d.is_deletion && !d.is_rotation) {
			*more = false;
			return true;
		}
		kms_key_of_row(&d.row, &key);
		struct change ch = { .key = &key, .apply = rotate_due, .at_ms = now_ms };
		if (d.is_deletion ? !db_write(k->db, remove_due, &d, err)
				  : !change_key(k, &ch, err))
			return false;
		kms_cache_forget(k->cache, str_from(key.arn));
	}
	*more = true;
	return true;
}
