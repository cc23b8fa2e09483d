/*
 * LD_PRELOAD: a disk on which calls fail as long as they are told to. FAILING_DISK names a file
 * that holds a struct control, which may change at any time. A write that fails has written half of
 * its bytes, as on a disk that breaks in the middle of it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/types.h>
#include <unistd.h>

enum call { CALL_READ = 1, CALL_WRITE = 2, CALL_SYNC = 4, CALL_OPEN = 8, CALL_REMOVE = 16 };

enum file { FILE_DB = 1, FILE_LOG = 2, FILE_OBJECT = 4, FILE_FOLDER = 8 };

struct control {
	_Atomic uint32_t calls, files; /* sums of the above */
	_Atomic uint32_t error;        /* errno */
	_Atomic uint32_t every;        /* 1: each of them fails, 5: each fifth */
	_Atomic uint32_t seen, failed; /* such calls */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct control *control;

static struct {
	ssize_t (*pread64)(int fd, void *bytes, size_t len, off64_t at);
	ssize_t (*pwrite64)(int fd, const void *bytes, size_t len, off64_t at);
	ssize_t (*sendfile64)(int to, int from, off64_t *at, size_t len);
	int (*fsync)(int fd), (*fdatasync)(int fd);
	int (*ftruncate64)(int fd, off64_t len);
	int (*openat64)(int folder, const char *path, int flags, ...);
	int (*unlinkat)(int folder, const char *path, int flags);
} real;

static void find(void *function, const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);
	if (found == NULL)
		abort();
	memcpy(function, &found, sizeof(found));
}

static void init(void)
{
	const char *path = getenv("FAILING_DISK");
	find(&real.pread64, "pread64");
	find(&real.pwrite64, "pwrite64");
	find(&real.sendfile64, "sendfile64");
	find(&real.fsync, "fsync");
	find(&real.fdatasync, "fdatasync");
	find(&real.ftruncate64, "ftruncate64");
	find(&real.openat64, "openat64");
	find(&real.unlinkat, "unlinkat");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		abort();
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (control == MAP_FAILED)
		abort();
	(void)close(fd);
}

static bool ends_with(const char *path, const char *end)
{
	size_t len = strlen(path);
	size_t end_len = strlen(end);
	return len >= end_len && strcmp(path + len - end_len, end) == 0;
}

/* 0: none that counts. */
static enum file file_of(const char *path)
{
	const char *blobs = strstr(path, "/blobs");
	if (ends_with(path, "/berth.db"))
		return FILE_DB;
	if (ends_with(path, "/berth.db-wal"))
		return FILE_LOG;
	if (blobs == NULL)
		return 0;
	return strlen(blobs) > strlen("/blobs/ab/") ? FILE_OBJECT : FILE_FOLDER;
}

static bool is_due(enum call call)
{
	(void)pthread_once(&once, init);
	return (atomic_load(&control->calls) & call) != 0;
}

static bool fails_now(enum file file)
{
	if ((atomic_load(&control->files) & file) == 0)
		return false;
	if ((atomic_fetch_add(&control->seen, 1) + 1) % atomic_load(&control->every) != 0)
		return false;
	atomic_fetch_add(&control->failed, 1);
	errno = (int)atomic_load(&control->error);
	return true;
}

static bool fails(enum call call, int fd)
{
	char link[64], path[4096];
	int saved = errno;
	if (!is_due(call))
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		abort(); /* it would never fail, and nobody would know */
	path[n] = '\0';
	errno = saved;
	return fails_now(file_of(path));
}

#pragma GCC visibility push(default)

ssize_t pread64(int fd, void *bytes, size_t len, off64_t at)
{
	return fails(CALL_READ, fd) ? -1 : real.pread64(fd, bytes, len, at);
}

ssize_t sendfile64(int to, int from, off64_t *at, size_t len)
{
	return fails(CALL_READ, from) ? -1 : real.sendfile64(to, from, at, len);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	if (!fails(CALL_WRITE, fd))
		return real.pwrite64(fd, bytes, len, at);
	int error = errno;
	(void)real.pwrite64(fd, bytes, len / 2, at); /* with O_DIRECT perhaps nothing */
	errno = error;
	return -1;
}

int ftruncate64(int fd, off64_t len)
{
	return fails(CALL_WRITE, fd) ? -1 : real.ftruncate64(fd, len);
}

int fsync(int fd)
{
	return fails(CALL_SYNC, fd) ? -1 : real.fsync(fd);
}

int fdatasync(int fd)
{
	return fails(CALL_SYNC, fd) ? -1 : real.fdatasync(fd);
}

/* Objects are opened and removed by "ab/ab12...", folders by "ab". */
static bool fails_below(enum call call, const char *path)
{
	return is_due(call) && path[0] != '/' &&
	       fails_now(strchr(path, '/') != NULL ? FILE_OBJECT : FILE_FOLDER);
}

int openat64(int folder, const char *path, int flags, ...)
{
	__builtin_va_list ap;
	__builtin_va_start(ap, flags);
	mode_t mode = (flags & O_CREAT) != 0 ? __builtin_va_arg(ap, mode_t) : 0;
	__builtin_va_end(ap);
	return fails_below(CALL_OPEN, path) ? -1 : real.openat64(folder, path, flags, mode);
}

int unlinkat(int folder, const char *path, int flags)
{
	return fails_below(CALL_REMOVE, path) ? -1 : real.unlinkat(folder, path, flags);
}

#pragma GCC visibility pop
