#include "base/thread.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/thread_each.h"

#define DEFAULT_STACK ((size_t)256 * 1024)

/* Red zones of the sanitizers make every frame several times larger. */
#define STACK_FACTOR (IS_SANITIZED ? 4 : 1)

struct thread {
	pthread_t id;
	thread_fn fn;
	void *arg;
	char name[16]; /* the kernel's limit, with NUL */
};

/* A pthread call that fails only through a bug of ours or for want of memory at start. */
static void must(int rc, const char *what)
{
	if (rc != 0) {
		fprintf(stderr, "berth: %s failed (%d)\n", what, rc);
		abort();
	}
}

static bool is_mine(const struct mutex *m)
{
	return atomic_load_explicit(&m->held, memory_order_relaxed) &&
	       pthread_equal(atomic_load_explicit(&m->owner, memory_order_relaxed), pthread_self());
}

static void set_owner(struct mutex *m)
{
	atomic_store_explicit(&m->owner, pthread_self(), memory_order_relaxed);
	atomic_store_explicit(&m->held, true, memory_order_relaxed);
}

static void clear_owner(struct mutex *m)
{
	atomic_store_explicit(&m->held, false, memory_order_relaxed);
}

void mutex_init(struct mutex *m, const char *name)
{
	must(pthread_mutex_init(&m->m, NULL), "pthread_mutex_init");
	m->name = name;
	atomic_init(&m->owner, pthread_self());
	atomic_init(&m->held, false);
}

void mutex_fini(struct mutex *m)
{
	must(pthread_mutex_destroy(&m->m), m->name);
}

void mutex_lock(struct mutex *m)
{
	assert(!is_mine(m));
	must(pthread_mutex_lock(&m->m), m->name);
	set_owner(m);
}

void mutex_unlock(struct mutex *m)
{
	assert(is_mine(m));
	clear_owner(m);
	must(pthread_mutex_unlock(&m->m), m->name);
}

void mutex_assert_held(const struct mutex *m)
{
	if (!is_mine(m)) {
		fprintf(stderr, "berth: mutex %s is not held\n", m->name);
		abort();
	}
}

struct mutex *mutex_lock_get(struct mutex *m)
{
	mutex_lock(m);
	return m;
}

void mutex_unlockp(struct mutex **m)
{
	mutex_unlock(*m);
}

void cond_init(struct cond *c)
{
	pthread_condattr_t attr;
	must(pthread_condattr_init(&attr), "pthread_condattr_init");
	must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC), "pthread_condattr_setclock");
	must(pthread_cond_init(&c->c, &attr), "pthread_cond_init");
	must(pthread_condattr_destroy(&attr), "pthread_condattr_destroy");
}

void cond_fini(struct cond *c)
{
	must(pthread_cond_destroy(&c->c), "pthread_cond_destroy");
}

void cond_wait(struct cond *c, struct mutex *m)
{
	mutex_assert_held(m);
	clear_owner(m);
	must(pthread_cond_wait(&c->c, &m->m), m->name);
	set_owner(m);
}

bool cond_wait_ms(struct cond *c, struct mutex *m, int64_t timeout_ms)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	if (timeout_ms < 0)
		timeout_ms = 0;
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	mutex_assert_held(m);
	clear_owner(m);
	int rc = pthread_cond_timedwait(&c->c, &m->m, &until);
	set_owner(m);
	if (rc == ETIMEDOUT)
		return false;
	must(rc, m->name);
	return true;
}

void cond_signal(struct cond *c)
{
	must(pthread_cond_signal(&c->c), "pthread_cond_signal");
}

void cond_broadcast(struct cond *c)
{
	must(pthread_cond_broadcast(&c->c), "pthread_cond_broadcast");
}

static void *run(void *arg)
{
	struct thread *t = arg;
	/* The name only helps debuggers; without it the thread works as well. */
	(void)pthread_setname_np(pthread_self(), t->name);
	t->fn(t->arg);
	return NULL;
}

static int start(struct thread *t, size_t stack_bytes)
{
	pthread_attr_t attr;
	int rc = pthread_attr_init(&attr);
	if (rc != 0)
		return rc;
	rc = pthread_attr_setstacksize(&attr, stack_bytes);
	if (rc == 0) {
		/* A thread inherits the mask: signals are the main thread's business. */
		sigset_t all;
		sigset_t old;
		sigfillset(&all);
		sigdelset(&all, THREAD_EACH_SIGNAL);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		rc = pthread_create(&t->id, &attr, run, t);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	pthread_attr_destroy(&attr);
	return rc;
}

bool thread_start(const char *name, thread_fn fn, void *arg, size_t stack_bytes,
	struct thread **out, struct err *err)
{
	struct thread *t = xmalloc(sizeof(*t));
	assert(strlen(name) < sizeof(t->name));
	memcpy(t->name, name, strlen(name) + 1);
	t->fn = fn;
	t->arg = arg;
	int rc = start(t, (stack_bytes != 0 ? stack_bytes : DEFAULT_STACK) * STACK_FACTOR);
	if (rc != 0) {
		free(t);
		return err_sys(err, ERR_UNAVAILABLE, rc, "starting thread %s", name);
	}
	*out = t;
	return true;
}

void thread_join(struct thread *t)
{
	if (t == NULL)
		return;
	must(pthread_join(t->id, NULL), t->name);
	free(t);
}
