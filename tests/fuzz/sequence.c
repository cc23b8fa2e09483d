/*
 * Whole sequences of requests against the rules of the registry, with a model of what must be
 * there. Each byte pair is an operation and what it is applied to (see `ops`): repositories are
 * created and deleted, in pools of each type of encryption, layers uploaded in pieces and mounted,
 * images put (waiting or in steps), tagged, archived and deleted, lifecycle policies carried out,
 * the collector, restarts and re-encryption come in between, and calls of the database and the
 * store fail. What is acknowledged is there, with the bytes that were pushed; an image never lacks
 * a layer; a mount never leaves its pool; what is refused is refused for the reason that the model
 * knows; and in the end nothing is damaged, miscounted or left over.
 *
 * Each sequence has a registry of its own in a database that is made anew now and then.
 */
#include <errno.h>
#include <semaphore.h>

#include "sequence_model.h"

#define OPS_MAX   96
#define SEQUENCES 200 /* in one database */

/* --- operations; r: a repository, x: what else the second byte says --- */

static void op_create(unsigned r, unsigned x)
{
	struct err err;
	struct repo out;
	/* Without a key it is the managed one. */
	enum enc_type enc = x < 128 ? ENC_AES256 : x < 192 ? ENC_KMS : ENC_KMS_DSSE;
	struct repo_new in = { .name = repo_of(r), .enc_type = enc, .mutability = MUTABLE };
	bool done = repo_create(w.core, &w.reg, &in, w.arena, &out, &err);
	if (expect(done, &err, m.repos[r].is == NO, ERR_REPO_EXISTS, r)) {
		forget_contents(&m.repos[r]);
		m.repos[r].is = YES;
		m.repos[r].enc = enc;
	}
}

static void op_delete_repo(unsigned r, unsigned x)
{
	struct err err;
	struct repo out;
	struct model_repo *repo = &m.repos[r];
	bool is_empty = true;
	for (size_t i = 0; i < IMAGES; i++)
		is_empty = is_empty && repo->images[i] == NO;
	bool should = repo->is == YES && (is_empty || x % 2);
	bool done = repo_delete(w.core, &w.reg, repo_of(r), x % 2, w.arena, &out, &err);
	bool gone = expect(
		done, &err, should, repo->is == YES ? ERR_REPO_NOT_EMPTY : ERR_REPO_UNKNOWN, r);
	for (size_t u = 0; u < UPLOADS; u++)
		if (m.uploads[u].repo == r && repo->is == NO)
			m.uploads[u].is = NO;
	if (!gone)
		return;
	forget_contents(repo);
	for (size_t u = 0; u < UPLOADS; u++)
		if (m.uploads[u].repo == r)
			m.uploads[u].is = NO;
}

static void op_start(unsigned r, unsigned x)
{
	struct err err;
	struct model_upload *u = &m.uploads[x % UPLOADS];
	struct model_upload made = { .is = YES, .repo = r, .blob = x / UPLOADS % BLOBS };
	bool done = upload_start(w.core, &w.reg, repo_of(r), DIGEST_SHA256, made.id, &err);
	if (expect(done, &err, m.repos[r].is == YES, ERR_REPO_UNKNOWN, r))
		*u = made;
}

/* Opens the upload; NULL when it is gone, as the model then knows or learns. */
static struct upload *take(struct model_upload *u)
{
	struct err err;
	struct upload *up = NULL;
	if (u->id[0] == '\0')
		return NULL;
	if (upload_take(w.core, &w.reg, repo_of(u->repo), str_from(u->id), &up, &err)) {
		CHECK(u->is != NO);
		CHECK(upload_size(up) == u->size);
		u->is = YES;
		return up;
	}
	if (is_fault(&err)) {
		(void)excused(&err, u->repo);
		return NULL;
	}
	CHECK(u->is != YES);
	CHECK(err.kind == ERR_UPLOAD_UNKNOWN || err.kind == ERR_REPO_UNKNOWN);
	u->is = NO;
	return NULL;
}

