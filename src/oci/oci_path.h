/*
 * oci_path.h - what a path under /v2/ names: endpoint, repository, reference. Pure.
 *
 * A repository name may hold any of the words that endpoints end with ("a/blobs/uploads/tags/list"
 * lists the tags of "a/blobs/uploads"), so a path is read from its end. OCI distribution spec 1.1,
 * "Endpoints".
 */
#ifndef BERTH_OCI_OCI_PATH_H
#define BERTH_OCI_OCI_PATH_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum oci_endpoint {
	OCI_NOWHERE,  /* no endpoint ends like this */
	OCI_BAD_NAME, /* an endpoint, but its repository name breaks the grammar */
	OCI_BASE,
	OCI_CATALOG,
	OCI_TAGS,
	OCI_MANIFEST,
	OCI_BLOB,
	OCI_UPLOADS,
	OCI_UPLOADS_MOUNT,  /* OCI_UPLOADS with ?mount=; told by the query, never by oci_path_parse
			     */
	OCI_UPLOADS_SINGLE, /* likewise with ?digest= */
	OCI_UPLOAD,
	OCI_REFERRERS,
};

struct oci_path {
	enum oci_endpoint endpoint;
	struct str name;      /* of the repository, decoded; empty for OCI_BASE and OCI_CATALOG */
	struct str reference; /* tag, digest or upload id, decoded and not validated */
};

/* path: raw (percent-encoded). Each segment is decoded by itself: an encoded '/' never separates,
 * it makes a bad name. Errors: NAME_INVALID for an escape that does not decode or decodes to '/' or
 * NUL; INTERNAL when the arena is full. */
MUST_CHECK bool oci_path_parse(
	struct str path, struct arena *arena, struct oci_path *out, struct err *err);

#endif
