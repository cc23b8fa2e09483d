#include "base/buf.h"
#include "meta/repo_table.h"
#include "registry/archive_priv.h"
#include "registry/image_priv.h"

#define SCAN_MAX      1000      /* rows that one page looks at */
#define TAGS_TOLD_MAX 1000      /* tags of one image that DescribeImages tells */
#define READ_MAX      (8 * MIB) /* bytes of manifests that a page of referrers reads */

struct list_args {
	struct core *core;
	const struct registry_id *reg;
	struct str repo;
	struct arena *arena;
	int64_t registry_id;
	struct repo_key key;
	bool repo_may_miss;
	/* what the kinds of list need */
	struct str last;
	enum tag_filter filter;
	enum status_filter status;
	struct image_cursor from;
	unsigned limit;
	const struct referrer_query *query;
	const struct image_ref *ref;
	/* out */
	struct tag_row *tags;
	size_t tag_count;
	struct image_row *rows; /* of referrers */
	enum image_status *statuses;
	unsigned row_max;
	size_t row_count;
	struct image_page page;
};

/* Runs fn in a snapshot in which the repository exists. */
static bool find_repo(struct db_conn *conn, struct list_args *a, struct err *err)
{
	if (!repo_table_key(conn, a->registry_id, a->repo, &a->key, err))
		return false;
	return a->key.id || a->repo_may_miss || core_repo_unknown(a->reg, a->repo, err);
}

static bool run(struct list_args *a, db_fn fn, struct err *err)
{
	if (!core_check_name(a->repo, err) ||
		!core_registry(a->core, a->reg, false, &a->registry_id, err))
		return false;
	if (!a->registry_id)
		return a->repo_may_miss || core_repo_unknown(a->reg, a->repo, err);
	return db_read(a->core->db, fn, a, err);
}

static bool tags_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct list_args *a = arg;
	struct page page = { .after = a->last, .max = a->limit + 1, .arena = a->arena };
	return find_repo(conn, a, err) && (a->limit == 0 || tag_table_list(conn, a->key.id, &page,
								    a->tags, &a->tag_count, err));
}

bool image_tags(struct core *c, const struct registry_id *reg, const struct tag_query *q,
	struct arena *arena, struct tag_page *out, struct err *err)
{
	struct list_args a = { .core = c,
		.reg = reg,
		.repo = q->repo,
		.arena = arena,
		.last = q->last,
		.limit = q->limit };
	struct tag_page page = { .tags = arena_alloc(arena, sizeof(struct str) * (q->limit + 1)) };
	a.tags = arena_alloc(arena, sizeof(*a.tags) * (q->limit + 1));
	if (!page.tags || !a.tags)
		return core_no_memory(arena, err);
	if (!run(&a, tags_in, err))
		return false;
	page.more = a.tag_count > q->limit;
	page.count = page.more ? q->limit : a.tag_count;
	for (size_t i = 0; i < page.count; i++)
		page.tags[i] = a.tags[i].name;
	*out = page;
	return true;
}

static bool status_passes(enum status_filter filter, enum image_status status)
{
	static const enum image_status wanted[] = { [STATUS_ACTIVE] = IMAGE_ACTIVE,
		[STATUS_ARCHIVED] = IMAGE_ARCHIVED,
		[STATUS_ACTIVATING] = IMAGE_ACTIVATING };

	return filter == STATUS_ANY || status == wanted[filter];
}

/* The row as an image with its state, and whether the list wants it. */
static bool read_image(struct db_conn *conn, const struct list_args *a, const struct image_row *row,
	struct image *out, bool *wanted, struct err *err)
{
	bool is_tagged = row->tags > 0;
	image_from_row(row, out);
	if (!archive_read_state(conn, out, err))
		return false;
	*wanted = (a->filter == TAGS_ANY || is_tagged == (a->filter == TAGS_TAGGED)) &&
		  status_passes(a->status, out->status);
	return true;
}

