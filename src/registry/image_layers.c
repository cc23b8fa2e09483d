#include "registry/image_layers.h"

#include "base/json.h"
#include "meta/tag_event_table.h"
#include "registry/image_priv.h"
#include "registry/sharing_priv.h"

struct layers_args {
	int64_t registry_id;
	const struct registry_id *reg;
	struct str repo;
	struct arena *arena;
	struct image_layers *out;
};

/* Who holds each layer, in one snapshot. */
static bool look_up(struct db_conn *conn, void *arg, struct err *err)
{
	struct layers_args *a = arg;
	struct repo_key key;
	if (!repo_table_key(conn, a->registry_id, a->repo, &key, err))
		return false;
	if (!key.id)
		return core_repo_unknown(a->reg, a->repo, err);
	for (size_t i = 0; i < a->out->layer_count; i++) {
		struct image_layer *l = &a->out->layers[i];
		struct holding_row row;
		if (!sharing_table_held_one(
			    conn, &key, &l->holding.digest, a->arena, &row, &l->is_held, err))
			return false;
		if (!l->is_held)
			continue;
		l->holding.size_bytes = row.size_bytes;
		l->holding.holders = row.links;
		l->holding.is_mounted = row.origin == LINK_MOUNTED;
		l->holding.source = row.source;
		l->holding.linked_at_ms = row.linked_at_ms;
		l->holding.is_needed = row.needs > 0;
	}
	return true;
}

static struct str text_of(struct arena *arena, const struct json *v, const char *name)
{
	return arena_str(arena, json_get_str(v, name));
}

/* A descriptor of an image: what has no digest that can be read was not needed either. */
static void add_layer(struct layers_args *a, const struct json *v, bool is_config)
{
	struct image_layers *out = a->out;
	struct image_layer l = { .is_config = is_config };
	struct err why;
	if (!digest_parse(json_get_str(v, "digest"), &l.holding.digest, &why))
		return;
	if (out->layer_count == IMAGE_PARTS_MAX) {
		out->is_partial = true;
		return;
	}
	l.media_type = text_of(a->arena, v, "mediaType");
	l.holding.size_bytes = json_int(json_get(v, "size"), 0);
	out->layers[out->layer_count++] = l;
}

static void add_part(struct layers_args *a, const struct json *v)
{
	const struct json *platform = json_get(v, "platform");
	struct image_layers *out = a->out;
	struct image_part p = { .has_platform = json_type(platform) == JSON_OBJECT };
	struct err why;
	if (!digest_parse(json_get_str(v, "digest"), &p.digest, &why))
		return;
	if (out->part_count == IMAGE_PARTS_MAX) {
		out->is_partial = true;
		return;
	}
	p.media_type = text_of(a->arena, v, "mediaType");
	p.artifact_type = text_of(a->arena, v, "artifactType");
	p.size_bytes = json_int(json_get(v, "size"), 0);
	p.os = text_of(a->arena, platform, "os");
	p.architecture = text_of(a->arena, platform, "architecture");
	p.variant = text_of(a->arena, platform, "variant");
	p.os_version = text_of(a->arena, platform, "os.version");
	out->parts[out->part_count++] = p;
}

static void read_manifest(struct layers_args *a, const struct json *root)
{
	const struct json *layers = json_get(root, "layers");
	const struct json *manifests = json_get(root, "manifests");
	if (json_type(json_get(root, "config")) == JSON_OBJECT)
		add_layer(a, json_get(root, "config"), true);
	for (size_t i = 0; json_type(layers) == JSON_ARRAY && i < json_len(layers); i++)
		add_layer(a, json_at(layers, i), false);
	for (size_t i = 0; json_type(manifests) == JSON_ARRAY && i < json_len(manifests); i++)
		add_part(a, json_at(manifests, i));
}

bool image_layers_read(struct core *c, const struct registry_id *reg, struct str repo,
	const struct image_ref *ref, struct arena *arena, struct image_layers *out, struct err *err)
{
	struct buf bytes CLEANUP(buf_fini);
	struct json *root CLEANUP(json_freep) = NULL;
	struct image_layers found = {
		.layers = arena_alloc(arena, IMAGE_PARTS_MAX * sizeof(*found.layers)),
		.parts = arena_alloc(arena, IMAGE_PARTS_MAX * sizeof(*found.parts)),
	};
	struct layers_args a = { .reg = reg, .repo = repo, .arena = arena, .out = &found };
	struct image_want want = { repo, ref, &bytes };
	struct err why;
	buf_init(&bytes, MANIFEST_STORED_MAX);
	if (!found.layers || !found.parts)
		return core_no_memory(arena, err);
	if (!image_get(c, reg, &want, arena, &found.image, err) ||
		!core_registry(c, reg, false, &a.registry_id, err))
		return false;
	/* A manifest was parsed when it came: one that cannot be read now has no layers to tell. */
	if (json_parse(found.image.bytes, &root, &why))
		read_manifest(&a, root);
	if (!db_read(c->db, look_up, &a, err))
		return false;
	found.image.bytes = (struct str){ NULL, 0 };
	*out = found;
	return true;
}

/* --- what happened to tags --- */

struct history_args {
	const struct registry_id *reg;
	int64_t registry_id;
	const struct tag_events_query *q;
	struct arena *arena;
	struct tag_event_rows found;
};

static bool history_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct history_args *a = arg;
	struct repo_key key;
	if (!repo_table_key(conn, a->registry_id, a->q->repo, &key, err))
		return false;
	if (!key.id)
		return core_repo_unknown(a->reg, a->q->repo, err);
	struct tag_event_query q = { key.id, a->q->before, a->q->tag };
	return tag_event_table_list(conn, &q, a->arena, &a->found, err);
}

bool image_tag_history(struct core *c, const struct registry_id *reg,
	const struct tag_events_query *q, struct arena *arena, struct tag_events *out,
	struct err *err)
{
	struct history_args a = { .reg = reg, .q = q, .arena = arena };
	a.found.max = (size_t)q->limit + 1;
	a.found.rows = arena_alloc(arena, a.found.max * sizeof(*a.found.rows));
	struct tag_events page = { .items = arena_alloc(arena, a.found.max * sizeof(*page.items)) };
	if (!page.items || !a.found.rows)
		return core_no_memory(arena, err);
	if (!core_check_name(q->repo, err) || !core_registry(c, reg, false, &a.registry_id, err))
		return false;
	if (!a.registry_id)
		return core_repo_unknown(reg, q->repo, err);
	if (!db_read(c->db, history_in, &a, err))
		return false;
	page.more = a.found.count > q->limit;
	page.count = page.more ? q->limit : a.found.count;
	for (size_t i = 0; i < page.count; i++) {
		const struct tag_event_row *r = &a.found.rows[i];
		page.items[i] = (struct tag_event){
			.tag = r->name,
			.at_ms = r->at_ms,
			.is_removal = r->action == TAG_REMOVED,
			.digest = r->digest,
			.has_previous = r->has_previous,
			.previous = r->previous,
			.principal = r->principal,
		};
		page.next = r->seq;
	}
	*out = page;
	return true;
}
