/*
 * sandbox_files.h - which files a running server may touch, as a ruleset of Landlock (Linux 5.13).
 *
 * Written to: the data folder, and the folder of the audit file. Read: those of certificates, and
 * what the system's libraries want for names, times and trust. Executed: nothing. From Linux 6.7
 * on no TCP port can be bound, from 6.12 on no process outside be signalled.
 */
#ifndef BERTH_APP_SANDBOX_FILES_H
#define BERTH_APP_SANDBOX_FILES_H

#include "app/config.h"
#include "app/folder.h"

/*
 * Makes the ruleset, for landlock_restrict_self. proc: a descriptor of /proc/self, which has to
 * stay open for as long as the rules are to hold. Owns: the caller closes *out_fd, before or after.
 * Errors: UNAVAILABLE, with what is missing in the message.
 */
MUST_CHECK bool sandbox_files_open(const struct config *c, const struct folder *folder, int proc,
	int *out_fd, unsigned *out_abi, struct err *err);
/* Applies it to the calling thread and those that it starts. Safe in a signal handler. */
MUST_CHECK bool sandbox_files_restrict(int fd);

#endif