static void op_append(unsigned r, unsigned x)
{
	struct err err;
	struct model_upload *u = &m.uploads[r % UPLOADS];
	struct str rest = str_sub(text_of((int)u->blob), u->size, x % 12);
	struct upload *up = take(u);
	if (up == NULL)
		return;
	bool done = upload_write(up, rest.ptr, rest.len, &err) && upload_sync(up, &err);
	upload_release(up);
	if (done) {
		u->size += rest.len;
		return;
	}
	/* Some of it may be there, none of it was acknowledged: whoever goes on asks. */
	(void)excused(&err, u->repo);
	uint64_t size = 0;
	CHECK(upload_status(w.core, &w.reg, repo_of(u->repo), str_from(u->id), &size, &err));
	CHECK(size >= u->size && size <= u->size + rest.len);
	u->size = (size_t)size;
}

static void finished(struct model_upload *u, const struct err *err)
{
	uint64_t size;
	struct err why;
	if (err->kind == ERR_DIGEST_MISMATCH) {
		CHECK(u->size < text_of((int)u->blob).len);
		return;
	}
	CHECK(is_fault(err));
	(void)excused(err, u->repo);
	/* Kept, or done after all. */
	if (upload_status(w.core, &w.reg, repo_of(u->repo), str_from(u->id), &size, &why)) {
		CHECK(size >= u->size);
		return;
	}
	CHECK(why.kind == ERR_UPLOAD_UNKNOWN && m.repos[u->repo].blobs[u->blob] == YES);
	u->is = NO;
}

static void op_finish(unsigned r, unsigned x)
{
	struct err err;
	struct upload_result result;
	struct model_upload *u = &m.uploads[r % UPLOADS];
	struct str text = text_of((int)u->blob);
	struct upload *up = take(u);
	(void)x;
	if (up == NULL)
		return;
	bool done = upload_finish(up, &w.blobs[u->blob], &result, &err);
	upload_release(up);
	if (!done) {
		finished(u, &err);
		return;
	}
	CHECK(u->size == text.len && result.size_bytes == text.len);
	m.repos[u->repo].blobs[u->blob] = YES;
	u->is = NO;
}

static void op_cancel(unsigned r, unsigned x)
{
	struct err err;
	struct model_upload *u = &m.uploads[x % UPLOADS];
	(void)r;
	if (u->id[0] == '\0')
		return;
	if (upload_cancel(w.core, &w.reg, repo_of(u->repo), str_from(u->id), &err))
		CHECK(u->is != NO);
	else if (is_fault(&err)) {
		(void)excused(&err, u->repo);
		u->is = u->is == NO ? NO : MAYBE;
		return;
	} else
		CHECK(u->is != YES);
	u->is = NO;
}

/* Start, write and finish at once. */
static void op_push(unsigned r, unsigned x)
{
	struct err err;
	char id[UUID_TEXT_LEN + 1];
	struct upload *up = NULL;
	struct upload_result result = { 0 };
	int b = (int)(x % BLOBS);
	struct str text = text_of(b);
	bool done = upload_start(w.core, &w.reg, repo_of(r), DIGEST_SHA256, id, &err) &&
		    upload_take(w.core, &w.reg, repo_of(r), str_from(id), &up, &err) &&
		    upload_write(up, text.ptr, text.len, &err) &&
		    upload_finish(up, &w.blobs[b], &result, &err);
	upload_release(up);
	if (!expect(done, &err, m.repos[r].is == YES, ERR_REPO_UNKNOWN, r))
		return;
	CHECK(result.size_bytes == text.len);
	CHECK(m.repos[r].blobs[b] != YES || result.was_there);
	m.repos[r].blobs[b] = YES;
}

static bool may_read(void *arg, struct str repository)
{
	(void)arg;
	(void)repository;
	return true;
}

