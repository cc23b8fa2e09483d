/*
 * The accepting thread: takes connections from every listening socket and deals them out to the
 * event loops. Left to accept for themselves, the loop that wakes first takes a whole burst
 * of connections, and serves them alone for as long as they live.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "http/http_priv.h"

#define FULL_WAIT_MS 10  /* until the number of connections is looked at again */
#define STALE_WAITS  100 /* of these without an opened connection: none is underway any more */
#define POOR_WAIT_MS 50  /* after the system had no descriptor or memory for another one */

/* What to do after accept4 failed. */
static int wait_after(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return POOR_WAIT_MS;
	default:
		return 0; /* none waits, or that one has gone again */
	}
}

/* Connections that were dealt out and that their loops have not opened yet count too. */
static bool is_full(const struct http_server *s)
{
	unsigned underway = s->conns_taken - atomic_load(&s->conns_opened);

	return atomic_load(&s->connections) + underway >= s->options.connections_max;
}

/* One more waits than there may be. */
static int make_room(struct http_server *s)
{
	unsigned opened = atomic_load(&s->conns_opened);

	conn_make_room(s);
	/* A loop that found no memory for a connection never opens it, and says nothing. */
	if (opened != s->conns_seen)
		s->conns_stale = 0;
	else if (++s->conns_stale >= STALE_WAITS)
		s->conns_taken = opened;
	s->conns_seen = opened;
	return FULL_WAIT_MS;
}

/* Takes one connection. Returns for how many milliseconds none should be taken. */
static int take(const struct listener *l)
{
	struct http_server *s = l->server;
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);
	int fd = accept4(l->fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return wait_after(errno);
	/* The loop is chosen by the descriptor's number, which is as good as in turn. What is
	 * refused is closed: more than the limit of an address, or no memory. */
	if (MHD_add_connection(l->daemon, fd, (struct sockaddr *)&sa, len) == MHD_YES)
		s->conns_taken++;
	return 0;
}

/* Waits for connections, or for the end. False: the end. */
static bool wait_for_some(const struct http_server *s, struct pollfd *fds, int pause_ms)
{
	nfds_t count = pause_ms > 0 ? 1 : s->listener_count + 1;

	(void)poll(fds, count, pause_ms > 0 ? pause_ms : -1);
	return !atomic_load(&s->is_stopping);
}

static void accept_main(void *server)
{
	struct http_server *s = server;
	struct pollfd *fds = xcalloc(s->listener_count + 1, sizeof(*fds));
	int pause_ms = 0;

	fds[0] = (struct pollfd){ .fd = s->accept_end, .events = POLLIN };
	for (size_t i = 0; i < s->listener_count; i++)
		fds[i + 1] = (struct pollfd){ .fd = s->listeners[i].fd, .events = POLLIN };
	while (wait_for_some(s, fds, pause_ms)) {
		bool was_pausing = pause_ms > 0;

		pause_ms = 0;
		for (size_t i = 0; i < s->listener_count && !was_pausing && pause_ms == 0; i++)
			if (fds[i + 1].revents != 0)
				pause_ms = is_full(s) ? make_room(s) : take(&s->listeners[i]);
	}
	free(fds);
}

bool accept_start(struct http_server *s, struct err *err)
{
	s->accept_end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->accept_end < 0)
		return err_set(err, ERR_CONFIG, "cannot listen: not enough descriptors");
	return thread_start("http-accept", accept_main, s, 0, &s->acceptor, err);
}

void accept_stop(struct http_server *s)
{
	uint64_t one = 1;

	if (s->acceptor != NULL && write(s->accept_end, &one, sizeof(one)) == (ssize_t)sizeof(one))
		thread_join(s->acceptor);
	s->acceptor = NULL;
	if (s->accept_end >= 0)
		(void)close(s->accept_end);
	s->accept_end = -1;
	for (size_t i = 0; i < s->listener_count; i++) {
		if (s->listeners[i].fd >= 0)
			(void)close(s->listeners[i].fd);
		s->listeners[i].fd = -1;
	}
}
