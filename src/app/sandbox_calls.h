/*
 * sandbox_calls.h - which system calls a running server may make, as a filter of seccomp.
 *
 * The filter names what is refused (EPERM) rather than what is allowed: the C library and those for
 * TLS, DNS and the database choose their calls by version and machine, and a list of those would
 * break a server at an update of one of them, perhaps months later. What is refused is everything
 * that makes a process, runs a program, reaches into another process, changes identity, mounts,
 * names spaces, modules, the machine's clock and the like, or talks to a part of the kernel that is
 * not needed here.
 */
#ifndef BERTH_APP_SANDBOX_CALLS_H
#define BERTH_APP_SANDBOX_CALLS_H

#include "base/err.h"

/* For every thread of the process, at once. Errors: UNAVAILABLE, with what is missing in the
 * message. */
MUST_CHECK bool sandbox_calls_restrict(struct err *err);

#endif