static void mounted(unsigned r, unsigned s, int b, bool has_source, enum mount_outcome outcome)
{
	struct model_repo *repo = &m.repos[r];
	bool is_held = false; /* also where the client did not look for it */
	CHECK(repo->blobs[b] != YES || outcome == MOUNT_PRESENT);
	CHECK(outcome != MOUNT_PRESENT || repo->blobs[b] != NO);
	for (unsigned i = 0; i < REPOS; i++)
		is_held = is_held || (m.repos[i].blobs[b] != NO && m.repos[i].enc == repo->enc);
	if (outcome == MOUNT_MOUNTED)
		CHECK(m.is_mounting && is_held);
	else if (outcome != MOUNT_PRESENT && m.is_mounting && has_source)
		CHECK(m.repos[s].blobs[b] != YES || m.repos[s].enc != repo->enc);
	if (outcome == MOUNT_MOUNTED || outcome == MOUNT_PRESENT)
		repo->blobs[b] = YES;
	else if (repo->blobs[b] == MAYBE)
		repo->blobs[b] = NO;
}

/* --- mounts and puts in steps, as requests that may not wait go --- */

static void step_done(void *sem)
{
	CHECK(sem_post(sem) == 0);
}

static void step_wait(sem_t *sem)
{
	CHECK(TEMP_FAILURE_RETRY(sem_wait(sem)) == 0);
	CHECK(sem_destroy(sem) == 0);
}

static bool mount_it(
	bool in_steps, const struct mount_request *in, struct mount_result *out, struct err *err)
{
	sem_t sem;
	struct mount_attempt *a = in_steps ? mount_begin(w.core, &w.reg, in, w.arena) : NULL;
	if (a == NULL)
		return mount_try(w.core, &w.reg, in, w.arena, out, err);
	CHECK(sem_init(&sem, 0, 0) == 0);
	mount_start(a, step_done, &sem);
	step_wait(&sem);
	bool is_over = mount_is_over(a);
	bool done = mount_end(a, out, err);
	CHECK(!is_over ||
		(done && (out->outcome == MOUNT_MOUNTED || out->outcome == MOUNT_PRESENT)));
	return done;
}

static bool put_it(
	bool in_steps, const struct image_put *in, struct image_put_result *out, struct err *err)
{
	sem_t sem;
	struct image_again *a = in_steps ? image_put_begin(w.core, &w.reg, in, w.arena) : NULL;
	if (a == NULL)
		return image_put(w.core, &w.reg, in, w.arena, out, err);
	CHECK(sem_init(&sem, 0, 0) == 0);
	image_put_start(a, step_done, &sem);
	step_wait(&sem);
	bool is_over = image_put_is_over(a);
	bool done = image_put_end(a, out, err);
	CHECK(!is_over || done);
	return done;
}

static void op_mount(unsigned r, unsigned x)
{
	struct err err;
	char text[DIGEST_TEXT_MAX];
	struct mount_result result;
	int b = (int)(x % BLOBS);
	unsigned s = x / BLOBS % (REPOS + 1);
	struct mount_request in = { .target = repo_of(r),
		.source = s < REPOS ? repo_of(s) : (struct str){ NULL, 0 },
		.digest = str_from(digest_text(&w.blobs[b], text)),
		.principal = STR("arn:aws:iam::000000000000:user/fuzz"),
		.may_read = may_read };
	bool done = mount_it(x / BLOBS / (REPOS + 1) % 2, &in, &result, &err);
	if (expect(done, &err, m.repos[r].is == YES, ERR_REPO_UNKNOWN, r))
		mounted(r, s, b, s < REPOS, result.outcome);
}

