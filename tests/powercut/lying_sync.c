/*
 * LD_PRELOAD for what must not pass: fsync and fdatasync that tell the truth no longer. LYING_SYNC
 * says about what: all     nothing is ever synced blobs   the objects of layers are not log     the
 * database's log is, but some milliseconds after the answer: whoever waits for nothing more answers
 * too early
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int sync_fn(int fd);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static sync_fn *real_fsync, *real_fdatasync;
static const char *about;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int due = -1; /* a descriptor of the log that waits for its sync */

static void *late_main(void *arg)
{
	for (;;) {
		usleep(3000);
		pthread_mutex_lock(&lock);
		int fd = due;
		due = -1;
		pthread_mutex_unlock(&lock);
		if (fd < 0)
			continue;
		(void)real_fdatasync(fd); /* what fails late is not told either */
		(void)close(fd);
	}
	return arg;
}

static void init(void)
{
	pthread_t thread;
	*(void **)&real_fsync = dlsym(RTLD_NEXT, "fsync");
	*(void **)&real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
	about = getenv("LYING_SYNC");
	if (real_fsync == NULL || real_fdatasync == NULL || about == NULL)
		abort();
	if (strcmp(about, "log") == 0 && pthread_create(&thread, NULL, late_main, NULL) != 0)
		abort();
}

/* Whether the file of the descriptor has this in its path. */
static bool is_file(int fd, const char *part)
{
	char link[64], path[4096];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		abort();
	path[n] = '\0';
	return strstr(path, part) != NULL;
}

static int lie_or(sync_fn **real, int fd)
{
	(void)pthread_once(&once, init);
	if (strcmp(about, "all") == 0 || (strcmp(about, "blobs") == 0 && is_file(fd, "/blobs/")))
		return 0;
	if (strcmp(about, "log") != 0 || !is_file(fd, "berth.db-wal"))
		return (*real)(fd);
	pthread_mutex_lock(&lock);
	if (due < 0)
		due = dup(fd);
	pthread_mutex_unlock(&lock);
	return 0;
}

__attribute__((visibility("default"))) int fsync(int fd)
{
	return lie_or(&real_fsync, fd);
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
	return lie_or(&real_fdatasync, fd);
}
