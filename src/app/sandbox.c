#include "app/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "app/metrics.h"
#include "app/sandbox_calls.h"
#include "app/sandbox_files.h"
#include "base/file.h"
#include "base/thread_each.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE              65 /* Linux 6.3 */
#define PR_MDWE_REFUSE_EXEC_GAIN (1UL << 0)
#endif

#define BIT(cap) ((uint64_t)1 << (cap))
/* What reaches files of other users. */
#define OVERRIDE (BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH))

/* What every thread does; read in a signal handler. */
struct plan {
	int files_fd;    /* -1: none */
	bool drops_caps; /* there are some, and they can be dropped */
	uint64_t keep;   /* capabilities */
};

/* --- capabilities --- */

struct caps {
	uint64_t effective, permitted;
};

static bool caps_get(struct caps *out)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	if (syscall(SYS_capget, &head, data) != 0)
		return false;
	out->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	out->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return true;
}

/* What can be inherited goes in any case. */
static bool caps_set(const struct caps *c)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = (uint32_t)c->effective, .permitted = (uint32_t)c->permitted },
		{ .effective = (uint32_t)(c->effective >> 32),
			.permitted = (uint32_t)(c->permitted >> 32) },
	};
	return syscall(SYS_capset, &head, data) == 0;
}

/* Also what a program could get by being run, which needs the right to: without it
 * no-new-privileges has to do. */
static bool caps_drop(uint64_t keep)
{
	struct caps c;
	if (!caps_get(&c))
		return false;
	for (unsigned cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if ((keep & BIT(cap)) == 0)
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	}
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	c.effective &= keep;
	c.permitted &= keep;
	return caps_set(&c);
}

/* The path that is out of reach without capabilities, or NULL. */
static const char *beyond_reach(const char *path, int mode)
{
	return path == NULL || faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 || errno == ENOENT
		       ? NULL
		       : path;
}

/* What the server goes on opening, tried as it will be. */
static bool is_in_reach(const struct config *c, const struct folder *folder, struct err *err)
{
	char blobs[PATH_MAX];
	char db[PATH_MAX];
	if (!folder_path(folder, "blobs", blobs, err) || !folder_path(folder, "berth.db", db, err))
		return false;
	bool has_audit = strcmp(c->audit, "off") != 0 && strcmp(c->audit, "stdout") != 0;
	const char *paths[] = {
		beyond_reach(folder->path, R_OK | W_OK | X_OK),
		beyond_reach(blobs, R_OK | W_OK | X_OK),
		beyond_reach(db, R_OK | W_OK),
		beyond_reach(has_audit ? c->audit : NULL, W_OK),
		beyond_reach(c->tls_cert, R_OK),
		beyond_reach(c->tls_key, R_OK),
	};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (paths[i] != NULL)
			return err_set(err, ERR_UNAVAILABLE,
				"%.400s belongs to another user, so the right to open anybody's files is kept",
				paths[i]);
	}
	return true;
}

/* False: some capabilities stay, err says why. */
static bool plan_capabilities(
	const struct config *c, const struct folder *folder, struct plan *plan, struct err *err)
{
	struct caps have;
	if (!caps_get(&have) || have.permitted == 0)
		return true;
	struct caps without = { .effective = 0, .permitted = have.permitted };
	/* Around containers and services there may be filters of others. */
	if (!caps_set(&without))
		return err_set(err, ERR_UNAVAILABLE, "capabilities cannot be dropped");
	bool ok = (have.effective & OVERRIDE) == 0 || is_in_reach(c, folder, err);
	if (!caps_set(&have))
		return err_set(err, ERR_UNAVAILABLE, "capabilities cannot be dropped");
	plan->drops_caps = true;
	plan->keep = ok ? 0 : have.permitted & OVERRIDE;
	return ok;
}

/* --- all of it --- */

/* In each thread. no_new_privs first: it is what allows the rest to a user without privileges. */
static bool restrict_thread(void *arg)
{
	const struct plan *p = arg;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       (p->files_fd < 0 || sandbox_files_restrict(p->files_fd)) &&
	       (!p->drops_caps || caps_drop(p->keep));
}

