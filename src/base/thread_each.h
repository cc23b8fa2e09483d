/*
 * thread_each.h - runs a function once in every thread of the process: for what the kernel keeps
 * thread by thread, such as capabilities.
 *
 * It works by a signal, which thread_start leaves open. Threads of libraries may block it.
 */
#ifndef BERTH_BASE_THREAD_EACH_H
#define BERTH_BASE_THREAD_EACH_H

#include <signal.h>

#include "base/err.h"

/* The signal. glibc keeps the first real-time signals to itself and counts SIGRTMIN from there. */
#define THREAD_EACH_SIGNAL (SIGRTMIN + 6)

/* Runs inside a signal handler: may do only what signal-safety(7) allows. False: it failed. */
typedef bool (*thread_each_fn)(void *arg);

/*
 * Calls fn in the caller, then in each other thread, whoever started it and wherever it waits, and
 * waits for it. Threads that start meanwhile are found too; when their parent had fn already, they
 * get it once more. *out_deaf: how many block the signal, and were left out. A failure may leave
 * some threads with it and others without.
 * Errors: UNAVAILABLE  Threads: one caller in the process
 */
MUST_CHECK bool thread_each(thread_each_fn fn, void *arg, unsigned *out_deaf, struct err *err);

#endif
