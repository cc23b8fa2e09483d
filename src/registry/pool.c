#include "registry/pool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "crypt/aead.h"
#include "crypt/random.h"
#include "kms/kms.h"
#include "meta/pool_table.h"

_Static_assert(KMS_DATA_KEY_LEN == SEAL_KEY_LEN, "data keys are of one length");

struct pool {
	struct pool *next;
	struct core *core;
	int64_t id;
	enum enc_type enc_type;
	char *key_arn;
	char account[13], region[26];
	struct mutex mutex;    /* guards what follows */
	int64_t version;       /* of the newest data keys; 0: not known, or none */
	struct secret managed; /* the managed data key of `version`, once it was unwrapped */
};

struct pool_set {
	struct mutex mutex; /* guards the list's growth */
	_Atomic(struct pool *) first;
};

struct pool_set *pool_set_new(void)
{
	struct pool_set *s = xmalloc(sizeof(*s));
	mutex_init(&s->mutex, "pools");
	return s;
}

static void pool_free(struct pool *p)
{
	secret_wipe(&p->managed);
	mutex_fini(&p->mutex);
	free(p->key_arn);
	free(p);
}

void pool_set_free(struct pool_set *s)
{
	if (!s)
		return;
	struct pool *p = atomic_load(&s->first);
	while (p) {
		struct pool *next = p->next;
		pool_free(p);
		p = next;
	}
	mutex_fini(&s->mutex);
	free(s);
}

enum enc_type pool_enc_type(const struct pool *p)
{
	return p->enc_type;
}

struct str pool_key_arn(const struct pool *p)
{
	return str_from(p->key_arn);
}

struct load_args {
	int64_t id, version;
	struct arena *arena;
	struct pool_row row;
	bool found;
};

static bool load_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct load_args *a = arg;
	return pool_table_get(conn, a->id, a->arena, &a->row, &a->found, err) &&
	       pool_key_table_version(conn, a->id, &a->version, err);
}

static struct pool *find_loaded(struct pool_set *s, int64_t id)
{
	struct pool *p = atomic_load_explicit(&s->first, memory_order_acquire);
	while (p && p->id != id)
		p = p->next;
	return p;
}

/* Two threads may load the same pool: the first to list it wins. */
static struct pool *list(struct pool_set *s, struct pool *p)
{
	mutex_lock(&s->mutex);
	struct pool *there = find_loaded(s, p->id);
	if (!there) {
		p->next = atomic_load(&s->first);
		atomic_store_explicit(&s->first, p, memory_order_release);
	}
	mutex_unlock(&s->mutex);
	if (there)
		pool_free(p);
	return there ? there : p;
}

bool pool_find(struct core *c, int64_t pool_id, struct pool **out, struct err *err)
{
	struct pool *p = find_loaded(c->pools, pool_id);
	if (!p) {
		struct load_args a = { .id = pool_id, .arena = arena_new(16 * KIB) };
		bool ok = db_read(c->db, load_in, &a, err);
		if (ok && !a.found)
			ok = err_sys(
				err, ERR_CORRUPT, 0, "pool %" PRId64 " does not exist", pool_id);
		if (ok) {
			p = xmalloc(sizeof(*p));
			p->core = c;
			p->id = pool_id;
			p->enc_type = (enum enc_type)a.row.enc_type;
			p->key_arn = xmalloc(a.row.key_arn.len + 1);
			memcpy(p->key_arn, a.row.key_arn.ptr, a.row.key_arn.len);
			p->version = a.version;
			mutex_init(&p->mutex, "pool");
			ok = str_to_c(a.row.account, p->account, sizeof(p->account)) &&
			     str_to_c(a.row.region, p->region, sizeof(p->region));
			if (!ok) {
				pool_free(p);
				err_sys(err, ERR_CORRUPT, 0,
					"the registry of pool %" PRId64 " is malformed", pool_id);
			}
		}
		arena_free(a.arena);
		if (!ok)
			return false;
		p = list(c->pools, p);
	}
	*out = p;
	return true;
}

/* --- data keys --- */

static bool is_managed(const struct pool *p, enum seal_layer layer)
{
	return p->enc_type != ENC_KMS && layer == SEAL_INNER;
}

static unsigned layer_count(const struct pool *p)
{
	return p->enc_type == ENC_KMS_DSSE ? 2 : 1;
}