/* A part cannot be had: the end with `require`, a line in the log with `auto`. */
static bool do_without(
	const struct config *c, struct log *log, const struct err *why, struct err *err)
{
	const char *text = err_text(why);
	if (c->sandbox == SANDBOX_REQUIRE)
		return err_set(err, ERR_CONFIG, "--sandbox require: %s", text);
	log_event(log, LOG_WARN, "sandbox", "not complete: %s", text);
	return true;
}

/* What an HSM's module leaves running, perhaps. The filter of system calls reaches it all the same.
 */
static bool forgo_threads(
	const struct config *c, struct log *log, unsigned count, struct sandbox *s, struct err *err)
{
	struct err why;
	s->files_abi = 0;
	err_ignore(err_set(&why, ERR_UNAVAILABLE,
		"%u threads of a library take no signals and keep files and capabilities", count));
	return do_without(c, log, &why, err);
}

static void tell(const struct sandbox *s, struct log *log)
{
	char files[64] = "any file";
	if (!s->has_no_new_privileges) {
		log_event(log, LOG_INFO, "sandbox", "none: any file, any system call");
		return;
	}
	if (s->files_abi != 0)
		(void)snprintf(
			files, sizeof(files), "only its own files (Landlock %u)", s->files_abi);
	log_event(log, LOG_INFO, "sandbox", "%s, %s, no new privileges, %s", files,
		s->has_calls ? "only its own system calls (seccomp)" : "any system call",
		s->has_no_capabilities ? "no capabilities" : "some capabilities");
}

static bool enter(const struct config *c, const struct folder *folder, struct log *log,
	struct sandbox *s, struct err *err)
{
	struct err why;
	struct plan plan = { .files_fd = -1 };
	int files CLEANUP(fd_closep) = -1;
	unsigned deaf = 0;
	bool drops_all = plan_capabilities(c, folder, &plan, &why);
	if (!drops_all && !do_without(c, log, &why, err))
		return false;
	s->proc_fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->proc_fd < 0)
		return do_without(c, log,
			&(struct err){ .msg = "/proc is not there, so threads cannot be found" },
			err);
	if (!sandbox_files_open(c, folder, s->proc_fd, &files, &s->files_abi, &why) &&
		!do_without(c, log, &why, err))
		return false;
	plan.files_fd = files;
	if (!thread_each(restrict_thread, &plan, &deaf, err))
		return err_wrap(err, "entering the sandbox");
	if (deaf != 0 && !forgo_threads(c, log, deaf, s, err))
		return false;
	s->has_no_new_privileges = true;
	s->has_no_capabilities = drops_all && deaf == 0;
	/* Memory that is written never becomes a program; kernels that do not know it say no. */
	(void)prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0);
	s->has_calls = sandbox_calls_restrict(&why);
	return s->has_calls || do_without(c, log, &why, err);
}

bool sandbox_enter(const struct config *c, const struct folder *folder, struct log *log,
	struct sandbox *out, struct err *err)
{
	struct sandbox s = { .proc_fd = -1 };
	if (c->sandbox != SANDBOX_OFF && IS_SANITIZED) {
		struct err why = { .msg = "a build with a sanitizer has no sandbox" };
		if (!do_without(c, log, &why, err))
			return false;
	} else if (c->sandbox != SANDBOX_OFF && !enter(c, folder, log, &s, err)) {
		sandbox_close(&s);
		return false;
	}
	tell(&s, log);
	*out = s;
	return true;
}

void sandbox_close(struct sandbox *s)
{
	fd_closep(&s->proc_fd);
}

void sandbox_render_metrics(const struct sandbox *s, struct buf *out)
{
	const struct {
		const char *part;
		bool holds;
	} parts[] = {
		{ "files", s->files_abi != 0 },
		{ "system_calls", s->has_calls },
		{ "no_new_privileges", s->has_no_new_privileges },
		{ "no_capabilities", s->has_no_capabilities },
	};

	metrics_family(out, "berth_sandbox", "gauge",
		"1 where the server has given up what it does not need.");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_addf(out, "berth_sandbox{part=\"%s\"} %d\n", parts[i].part, parts[i].holds);
}
