#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit.h"
#include "app/sandbox.h"
#include "base/file.h"
#include "base/thread.h"

/* What is around: folder/data, folder/log, folder/tls and folder/other, with a file in each. */
struct place {
	char folder[256];
	char audit[300], cert[300], other[300];
	struct config config;
	struct folder data;
};

static void write_file(const char *path)
{
	struct err err;
	ASSERT_DONE(file_write_atomic(path, STR("text"), 0644, &err));
}

static void place_init(struct place *p)
{
	char path[300];
	struct err err;
	static char off[] = "off";
	*p = (struct place){ .data = { .lock_fd = -1 } };
	make_temp_folder(p->folder);
	static const char *const names[] = { "data", "data/blobs", "log", "tls", "other" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", p->folder, names[i]);
		ASSERT_DONE(file_mkdirs(path, &err));
	}
	snprintf(p->data.path, sizeof(p->data.path), "%s/data", p->folder);
	snprintf(path, sizeof(path), "%s/data/berth.db", p->folder);
	write_file(path);
	snprintf(p->audit, sizeof(p->audit), "%s/log/audit.log", p->folder);
	write_file(p->audit);
	snprintf(p->cert, sizeof(p->cert), "%s/tls/cert.pem", p->folder);
	write_file(p->cert);
	snprintf(p->other, sizeof(p->other), "%s/other/file", p->folder);
	write_file(p->other);
	p->config = (struct config){ .audit = off };
}

/* The errno with which path cannot be opened; 0: it can. */
static int try_open(const char *folder, const char *name, int flags)
{
	char path[600];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int try_rename(const char *folder, const char *from, const char *to)
{
	char a[600];
	char b[600];
	snprintf(a, sizeof(a), "%s/%s", folder, from);
	snprintf(b, sizeof(b), "%s/%s", folder, to);
	return rename(a, b) == 0 ? 0 : errno;
}

static int why(long rc)
{
	return rc < 0 ? errno : 0;
}

static void nothing(void *arg UNUSED)
{
}

/* Numbered, so that the child can say which one failed. */
#define EXPECT(is)                       \
	do {                             \
		if (!(is))               \
			return __LINE__; \
	} while (0)

static int try_files(const struct place *p)
{
	const char *f = p->folder;
	EXPECT(try_open(f, "data/berth.db", O_RDWR) == 0);
	EXPECT(try_open(f, "data/berth.db-wal", O_RDWR | O_CREAT) == 0);
	EXPECT(try_open(f, "data/blobs", O_TMPFILE | O_WRONLY) == 0);
	EXPECT(try_open(f, "log/audit.log", O_WRONLY | O_APPEND | O_CREAT) == 0);
	EXPECT(try_rename(f, "log/audit.log", "log/audit.log.1") == 0);
	EXPECT(try_open(f, "log/audit.log", O_WRONLY | O_APPEND | O_CREAT) == 0);
	EXPECT(try_open(f, "log/audit.log", O_RDONLY) == EACCES);
	EXPECT(try_open(f, "tls/cert.pem", O_RDONLY) == 0);
	EXPECT(try_open(f, "tls/cert.pem", O_WRONLY) == EACCES);
	EXPECT(try_open(f, "other/file", O_RDONLY) == EACCES);
	EXPECT(try_open(f, "other/file", O_WRONLY) == EACCES);
	EXPECT(try_open(f, "other/new", O_WRONLY | O_CREAT) == EACCES);
	EXPECT(try_open(f, "other", O_RDONLY | O_DIRECTORY) == EACCES);
	EXPECT(try_rename(f, "data/berth.db-wal", "other/file") != 0);
	EXPECT(try_rename(f, "data/berth.db-wal", "data/blobs/elsewhere") != 0);
	EXPECT(try_open("/proc/self", "stat", O_RDONLY) == 0);
	EXPECT(try_open("/proc/self", "mem", O_RDWR) == EACCES);
	EXPECT(try_open("/etc", "nsswitch.conf", O_RDONLY) != EACCES);
	EXPECT(try_open("/dev", "null", O_RDWR) == 0);
	EXPECT(try_open("/dev", "zero", O_RDWR) == EACCES);
	return 0;
}

static int try_calls(void)
{
	char *const none[] = { NULL };
	EXPECT(execve("/bin/true", none, none) < 0 && errno == EPERM);
	EXPECT(why(syscall(SYS_execveat, AT_FDCWD, "/bin/true", none, none, 0)) == EPERM);
	EXPECT(fork() < 0 && errno == EPERM);
	EXPECT(why(syscall(SYS_clone3, NULL, 0)) == ENOSYS);
	EXPECT(unshare(CLONE_NEWUSER) < 0 && errno == EPERM);
	EXPECT(setgid(getgid()) < 0 && errno == EPERM);
	EXPECT(why(syscall(SYS_bpf, 0, NULL, 0)) == EPERM);
	EXPECT(why(syscall(SYS_io_uring_setup, 1, NULL)) == EPERM);
	EXPECT(why(syscall(SYS_keyctl, 0, 0)) == EPERM);
	EXPECT(why(socket(AF_PACKET, SOCK_RAW, 0)) == EPERM);
	EXPECT(why(socket(AF_KEY, SOCK_RAW, 0)) == EPERM);
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		int fd = socket(families[i], SOCK_DGRAM | SOCK_CLOEXEC, 0);
		EXPECT(fd >= 0 || errno == EAFNOSUPPORT);
		close(fd);
	}
	return 0;
}

