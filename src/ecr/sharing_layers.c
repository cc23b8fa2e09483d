/* sharing_layers.c - the sharing API's layers: those that save most, who holds one, what a
 * repository and an image are made of; and what happened to tags. */
#include "ecr/image_ids.h"
#include "ecr/sharing.h"
#include "registry/image_layers.h"

/* What the caller may be told of others than the repository that it asked about. */
struct insight {
	bool registry;    /* may see how many hold a layer */
	struct str asked; /* the source that was asked about last, and what came of it */
	bool may_see;
};

static bool is_allowed(
	struct ecr_call *call, const char *action, struct str repo, bool *out, struct err *err)
{
	*out = ecr_allow(call, action, repo, err);
	return *out || err->kind == ERR_DENIED;
}

static bool insight_init(struct ecr_call *call, struct insight *in, struct err *err)
{
	*in = (struct insight){ 0 };
	return is_allowed(
		call, "ecr:DescribeRegistry", (struct str){ NULL, 0 }, &in->registry, err);
}

/* origin, sourceRepositoryName, linkedAt. Neighbors in a list mostly have the same source. */
static bool put_origin(struct ecr_call *call, struct json_out *out, struct insight *in,
	const struct sharing_holding *h, struct err *err)
{
	jo_c(out, "origin", h->is_mounted ? "MOUNTED" : "UPLOADED");
	if (h->is_mounted && h->source.len) {
		if (!in->registry && !str_eq(in->asked, h->source)) {
			if (!is_allowed(
				    call, "ecr:DescribeRepositories", h->source, &in->may_see, err))
				return false;
			in->asked = h->source;
		}
		if (in->registry || in->may_see)
			jo_str(out, "sourceRepositoryName", h->source);
	}
	jo_time(out, "linkedAt", h->linked_at_ms);
	return true;
}

static void put_layer_place(struct json_out *out, const struct sharing_layer *l)
{
	sharing_put_pool(out, &l->pool);
	jo_int(out, "holders", l->holders);
	jo_int(out, "savedBytes", l->saved_bytes);
	jo_time(out, "createdAt", l->created_at_ms);
}

