#include "registry/image.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/clock.h"
#include "crypt/hash.h"
#include "meta/blob_table.h"
#include "meta/registry_table.h"
#include "meta/repo_table.h"
#include "registry/archive_priv.h"
#include "registry/event_priv.h"
#include "registry/image_priv.h"
#include "registry/name.h"
#include "registry/pool.h"
#include "registry/repo_priv.h"

bool image_ref_parse(struct str text, struct image_ref *out, struct err *err)
{
	struct image_ref r = { .tag = STR("") };
	if (str_find_char(text, ':') < text.len) {
		if (!digest_parse(text, &r.digest, err))
			return false;
		r.has_digest = true;
	} else {
		if (!name_is_tag(text))
			return err_set(err, ERR_TAG_INVALID,
				"Invalid parameter at 'imageTag' failed to satisfy constraint: 'must satisfy regular expression "
				"'[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}''");
		r.tag = text;
	}
	*out = r;
	return true;
}

bool image_unknown(const struct registry_id *reg, struct str repo, const struct image_ref *ref,
	struct err *err)
{
	char text[DIGEST_TEXT_MAX] = "null";
	if (ref->has_digest)
		digest_text(&ref->digest, text);
	return err_set(err, ERR_IMAGE_UNKNOWN,
		"The image with imageId {imageDigest:'%s', imageTag:'" STR_FMT
		"'} does not exist within the repository with name '" STR_FMT
		"' in the registry with id '%s'",
		text, STR_ARG(ref->tag.len ? ref->tag : STR("null")), STR_ARG(repo), reg->account);
}

void image_from_row(const struct image_row *row, struct image *out)
{
	*out = (struct image){
		.id = row->id,
		.digest = row->digest,
		.media_type = row->media_type,
		.artifact_type = row->artifact_type,
		.bytes = row->manifest,
		.manifest_bytes = row->manifest_bytes,
		.size_bytes = row->size_bytes,
		.pushed_at_ms = row->pushed_at_ms,
		.has_subject = row->has_subject,
		.subject = row->subject,
	};
}

/* --- push --- */

struct put_args {
	struct core *core;
	const struct registry_id *reg;
	const struct image_put *in;
	struct manifest m; /* unless is_known */
	struct digest digest;
	struct arena *arena;
	int64_t registry_id;
	bool is_known; /* the image is there already, so its manifest was parsed and sealed before
			*/
	/* of one run */
	bool has_vanished; /* it is known, and gone again */
	struct repo_row repo;
	struct image_row row;
	int64_t *blob_ids, *child_ids;
	bool is_new, is_restored;
	/* chosen before the run */
	int64_t form, sealed_for; /* of the manifest; the repository it is sealed for */
	int64_t pool_id;
	struct str stored; /* the manifest as the row will have it */
};

/* "[sha256:..., sha256:...]": as many as fit the message. */
static void add_missing(struct buf *list, const struct digest *d)
{
	char text[DIGEST_TEXT_MAX];
	if (list->len > 400)
		return;
	buf_addf(list, "%s%s", list->len ? ", " : "", digest_text(d, text));
}

/* Every layer must be linked in the repository (DESIGN: a visible image is complete). One that may
 * miss gets blob id 0. */
static bool find_blobs(
	struct db_conn *conn, struct put_args *a, struct buf *missing, struct err *err)
{
	const struct manifest *m = &a->m;
	struct repo_key repo = { a->repo.id, a->repo.pool_id };
	a->row.size_bytes = a->in->bytes.len;
	for (size_t i = 0; i < m->blob_count; i++) {
		struct blob_row blob;
		int64_t needs = 0;
		bool found = false;
		a->blob_ids[i] = 0;
		if (!link_table_find_digest(
			    conn, &repo, &m->blobs[i].digest, &blob, &needs, &found, err))
			return false;
		if (!found) {
			if (!m->blobs[i].may_miss)
				add_missing(missing, &m->blobs[i].digest);
			continue;
		}
		if (blob.size_bytes != m->blobs[i].size_bytes) {
			char text[DIGEST_TEXT_MAX];
			return err_set(err, ERR_MANIFEST_INVALID,
				"Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'the size of %s is %" PRIu64
				", not %" PRIu64 "'",
				digest_text(&m->blobs[i].digest, text), blob.size_bytes,
				m->blobs[i].size_bytes);
		}
		a->blob_ids[i] = blob.id;
		a->row.size_bytes += blob.size_bytes;
	}
	if (missing->len)
		return err_set(err, ERR_MANIFEST_BLOB_UNKNOWN,
			"Layers with digests '[" STR_FMT
			"]' required for pushing image into repository with name '" STR_FMT
			"' in the registry with id '%s' do not exist",
			STR_ARG(buf_str(missing)), STR_ARG(a->in->repo), a->reg->account);
	return true;
}

