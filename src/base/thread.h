/* thread.h - named mutexes that know their owner, conditions, threads that are always joined. */
#ifndef BERTH_BASE_THREAD_H
#define BERTH_BASE_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"

struct mutex {
	pthread_mutex_t m;
	const char *name;
	_Atomic(pthread_t) owner;
	atomic_bool held;
};

struct cond {
	pthread_cond_t c; /* CLOCK_MONOTONIC */
};

void mutex_init(struct mutex *m, const char *name); /* aborts on failure */
void mutex_fini(struct mutex *m);
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);
void mutex_assert_held(const struct mutex *m);
/* LOCKED(&m); holds m to the end of the scope. */
#define LOCKED_CAT2(a, b) a##b
#define LOCKED_CAT(a, b)  LOCKED_CAT2(a, b)
#define LOCKED(m)                                                                   \
	struct mutex *LOCKED_CAT(locked_, __LINE__) CLEANUP(mutex_unlockp) UNUSED = \
		mutex_lock_get(m)
struct mutex *mutex_lock_get(struct mutex *m);
void mutex_unlockp(struct mutex **m);

void cond_init(struct cond *c);
void cond_fini(struct cond *c);
void cond_wait(struct cond *c, struct mutex *m);
/* False when timeout_ms passed without a wake-up. */
bool cond_wait_ms(struct cond *c, struct mutex *m, int64_t timeout_ms);
void cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);

typedef void (*thread_fn)(void *arg);
struct thread;
/* name: at most 15 characters. All signals but that of
 * thread_each.h are blocked in it. stack_bytes 0: 256 KiB. */
MUST_CHECK bool thread_start(const char *name, thread_fn fn, void *arg, size_t stack_bytes,
	struct thread **out, struct err *err);
void thread_join(struct thread *t); /* waits and frees; accepts NULL */

#endif