/* One item a (image, tag). Goes on with the image of the cursor where its tags are not all told
 * yet. */
static bool list_one(struct db_conn *conn, struct list_args *a, const struct image_row *row,
	struct str after, bool *full, struct err *err)
{
	struct image_page *p = &a->page;
	struct image image;
	bool wanted = false;
	if (!read_image(conn, a, row, &image, &wanted, err))
		return false;
	if (row->tags == 0 || !wanted) {
		if (wanted)
			p->items[p->count++] = image;
		p->next = (struct image_cursor){ .image_id = row->id };
		*full = p->count >= a->limit;
		return true;
	}
	size_t room = a->limit - p->count;
	size_t n = 0;
	size_t most = (uint64_t)row->tags > room ? room + 1 : (size_t)row->tags;
	struct str *names = arena_alloc(a->arena, sizeof(*names) * most);
	if (!names)
		return core_no_memory(a->arena, err);
	struct page page = { .after = after, .max = (unsigned)most, .arena = a->arena };
	if (!tag_table_of_image(conn, row->id, &page, names, &n, err))
		return false;
	bool more_tags = n > room;
	n = more_tags ? room : n;
	for (size_t i = 0; i < n; i++) {
		p->items[p->count] = image;
		p->items[p->count].tags = &names[i];
		p->items[p->count].tag_count = 1;
		p->count++;
	}
	p->next = (struct image_cursor){ .image_id = row->id };
	if (more_tags) {
		/* Inside this image: the next page starts behind the last name. */
		p->next.image_id = row->id - 1;
		if (!str_to_c(n ? names[n - 1] : after, p->next.tag, sizeof(p->next.tag)))
			return err_sys(err, ERR_CORRUPT, 0, "a tag is too long");
	}
	*full = more_tags || p->count >= a->limit;
	return true;
}

static unsigned rows_wanted(const struct list_args *a)
{
	return a->filter == TAGS_TAGGED || a->status == STATUS_ARCHIVED ||
			       a->status == STATUS_ACTIVATING
		       ? SCAN_MAX
		       : a->limit + 1;
}

static bool list_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct list_args *a = arg;
	struct page page = {
		.after_id = a->from.image_id, .max = rows_wanted(a), .arena = a->arena
	};
	struct image_row *rows = arena_alloc(a->arena, sizeof(*rows) * page.max);
	size_t n = 0;
	bool full = false;
	if (!rows)
		return core_no_memory(a->arena, err);
	a->page.count = 0;
	a->page.next = a->from;
	if (!find_repo(conn, a, err) || !image_table_list(conn, a->key.id,
						a->filter == TAGS_UNTAGGED, &page, rows, &n, err))
		return false;
	size_t i = 0;
	for (; i < n && !full; i++) {
		/* The cursor's tag belongs to the image just behind its id, if that is still there.
		 */
		bool same = rows[i].id == a->from.image_id + 1;
		struct str after = same ? str_from(a->from.tag) : STR("");
		if (!list_one(conn, a, &rows[i], after, &full, err))
			return false;
	}
	a->page.more = i < n || a->page.next.tag[0] || n == page.max;
	return true;
}

bool image_list(struct core *c, const struct registry_id *reg, const struct image_query *q,
	struct arena *arena, struct image_page *out, struct err *err)
{
	struct list_args a = { .core = c,
		.reg = reg,
		.repo = q->repo,
		.arena = arena,
		.filter = q->tags,
		.status = q->status,
		.from = q->from,
		.limit = q->limit };
	a.page.items = arena_alloc(arena, sizeof(struct image) * (q->limit + 1));
	if (!a.page.items)
		return core_no_memory(arena, err);
	if (!run(&a, list_in, err))
		return false;
	*out = a.page;
	return true;
}

static bool add_tags(struct db_conn *conn, struct arena *arena, const struct image_row *row,
	struct image *out, struct err *err)
{
	size_t max = row->tags > TAGS_TOLD_MAX ? TAGS_TOLD_MAX : (size_t)row->tags;
	if (max == 0)
		return true;
	out->tags = arena_alloc(arena, sizeof(*out->tags) * max);
	struct page page = { .max = (unsigned)max, .arena = arena };
	return out->tags ? tag_table_of_image(conn, row->id, &page, out->tags, &out->tag_count, err)
			 : core_no_memory(arena, err);
}

static bool describe_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct list_args *a = arg;
	struct page page = {
		.after_id = a->from.image_id, .max = rows_wanted(a), .arena = a->arena
	};
	struct image_row *rows = arena_alloc(a->arena, sizeof(*rows) * page.max);
	size_t n = 0;
	size_t i = 0;
	struct image_page *p = &a->page;
	if (!rows)
		return core_no_memory(a->arena, err);
	p->count = 0;
	p->next = a->from;
	if (!find_repo(conn, a, err) || !image_table_list(conn, a->key.id,
						a->filter == TAGS_UNTAGGED, &page, rows, &n, err))
		return false;
	for (; i < n && p->count < a->limit; i++) {
		bool wanted = false;
		if (!read_image(conn, a, &rows[i], &p->items[p->count], &wanted, err))
			return false;
		if (wanted) {
			if (add_tags(conn, a->arena, &rows[i], &p->items[p->count], err))
				p->count++;
			else if (err->kind == ERR_TOO_LARGE && p->count > 0)
				break; /* the arena is full: the next page begins here */
			else
				return false;
		}
		p->next.image_id = rows[i].id;
	}
	p->more = i < n || n == page.max;
	return true;
}

bool image_describe(struct core *c, const struct registry_id *reg, const struct image_query *q,
	struct arena *arena, struct image_page *out, struct err *err)
{
	struct list_args a = { .core = c,
		.reg = reg,
		.repo = q->repo,
		.arena = arena,
		.filter = q->tags,
		.status = q->status,
		.from = q->from,
		.limit = q->limit };
	a.page.items = arena_alloc(arena, sizeof(struct image) * (q->limit + 1));
	if (!a.page.items)
		return core_no_memory(arena, err);
	if (!run(&a, describe_in, err))
		return false;
	*out = a.page;
	return true;
}

static bool describe_one_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct list_args *a = arg;
	const struct image_ref *ref = a->ref;
	struct image_row row;
	int64_t tagged = 0;
	bool found = false;
	if (!find_repo(conn, a, err) ||
		(ref->tag.len && !tag_table_find(conn, a->key.id, ref->tag, &tagged, err)))
		return false;
	if (ref->has_digest) {
		if (!image_table_find(conn, a->key.id, &ref->digest, a->arena, &row, &found, err))
			return false;
		found = found && (!ref->tag.len || tagged == row.id);
	} else if (tagged && !image_table_get(conn, tagged, NULL, a->arena, &row, &found, err)) {
		return false;
	}
	if (!found)
		return image_unknown(a->reg, a->repo, ref, err);
	a->page.count = 1;
	image_from_row(&row, &a->page.items[0]);
	return archive_read_state(conn, &a->page.items[0], err) &&
	       add_tags(conn, a->arena, &row, &a->page.items[0], err);
}

bool image_describe_one(struct core *c, const struct registry_id *reg, struct str repo,
	const struct image_ref *ref, struct arena *arena, struct image *out, struct err *err)
{
	struct list_args a = { .core = c, .reg = reg, .repo = repo, .arena = arena, .ref = ref };
	a.page.items = out;
	return run(&a, describe_one_in, err);
}

static bool type_wanted(const struct referrer_query *q, struct str type)
{
	bool wanted = q->type_count == 0;
	for (size_t i = 0; i < q->type_count; i++)
		wanted = wanted || str_eq(q->types[i], type);
	return wanted;
}

struct manifest_args {
	int64_t id;
	struct buf *bytes;
	struct arena *arena;
	struct image_row row;
	bool found;
};