static void key_name(const struct pool *p, enum seal_layer layer, int64_t version, char out[96])
{
	snprintf(out, 96, "pool-key:%" PRId64 ":%d:%" PRId64, p->id, (int)layer, version);
}

/* The encryption context that KMS authenticates: whose key it is. */
struct pool_context {
	char id[96];
	struct kms_pair pair;
	struct kms_context context;
};

static const struct kms_context *make_context(const struct pool *p, struct pool_context *x)
{
	snprintf(x->id, sizeof(x->id), "%s/%s/%" PRId64, p->account, p->region, p->id);
	x->pair = (struct kms_pair){ STR("berth:pool"), str_from(x->id) };
	x->context = (struct kms_context){ &x->pair, 1 };
	return &x->context;
}

struct key_args {
	struct pool *pool;
	enum seal_layer layer;
	int64_t version;
	struct buf *wrapped;
	bool found;
};

static bool get_wrapped_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct key_args *a = arg;
	buf_reset(a->wrapped);
	return pool_key_table_get(
		conn, a->pool->id, (int)a->layer, a->version, a->wrapped, &a->found, err);
}

/* A row that its key does not open was not written by us, or not for this pool: damage, which only
 * the operator can mend. A key that cannot be asked says nothing about the row. */
static bool tell_tampered(
	const struct pool *p, const struct key_args *a, const char *what, struct err *err)
{
	bool managed = is_managed(p, a->layer);
	return err_sys(err, ERR_CORRUPT, 0,
		"pool %" PRId64
		" of registry %s, %s: its wrapped data key (layer %d, version %" PRId64
		") %s: restore its row of table pool_key from a backup. Its key: " STR_FMT,
		p->id, p->account, p->region, (int)a->layer, a->version, what,
		STR_ARG(managed ? STR("managed by Berth") : str_sub(str_from(p->key_arn), 0, 200)));
}

static bool unwrap_data_key(
	struct pool *p, const struct key_args *a, struct secret *out, struct err *err)
{
	char name[96];
	struct pool_context x;
	bool is_open, is_tampered;
	if (!a->found)
		return tell_tampered(p, a, "is missing in the database", err);
	if (is_managed(p, a->layer)) {
		key_name(p, a->layer, a->version, name);
		is_open = aead_unwrap_secret(
			p->core->o.managed_key, str_from(name), buf_str(a->wrapped), out, err);
		is_tampered = !is_open && err->kind == ERR_CORRUPT;
	} else {
		is_open = kms_decrypt_data_key(p->core->o.kms, str_from(p->key_arn),
			buf_str(a->wrapped), make_context(p, &x), out, err);
		is_tampered = !is_open && (err->kind == ERR_KMS_CIPHERTEXT_INVALID ||
						  err->kind == ERR_KMS_KEY_INCORRECT);
	}
	if (is_tampered)
		return tell_tampered(
			p, a, "was changed, or moved from elsewhere, in the database", err);
	return is_open;
}

/* seal_key_fn */
static bool data_key(
	void *arg, enum seal_layer layer, uint32_t version, struct secret *out, struct err *err)
{
	struct pool *p = arg;
	struct buf wrapped CLEANUP(buf_fini) = { 0 };
	bool managed = is_managed(p, layer), known = false;
	buf_init(&wrapped, KMS_WRAPPED_MAX);
	if (managed) {
		mutex_lock(&p->mutex);
		known = p->managed.len && p->version == version;
		if (known)
			*out = p->managed;
		mutex_unlock(&p->mutex);
		if (known)
			return true;
	}
	struct key_args a = { .pool = p, .layer = layer, .version = version, .wrapped = &wrapped };
	if (!db_read(p->core->db, get_wrapped_in, &a, err) || !unwrap_data_key(p, &a, out, err))
		return false;
	if (managed) {
		mutex_lock(&p->mutex);
		if (p->version == version)
			p->managed = *out;
		mutex_unlock(&p->mutex);
	}
	return true;
}

struct new_key_args {
	struct pool *pool;
	struct buf wrapped[SEAL_LAYERS];
	int64_t version;
};

/* Unless another was faster. */
static bool add_keys_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct new_key_args *a = arg;
	if (!pool_key_table_version(conn, a->pool->id, &a->version, err))
		return false;
	if (a->version)
		return true;
	for (unsigned i = 0; i < layer_count(a->pool); i++) {
		if (!pool_key_table_add(conn, a->pool->id, (int)i, 1, buf_str(&a->wrapped[i]),
			    clock_now_ms(), err))
			return false;
	}
	a->version = 1;
	return true;
}