/* facts: the size of a list is the largest of its images'. */
static bool find_children(
	struct db_conn *conn, struct put_args *a, struct buf *missing, struct err *err)
{
	const struct manifest *m = &a->m;
	uint64_t largest = 0;
	for (size_t i = 0; i < m->child_count; i++) {
		struct image_row child;
		bool found = false;
		/* An arena for each: ten thousand rows would not fit the one of the request. */
		struct arena *arena = arena_new(KIB);
		bool ok = image_table_find(
			conn, a->repo.id, &m->children[i], arena, &child, &found, err);
		arena_free(arena);
		/* Not while it is in the archive: an active index leads to active images. */
		struct state_row state = { .state = STATE_ACTIVE };
		if (!ok || (found && !state_table_get(conn, child.id, &state, err)))
			return false;
		found = found && state.state == STATE_ACTIVE;
		if (!found) {
			add_missing(missing, &m->children[i]);
			continue;
		}
		a->child_ids[i] = child.id;
		largest = child.size_bytes > largest ? child.size_bytes : largest;
	}
	if (missing->len)
		return err_set(err, ERR_MANIFEST_CHILD_UNKNOWN,
			"Images with digests '[" STR_FMT
			"]' required for pushing image into repository with name '" STR_FMT
			"' in the registry with id '%s' do not exist",
			STR_ARG(buf_str(missing)), STR_ARG(a->in->repo), a->reg->account);
	if (largest > a->row.size_bytes)
		a->row.size_bytes = largest;
	return true;
}

static bool too_many_images(const struct put_args *a, struct err *err)
{
	return err_set(err, ERR_QUOTA,
		"The repository with name '" STR_FMT
		"' in registry with id '%s' already has the maximum allowed number of images which is '%u'",
		STR_ARG(a->in->repo), a->reg->account, a->core->o.images_max);
}

static bool add_image(struct db_conn *conn, struct put_args *a, struct err *err)
{
	const struct manifest *m = &a->m;
	struct buf missing;
	if (a->repo.images >= (int64_t)a->core->o.images_max)
		return too_many_images(a, err);
	buf_init(&missing, 1024);
	bool complete = find_blobs(conn, a, &missing, err) && find_children(conn, a, &missing, err);
	buf_fini(&missing);
	if (!complete)
		return false;
	a->row.repository_id = a->repo.id;
	a->row.digest = a->digest;
	a->row.kind = (int)m->kind;
	a->row.media_type = m->media_type;
	a->row.artifact_type = m->artifact_type;
	a->row.has_subject = m->has_subject;
	a->row.subject = m->subject;
	a->row.manifest_bytes = a->in->bytes.len;
	a->row.pushed_at_ms = clock_now_ms();
	a->row.manifest = a->stored;
	a->row.form = a->form;
	if (!image_table_add(conn, &a->row, &a->row.id, err))
		return false;
	for (size_t i = 0; i < m->blob_count; i++) {
		int64_t needs;
		if (!a->blob_ids[i])
			continue;
		if (!image_need_table_add(conn, a->row.id, a->blob_ids[i], err) ||
			!link_table_add_needs(conn, a->repo.id, a->blob_ids[i], 1, &needs, err))
			return false;
	}
	for (size_t i = 0; i < m->child_count; i++) {
		if (!image_child_table_add(conn, a->row.id, a->child_ids[i], err))
			return false;
	}
	struct pool_delta d = { .images = 1 };
	return repo_table_add_sums(conn, a->repo.id, 1, 0, 0, err) &&
	       pool_table_add(conn, a->repo.pool_id, &d, err);
}