bool ecr_list_layer_sharing(struct ecr_call *call, struct json_out *out, struct err *err)
{
	char text[DIGEST_TEXT_MAX];
	struct sharing_layer_query q = { .from = SHARING_START,
		.limit = ecr_max_results(call, 100) };
	struct sharing_layers page;
	if (!sharing_input_pool(call, &q.pool, err))
		return false;
	struct str bound = arena_printf(
		call->arena, "%d " STR_FMT, (int)q.pool.enc_type, STR_ARG(q.pool.kms_key));
	if (bound.ptr == NULL)
		return ecr_out_of_memory(call->arena, err);
	if (!sharing_open_cursor(call, bound, &q.from, err) ||
		!sharing_layers(call->core, &call->reg, &q, call->arena, &page, err))
		return false;
	jo_array(out, "layers");
	for (size_t i = 0; i < page.count; i++) {
		const struct sharing_layer *l = &page.items[i];
		jo_object(out, NULL);
		jo_c(out, "layerDigest", digest_text(&l->digest, text));
		jo_int(out, "layerSize", l->size_bytes);
		jo_int(out, "logicalBytes", l->size_bytes * l->holders);
		put_layer_place(out, l);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	return !page.more || sharing_put_cursor(call, out, bound, &page.next, err);
}

static bool input_digest(struct ecr_call *call, struct digest *out, struct err *err)
{
	struct err why;
	if (digest_parse(json_get_str(call->input, "layerDigest"), out, &why))
		return true;
	return ecr_bad_parameter(err, "layerDigest", "Invalid digest");
}

bool ecr_describe_layer(struct ecr_call *call, struct json_out *out, struct err *err)
{
	char text[DIGEST_TEXT_MAX];
	struct sharing_page from = { .limit = ecr_max_results(call, 100) };
	struct insight in = { .registry = true }; /* asked for already */
	struct sharing_holdings page;
	struct digest d;
	if (!input_digest(call, &d, err))
		return false;
	struct str bound = str_from(digest_text(&d, text));
	if (!sharing_open_cursor(call, bound, &from.from, err) ||
		!sharing_layer(call->core, &call->reg, &d, &from, call->arena, &page, err))
		return false;
	jo_c(out, "layerDigest", text);
	jo_int(out, "layerSize", page.pools[0].size_bytes);
	jo_array(out, "pools");
	for (size_t i = 0; i < page.pool_count; i++) {
		jo_object(out, NULL);
		put_layer_place(out, &page.pools[i]);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	jo_array(out, "holders");
	for (size_t i = 0; i < page.count; i++) {
		const struct sharing_holding *h = &page.items[i];
		jo_object(out, NULL);
		jo_str(out, "repositoryName", h->repo);
		sharing_put_pool(out, &h->pool);
		if (!put_origin(call, out, &in, h, err))
			return false;
		jo_bool(out, "inUse", h->is_needed);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	return !page.more || sharing_put_cursor(call, out, bound, &page.next, err);
}

bool ecr_list_repository_layers(struct ecr_call *call, struct json_out *out, struct err *err)
{
	char text[DIGEST_TEXT_MAX];
	struct sharing_page from = { .limit = ecr_max_results(call, 100) };
	struct sharing_holdings page;
	struct insight in;
	if (!insight_init(call, &in, err) || !sharing_open_cursor(call, STR(""), &from.from, err) ||
		!sharing_held(call->core, &call->reg, call->repo, &from, call->arena, &page, err))
		return false;
	ecr_put_place(call, out);
	jo_array(out, "layers");
	for (size_t i = 0; i < page.count; i++) {
		const struct sharing_holding *h = &page.items[i];
		jo_object(out, NULL);
		jo_c(out, "layerDigest", digest_text(&h->digest, text));
		jo_int(out, "layerSize", h->size_bytes);
		if (!put_origin(call, out, &in, h, err))
			return false;
		jo_bool(out, "inUse", h->is_needed);
		if (in.registry)
			jo_int(out, "holders", h->holders);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	return !page.more || sharing_put_cursor(call, out, STR(""), &page.next, err);
}

/* --- an image --- */

static bool put_image_layer(struct ecr_call *call, struct json_out *out, struct insight *in,
	const struct image_layer *l, struct err *err)
{
	char text[DIGEST_TEXT_MAX];
	jo_object(out, NULL);
	jo_c(out, "layerDigest", digest_text(&l->holding.digest, text));
	jo_str(out, "mediaType", l->media_type);
	jo_int(out, "layerSize", l->holding.size_bytes);
	jo_c(out, "kind", l->is_config ? "CONFIG" : "LAYER");
	jo_bool(out, "isHeld", l->is_held);
	if (l->is_held && !put_origin(call, out, in, &l->holding, err))
		return false;
	if (l->is_held && in->registry)
		jo_int(out, "holders", l->holding.holders);
	jo_end(out, '}');
	return true;
}

static void put_text(struct json_out *out, const char *name, struct str text)
{
	if (text.len)
		jo_str(out, name, text);
}

static void put_part(struct json_out *out, const struct image_part *p)
{
	char text[DIGEST_TEXT_MAX];
	jo_object(out, NULL);
	jo_c(out, "imageDigest", digest_text(&p->digest, text));
	jo_str(out, "mediaType", p->media_type);
	jo_int(out, "size", p->size_bytes);
	put_text(out, "artifactType", p->artifact_type);
	if (p->has_platform) {
		jo_object(out, "platform");
		put_text(out, "os", p->os);
		put_text(out, "architecture", p->architecture);
		put_text(out, "variant", p->variant);
		put_text(out, "osVersion", p->os_version);
		jo_end(out, '}');
	}
	jo_end(out, '}');
}

bool ecr_describe_image_layers(struct ecr_call *call, struct json_out *out, struct err *err)
{
	char text[DIGEST_TEXT_MAX];
	struct image_id id = image_id_get(json_get(call->input, "imageId"));
	struct image_layers found;
	struct image_ref ref;
	struct insight in;
	struct image_failure failure = image_id_parse(id, &ref);
	if (failure.code != NULL && strcmp(failure.code, "ImageNotFound") == 0)
		return ecr_image_not_found(call, id, err);
	if (failure.code != NULL)
		return ecr_bad_parameter(err, "imageId", STR_FMT, STR_ARG(failure.reason));
	if (!insight_init(call, &in, err))
		return false;
	if (!image_layers_read(call->core, &call->reg, call->repo, &ref, call->arena, &found, err))
		return err->kind == ERR_IMAGE_UNKNOWN ? ecr_image_not_found(call, id, err) : false;
	ecr_put_place(call, out);
	id.digest = str_from(digest_text(&found.image.digest, text));
	image_id_put(out, "imageId", id);
	jo_str(out, "imageManifestMediaType", found.image.media_type);
	put_text(out, "artifactMediaType", found.image.artifact_type);
	if (found.image.has_subject)
		jo_c(out, "subjectManifestDigest", digest_text(&found.image.subject, text));
	jo_array(out, "layers");
	for (size_t i = 0; i < found.layer_count; i++) {
		if (!put_image_layer(call, out, &in, &found.layers[i], err))
			return false;
	}
	jo_end(out, ']');
	jo_array(out, "manifests");
	for (size_t i = 0; i < found.part_count; i++)
		put_part(out, &found.parts[i]);
	jo_end(out, ']');
	if (found.is_partial)
		jo_bool(out, "isPartial", true);
	return true;
}

/* --- tags --- */

bool ecr_list_tag_history(struct ecr_call *call, struct json_out *out, struct err *err)
{
	char text[DIGEST_TEXT_MAX];
	struct str tag = json_get_str(call->input, "imageTag");
	struct str bound = tag.ptr ? tag : STR("");
	struct sharing_cursor at = { 0, INT64_MAX };
	struct tag_events_query q = {
		.repo = call->repo, .tag = tag, .limit = ecr_max_results(call, 100)
	};
	struct tag_events page;
	if (!sharing_open_cursor(call, bound, &at, err))
		return false;
	q.before = at.id;
	if (!image_tag_history(call->core, &call->reg, &q, call->arena, &page, err))
		return false;
	ecr_put_place(call, out);
	jo_array(out, "events");
	for (size_t i = 0; i < page.count; i++) {
		const struct tag_event *e = &page.items[i];
		jo_object(out, NULL);
		jo_str(out, "imageTag", e->tag);
		jo_time(out, "at", e->at_ms);
		jo_c(out, "action", e->is_removal ? "REMOVED" : "SET");
		jo_c(out, "imageDigest", digest_text(&e->digest, text));
		if (e->has_previous)
			jo_c(out, "previousImageDigest", digest_text(&e->previous, text));
		if (e->principal.len)
			jo_str(out, "principal", e->principal);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	at = (struct sharing_cursor){ 0, page.next };
	return !page.more || sharing_put_cursor(call, out, bound, &at, err);
}
