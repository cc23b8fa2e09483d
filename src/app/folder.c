#include "app/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* "--data /srv/berth: what: why" */
static bool unusable(
	const struct config *c, const char *what, int errnum, const char *detail, struct err *err)
{
	char where[CONFIG_WHERE_MAX];
	char why[128];
	config_where(c, config_key_at(offsetof(struct config, data)), where);
	if (errnum != 0)
		detail = strerror_r(errnum, why, sizeof(why));
	return err_set(err, ERR_CONFIG, "%s %.200s: %s%s%s", where, c->data, what,
		detail[0] == '\0' ? "" : ": ", detail);
}

bool folder_path(const struct folder *f, const char *name, char out[PATH_MAX], struct err *err)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", f->path, name);
	if (n < 0 || n >= PATH_MAX)
		return err_set(err, ERR_CONFIG, "the path of the data folder is too long");
	return true;
}

/* Says whose lock it is, as far as the holder has written it down. */
static void lock_holder(int fd, char *out, size_t cap)
{
	char text[16];
	struct str line;
	struct str rest;
	uint64_t pid;
	ssize_t n = pread(fd, text, sizeof(text), 0);
	if (n > 0 && str_cut((struct str){ text, (size_t)n }, '\n', &line, &rest) &&
		str_to_u64(line, INT_MAX, &pid))
		snprintf(out, cap, "process %u", (unsigned)pid);
}

static bool lock(const struct config *c, struct folder *f, struct err *err)
{
	char path[PATH_MAX];
	char text[32] = "";
	if (!folder_path(f, "lock", path, err))
		return false;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return unusable(c, "not writable", errno, "", err);
	/* Bound to the open file, so it ends with the process, however that ends. */
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int errnum = errno;
		lock_holder(fd, text, sizeof(text));
		close(fd);
		if (errnum == EWOULDBLOCK)
			return unusable(c, "in use by another server", 0, text, err);
		return unusable(c, "cannot be locked", errnum, "", err);
	}
	f->lock_fd = fd;
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	/* Only a help for people: the lock is the flock. */
	if (ftruncate(fd, 0) == 0)
		err_ignore(pwrite(fd, text, (size_t)n, 0) == n);
	return true;
}

static bool resolve(const struct config *c, struct folder *out, struct err *err)
{
	struct stat st;
	*out = (struct folder){ .lock_fd = -1 };
	if (realpath(c->data, out->path) == NULL)
		return unusable(c, "not usable", errno, "", err);
	if (stat(out->path, &st) != 0)
		return unusable(c, "not usable", errno, "", err);
	if (!S_ISDIR(st.st_mode))
		return unusable(c, "not a folder", 0, "", err);
	return true;
}

bool folder_take(const struct config *c, struct folder *out, struct err *err)
{
	struct folder f;
	struct err e;
	/* Asked first, so that a plain file there is called by its name. */
	if (!file_exists(c->data) && !file_mkdirs(c->data, &e))
		return unusable(
			c, "cannot be made", 0, e.detail[0] != '\0' ? e.detail : err_text(&e), err);
	if (!resolve(c, &f, err) || !lock(c, &f, err))
		return false;
	*out = f;
	return true;
}

bool folder_find(const struct config *c, struct folder *out, struct err *err)
{
	struct folder f;
	char path[PATH_MAX];
	if (!resolve(c, &f, err) || !folder_path(&f, "berth.db", path, err))
		return false;
	if (!file_exists(path))
		return unusable(c, "holds no registry", 0, "", err);
	*out = f;
	return true;
}

void folder_close(struct folder *f)
{
	fd_closep(&f->lock_fd);
}
