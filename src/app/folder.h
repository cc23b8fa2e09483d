/*
 * folder.h - the data folder: where things are in it, and who may write to it.
 *
 *     berth.db  database        blobs/  bytes of layers       lock  flock'ed by the running server
 *     credentials, config       the first access key and the Region (AWS tools' formats)
 */
#ifndef BERTH_APP_FOLDER_H
#define BERTH_APP_FOLDER_H

#include <limits.h>

#include "app/config.h"

struct folder {
	char path[PATH_MAX]; /* absolute */
	int lock_fd;         /* -1: not locked */
};

/* For the server: makes the folder (0700) when it is missing, and locks it. Errors: CONFIG, the
 * whole line ("--data /srv/berth: in use by another server (process 123)"). */
MUST_CHECK bool folder_take(const struct config *c, struct folder *out, struct err *err);
/* For tools: the folder must hold a database; nothing is locked. Errors: CONFIG, the whole line. */
MUST_CHECK bool folder_find(const struct config *c, struct folder *out, struct err *err);
void folder_close(struct folder *f); /* unlocks */

/* "<folder>/name". False (CONFIG) when it would be too long for the system. */
MUST_CHECK bool folder_path(
	const struct folder *f, const char *name, char out[PATH_MAX], struct err *err);

#endif