/* How sure it is that all that an image needs is there. */
static enum there has_parts(const struct model_repo *r, const struct shape_of *s)
{
	enum there all = YES;
	for (size_t i = 0; s->blobs[i] >= 0; i++) {
		enum there is = r->blobs[s->blobs[i]];
		all = is == NO || all == NO ? NO : is == MAYBE ? MAYBE : all;
	}
	for (size_t i = 0; s->children[i] >= 0; i++) {
		int child = s->children[i];
		enum there is = r->images[child];
		if (is == YES && r->status[child] != IMAGE_ACTIVE)
			is = r->status_maybe[child] ? MAYBE : NO;
		all = is == NO || all == NO ? NO : is == MAYBE ? MAYBE : all;
	}
	return all;
}

/* A push of what is in the archive brings it back at once, with all that it names. */
static void bring_back(struct model_repo *repo, unsigned i)
{
	repo->images[i] = YES;
	repo->status[i] = IMAGE_ACTIVE;
	for (size_t c = 0; shapes[i].children[c] >= 0; c++)
		repo->status[shapes[i].children[c]] = IMAGE_ACTIVE;
}

/* tag < TAGS and another image has it. */
static bool is_fixed(const struct model_repo *repo, unsigned tag, unsigned i)
{
	if (tag == TAGS || repo->tags[tag] < 0 || repo->tags[tag] == (int)i)
		return false;
	bool meets = tag == 0; /* EXCLUDED */
	return repo->mutability == IMMUTABLE ||
	       (repo->mutability == MUTABLE_WITH_EXCLUSION && meets) ||
	       (repo->mutability == IMMUTABLE_WITH_EXCLUSION && !meets);
}

static void op_put(unsigned r, unsigned x)
{
	struct err err;
	struct image_put_result result;
	unsigned i = x % IMAGES;
	unsigned t = x / IMAGES % (TAGS + 1);
	struct model_repo *repo = &m.repos[r];
	struct str tags[1] = { t < TAGS ? str_from(tag_names[t]) : STR("") };
	struct image_put in = { .repo = repo_of(r),
		.bytes = w.manifests[i],
		.content_type = str_from(type_of(i)),
		.tags = tags,
		.tag_count = t < TAGS };
	enum there parts = repo->images[i] == YES ? YES : has_parts(repo, &shapes[i]);
	bool fixed = is_fixed(repo, t, i);
	bool done = put_it(x / IMAGES / (TAGS + 1) % 2, &in, &result, &err);
	if (!done && is_fault(&err)) {
		(void)excused(&err, r);
		return;
	}
	if (!done) {
		CHECK(repo->is == NO ? err.kind == ERR_REPO_UNKNOWN
			: err.kind == ERR_TAG_IMMUTABLE
				? fixed && parts != NO
				: parts != YES && (err.kind == ERR_MANIFEST_BLOB_UNKNOWN ||
							  err.kind == ERR_MANIFEST_CHILD_UNKNOWN));
		return;
	}
	CHECK(repo->is == YES && parts != NO && !fixed);
	CHECK(digest_eq(&result.digest, &w.images[i]));
	bring_back(repo, i);
	if (t < TAGS)
		repo->tags[t] = (int)i;
}

static bool is_child(const struct model_repo *r, int image)
{
	for (size_t i = 0; i < IMAGES; i++)
		if (r->images[i] == YES && lists(&shapes[i], image))
			return true;
	return false;
}

static void op_delete_tag(unsigned r, unsigned x)
{
	struct err err;
	unsigned t = x % TAGS;
	struct model_repo *repo = &m.repos[r];
	struct image_ref ref = { .tag = str_from(tag_names[t]) };
	struct image_delete in = { .repo = repo_of(r), .ref = &ref, .also_last = x / TAGS % 2 };
	int image = repo->is == YES ? repo->tags[t] : -1;
	bool is_last = image >= 0;
	for (size_t i = 0; i < TAGS; i++)
		is_last = is_last && (i == t || repo->tags[i] != image);
	bool takes_image = in.also_last && is_last;
	bool is_kept = takes_image && is_child(repo, image);
	bool done = image_delete(w.core, &w.reg, &in, w.arena, NULL, &err);
	enum err_kind kind = repo->is == NO ? ERR_REPO_UNKNOWN
			     : image < 0    ? ERR_IMAGE_UNKNOWN
					    : ERR_IMAGE_IN_INDEX;
	if (!expect(done, &err, image >= 0 && !is_kept, kind, r))
		return;
	repo->tags[t] = -1;
	if (takes_image)
		repo->images[image] = NO;
}