static bool already_exists(const struct put_args *a, struct str tag, struct err *err)
{
	char text[DIGEST_TEXT_MAX];
	return err_set(err, ERR_IMAGE_EXISTS,
		"Image with digest '%s' and tag '" STR_FMT
		"' already exists in the repository with name '" STR_FMT
		"' in registry with id '%s'",
		digest_text(&a->digest, text), STR_ARG(tag.len ? tag : STR("null")),
		STR_ARG(a->in->repo), a->reg->account);
}

static bool put_tag(struct db_conn *conn, struct put_args *a, const struct repo *repo,
	struct str tag, struct err *err)
{
	int64_t old = 0;
	if (!tag_table_find(conn, a->repo.id, tag, &old, err))
		return false;
	if (old == a->row.id && old)
		return !a->in->refuse_repeat || a->is_restored || already_exists(a, tag, err);
	if (old && !repo_tag_is_mutable(repo, tag))
		return err_set(err, ERR_TAG_IMMUTABLE,
			"The image tag '" STR_FMT "' already exists in the '" STR_FMT
			"' repository and cannot be overwritten because the %s is immutable",
			STR_ARG(tag), STR_ARG(a->in->repo),
			repo->filter_count ? "tag" : "repository");
	if (a->row.tags >= (int64_t)a->core->o.image_tags_max)
		return err_set(err, ERR_QUOTA,
			"Adding tag '" STR_FMT "' to an image in the repository with name '" STR_FMT
			"' in registry with id '%s' exceeds the maximum allowed number of tags per image which is '%u'",
			STR_ARG(tag), STR_ARG(a->in->repo), a->reg->account,
			a->core->o.image_tags_max);
	a->row.tags++;
	struct tag_stamp stamp = { clock_now_ms(), a->in->principal };
	return tag_table_put(conn, a->repo.id, tag, a->row.id, old, &stamp, err) &&
	       event_add(a->core, conn, &a->row, EVENT_PUSH, tag, err);
}

static bool put_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct put_args *a = arg;
	bool found = false;
	struct repo repo;
	if (!repo_table_find(conn, a->registry_id, a->in->repo, a->arena, &a->repo, &found, err))
		return false;
	if (!found)
		return core_repo_unknown(a->reg, a->in->repo, err);
	if (a->repo.id != a->sealed_for) /* deleted and made again meanwhile */
		return core_repo_unknown(a->reg, a->in->repo, err);
	repo_from_row(&a->repo, &repo);
	if (!image_table_find(conn, a->repo.id, &a->digest, a->arena, &a->row, &found, err))
		return false;
	a->is_new = !found;
	a->is_restored = false;
	a->has_vanished = a->is_new && a->is_known;
	if (a->has_vanished)
		return true;
	if (a->is_new) {
		a->row = (struct image_row){ 0 };
		if (!add_image(conn, a, err))
			return false;
	} else if (!archive_bring_back(
			   a->core, conn, &a->row, clock_now_ms(), &a->is_restored, err)) {
		return false;
	} else if (a->in->refuse_repeat && a->in->tag_count == 0 && !a->is_restored) {
		return already_exists(a, STR(""), err);
	}
	if (a->is_new && a->in->tag_count == 0 &&
		!event_add(a->core, conn, &a->row, EVENT_PUSH, STR(""), err))
		return false;
	for (size_t i = 0; i < a->in->tag_count; i++) {
		if (!put_tag(conn, a, &repo, a->in->tags[i], err))
			return false;
	}
	return lifecycle_touch(a->core, conn, a->repo.id, err);
}

static bool check_put(const struct image_put *in, struct digest *digest, struct err *err)
{
	struct image_ref ref = { 0 };
	if (in->bytes.len > MANIFEST_MAX_BYTES)
		return err_set(err, ERR_TOO_LARGE,
			"Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'must have length less than or equal to %d'",
			MANIFEST_MAX_BYTES);
	if (in->tag_count > IMAGE_PUT_TAGS_MAX)
		return err_set(err, ERR_LIMIT, "At most %d tags can be set with one push",
			IMAGE_PUT_TAGS_MAX);
	for (size_t i = 0; i < in->tag_count; i++) {
		if (!image_ref_parse(in->tags[i], &ref, err))
			return false;
		if (ref.has_digest)
			return err_set(err, ERR_TAG_INVALID, "A tag cannot contain ':'");
	}
	if (!hash_bytes(in->has_digest ? in->digest.alg : DIGEST_SHA256, in->bytes, digest, err))
		return false;
	if (in->has_digest && !digest_eq(digest, &in->digest)) {
		char got[DIGEST_TEXT_MAX];
		char want[DIGEST_TEXT_MAX];
		return err_set(err, ERR_DIGEST_MISMATCH,
			"The image digest '%s' does not match the manifest's digest '%s'",
			digest_text(&in->digest, want), digest_text(digest, got));
	}
	return true;
}

