#include "iam/iam_key.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "crypt/aead.h"
#include "crypt/random.h"
#include "iam/iam_priv.h"
#include "meta/key_table.h"

#define FLUSH_MS ((int64_t)10000)

#define WHAT_MAX 64

/* The key id binds a wrapped secret to its row. */
static struct str what(struct str key_id, char out[WHAT_MAX])
{
	(void)snprintf(out, WHAT_MAX, "access-key:" STR_FMT, STR_ARG(str_sub(key_id, 0, 32)));
	return str_from(out);
}

static bool is_wrapping(const struct iam *i)
{
	return i != NULL && i->secrets_key.len != 0;
}

bool iam_secret_encode(const struct iam *i, struct str key_id, const struct secret *plain,
	struct secret *out, struct err *err)
{
	char text[WHAT_MAX];
	struct buf wrapped CLEANUP(buf_fini) = { 0 };
	if (!is_wrapping(i)) {
		*out = *plain;
		return true;
	}
	buf_init(&wrapped, SECRET_MAX);
	return aead_wrap(&i->secrets_key, what(key_id, text),
		       (struct str){ (const char *)plain->bytes, plain->len }, &wrapped, err) &&
	       (secret_set(out, wrapped.ptr, wrapped.len) ||
		       err_sys(err, ERR_INTERNAL, 0, "a secret is too long"));
}

bool iam_secret_decode(const struct iam *i, struct str key_id, const struct secret *stored,
	struct secret *out, struct err *err)
{
	char text[WHAT_MAX];
	if (!is_wrapping(i)) {
		*out = *stored;
		return true;
	}
	return aead_unwrap_secret(&i->secrets_key, what(key_id, text),
		       (struct str){ (const char *)stored->bytes, stored->len }, out, err) ||
	       err_wrap(err, "the secret of access key " STR_FMT, STR_ARG(key_id));
}

/* A change of keys; user.ptr NULL: the root's. */
struct work {
	struct str account, user, id;
	struct arena *arena;
	struct key_row row;
	bool is_active;
	struct key_meta *rows;
	unsigned limit;
	size_t count;
};

static void work_wipe(struct work *w)
{
	secret_wipe(&w->row.secret);
}

static bool owner(struct db_conn *c, const struct work *w, struct key_owner *out, struct err *err)
{
	*out = (struct key_owner){ .account = w->account };
	if (w->user.ptr == NULL)
		return true;
	struct iam_row row;
	struct iam_ref ref = { w->account, IAM_TYPE_USER, w->user };
	if (!iam_row_get(c, &ref, w->arena, &row, err))
		return false;
	out->user_id = row.id;
	return true;
}

static bool run(struct iam *i, db_fn fn, struct work *w, struct err *err)
{
	struct arena *arena CLEANUP(iam_arena_freep) = arena_new(IAM_WORK_MAX);
	w->arena = arena;
	return iam_write(i, fn, w, err);
}

static bool create(struct db_conn *c, void *arg, struct err *err)
{
	struct work *w = arg;
	struct key_owner o;
	struct key_meta there[IAM_KEYS_MAX];
	size_t n = 0;
	if (!owner(c, w, &o, err) || !key_table_list(c, &o, STR(""), IAM_KEYS_MAX, there, &n, err))
		return false;
	if (n >= IAM_KEYS_MAX)
		return err_set(err, ERR_INVALID,
			"LimitExceeded: Cannot exceed quota for AccessKeysPerUser: %d",
			IAM_KEYS_MAX);
	w->row.user_id = o.user_id;
	return key_table_add(c, &w->row, err);
}