static void op_delete_image(unsigned r, unsigned x)
{
	struct err err;
	int i = (int)(x % IMAGES);
	struct model_repo *repo = &m.repos[r];
	struct image_ref ref = { .tag = STR(""), .has_digest = true, .digest = w.images[i] };
	struct image_delete in = { .repo = repo_of(r), .ref = &ref, .also_last = true };
	bool should = repo->images[i] == YES && !is_child(repo, i);
	bool done = image_delete(w.core, &w.reg, &in, w.arena, NULL, &err);
	enum err_kind kind = repo->is == NO          ? ERR_REPO_UNKNOWN
			     : repo->images[i] == NO ? ERR_IMAGE_UNKNOWN
						     : ERR_IMAGE_IN_INDEX;
	if (!expect(done, &err, should, kind, r))
		return;
	repo->images[i] = NO;
	for (size_t t = 0; t < TAGS; t++)
		if (repo->tags[t] == i)
			repo->tags[t] = -1;
}

static void op_unlink(unsigned r, unsigned x)
{
	struct err err;
	int b = (int)(x % BLOBS);
	struct model_repo *repo = &m.repos[r];
	bool done = blob_unlink(w.core, &w.reg, repo_of(r), &w.blobs[b], &err);
	if (!done && is_fault(&err)) {
		(void)excused(&err, r);
		return;
	}
	if (done)
		CHECK(repo->blobs[b] != NO && !is_needed(repo, b, YES));
	else
		CHECK(repo->is == NO ? err.kind == ERR_REPO_UNKNOWN
			: is_needed(repo, b, YES)
				? err.kind == ERR_BLOB_IN_USE
				: err.kind == ERR_BLOB_UNKNOWN && repo->blobs[b] != YES);
	if (done || err.kind == ERR_BLOB_UNKNOWN)
		repo->blobs[b] = NO;
}

static void collect(int64_t now_ms)
{
	struct err err;
	struct collect_report report = { 0 };
	do {
		report.more = false;
		if (!collect_run(w.core, now_ms, 4, &report, &err)) {
			(void)excused(&err, 0);
			return;
		}
	} while (report.more);
}

/* Nothing is due yet, or everything that nobody needs. */
static void op_collect(unsigned r, unsigned x)
{
	(void)r;
	if (x % 2) {
		for (unsigned i = 0; i < REPOS; i++)
			for (int b = 0; b < BLOBS; b++)
				if (m.repos[i].blobs[b] == YES && !is_needed(&m.repos[i], b, YES))
					m.repos[i].blobs[b] = MAYBE;
		for (size_t u = 0; u < UPLOADS; u++)
			if (m.uploads[u].is == YES)
				m.uploads[u].is = MAYBE;
	}
	collect(clock_now_ms() + (x % 2 ? 1000 * HOUR_MS : 0));
}

static void op_setting(unsigned r, unsigned x)
{
	struct err err;
	(void)r;
	if (setting_put(w.core, &w.reg, STR("BLOB_MOUNTING"),
		    x % 2 ? STR("ENABLED") : STR("DISABLED"), &err)) {
		m.is_mounting = x % 2;
		return;
	}
	struct str value;
	(void)excused(&err, 0);
	CHECK(setting_get(w.core, &w.reg, STR("BLOB_MOUNTING"), w.arena, &value, &err));
	m.is_mounting = str_eq(value, STR("ENABLED"));
}

