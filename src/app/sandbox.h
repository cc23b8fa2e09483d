/*
 * sandbox.h - what a running server gives up once it has opened everything: files
 * (sandbox_files.h), system calls (sandbox_calls.h), new privileges, capabilities.
 *
 * It cannot be left again, and holds for every thread, also those of libraries and those that start
 * later. Ports are bound, keys read and an HSM's module is done with before.
 */
#ifndef BERTH_APP_SANDBOX_H
#define BERTH_APP_SANDBOX_H

#include "app/config.h"
#include "app/folder.h"
#include "base/buf.h"
#include "base/log.h"

struct sandbox {
	unsigned files_abi; /* of Landlock; 0: any file may be touched */
	bool has_calls;     /* system calls are filtered */
	bool has_no_new_privileges;
	bool has_no_capabilities;
	int proc_fd; /* keeps the rules for /proc/self; -1: none */
};

/*
 * Enters it, as far as --sandbox asks and the kernel can, and logs one line of what holds and one
 * for each part that does not.
 * Errors: CONFIG when --sandbox require cannot be had; UNAVAILABLE when some thread has less than
 * others, which nothing may run with.
 */
MUST_CHECK bool sandbox_enter(const struct config *c, const struct folder *folder, struct log *log,
	struct sandbox *out, struct err *err);
void sandbox_close(struct sandbox *s);
void sandbox_render_metrics(const struct sandbox *s, struct buf *out);

#endif
