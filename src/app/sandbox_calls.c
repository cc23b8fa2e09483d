#include "app/sandbox_calls.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/file.h"

/* clang-format off */
static const int refused[] = {
	/* other programs and processes */
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise), SCMP_SYS(process_mrelease),
	SCMP_SYS(kcmp), SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_send_signal),
	/* who it is */
	SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid), SCMP_SYS(setresgid),
	SCMP_SYS(setfsuid), SCMP_SYS(setfsgid), SCMP_SYS(setgroups), SCMP_SYS(capset), SCMP_SYS(setpgid), SCMP_SYS(setsid),
	SCMP_SYS(personality),
	/* the view of the file system, and ways past its checks */
	SCMP_SYS(mount), SCMP_SYS(umount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(move_mount),
	SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick), SCMP_SYS(mount_setattr),
	SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(name_to_handle_at),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(fanotify_init), SCMP_SYS(fanotify_mark), SCMP_SYS(memfd_create), SCMP_SYS(memfd_secret),
	SCMP_SYS(quotactl), SCMP_SYS(quotactl_fd), SCMP_SYS(acct), SCMP_SYS(swapon), SCMP_SYS(swapoff),
	/* parts of the kernel that are not needed */
	SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(io_setup),
	SCMP_SYS(io_submit), SCMP_SYS(vmsplice), SCMP_SYS(modify_ldt), SCMP_SYS(lookup_dcookie), SCMP_SYS(remap_file_pages),
	SCMP_SYS(mbind), SCMP_SYS(set_mempolicy), SCMP_SYS(migrate_pages), SCMP_SYS(move_pages), SCMP_SYS(uselib),
	/* the machine */
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load),
	SCMP_SYS(reboot), SCMP_SYS(syslog), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(stime), SCMP_SYS(adjtimex),
	SCMP_SYS(clock_adjtime), SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(vhangup),
};
/* clang-format on */

#define REFUSE SCMP_ACT_ERRNO(EPERM)

static void context_release(scmp_filter_ctx *ctx)
{
	if (*ctx != NULL)
		seccomp_release(*ctx);
}

static bool refuse_if(scmp_filter_ctx ctx, int call, struct scmp_arg_cmp when)
{
	return seccomp_rule_add_array(ctx, REFUSE, call, 1, &when) == 0;
}

/* Threads are made by clone, and nothing else is. What clone3 is asked for stands in memory, where
 * a filter cannot look, so the C library is sent back to clone. */
static bool refuse_processes(scmp_filter_ctx ctx)
{
	return refuse_if(ctx, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) &&
	       seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

/* IP, Unix sockets, and netlink, by which getaddrinfo learns what addresses there are. (The second
 * datum is of masks only.) */
static bool refuse_sockets(scmp_filter_ctx ctx)
{
	bool ok = refuse_if(ctx, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_GT, AF_NETLINK, 0)) &&
		  refuse_if(ctx, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, AF_UNSPEC, 0));
	for (unsigned family = AF_INET + 1; ok && family < AF_NETLINK; family++)
		ok = family == AF_INET6 ||
		     refuse_if(ctx, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, family, 0));
	return ok;
}

/* Typing into the terminal that it was started from. */
static bool refuse_typing(scmp_filter_ctx ctx)
{
	return refuse_if(ctx, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TIOCSTI)) &&
	       refuse_if(ctx, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TIOCLINUX));
}

static bool prepare(scmp_filter_ctx ctx)
{
	bool ok = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
		  /* Found by halving, not one after another. */
		  seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0;
	for (size_t i = 0; ok && i < ARRAY_LEN(refused); i++)
		ok = seccomp_rule_add(ctx, REFUSE, refused[i], 0) == 0;
	return ok && refuse_processes(ctx) && refuse_sockets(ctx) && refuse_typing(ctx);
}

bool sandbox_calls_restrict(struct err *err)
{
	char why[128];
	/* Calls in the way of another architecture end the process: nothing here makes them. */
	scmp_filter_ctx ctx CLEANUP(context_release) = seccomp_init(SCMP_ACT_ALLOW);
	if (ctx == NULL || !prepare(ctx))
		return err_set(err, ERR_UNAVAILABLE, "libseccomp cannot make the filter");
	int rc = seccomp_load(ctx);
	if (rc != 0)
		return err_set(err, ERR_UNAVAILABLE, "seccomp is refused: %s",
			strerror_r(-rc, why, sizeof(why)));
	return true;
}