/* From the upper half on the disk is said to be encrypted: new bytes lie as they are. From the
 * upper half of that on, other objects are small. */
static void op_restart(unsigned r, unsigned x)
{
	(void)r;
	core_close(w.core);
	w.options.disk_is_encrypted = x >= 128;
	if (x / 64 % 2)
		w.options.small_object_max = small_maxima[x % ARRAY_LEN(small_maxima)];
	open_core();
}

/* The x-th call from now fails. */
static void op_fault(unsigned r, unsigned x)
{
	m.may_fail = true;
	if (r == 0)
		store_fault_set(w.store, x % 16 + 1, ERR_UNAVAILABLE);
	else
		db_fault_set(w.db, x % 64 + 1, r == 1 ? DB_FAULT_IO : DB_FAULT_FULL_LOST,
			DB_FAULT_AT_ANY);
}

static void disarm(void)
{
	m.may_fail = false;
	db_fault_set(w.db, 0, DB_FAULT_IO, DB_FAULT_AT_ANY);
	store_fault_set(w.store, 0, ERR_UNAVAILABLE);
}

static void look_at_all(void)
{
	disarm();
	for (unsigned r = 0; r < REPOS; r++)
		look(r);
}

static void op_look(unsigned r, unsigned x)
{
	(void)r;
	(void)x;
	look_at_all();
}

static void check_form(void *arg, const struct reencrypt_pool *p)
{
	(void)arg;
	CHECK((w.options.disk_is_encrypted ? p->sealed_blobs : p->plain_blobs) == 0);
}

/* All that is stored gets the form that new bytes get; nobody sees it, even where it breaks off. */
static void op_reencrypt(unsigned r, unsigned x)
{
	struct err err;
	struct reencrypt_report report;
	bool done = reencrypt_run(w.core, NULL, NULL, &report, &err);
	(void)r;
	(void)x;
	CHECK(done || (m.may_fail && is_fault(&err)));
	look_at_all();
	if (done)
		CHECK(reencrypt_pools(w.core, check_form, NULL, &err));
}

/* --- storage classes, mutability, lifecycle --- */

/* An index names it that is not archived. */
static bool has_active_parent(const struct model_repo *r, int image)
{
	for (size_t i = 0; i < IMAGES; i++)
		if (r->images[i] == YES && lists(&shapes[i], image) &&
			r->status[i] != IMAGE_ARCHIVED)
			return true;
	return false;
}

static void start_return(struct model_repo *repo, int i)
{
	if (repo->status[i] != IMAGE_ARCHIVED)
		return;
	repo->status[i] = IMAGE_ACTIVATING;
	for (size_t c = 0; shapes[i].children[c] >= 0; c++)
		start_return(repo, shapes[i].children[c]);
}

static void op_archive(unsigned r, unsigned x)
{
	struct err err;
	struct archive_result result;
	int i = (int)(x % IMAGES);
	struct model_repo *repo = &m.repos[r];
	struct archive_request in = { .repo = repo_of(r), .to_archive = x / IMAGES % 2 == 0 };
	in.ref = (struct image_ref){ .tag = STR(""), .has_digest = true, .digest = w.images[i] };
	bool refused = in.to_archive &&
		       (repo->status[i] == IMAGE_ACTIVATING ||
			       (repo->status[i] == IMAGE_ACTIVE && has_active_parent(repo, i)));
	enum err_kind kind = repo->is == NO          ? ERR_REPO_UNKNOWN
			     : repo->images[i] == NO ? ERR_IMAGE_UNKNOWN
						     : ERR_STORAGE_CLASS;
	bool done = archive_update(w.core, &w.reg, &in, &result, &err);
	if (!expect(done, &err, repo->images[i] == YES && !refused, kind, r))
		return;
	CHECK(digest_eq(&result.digest, &w.images[i]));
	if (in.to_archive)
		repo->status[i] = IMAGE_ARCHIVED;
	else
		start_return(repo, i);
	CHECK(result.status == repo->status[i]);
}