static bool look_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct put_args *a = arg;
	struct repo_key key;
	if (!repo_table_key(conn, a->registry_id, a->in->repo, &key, err))
		return false;
	if (!key.id)
		return core_repo_unknown(a->reg, a->in->repo, err);
	a->sealed_for = key.id;
	a->pool_id = key.pool_id;
	bool found = false;
	if (!image_table_find(conn, key.id, &a->digest, a->arena, &a->row, &found, err))
		return false;
	a->is_known = found && str_eq(a->row.media_type, a->in->content_type);
	return true;
}

static bool look(struct put_args *a, struct err *err)
{
	if (!core_registry(a->core, a->reg, false, &a->registry_id, err))
		return false;
	if (!a->registry_id)
		return core_repo_unknown(a->reg, a->in->repo, err);
	return db_read(a->core->db, look_in, a, err);
}

static bool parse(struct put_args *a, struct err *err)
{
	struct manifest *m = &a->m;
	if (!manifest_parse(a->in->bytes, a->in->content_type, a->arena, m, err))
		return false;
	a->blob_ids = arena_alloc(a->arena, sizeof(int64_t) * (m->blob_count + 1));
	a->child_ids = arena_alloc(a->arena, sizeof(int64_t) * (m->child_count + 1));
	return (a->blob_ids && a->child_ids) || core_no_memory(a->arena, err);
}

/* Keys cannot be asked for inside the transaction: it only checks that the repository is still this
 * one. A push needs its pool's key, also one that has nothing to store. */
static bool seal(struct put_args *a, struct buf *sealed, struct err *err)
{
	struct pool *pool;
	if (!pool_find(a->core, a->pool_id, &pool, err) || !pool_form(pool, &a->form, err))
		return false;
	a->stored = a->in->bytes;
	if (a->is_known || a->form == FORM_PLAIN)
		return true;
	if (!image_seal(pool, a->form, a->sealed_for, &a->digest, a->in->bytes, sealed, err))
		return false;
	a->stored = buf_str(sealed);
	return true;
}

/* The image may be there already: one more tag costs no parsing and no sealing. */
static bool put_there(struct put_args *a, struct err *err)
{
	struct buf sealed CLEANUP(buf_fini) = { 0 };
	buf_init(&sealed, MANIFEST_STORED_MAX);
	do {
		a->is_known = a->is_known && !a->has_vanished;
		if ((!a->is_known && !parse(a, err)) || !seal(a, &sealed, err) ||
			!db_write(a->core->db, put_in, a, err))
			return false;
	} while (a->has_vanished); /* once at most */
	return true;
}

static bool put(struct put_args *a, struct err *err)
{
	struct err bad;
	if (look(a, err))
		return put_there(a, err);
	/* A manifest that cannot be stored is refused for that, wherever it was sent. */
	if (parse(a, &bad))
		return false;
	*err = bad;
	return false;
}

static void report(struct put_args *a, struct arena *arena, struct image_put_result *out)
{
	*out = (struct image_put_result){
		.digest = a->digest,
		.media_type = arena_str(arena, a->row.media_type),
		.has_subject = a->row.has_subject,
		.subject = a->row.subject,
	};
	if (a->is_new)
		core_count(&a->core->images_pushed, 1);
}

bool image_put(struct core *c, const struct registry_id *reg, const struct image_put *in,
	struct arena *arena, struct image_put_result *out, struct err *err)
{
	struct put_args a = { .core = c, .reg = reg, .in = in };
	if (!core_check_name(in->repo, err) || !check_put(in, &a.digest, err))
		return false;
	/* Its own arena: a manifest may name ten thousand layers, which a request's arena does not
	 * hold. */
	a.arena = arena_new(MANIFEST_ARENA_BYTES);
	bool ok = put(&a, err);
	if (ok)
		report(&a, arena, out);
	arena_free(a.arena);
	return ok;
}