static int try_others(const struct sandbox *s)
{
	struct thread *t;
	struct err err;
	EXPECT(thread_start("more", nothing, NULL, 0, &t, &err));
	thread_join(t);
	struct sockaddr_in any = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT(fd >= 0);
	if (s->files_abi >= 4)
		EXPECT(why(bind(fd, (struct sockaddr *)&any, sizeof(any))) == EACCES);
	if (s->files_abi >= 6)
		EXPECT(why(kill(getppid(), 0)) == EPERM);
	close(fd);
	return 0;
}

/* In a child, because there is no way back. Line 0: all was as it should be. */
static int in_sandbox(struct place *p)
{
	struct sandbox s;
	struct err err;
	if (!sandbox_enter(&p->config, &p->data, NULL, &s, &err)) {
		fprintf(stderr, "%s: %s\n", err_text(&err), err.detail);
		return __LINE__;
	}
	EXPECT(s.has_no_new_privileges && s.has_calls);
	int line = s.files_abi != 0 ? try_files(p) : 0;
	if (line == 0)
		line = try_calls();
	if (line == 0)
		line = try_others(&s);
	if (s.files_abi == 0)
		fprintf(stderr, "this kernel has no Landlock: files were not tried\n");
	return line;
}

static void what_is_not_needed_is_refused_and_the_rest_works(void **state UNUSED)
{
	struct place p;
	int status;
	int pipes[2];
	int line = -1;
	place_init(&p);
	p.config.audit = p.audit;
	p.config.tls_cert = p.cert;
	assert_int_equal(pipe(pipes), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		line = in_sandbox(&p);
		_exit(write(pipes[1], &line, sizeof(line)) == sizeof(line) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(read(pipes[0], &line, sizeof(line)), sizeof(line));
	if (line != 0)
		fail_msg("line %d", line);
	close(pipes[0]);
	close(pipes[1]);
	remove_temp_folder(p.folder);
}

static void off_changes_nothing(void **state UNUSED)
{
	struct place p;
	struct sandbox s;
	struct err err;
	struct buf metrics CLEANUP(buf_fini);
	place_init(&p);
	p.config.sandbox = SANDBOX_OFF;
	ASSERT_DONE(sandbox_enter(&p.config, &p.data, NULL, &s, &err));
	assert_int_equal(try_open(p.folder, "other/file", O_RDWR), 0);
	buf_init(&metrics, 4 * KIB);
	sandbox_render_metrics(&s, &metrics);
	assert_non_null(strstr(buf_c(&metrics), "berth_sandbox{part=\"files\"} 0\n"));
	sandbox_close(&s);
	remove_temp_folder(p.folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_changes_nothing),
		cmocka_unit_test(what_is_not_needed_is_refused_and_the_rest_works),
	};
	/* Without the second one: in a build with a sanitizer there is no sandbox. */
	return _cmocka_run_group_tests(
		"sandbox", tests, IS_SANITIZED ? 1 : ARRAY_LEN(tests), NULL, NULL);
}