static void op_mutability(unsigned r, unsigned x)
{
	struct err err;
	struct str filters[1] = { STR(EXCLUDED) };
	enum mutability mode = (enum mutability)(x % 4 + 1);
	bool done = repo_set_mutability(
		w.core, &w.reg, repo_of(r), mode, filters, mode > IMMUTABLE, &err);
	if (expect(done, &err, m.repos[r].is == YES, ERR_REPO_UNKNOWN, r))
		m.repos[r].mutability = mode;
}

static void op_policy(unsigned r, unsigned x)
{
	struct err err;
	struct lifecycle was;
	struct model_repo *repo = &m.repos[r];
	unsigned p = x % (POLICIES + 1);
	bool done = p < POLICIES
			    ? lifecycle_put(w.core, &w.reg, repo_of(r), str_from(policies[p]), &err)
			    : lifecycle_delete(w.core, &w.reg, repo_of(r), w.arena, &was, &err);
	bool should = repo->is == YES && (p < POLICIES || repo->policy < POLICIES);
	enum err_kind kind = repo->is == NO ? ERR_REPO_UNKNOWN : ERR_LIFECYCLE_UNKNOWN;
	if (expect(done, &err, should, kind, r))
		repo->policy = p;
}

/* An image that no index names, and that follows no subject. */
static bool stands_alone(const struct model_repo *r, int i)
{
	return r->images[i] == YES && shapes[i].subject < 0 && !is_child(r, i);
}

static bool is_tagged(const struct model_repo *r, int i)
{
	for (size_t t = 0; t < TAGS; t++)
		if (r->tags[t] == i)
			return true;
	return false;
}

/* What the policy may not have touched, and, when all of it was to be done, must have. */
static void check_policy(const struct model_repo *old, const struct model_repo *now, bool is_whole)
{
	unsigned active = 0, active_then = 0, untagged = 0, alone = 0;
	for (int i = 0; i < (int)IMAGES; i++) {
		bool is_active = now->images[i] == YES && now->status[i] == IMAGE_ACTIVE;
		bool was_active = old->images[i] == YES && old->status[i] == IMAGE_ACTIVE;
		active += is_active;
		active_then += was_active && shapes[i].subject < 0;
		alone += is_active && stands_alone(now, i);
		untagged += is_active && stands_alone(now, i) && !is_tagged(now, i);
		if (old->images[i] != YES || shapes[i].subject >= 0)
			continue;
		CHECK(now->images[i] == YES || (was_active && old->policy < POLICY_ARCHIVES));
		CHECK(now->images[i] == YES || old->policy != POLICY_UNTAGGED ||
			!is_tagged(old, i));
		CHECK(!was_active || now->images[i] != YES || is_active ||
			old->policy == POLICY_ARCHIVES);
	}
	if (old->policy == POLICY_KEEP_TWO)
		CHECK(active >= (active_then > 0));
	if (!is_whole)
		return;
	CHECK(old->policy != POLICY_KEEP_TWO || alone <= 2);
	CHECK(old->policy != POLICY_UNTAGGED || untagged <= 1);
	CHECK(old->policy != POLICY_ARCHIVES || alone == 0);
}

static bool live(unsigned how, int64_t now_ms, struct err *err)
{
	struct lifecycle_report report = { 0 };
	if (how % 2)
		return lifecycle_run_all(w.core, STR(""), now_ms, &report, err);
	do {
		report.more = false;
		if (!lifecycle_run(w.core, now_ms, now_ms, 4, &report, err))
			return false;
	} while (report.more);
	return true;
}

