/*
 * Every call with which SQLite reads, writes, cuts or flushes a file fails, once or from there on,
 * at every place that an operation passes: a broken disk, and a full one.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "countdown.h"
#include "plays.h"

enum { AT_READ = 1, AT_WRITE = 2, AT_SYNC = 4 };

static atomic_uint sites;
static atomic_int failure; /* errno */
static atomic_bool is_met_reading;

static bool fails(unsigned site)
{
	if ((atomic_load(&sites) & site) == 0 || !countdown_ends())
		return false;
	if (site == AT_READ)
		atomic_store(&is_met_reading, true);
	errno = atomic_load(&failure);
	return true;
}

/* The engine finds these in place of the C library's, for this program alone. */
#pragma GCC visibility push(default)

ssize_t pread64(int fd, void *bytes, size_t len, off64_t at)
{
	return fails(AT_READ) ? -1 : syscall(SYS_pread64, fd, bytes, len, at);
}

/* A disk that fails has taken some of it. */
ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	if (!fails(AT_WRITE))
		return syscall(SYS_pwrite64, fd, bytes, len, at);
	int code = errno;
	(void)syscall(SYS_pwrite64, fd, bytes, len / 2, at);
	errno = code;
	return -1;
}

int fdatasync(int fd)
{
	return fails(AT_SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate64(int fd, off64_t len)
{
	return fails(AT_WRITE) ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

#pragma GCC visibility pop

static void arm(unsigned n, int code, unsigned at, bool lasting)
{
	countdown_arm(0, false);
	if (n != 0)
		atomic_store(&is_met_reading, false);
	atomic_store(&failure, code);
	atomic_store(&sites, at);
	countdown_arm(n, lasting);
}

/* SQLite takes what cannot be read for damaged. */
static bool is_unavailable(enum err_kind kind)
{
	return kind == ERR_UNAVAILABLE || (kind == ERR_CORRUPT && atomic_load(&is_met_reading));
}

static bool is_full(enum err_kind kind)
{
	return kind == ERR_STORAGE_FULL;
}

static void arm_broken(struct world *w UNUSED, unsigned n)
{
	arm(n, EIO, AT_READ | AT_WRITE | AT_SYNC, false);
}

static void arm_gone(struct world *w UNUSED, unsigned n)
{
	arm(n, EIO, AT_READ | AT_WRITE | AT_SYNC, true);
}

static void arm_full(struct world *w UNUSED, unsigned n)
{
	arm(n, ENOSPC, AT_WRITE, true);
}

static void play_all(const struct fault *fault)
{
	unsigned tried = 0;
	for (size_t i = 0; i < ARRAY_LEN(plays); i++)
		tried += play_all_places(&plays[i], fault);
	assert_true(tried > 20); /* not all plays come to the disk, but most */
}

static void any_access_to_the_disk_may_fail(void **state UNUSED)
{
	static const struct fault fault = { arm_broken, is_spent, is_unavailable, true, 0 };
	play_all(&fault);
}

static void the_disk_may_be_gone_for_a_while(void **state UNUSED)
{
	static const struct fault fault = { arm_gone, is_spent, is_unavailable, true, 7 };
	play_all(&fault);
}

static void the_disk_may_be_full_for_a_while(void **state UNUSED)
{
	static const struct fault fault = { arm_full, is_spent, is_full, true, 0 };
	play_all(&fault);
}

int main(int argc, char **argv UNUSED)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_access_to_the_disk_may_fail),
		cmocka_unit_test(the_disk_may_be_gone_for_a_while),
		cmocka_unit_test(the_disk_may_be_full_for_a_while),
	};
	return RUN_EITHER_WAY(tests, argc);
}
