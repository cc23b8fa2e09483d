#include "base/thread_each.h"

#include <dirent.h>
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

#define THREADS_MAX 8192
#define DEAF_LOOKS  50 /* one second */
#define STATUS_MAX  (8 * KIB)
#define LOOK_NS     20000000 /* between looks whether the thread has ended */
#define LOOKS_MAX   500      /* ten seconds: a thread may be waiting for its disk */

/* What the handler finds: it has no argument of its own. */
static struct {
	thread_each_fn fn;
	void *arg;
	_Atomic pid_t thread; /* whose turn it is */
	atomic_bool has_failed;
	sem_t ran;
} turn;

/* The threads that had it. */
struct visit {
	pid_t done[THREADS_MAX];
	size_t count;
	unsigned deaf;
};

static void on_signal(int sig UNUSED)
{
	int saved = errno;
	pid_t self = gettid();
	/* Anybody may send a signal; only the one that was sent here counts, and once. */
	if (atomic_compare_exchange_strong(&turn.thread, &self, 0)) {
		if (!turn.fn(turn.arg))
			atomic_store(&turn.has_failed, true);
		(void)sem_post(&turn.ran);
	}
	errno = saved;
}

static bool is_gone(pid_t thread)
{
	return syscall(SYS_tgkill, getpid(), thread, 0) != 0;
}

static bool has_run(void)
{
	struct timespec until;
	int rc;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	while ((rc = sem_clockwait(&turn.ran, CLOCK_MONOTONIC, &until)) != 0 && errno == EINTR)
		;
	return rc == 0;
}

/* Whether it blocks the signal; false too if it is gone. */
static bool is_deaf(pid_t thread)
{
	char path[64];
	struct buf text CLEANUP(buf_fini);
	struct err e;
	static const char field[] = "\nSigBlk:\t"; /* proc(5): a mask in hex */
	buf_init(&text, STATUS_MAX);
	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)thread);
	if (!file_read(path, &text, &e))
		return false;
	const char *at = strstr(buf_c(&text), field);
	return at != NULL &&
	       (strtoull(at + sizeof(field) - 1, NULL, 16) >> (unsigned)(THREAD_EACH_SIGNAL - 1) &
		       1) != 0;
}

/* After this its turn is over, unless it has begun. */
static bool give_up(pid_t thread)
{
	return atomic_compare_exchange_strong(&turn.thread, &thread, 0);
}

static bool visit_one(pid_t thread, unsigned *deaf, struct err *err)
{
	atomic_store(&turn.thread, thread);
	if (syscall(SYS_tgkill, getpid(), thread, THREAD_EACH_SIGNAL) != 0)
		return errno == ESRCH || err_sys(err, ERR_UNAVAILABLE, errno, "tgkill");
	for (int i = 0; i < LOOKS_MAX; i++) {
		if (has_run())
			return !atomic_load(&turn.has_failed) ||
			       err_sys(err, ERR_UNAVAILABLE, 0, "thread %d failed", (int)thread);
		/* It ended before or after its turn. */
		if (is_gone(thread)) {
			(void)sem_trywait(&turn.ran);
			return true;
		}
		/* For a moment every thread blocks signals, when it starts or starts another. */
		if (i >= DEAF_LOOKS && is_deaf(thread) && give_up(thread)) {
			(*deaf)++;
			return true;
		}
	}
	return err_sys(err, ERR_UNAVAILABLE, 0, "thread %d does not answer", (int)thread);
}

static bool had_it(const struct visit *v, pid_t thread)
{
	for (size_t i = 0; i < v->count; i++) {
		if (v->done[i] == thread)
			return true;
	}
	return false;
}

/* Visits every thread of the list that is new. *found: there were some. */
static bool visit_new(DIR *tasks, struct visit *v, bool *found, struct err *err)
{
	const struct dirent *entry;
	*found = false;
	rewinddir(tasks);
	/* The stream is this thread's own. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while ((entry = readdir(tasks)) != NULL) {
		uint64_t n;
		if (!str_to_u64(str_from(entry->d_name), INT32_MAX, &n) || had_it(v, (pid_t)n))
			continue;
		if (v->count == THREADS_MAX)
			return err_sys(err, ERR_UNAVAILABLE, 0, "too many threads");
		if (!visit_one((pid_t)n, &v->deaf, err))
			return false;
		v->done[v->count++] = (pid_t)n;
		*found = true;
	}
	return true;
}

static bool visit_all(DIR *tasks, unsigned *out_deaf, struct err *err)
{
	struct visit v = { .done = { gettid() }, .count = 1 };
	bool found = true;
	/* A thread that starts while the list is read has a parent that was visited before or is
	 * in the list: a whole round without a new one ends it. */
	while (found) {
		if (!visit_new(tasks, &v, &found, err))
			return false;
	}
	*out_deaf = v.deaf;
	return true;
}

bool thread_each(thread_each_fn fn, void *arg, unsigned *out_deaf, struct err *err)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	/* One that comes late, after a thread did not answer, is to do nothing. */
	struct sigaction after = { .sa_handler = SIG_IGN };
	DIR *tasks = opendir("/proc/self/task");
	if (tasks == NULL)
		return err_sys(err, ERR_UNAVAILABLE, errno, "opening /proc/self/task");
	turn.fn = fn;
	turn.arg = arg;
	atomic_store(&turn.has_failed, false);
	bool done = fn(arg) || err_sys(err, ERR_UNAVAILABLE, errno, "the first thread failed");
	if (done && (sem_init(&turn.ran, 0, 0) != 0 ||
			    sigaction(THREAD_EACH_SIGNAL, &action, NULL) != 0))
		done = err_sys(err, ERR_UNAVAILABLE, errno, "preparing the signal");
	if (done) {
		done = visit_all(tasks, out_deaf, err);
		(void)sigaction(THREAD_EACH_SIGNAL, &after, NULL);
	}
	(void)closedir(tasks);
	return done;
}