/* --- push of what is there --- */

struct image_again {
	struct put_args args;
	struct db_later write;
};

/* What is hashed and looked up where nobody may wait. */
#define AGAIN_MAX_BYTES (64 * KIB)

static bool is_there(struct put_args *a)
{
	struct err unused;
	struct pool *pool;
	a->stored = a->in->bytes;
	return core_check_name(a->in->repo, &unused) && check_put(a->in, &a->digest, &unused) &&
	       look(a, &unused) && a->is_known && pool_find(a->core, a->pool_id, &pool, &unused) &&
	       pool_form_now(pool, &a->form);
}

struct image_again *image_put_begin(struct core *c, const struct registry_id *reg,
	const struct image_put *in, struct arena *arena)
{
	struct image_again *p;
	if (in->bytes.len > AGAIN_MAX_BYTES)
		return NULL;
	p = arena_alloc(arena, sizeof(*p));
	if (!p)
		return NULL;
	p->args = (struct put_args){ .core = c, .reg = reg, .in = in, .arena = arena };
	return is_there(&p->args) ? p : NULL;
}

void image_put_start(struct image_again *p, void (*done)(void *arg), void *arg)
{
	p->write =
		(struct db_later){ .fn = put_in, .arg = &p->args, .done = done, .done_arg = arg };
	db_write_later(p->args.core->db, &p->write);
}

bool image_put_is_over(const struct image_again *p)
{
	return p->write.is_done && !p->args.has_vanished;
}

bool image_put_end(struct image_again *p, struct image_put_result *out, struct err *err)
{
	struct put_args *a = &p->args;
	if (!p->write.is_done) {
		*err = p->write.err;
		return false;
	}
	if (a->has_vanished)
		return image_put(a->core, a->reg, a->in, a->arena, out, err);
	report(a, a->arena, out);
	return true;
}

/* --- pull --- */

struct get_args {
	struct core *core;
	const struct registry_id *reg;
	struct str repo;
	const struct image_ref *ref;
	struct buf *bytes;
	struct arena *arena;
	int64_t registry_id;
	struct image_row row;
};

static bool get_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct get_args *a = arg;
	const struct image_ref *ref = a->ref;
	bool found = false;
	struct image_into into = { a->bytes, a->arena, &a->row, &found };
	bool ok = ref->has_digest ? image_table_pull_digest(
					    conn, a->registry_id, a->repo, &ref->digest, &into, err)
				  : image_table_pull_tag(
					    conn, a->registry_id, a->repo, ref->tag, &into, err);
	if (!ok)
		return false;
	if (found && ref->has_digest && ref->tag.len) {
		int64_t id = 0;
		if (!tag_table_find(conn, a->row.repository_id, ref->tag, &id, err))
			return false;
		found = id == a->row.id;
	}
	if (found)
		return archive_need_active(conn, a->row.id, err);
	struct repo_key key;
	if (!repo_table_key(conn, a->registry_id, a->repo, &key, err))
		return false;
	return key.id ? image_unknown(a->reg, a->repo, ref, err)
		      : core_repo_unknown(a->reg, a->repo, err);
}

bool image_get(struct core *c, const struct registry_id *reg, const struct image_want *want,
	struct arena *arena, struct image *out, struct err *err)
{
	struct get_args a = { .core = c,
		.reg = reg,
		.repo = want->repo,
		.ref = want->ref,
		.bytes = want->bytes,
		.arena = arena };
	if (!core_check_name(a.repo, err) || !core_registry(c, reg, false, &a.registry_id, err))
		return false;
	if (!a.registry_id)
		return core_repo_unknown(reg, a.repo, err);
	if (!db_read(c->db, get_in, &a, err))
		return false;
	if (a.bytes) {
		if (!image_unseal(c, &a.row, a.bytes, err))
			return false;
		a.row.manifest = buf_str(a.bytes);
	}
	image_from_row(&a.row, out);
	return true;
}
