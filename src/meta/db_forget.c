/*
 * After a failed sync. Linux calls the pages clean that it could not write: they are right in
 * memory and not on the disk, and ext4 takes their blocks for written although they are still
 * marked as holding nothing. What is written over such a page later, and synced without an error,
 * may thus be zeros once the page has left memory: acknowledged commits would be gone after a power
 * cut, and a copy of the log would damage the database. So the pages leave memory at once; what is
 * written then meets the blocks as they are.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "meta/db_priv.h"

#define DESCRIPTORS_MAX 1048576

/* On a descriptor that SQLite has: to open the database and close that again would drop the locks
 * that this process holds on it. One that means another file meanwhile costs that a few reads. */
static void forget_file(const char *path)
{
	struct stat wanted;
	struct stat st;
	struct rlimit files;
	int end = DESCRIPTORS_MAX;
	if (stat(path, &wanted) != 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < DESCRIPTORS_MAX)
		end = (int)files.rlim_cur;
	for (int fd = 0; fd < end; fd++) {
		if (fstat(fd, &st) != 0 || st.st_dev != wanted.st_dev || st.st_ino != wanted.st_ino)
			continue;
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		return;
	}
}

void db_forget_pages(const struct db *db)
{
	char *log CLEANUP(freep) = NULL;
	size_t size = strlen(db->path) + sizeof("-wal");
	log = xmalloc_raw(size);
	(void)snprintf(log, size, "%s-wal", db->path);
	forget_file(log);
	forget_file(db->path);
}
