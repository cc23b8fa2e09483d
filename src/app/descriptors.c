#include "app/descriptors.h"

#include <dirent.h>
#include <unistd.h>

#include "app/config.h"

#define FILES_MAX  4096 /* at most so many stay for layers */
#define FILES_MIN  8    /* and at least so many: an upload has two, a pull one */
#define CONNS_MIN  8    /* fewer are no service */
#define PER_READER 2    /* of the database: its file and its log */
#define PER_LOOP   2    /* of a listener: epoll, and what wakes it */
#define SPARE      8    /* what wakes the acceptor, folders that are synced, certificates, /proc */

uint64_t descriptors_open(void)
{
	uint64_t n = 0;
	DIR *dir = opendir("/proc/self/fd");
	if (dir == NULL)
		return 0;
	/* The stream is this thread's own. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n < 3 ? 0 : n - 3; /* ".", ".." and the folder itself */
}

uint64_t descriptors_own(const struct config *c, uint64_t open_now)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t loops = c->loops != 0 ? c->loops : (uint64_t)(cores > 0 ? cores : 1);
	return open_now + PER_READER * (uint64_t)c->db_readers +
	       (PER_LOOP * loops + 1) * c->listen.count + c->event_webhook.count + SPARE;
}

bool descriptors_share(
	uint64_t limit, uint64_t own, unsigned wanted, unsigned *out_connections, struct err *err)
{
	if (limit < own || limit - own < FILES_MIN + CONNS_MIN)
		return err_set(err, ERR_CONFIG,
			"the limit of open files is %llu; at least %llu are needed (ulimit -n, "
			"LimitNOFILE=)",
			(unsigned long long)limit,
			(unsigned long long)(own + FILES_MIN + CONNS_MIN));
	uint64_t rest = limit - own;
	uint64_t files = rest / 4 < FILES_MAX ? rest / 4 : FILES_MAX;
	files = files < FILES_MIN ? FILES_MIN : files;
	*out_connections = wanted <= rest - files ? wanted : (unsigned)(rest - files);
	return true;
}
