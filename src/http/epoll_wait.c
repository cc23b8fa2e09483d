/*
 * libmicrohttpd 0.9.75 asks for 128 events and, when it got as many, for more, before it looks at
 * any: and that may wait for ever. 128 clients that asked at the same moment then had no answer
 * until somebody else came. Linked with --wrap, this gives it one less than it asked for; the rest
 * waits for the next turn.
 */
#include <sys/epoll.h>

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the names are the
 * linker's */
int __real_epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms);
int __wrap_epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms);

int __wrap_epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
	return __real_epoll_wait(fd, events, max > 1 ? max - 1 : max, timeout_ms);
}

/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */
