#include <assert.h>

#include "base/mem.h"
#include "iam/iam_key.h"
#include "iam/iam_priv.h"

static_assert((int)IAM_TYPE_USER == (int)IAM_USER && (int)IAM_TYPE_OIDC == (int)IAM_OIDC,
	"types are kinds of rows");

#define STACK_BYTES (256 * KIB)

static void iam_closep(struct iam **i)
{
	iam_close(*i);
}

bool iam_open(struct db *db, const struct secret *secrets_key, struct iam **out, struct err *err)
{
	struct iam *i CLEANUP(iam_closep) = xmalloc(sizeof(*i));
	i->db = db;
	if (secrets_key != NULL)
		i->secrets_key = *secrets_key;
	mutex_init(&i->lock, "iam_notes");
	cond_init(&i->wake);
	i->notes = xcalloc(IAM_USES_MAX, sizeof(*i->notes));
	atomic_store(&i->generation, 1);
	if (!thread_start("iam", iam_key_writer, i, STACK_BYTES, &i->writer, err))
		return false;
	*out = i;
	i = NULL;
	return true;
}

void iam_close(struct iam *i)
{
	if (i == NULL)
		return;
	mutex_lock(&i->lock);
	i->is_stopping = true;
	cond_signal(&i->wake);
	mutex_unlock(&i->lock);
	thread_join(i->writer);
	cond_fini(&i->wake);
	mutex_fini(&i->lock);
	freep(&i->notes);
	secret_wipe(&i->secrets_key);
	freep(&i);
}

uint64_t iam_generation(const struct iam *i)
{
	return atomic_load(&i->generation);
}

bool iam_write(struct iam *i, db_fn fn, void *arg, struct err *err)
{
	bool done = db_write(i->db, fn, arg, err);
	atomic_fetch_add(&i->generation, 1); /* also when it failed: who knows how far it came */
	return done;
}

struct iam_entity iam_from_row(const struct iam_row *row)
{
	return (struct iam_entity){
		.id = row->id,
		.type = (enum iam_type)row->kind,
		.account = row->account,
		.name = row->name,
		.path = row->path,
		.uid = row->uid,
		.description = row->description,
		.document = row->document,
		.boundary = row->boundary,
		.max_session_s = row->max_session_s,
		.version = row->version,
		.created_at_ms = row->created_at_ms,
		.updated_at_ms = row->updated_at_ms,
	};
}

bool iam_no_memory(const struct arena *arena, struct err *err)
{
	return arena_err(arena, "IAM", err);
}

struct str iam_name_key(struct arena *arena, struct str name)
{
	char *p = arena_alloc(arena, name.len + 1);
	if (p == NULL)
		return (struct str){ NULL, 0 };
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		p[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
	return (struct str){ p, name.len };
}

const char *iam_type_word(enum iam_type type)
{
	switch (type) {
	case IAM_TYPE_USER:
		return "user";
	case IAM_TYPE_GROUP:
		return "group";
	case IAM_TYPE_ROLE:
		return "role";
	case IAM_TYPE_POLICY:
		return "policy";
	case IAM_TYPE_OIDC:
		return "oidc-provider";
	}
	return "";
}

struct str iam_arn(struct arena *arena, const struct iam_entity *e)
{
	return arena_printf(arena, "arn:aws:iam::" STR_FMT ":%s" STR_FMT STR_FMT,
		STR_ARG(e->account), iam_type_word(e->type), STR_ARG(e->path), STR_ARG(e->name));
}

bool iam_arn_parse(struct str arn, enum iam_type type, struct iam_ref *out, struct str *out_path)
{
	const struct str head = STR("arn:aws:iam::");
	struct str account;
	struct str rest;
	struct str word = str_from(iam_type_word(type));
	if (!str_starts(arn, head) ||
		!str_cut(str_sub(arn, head.len, arn.len), ':', &account, &rest) ||
		!str_starts(rest, word) || rest.len < word.len + 2 || rest.ptr[word.len] != '/')
		return false;
	struct str name = str_sub(rest, word.len, rest.len);
	size_t slash = 0; /* the last one; a provider's URL has slashes of its own */
	for (size_t i = 0; type != IAM_TYPE_OIDC && i < name.len; i++)
		slash = name.ptr[i] == '/' ? i : slash;
	*out = (struct iam_ref){
		.account = account,
		.type = type,
		.name = str_sub(name, slash + 1, name.len),
	};
	*out_path = str_sub(name, 0, slash + 1);
	return out->name.len != 0;
}

size_t iam_document_size(struct str document)
{
	size_t n = 0;
	for (size_t i = 0; i < document.len; i++) {
		unsigned char c = (unsigned char)document.ptr[i];
		/* Characters, not bytes: what continues one in UTF-8 does not count. */
		n += c != ' ' && c != '\t' && c != '\r' && c != '\n' && (c & 0xc0) != 0x80;
	}
	return n;
}

static bool unknown(const struct iam_ref *ref, struct err *err)
{
	if (ref->type == IAM_TYPE_OIDC)
		return err_set(err, ERR_INVALID,
			"NoSuchEntity: OpenIDConnect Provider not found for arn arn:aws:iam::" STR_FMT
			":oidc-provider/" STR_FMT,
			STR_ARG(ref->account), STR_ARG(ref->name));
	if (ref->type == IAM_TYPE_POLICY)
		return err_set(err, ERR_INVALID, "NoSuchEntity: Policy " STR_FMT " was not found.",
			STR_ARG(ref->name));
	return err_set(err, ERR_INVALID,
		"NoSuchEntity: The %s with name " STR_FMT " cannot be found.",
		iam_type_word(ref->type), STR_ARG(ref->name));
}

bool iam_row_get(struct db_conn *c, const struct iam_ref *ref, struct arena *arena,
	struct iam_row *out, struct err *err)
{
	bool found = false;
	const struct iam_name name = { ref->account, (enum iam_kind)ref->type,
		iam_name_key(arena, ref->name) };
	if (name.name_key.ptr == NULL)
		return iam_no_memory(arena, err);
	if (!iam_table_find(c, &name, arena, out, &found, err))
		return false;
	return found || unknown(ref, err);
}

bool iam_row_find_policy(struct db_conn *c, struct str account, struct str arn, struct arena *arena,
	struct iam_row *out, bool *found, struct err *err)
{
	struct iam_ref ref;
	struct str path;
	*found = false;
	if (!iam_arn_parse(arn, IAM_TYPE_POLICY, &ref, &path) || !str_eq(ref.account, account))
		return true;
	const struct iam_name name = { account, IAM_POLICY, iam_name_key(arena, ref.name) };
	if (name.name_key.ptr == NULL)
		return iam_no_memory(arena, err);
	if (!iam_table_find(c, &name, arena, out, found, err))
		return false;
	*found = *found && str_eq(out->path, path) && str_eq(out->name, ref.name);
	return true;
}

struct by_ref {
	const struct iam_ref *ref;
	int64_t id;
	struct arena *arena;
	struct iam_row row;
	bool found;
};

static bool read_ref(struct db_conn *c, void *arg, struct err *err)
{
	struct by_ref *b = arg;
	return iam_row_get(c, b->ref, b->arena, &b->row, err);
}

bool iam_get(struct iam *i, const struct iam_ref *ref, struct arena *arena, struct iam_entity *out,
	struct err *err)
{
	struct by_ref b = { .ref = ref, .arena = arena };
	if (!db_read(i->db, read_ref, &b, err))
		return false;
	*out = iam_from_row(&b.row);
	return true;
}

static bool read_id(struct db_conn *c, void *arg, struct err *err)
{
	struct by_ref *b = arg;
	return iam_table_find_id(c, b->id, b->arena, &b->row, &b->found, err);
}

bool iam_find_id(struct iam *i, int64_t id, struct arena *arena, struct iam_entity *out,
	bool *found, struct err *err)
{
	struct by_ref b = { .id = id, .arena = arena };
	if (!db_read(i->db, read_id, &b, err))
		return false;
	if (b.found)
		*out = iam_from_row(&b.row);
	*found = b.found;
	return true;
}

struct listing {
	const struct iam_list *list;
	const struct iam_ref *of; /* NULL: of the account */
	struct arena *arena;
	struct iam_row *rows;
	size_t count;
};

static bool read_list(struct db_conn *c, void *arg, struct err *err)
{
	struct listing *l = arg;
	struct iam_page page = {
		.account = l->list->account,
		.kind = (enum iam_kind)l->list->type,
		.path_prefix = l->list->path_prefix,
		.after = iam_name_key(l->arena, l->list->after),
		.limit = l->list->limit,
	};
	struct iam_row of = { .id = 0 };
	if (l->of == NULL)
		return iam_table_list(c, &page, l->arena, l->rows, &l->count, err);
	return iam_row_get(c, l->of, l->arena, &of, err) &&
	       iam_member_table_list(c, &page, of.id, l->arena, l->rows, &l->count, err);
}

static bool list(struct iam *i, struct listing *l, const struct iam_entity **out, size_t *out_n,
	struct err *err)
{
	assert(l->list->limit <= IAM_PAGE_MAX + 1);
	l->rows = arena_alloc(l->arena, l->list->limit * sizeof(*l->rows));
	struct iam_entity *entities =
		arena_alloc(l->arena, l->list->limit * sizeof(struct iam_entity));
	if (l->rows == NULL || entities == NULL)
		return iam_no_memory(l->arena, err);
	if (!db_read(i->db, read_list, l, err))
		return false;
	for (size_t n = 0; n < l->count; n++)
		entities[n] = iam_from_row(&l->rows[n]);
	*out = entities;
	*out_n = l->count;
	return true;
}

bool iam_list(struct iam *i, const struct iam_list *page, struct arena *arena,
	const struct iam_entity **out, size_t *out_n, struct err *err)
{
	struct listing l = { .list = page, .arena = arena };
	return list(i, &l, out, out_n, err);
}

bool iam_member_list(struct iam *i, const struct iam_ref *of, const struct iam_list *page,
	struct arena *arena, const struct iam_entity **out, size_t *out_n, struct err *err)
{
	struct listing l = { .list = page, .of = of, .arena = arena };
	return list(i, &l, out, out_n, err);
}
