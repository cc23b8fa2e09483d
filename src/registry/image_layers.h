/* image_layers.h - what an image is made of, in its manifest's order, and where each layer came
 * from; what happened to a repository's tags. */
#ifndef BERTH_REGISTRY_IMAGE_LAYERS_H
#define BERTH_REGISTRY_IMAGE_LAYERS_H

#include "registry/image.h"
#include "registry/sharing.h"

#define IMAGE_PARTS_MAX 1000 /* layers, or manifests of an index, that are told */

struct image_layer {
	struct str media_type;
	bool is_config, is_held;
	struct sharing_holding holding; /* digest and size also of what is not held */
};

/* One manifest of an index. Texts may be empty. */
struct image_part {
	struct digest digest;
	struct str media_type, artifact_type;
	int64_t size_bytes;
	bool has_platform;
	struct str os, architecture, variant, os_version;
};

struct image_layers {
	struct image image;
	struct image_layer *layers; /* the configuration first */
	size_t layer_count;
	struct image_part *parts;
	size_t part_count;
	bool is_partial;
};

/* Errors: REPO_UNKNOWN, IMAGE_UNKNOWN, IMAGE_ARCHIVED. */
MUST_CHECK bool image_layers_read(struct core *c, const struct registry_id *reg, struct str repo,
	const struct image_ref *ref, struct arena *arena, struct image_layers *out,
	struct err *err);

struct tag_event {
	struct str tag;
	int64_t at_ms;
	bool is_removal;
	struct digest digest;
	bool has_previous;
	struct digest previous;
	struct str principal; /* ARN, "lifecycle", or empty: not known */
};

struct tag_events {
	struct tag_event *items; /* newest first */
	size_t count;
	bool more;
	int64_t next;
};

/* Of one tag, or, tag empty, of all. */
struct tag_events_query {
	struct str repo, tag;
	int64_t before; /* INT64_MAX, or the last page's next */
	unsigned limit; /* 1..1000 */
};

/* Errors: REPO_UNKNOWN. */
MUST_CHECK bool image_tag_history(struct core *c, const struct registry_id *reg,
	const struct tag_events_query *q, struct arena *arena, struct tag_events *out,
	struct err *err);

#endif