static bool make_key(struct pool *p, enum seal_layer layer, struct buf *wrapped, struct err *err)
{
	struct secret key CLEANUP(secret_wipe) = { .len = SEAL_KEY_LEN };
	struct pool_context x;
	char name[96];
	if (!is_managed(p, layer))
		return kms_generate_data_key(p->core->o.kms, str_from(p->key_arn),
			make_context(p, &x), &key, wrapped, err);
	random_bytes(key.bytes, SEAL_KEY_LEN);
	key_name(p, layer, 1, name);
	return aead_wrap(p->core->o.managed_key, str_from(name),
		(struct str){ (const char *)key.bytes, key.len }, wrapped, err);
}

/* Whether its keys can be used now: asked before bytes are taken that could then not be sealed. */
static bool is_usable(struct pool *p, int64_t form, struct err *err)
{
	struct secret key CLEANUP(secret_wipe) = { .len = 0 };
	for (unsigned i = 0; i < layer_count(p); i++) {
		if (!data_key(p, (enum seal_layer)i, (uint32_t)form, &key, err))
			return false;
	}
	return true;
}

static bool is_plain(const struct pool *p)
{
	return !p->core->o.managed_key || p->core->o.disk_is_encrypted;
}

static int64_t current_version(struct pool *p)
{
	LOCKED(&p->mutex);
	return p->version;
}

bool pool_form_now(struct pool *p, int64_t *out)
{
	struct err unused;
	*out = is_plain(p) ? FORM_PLAIN : current_version(p);
	return is_plain(p) || (*out && p->enc_type == ENC_AES256 && is_usable(p, *out, &unused));
}

bool pool_form(struct pool *p, int64_t *out, struct err *err)
{
	if (is_plain(p)) {
		*out = FORM_PLAIN;
		return true;
	}
	int64_t version = current_version(p);
	if (!version) {
		struct new_key_args a = { .pool = p };
		bool ok = true;
		for (unsigned i = 0; i < SEAL_LAYERS; i++)
			buf_init(&a.wrapped[i], KMS_WRAPPED_MAX);
		for (unsigned i = 0; ok && i < layer_count(p); i++)
			ok = make_key(p, (enum seal_layer)i, &a.wrapped[i], err);
		ok = ok && db_write(p->core->db, add_keys_in, &a, err);
		for (unsigned i = 0; i < SEAL_LAYERS; i++)
			buf_fini(&a.wrapped[i]);
		if (!ok)
			return false;
		version = a.version;
		mutex_lock(&p->mutex);
		p->version = version;
		mutex_unlock(&p->mutex);
	}
	if (!is_usable(p, version, err))
		return false;
	*out = version;
	return true;
}

void pool_seal(struct pool *p, int64_t form, struct seal_pool *out)
{
	*out = (struct seal_pool){
		.pool_id = p->id,
		.suite = p->enc_type == ENC_KMS_DSSE ? SEAL_DOUBLE : SEAL_SINGLE,
		.version = { (uint32_t)form, (uint32_t)form },
		.key = data_key,
		.arg = p,
	};
}

uint64_t pool_object_size(const struct pool *p, int64_t form, uint64_t plain_size)
{
	enum seal_suite suite = p->enc_type == ENC_KMS_DSSE ? SEAL_DOUBLE : SEAL_SINGLE;
	return form == FORM_PLAIN ? plain_size : seal_inner_size(suite, plain_size);
}

/* --- small things --- */

bool pool_wrap(struct pool *p, int64_t form, struct str what, struct str plain, struct buf *out,
	struct err *err)
{
	struct secret key CLEANUP(secret_wipe);
	struct buf inner CLEANUP(buf_fini) = { 0 };
	bool twice = layer_count(p) == 2;
	buf_init(&inner, plain.len + AEAD_WRAP_LEN);
	if (!data_key(p, SEAL_INNER, (uint32_t)form, &key, err) ||
		!aead_wrap(&key, what, plain, twice ? &inner : out, err))
		return false;
	return !twice || (data_key(p, SEAL_OUTER, (uint32_t)form, &key, err) &&
				 aead_wrap(&key, what, buf_str(&inner), out, err));
}

