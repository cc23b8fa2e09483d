/*
 * range.h - Range, If-Range, If-Match and If-None-Match: what they ask of a representation. Pure
 * functions over RFC 9110 sections 8.8.3, 13 and 14; no request, no response.
 */
#ifndef BERTH_HTTP_RANGE_H
#define BERTH_HTTP_RANGE_H

#include "base/str.h"

/* More than this in one header is answered with the whole object: RFC 9110 14.2 warns of many small
 * ranges. */
#define RANGE_MAX 16

struct range {
	uint64_t first, last; /* inclusive, inside the object */
};

enum range_result {
	RANGE_WHOLE,        /* no usable Range: send everything */
	RANGE_PARTIAL,      /* *count ranges, ascending and disjoint */
	RANGE_UNSATISFIABLE /* 416 */
};

/* Parses a Range header (ptr NULL: absent) against an object of size bytes. out holds RANGE_MAX;
 * written only for PARTIAL. */
enum range_result range_parse(
	struct str header, uint64_t size, struct range *out, size_t *out_count);

/* True when a list of entity tags ("*" or a comma-separated list) names the tag. Tags are given
 * without quotes. Strong comparison (If-Match) never matches a weak tag; weak comparison
 * (If-None-Match) ignores W/. */
bool range_etag_listed(struct str header, struct str etag, bool is_strong);

/* If-Range: true when the ranges may be served, that is when it is absent or strongly equal to the
 * tag. A date never is: objects have no Last-Modified. */
bool range_if_range(struct str header, struct str etag);

#endif
