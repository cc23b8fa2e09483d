#include "app/sandbox_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

#include "base/file.h"

/* What the headers of the build may be too old for. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13) /* ABI 2 */
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14) /* ABI 3 */
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0) /* ABI 4 */
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1) /* ABI 6 */
#endif

/* struct landlock_ruleset_attr as of ABI 6. An older kernel takes it as long as what it does not
 * know is zero. */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

#define FIRST_RIGHTS ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1) /* all of ABI 1 */
#define FILE_RIGHTS \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)
#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* Names are made and removed, in the folder where they are: nothing is renamed to another one. */
#define ROTATE                                                         \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | \
		LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define KEEP (READ | ROTATE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR)

/* What the libraries read: shared objects that getaddrinfo loads when it is first used, names,
 * certificates of authorities, time zones. */
static const char *const system_folders[] = { "/usr/lib", "/usr/lib64", "/lib", "/lib64",
	"/usr/local/lib", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
	"/usr/share/zoneinfo", "/usr/share/locale", "/etc/ssl/certs", "/etc/pki/tls/certs",
	"/etc/pki/ca-trust", "/etc/ca-certificates", "/run/systemd/resolve", "/run/resolvconf",
	"/run/NetworkManager", "/sys/devices/system/cpu" };
static const char *const system_files[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
	"/etc/host.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols", "/etc/localtime",
	"/etc/ld.so.cache", "/etc/ssl/openssl.cnf", "/etc/ssl/cert.pem", "/dev/urandom",
	"/dev/random" };

struct ruleset {
	int fd;
	uint64_t handled;
};

/* --- rules --- */

static bool allow_fd(const struct ruleset *r, int fd, uint64_t rights, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_sys(err, ERR_UNAVAILABLE, errno, "stat");
	if (!S_ISDIR(st.st_mode))
		rights &= FILE_RIGHTS;
	struct landlock_path_beneath_attr rule = {
		.allowed_access = rights & r->handled,
		.parent_fd = fd,
	};
	if (rule.allowed_access == 0 ||
		syscall(SYS_landlock_add_rule, r->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0)
		return true;
	return err_sys(err, ERR_UNAVAILABLE, errno, "landlock_add_rule");
}

/* What is not there is not needed. */
static bool allow(const struct ruleset *r, const char *path, uint64_t rights, struct err *err)
{
	int fd CLEANUP(fd_closep) = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return true;
	return allow_fd(r, fd, rights, err) || err_wrap(err, "%s", path);
}

/* The folder that holds path; the file itself where that would be everything. */
static bool allow_around(
	const struct ruleset *r, const char *path, uint64_t rights, struct err *err)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;
	if (slash == path)
		return allow(r, path, rights, err);
	if (len >= sizeof(folder))
		return true;
	memcpy(folder, path, len);
	folder[len] = '\0';
	return allow(r, slash == NULL ? "." : folder, rights, err);
}

/*
 * A file that somebody renews by putting another one in its place: everything in its folder, and,
 * where it is a link, in the folder that the link leads to now.
 */
static bool allow_renewed(const struct ruleset *r, const char *path, struct err *err)
{
	char real[PATH_MAX];
	if (path == NULL)
		return true;
	return allow_around(r, path, READ, err) &&
	       (realpath(path, real) == NULL || allow_around(r, real, READ, err));
}

/* A file is renamed and made again; a device or a pipe is what it is. */
static bool allow_audit(const struct ruleset *r, const char *path, struct err *err)
{
	struct stat st;
	if (strcmp(path, "off") == 0 || strcmp(path, "stdout") == 0)
		return true;
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return allow(r, path, LANDLOCK_ACCESS_FS_WRITE_FILE, err);
	return allow_around(r, path, ROTATE, err);
}

/* The folder, and where its parts are if they are links to elsewhere. */
static bool allow_data(const struct ruleset *r, const struct folder *folder, struct err *err)
{
	char path[PATH_MAX];
	char real[PATH_MAX];
	if (!allow(r, folder->path, KEEP, err) || !folder_path(folder, "blobs", path, err) ||
		!allow(r, path, KEEP, err) || !folder_path(folder, "berth.db", path, err))
		return false;
	return realpath(path, real) == NULL || allow_around(r, real, KEEP, err);
}

/*
 * For anybody but root all of /etc: what others may not read its permissions say, and files there
 * are replaced (resolv.conf by a new lease), which a rule for a file would not follow.
 */
static bool allow_system(const struct ruleset *r, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(system_folders); i++) {
		if (!allow(r, system_folders[i], READ, err))
			return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(system_files); i++) {
		if (!allow(r, system_files[i], READ, err))
			return false;
	}
	return (geteuid() == 0 || allow(r, "/etc", READ, err)) &&
	       allow(r, "/dev/null", READ | LANDLOCK_ACCESS_FS_WRITE_FILE, err);
}

static bool allow_all(const struct ruleset *r, const struct config *c, const struct folder *folder,
	int proc, struct err *err)
{
	return allow_data(r, folder, err) && allow_audit(r, c->audit, err) &&
	       allow_renewed(r, c->tls_cert, err) && allow_renewed(r, c->tls_key, err) &&
	       allow_renewed(r, c->kms_ca, err) && allow_renewed(r, c->event_webhook_ca, err) &&
	       allow_renewed(r, c->oidc_ca, err) && allow_fd(r, proc, READ, err) &&
	       allow_system(r, err);
}

/* --- the ruleset --- */

static struct ruleset_attr attr_for(unsigned abi)
{
	struct ruleset_attr a = { .handled_access_fs = FIRST_RIGHTS };
	if (abi >= 2)
		a.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		a.handled_access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= 4)
		a.handled_access_net = LANDLOCK_ACCESS_NET_BIND_TCP;
	if (abi >= 5)
		a.handled_access_fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	if (abi >= 6)
		a.scoped = LANDLOCK_SCOPE_SIGNAL;
	return a;
}

static bool lacks(int errnum, struct err *err)
{
	char why[128];
	if (errnum == ENOSYS)
		return err_set(err, ERR_UNAVAILABLE, "this kernel has no Landlock");
	if (errnum == EOPNOTSUPP)
		return err_set(err, ERR_UNAVAILABLE, "Landlock is off in this kernel (lsm=)");
	return err_set(err, ERR_UNAVAILABLE, "Landlock is refused: %s",
		strerror_r(errnum, why, sizeof(why)));
}

bool sandbox_files_open(const struct config *c, const struct folder *folder, int proc, int *out_fd,
	unsigned *out_abi, struct err *err)
{
	long abi = syscall(
		SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return lacks(errno, err);
	struct ruleset_attr a = attr_for((unsigned)abi);
	int fd CLEANUP(fd_closep) = (int)syscall(SYS_landlock_create_ruleset, &a, sizeof(a), 0);
	if (fd < 0)
		return lacks(errno, err);
	struct ruleset r = { .fd = fd, .handled = a.handled_access_fs };
	if (!allow_all(&r, c, folder, proc, err))
		return err_set(
			err, ERR_UNAVAILABLE, "a rule of Landlock is refused: %s", err->detail);
	*out_fd = take_fd(&fd);
	*out_abi = (unsigned)abi;
	return true;
}

bool sandbox_files_restrict(int fd)
{
	return syscall(SYS_landlock_restrict_self, fd, 0) == 0;
}