bool pool_unwrap(struct pool *p, int64_t form, struct str what, struct str wrapped, struct buf *out,
	struct err *err)
{
	struct secret key CLEANUP(secret_wipe);
	struct buf inner CLEANUP(buf_fini) = { 0 };
	bool twice = layer_count(p) == 2;
	buf_init(&inner, wrapped.len + 1);
	if (twice) {
		if (!data_key(p, SEAL_OUTER, (uint32_t)form, &key, err) ||
			!aead_unwrap(&key, what, wrapped, &inner, err))
			return false;
		wrapped = buf_str(&inner);
	}
	return data_key(p, SEAL_INNER, (uint32_t)form, &key, err) &&
	       aead_unwrap(&key, what, wrapped, out, err);
}

/* --- objects --- */

/* A blob_reader over a sealed object, so that callers read every form alike. */
struct open_blob {
	struct blob_reader base;
	struct blob_reader *object;
	struct seal_reader *seal;
};

static bool open_blob_pread(struct blob_reader *r, void *bytes, size_t len, uint64_t off,
	size_t *out_n, struct err *err)
{
	return seal_reader_pread(((struct open_blob *)r)->seal, bytes, len, off, out_n, err);
}

static void open_blob_close(struct blob_reader *r)
{
	struct open_blob *b = (struct open_blob *)r;
	seal_reader_close(b->seal);
	blob_reader_close(b->object);
	free(b);
}

static void open_blob_limit(struct blob_reader *r, uint64_t end)
{
	seal_reader_limit(((struct open_blob *)r)->seal, end);
}

static const struct blobstore_ops open_blob_ops = {
	.pread = open_blob_pread,
	.close_reader = open_blob_close,
	.limit = open_blob_limit,
};
static struct blobstore open_blob_store = { .ops = &open_blob_ops };

bool pool_open(struct pool *p, int64_t form, const struct store_key *key, uint64_t plain_size,
	struct blob_reader **object, struct blob_reader **out, struct err *err)
{
	if (form == FORM_PLAIN) {
		if ((*object)->size_bytes != plain_size)
			return err_sys(err, ERR_CORRUPT, 0,
				"a blob has %" PRIu64 " bytes instead of %" PRIu64,
				(*object)->size_bytes, plain_size);
		*out = *object;
		*object = NULL;
		return true;
	}
	struct seal_pool sealed;
	struct seal_reader *seal = NULL;
	pool_seal(p, form, &sealed);
	if (!seal_reader_open(*object, &sealed, key, plain_size, &seal, err))
		return false;
	struct open_blob *b = xmalloc(sizeof(*b));
	b->base = (struct blob_reader){
		.store = &open_blob_store, .size_bytes = plain_size, .fd = -1
	};
	b->object = *object;
	b->seal = seal;
	*object = NULL;
	*out = &b->base;
	return true;
}

/* --- rotation of the KMS key --- */

struct rewrap_args {
	struct key_args get;
	struct buf now;
};

static bool rewrap_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct rewrap_args *a = arg;
	return pool_key_table_rewrap(conn, a->get.pool->id, (int)a->get.layer, a->get.version,
		buf_str(a->get.wrapped), buf_str(&a->now), err);
}

bool pool_rewrap(struct pool *p, bool *did, struct err *err)
{
	enum seal_layer layer = p->enc_type == ENC_KMS_DSSE ? SEAL_OUTER : SEAL_INNER;
	struct buf wrapped CLEANUP(buf_fini) = { 0 };
	struct rewrap_args a = { .get = { .pool = p, .layer = layer, .wrapped = &wrapped } };
	struct pool_context x;
	bool stale = false, ok = true;
	*did = false;
	buf_init(&wrapped, KMS_WRAPPED_MAX);
	mutex_lock(&p->mutex);
	int64_t newest = p->version;
	mutex_unlock(&p->mutex);
	if (p->enc_type == ENC_AES256)
		return true;
	for (a.get.version = 1; ok && a.get.version <= newest; a.get.version++) {
		if (!db_read(p->core->db, get_wrapped_in, &a.get, err))
			return false;
		if (!a.get.found)
			continue;
		if (!kms_needs_rewrap(
			    p->core->o.kms, str_from(p->key_arn), buf_str(&wrapped), &stale, err))
			return false;
		if (!stale)
			continue;
		buf_init(&a.now, KMS_WRAPPED_MAX);
		ok = kms_rewrap(p->core->o.kms, str_from(p->key_arn), buf_str(&wrapped),
			     make_context(p, &x), &a.now, err) &&
		     db_write(p->core->db, rewrap_in, &a, err);
		buf_fini(&a.now);
		*did = *did || ok;
	}
	return ok;
}
