/*
 * manifest.h - what a manifest says: its kind, what it needs, its subject. Pure; the bytes
 * themselves are never changed. OCI image spec 1.1 (manifest, index), Docker image manifest v2
 * schema 2 and list. Unknown fields and media types are kept.
 */
#ifndef BERTH_REGISTRY_MANIFEST_H
#define BERTH_REGISTRY_MANIFEST_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"

#define MANIFEST_MAX_BYTES 4194304
/* What one may take in its row, sealed twice. Buffers that manifests are read into hold this much.
 */
#define MANIFEST_STORED_MAX (MANIFEST_MAX_BYTES + 128)

/* The needs of a manifest are allocated from the arena: this much serves the largest manifest that
 * is accepted. */
#define MANIFEST_ARENA_BYTES (4 * MIB)

enum manifest_kind { MANIFEST_IMAGE = 1, MANIFEST_INDEX = 2, MANIFEST_OTHER = 3 }; /* stored */

struct manifest_need {
	struct digest digest;
	uint64_t size_bytes;
	bool is_config;
	bool may_miss; /* a foreign layer, or of a type that Berth does not know: kept while the
			  image stands if the repository holds it, but not demanded */
};

struct manifest {
	enum manifest_kind kind;
	struct str media_type;    /* of the manifest */
	struct str artifact_type; /* artifactType, else config.mediaType for image manifests; may be
				     empty */
	struct str config_media_type;
	struct manifest_need *blobs; /* config and layers, without duplicates */
	size_t blob_count;
	struct digest *children; /* of an index, without duplicates */
	size_t child_count;
	bool has_subject;
	struct digest subject;
};

#define MANIFEST_NEEDS_MAX 10000 /* descriptors in one manifest */

/* content_type: what the client said (may be empty); it must agree with the manifest's own
 * mediaType where both are there. Errors: MANIFEST_INVALID with "Invalid parameter at
 * 'ImageManifest' failed to satisfy constraint: '...'". */
MUST_CHECK bool manifest_parse(struct str bytes, struct str content_type, struct arena *arena,
	struct manifest *out, struct err *err);

/* Appends the manifest's annotations as a JSON object; nothing when it has none. False: no JSON, or
 * out is full. */
struct buf;
bool manifest_annotations(struct str bytes, struct buf *out);

#endif