bool iam_key_create(struct iam *i, struct str account, struct str user, struct iam_new_key *out,
	struct err *err)
{
	struct secret plain CLEANUP(secret_wipe) = { .len = 0 };
	struct work w CLEANUP(work_wipe) = { .account = account, .user = user };
	struct iam_new_key made = { .key = { .id = "AKIA", .is_active = true } };
	random_text(made.key.id + 4, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
	random_text(made.secret, 40,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	made.key.created_at_ms = clock_now_ms();

	w.row.is_active = true;
	w.row.created_at_ms = made.key.created_at_ms;
	memcpy(w.row.id, made.key.id, sizeof(made.key.id));
	if (!str_to_c(account, w.row.account, sizeof(w.row.account)) ||
		!secret_set(&plain, made.secret, 40))
		return err_sys(err, ERR_INTERNAL, 0, "a key for a malformed account");
	/* The ARN of a user's key is made of the user's row. */
	(void)snprintf(
		w.row.principal, sizeof(w.row.principal), "arn:aws:iam::%s:root", w.row.account);
	bool done = iam_secret_encode(i, str_from(w.row.id), &plain, &w.row.secret, err) &&
		    run(i, create, &w, err);
	if (done)
		*out = made;
	mem_wipe(&made, sizeof(made));
	return done;
}

static bool no_key(const struct work *w, struct err *err)
{
	return err_set(err, ERR_INVALID,
		"NoSuchEntity: The Access Key with id " STR_FMT " cannot be found.",
		STR_ARG(w->id));
}

static bool set_active(struct db_conn *c, void *arg, struct err *err)
{
	struct work *w = arg;
	struct key_owner o;
	bool found = false;
	if (!owner(c, w, &o, err) || !key_table_set_active(c, &o, w->id, w->is_active, &found, err))
		return false;
	return found || no_key(w, err);
}

bool iam_key_set_active(struct iam *i, struct str account, struct str user, struct str id,
	bool is_active, struct err *err)
{
	struct work w = { .account = account, .user = user, .id = id, .is_active = is_active };
	return run(i, set_active, &w, err);
}

static bool remove_key(struct db_conn *c, void *arg, struct err *err)
{
	struct work *w = arg;
	struct key_owner o;
	bool found = false;
	if (!owner(c, w, &o, err) || !key_table_remove(c, &o, w->id, &found, err))
		return false;
	return found || no_key(w, err);
}

bool iam_key_remove(
	struct iam *i, struct str account, struct str user, struct str id, struct err *err)
{
	struct work w = { .account = account, .user = user, .id = id };
	return run(i, remove_key, &w, err);
}

static bool list(struct db_conn *c, void *arg, struct err *err)
{
	struct work *w = arg;
	struct key_owner o;
	return owner(c, w, &o, err) &&
	       key_table_list(c, &o, w->id, w->limit, w->rows, &w->count, err);
}

bool iam_key_list(struct iam *i, const struct iam_key_page *page, struct iam_key *keys,
	size_t *out_n, struct err *err)
{
	struct arena *arena CLEANUP(iam_arena_freep) = arena_new(IAM_WORK_MAX);
	struct work w = { .account = page->account,
		.user = page->user,
		.id = page->after,
		.arena = arena,
		.limit = page->limit };
	w.rows = arena_alloc(arena, page->limit * sizeof(*w.rows));
	if (w.rows == NULL)
		return iam_no_memory(arena, err);
	if (!db_read(i->db, list, &w, err))
		return false;
	for (size_t n = 0; n < w.count; n++) {
		memcpy(keys[n].id, w.rows[n].id, sizeof(keys[n].id));
		keys[n].is_active = w.rows[n].is_active;
		keys[n].created_at_ms = w.rows[n].created_at_ms;
	}
	*out_n = w.count;
	return true;
}

static bool last_use(struct db_conn *c, void *arg, struct err *err)
{
	struct work *w = arg;
	bool found = false;
	if (!key_table_find(c, w->id, &w->row, &found, err))
		return false;
	return found || no_key(w, err);
}

bool iam_key_last_use(struct iam *i, struct str id, struct iam_key_use *out, struct err *err)
{
	struct work w CLEANUP(work_wipe) = { .id = id };
	if (!iam_key_flush(i, err) || !db_read(i->db, last_use, &w, err))
		return false;
	struct iam_key_use use = { .used_at_ms = w.row.used_at_ms };
	memcpy(use.account, w.row.account, sizeof(use.account));
	memcpy(use.user, w.row.user_name, sizeof(use.user));
	memcpy(use.service, w.row.used_service, sizeof(use.service));
	memcpy(use.region, w.row.used_region, sizeof(use.region));
	*out = use;
	return true;
}

void iam_key_used(struct iam *i, struct str id, struct str service, struct str region)
{
	struct iam_note note = { .at_ms = clock_now_ms() };
	if (!str_to_c(id, note.id, sizeof(note.id)) ||
		!str_to_c(service, note.service, sizeof(note.service)) ||
		!str_to_c(region, note.region, sizeof(note.region)))
		return;
	LOCKED(&i->lock);
	for (size_t n = 0; n < i->note_count; n++) {
		if (strcmp(i->notes[n].id, note.id) == 0) {
			i->notes[n] = note;
			return;
		}
	}
	if (i->note_count < IAM_USES_MAX)
		i->notes[i->note_count++] = note;
}

struct flushing {
	const struct iam_note *notes;
	size_t count;
};

static bool touch_all(struct db_conn *c, void *arg, struct err *err)
{
	const struct flushing *f = arg;
	for (size_t n = 0; n < f->count; n++) {
		const struct iam_note *u = &f->notes[n];
		if (!key_table_touch(c, str_from(u->id), u->at_ms, str_from(u->service),
			    str_from(u->region), err))
			return false;
	}
	return true;
}

bool iam_key_flush(struct iam *i, struct err *err)
{
	struct iam_note *notes CLEANUP(freep) = xcalloc(IAM_USES_MAX, sizeof(*notes));
	struct flushing f = { .notes = notes };
	mutex_lock(&i->lock);
	f.count = i->note_count;
	memcpy(notes, i->notes, f.count * sizeof(*notes));
	i->note_count = 0;
	mutex_unlock(&i->lock);
	/* Not iam_write: what is remembered of keys stays true. */
	return f.count == 0 || db_write(i->db, touch_all, &f, err);
}

void iam_key_writer(void *arg)
{
	struct iam *i = arg;
	struct err err;
	bool is_stopping = false;
	while (!is_stopping) {
		mutex_lock(&i->lock);
		if (!i->is_stopping)
			(void)cond_wait_ms(&i->wake, &i->lock, FLUSH_MS);
		is_stopping = i->is_stopping;
		mutex_unlock(&i->lock);
		/* A use that is not written down is a date a little too old. */
		err_ignore(iam_key_flush(i, &err));
	}
}