static bool manifest_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct manifest_args *a = arg;
	buf_reset(a->bytes);
	return image_table_get(conn, a->id, a->bytes, a->arena, &a->row, &a->found, err);
}

/* Reads the manifest for its annotations. *fits false: the arena is full. */
static bool add_referrer(struct list_args *a, const struct image_row *row, struct image *out,
	bool *fits, struct err *err)
{
	struct buf manifest CLEANUP(buf_fini) = { 0 };
	struct buf annotations CLEANUP(buf_fini) = { 0 };
	struct manifest_args m = { .id = row->id, .bytes = &manifest, .arena = arena_new(4 * KIB) };
	buf_init(&manifest, MANIFEST_STORED_MAX);
	buf_init(&annotations, MANIFEST_MAX_BYTES);
	image_from_row(row, out);
	*fits = true;
	bool ok = db_read(a->core->db, manifest_in, &m, err) &&
		  (!m.found || image_unseal(a->core, &m.row, &manifest, err));
	if (ok && m.found && manifest_annotations(buf_str(&manifest), &annotations)) {
		out->annotations = arena_str(a->arena, buf_str(&annotations));
		*fits = out->annotations.ptr != NULL;
	}
	arena_free(m.arena);
	return ok;
}

static bool referrers_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct list_args *a = arg;
	const struct referrer_query *q = a->query;
	a->row_count = 0;
	if (!find_repo(conn, a, err))
		return false;
	struct page page = { .after_id = q->after, .max = a->row_max, .arena = a->arena };
	if (a->key.id && !image_table_referrers(
				 conn, a->key.id, &q->subject, &page, a->rows, &a->row_count, err))
		return false;
	for (size_t i = 0; i < a->row_count; i++) {
		struct state_row state;
		if (!state_table_get(conn, a->rows[i].id, &state, err))
			return false;
		a->statuses[i] = (enum image_status)state.state;
	}
	return true;
}

/* Manifests are read one by one outside of the snapshot: their keys cannot be asked for inside. One
 * that was deleted meanwhile is told without annotations. */
static bool fill_referrers(struct list_args *a, struct err *err)
{
	struct image_page *p = &a->page;
	uint64_t read_bytes = 0;
	size_t i = 0;
	bool fits = true;
	p->next = (struct image_cursor){ .image_id = a->query->after };
	for (; i < a->row_count && p->count < a->limit; i++) {
		if (type_wanted(a->query, a->rows[i].artifact_type) &&
			status_passes(a->query->status, a->statuses[i])) {
			read_bytes += a->rows[i].manifest_bytes;
			if (read_bytes > READ_MAX && p->count > 0)
				break;
			if (!add_referrer(a, &a->rows[i], &p->items[p->count], &fits, err))
				return false;
			if (!fits && p->count == 0)
				return core_no_memory(a->arena, err);
			if (!fits)
				break;
			p->items[p->count++].status = a->statuses[i];
		}
		p->next.image_id = a->rows[i].id;
	}
	p->more = i < a->row_count || a->row_count == a->row_max;
	return true;
}

bool image_referrers(struct core *c, const struct registry_id *reg, const struct referrer_query *q,
	struct arena *arena, struct image_page *out, struct err *err)
{
	struct list_args a = { .core = c,
		.reg = reg,
		.repo = q->repo,
		.arena = arena,
		.limit = q->limit,
		.query = q };
	a.repo_may_miss = !q->repo_must_exist;
	a.row_max = q->type_count || q->status != STATUS_ACTIVE ? SCAN_MAX : q->limit + 1;
	a.page.items = arena_alloc(arena, sizeof(struct image) * (q->limit + 1));
	a.rows = arena_alloc(arena, sizeof(*a.rows) * a.row_max);
	a.statuses = arena_alloc(arena, sizeof(*a.statuses) * a.row_max);
	if (!a.page.items || !a.rows || !a.statuses)
		return core_no_memory(arena, err);
	if (!run(&a, referrers_in, err) || !fill_referrers(&a, err))
		return false;
	*out = a.page;
	return true;
}