/* Now, or when everything is due; what is due, or everything. */
static void op_live(unsigned r, unsigned x)
{
	struct err err;
	struct model was = m;
	bool is_late = x % 2;
	bool done = live(x / 2, clock_now_ms() + (is_late ? 1000 * HOUR_MS : 0), &err);
	(void)r;
	CHECK(done || (m.may_fail && is_fault(&err)));
	for (unsigned i = 0; i < REPOS; i++) {
		struct model_repo *repo = &m.repos[i];
		repo->tags_maybe = true;
		for (size_t k = 0; k < IMAGES; k++) {
			repo->images[k] = repo->images[k] == NO ? NO : MAYBE;
			repo->status_maybe[k] = true;
		}
	}
	look_at_all();
	for (unsigned i = 0; i < REPOS; i++)
		if (was.repos[i].is == YES)
			check_policy(&was.repos[i], &m.repos[i], done && is_late && x / 2 % 2);
}

typedef void (*op_fn)(unsigned r, unsigned x);

/* In the order of the first byte's value divided by REPOS; new ones go to the end. What is left of
 * the first byte of all chooses which objects are small. */
static const op_fn ops[] = { op_create, op_push, op_put, op_mount, op_delete_tag, op_delete_image,
	op_unlink, op_delete_repo, op_start, op_append, op_finish, op_cancel, op_collect,
	op_setting, op_restart, op_fault, op_look, op_archive, op_mutability, op_policy, op_live,
	op_reencrypt };

/* --- the end --- */

static void print_finding(void *arg, enum verify_kind kind, struct str text)
{
	(void)arg;
	(void)kind;
	fprintf(stderr, STR_FMT "\n", STR_ARG(text));
}

static void check_sound(void)
{
	struct err err;
	struct verify_report report;
	struct verify_options o = { .deep = true, .finding = print_finding };
	CHECK(verify_run(w.core, &o, &report, &err));
	CHECK(report.damaged + report.orphans + report.miscounts + report.locked == 0);
}

static bool count_object(void *arg, const struct store_key *key, uint64_t size_bytes)
{
	(void)key;
	(void)size_bytes;
	++*(size_t *)arg;
	return true;
}

static void clear(void)
{
	struct err err;
	struct repo out;
	size_t objects = 0;
	for (unsigned r = 0; r < REPOS; r++)
		CHECK(repo_delete(w.core, &w.reg, repo_of(r), true, w.arena, &out, &err) ||
			err.kind == ERR_REPO_UNKNOWN);
	collect(clock_now_ms() + 2000 * HOUR_MS);
	collect(clock_now_ms() + 4000 * HOUR_MS);
	CHECK(blobstore_each(w.store, count_object, &objects, &err));
	CHECK(objects == 0);
}

/* Each sequence depends on nothing that an earlier one did. */
static void begin_with(size_t small)
{
	core_close(w.core);
	w.options.disk_is_encrypted = false;
	w.options.small_object_max = small_maxima[small % ARRAY_LEN(small_maxima)];
	open_core();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char account[13];
	if (size % 2 != 0)
		return 0; /* half an operation */
	if (w.is_up && w.sequences == SEQUENCES)
		world_down();
	if (!w.is_up)
		world_up();
	w.sequences++;
	w.arena = arena_new(64 * MIB);
	memset(&m, 0, sizeof(m));
	for (unsigned r = 0; r < REPOS; r++)
		forget_contents(&m.repos[r]);
	m.is_mounting = true;
	(void)snprintf(account, sizeof(account), "%012u", w.sequences);
	CHECK(registry_id_make(str_from(account), STR("eu-west-1"), &w.reg));
	begin_with(size == 0 ? 0 : data[0] / (REPOS * ARRAY_LEN(ops)));
	for (size_t i = 0; i + 1 < size && i < (size_t)2 * OPS_MAX; i += 2) {
		unsigned r = data[i] % REPOS;
		ops[data[i] / REPOS % ARRAY_LEN(ops)](r, data[i + 1]);
		if (!m.may_fail)
			look(r);
	}
	look_at_all();
	check_sound();
	clear();
	check_sound();
	arena_free(w.arena);
	return 0;
}
