/* oci_wire.h - the small texts of the protocol: Content-Range of chunks, page sizes, Link, entity
 * tags. Pure. */
#ifndef BERTH_OCI_OCI_WIRE_H
#define BERTH_OCI_OCI_WIRE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* A chunk's place: "0-1023" (OCI spec 1.1 "Pushing a blob in chunks": no unit, inclusive); "bytes
 * 0-1023/2048" and "bytes 0-1023/" followed by '*' are tolerated. False when it is neither, or ends
 * before it starts. */
bool oci_chunk_range_parse(struct str text, uint64_t *out_first, uint64_t *out_last);

/* The parameter n of a list: digits; more than max means max. False for anything else. */
bool oci_page_size_parse(struct str text, unsigned max, unsigned *out);

/* Appends `<path?n=N&last=LAST>; rel="next"` (RFC 8288); extra: parameters to go first ("a=b&"),
 * already encoded. */
void oci_link_next(struct buf *out, struct str path, struct str extra, unsigned n, struct str last);

/* Whether an If-None-Match header lists the entity tag that is `etag` in quotes (RFC 9110 13.1.2:
 * weak comparison). */
bool oci_etag_is_listed(struct str header, struct str etag);

#endif
