/*
 * verify.h - checks that every promise holds on disk: rows against bytes, links and counts against
 * rows, objects that nothing names. Safe while the server runs: what may be in flight (younger than
 * a few minutes, or changed meanwhile) is looked at twice.
 */
#ifndef BERTH_REGISTRY_VERIFY_H
#define BERTH_REGISTRY_VERIFY_H

#include "registry/core.h"

enum verify_kind {
	VERIFY_DAMAGE,
	VERIFY_ORPHAN,
	VERIFY_COUNT,
	VERIFY_LOCKED
}; /* lost or wrong bytes; bytes without a row; accounting that is off; a pool whose key cannot be
      used now, so that what it holds could not be read, which says nothing about it */

struct verify_options {
	bool deep; /* re-hash every blob, and read again what every manifest needs */
	/* One finding, in words that name digest, repository or object; locked pools come last. */
	void (*finding)(void *arg, enum verify_kind kind, struct str text);
	/* Now and then, for a progress line: phase name, done and total units (bytes when deep).
	 * May be NULL. */
	void (*progress)(void *arg, const char *phase, uint64_t done, uint64_t total);
	void *arg;
};

struct verify_report {
	uint64_t blobs, bytes, links, images, tags, uploads, objects;
	uint64_t damaged, orphans, miscounts, locked; /* of the last: pools */
};

MUST_CHECK bool verify_run(
	struct core *c, const struct verify_options *o, struct verify_report *out, struct err *err);

#endif
