/*
 * assets.h - the console's files, as they stand in the program.
 *
 * The table is made at build time (tools/embed_console.mjs) from what web/ is built to; a build
 * without Node has one page that says so (no_assets.c). Constant.
 */
#ifndef BERTH_CONSOLE_ASSETS_H
#define BERTH_CONSOLE_ASSETS_H

#include "base/str.h"

/* The same content as it goes over the wire. bytes NULL: this form would not be smaller. */
struct console_form {
	const unsigned char *bytes, *end;
};

struct console_asset {
	const char *path; /* below /console/: "index.html", "assets/app-4F2K.js" */
	const char *type;
	const char *hash;  /* of the plain content; part of its entity tags */
	bool is_immutable; /* its name changes with its content */
	struct console_form plain, gzip, brotli;
};

/* By path in byte order. */
extern const struct console_asset console_assets[];
extern const size_t console_asset_count;

#endif
