/*
 * volatile_disk IMAGE FILE FLUSH-US - a disk with a volatile write cache, and a switch for its
 * power.
 *
 * FILE, an existing empty one, shows the bytes of IMAGE as a disk of that size: a file system of
 * one file, served over /dev/fuse. What is written stays in memory until an fsync of FILE, which is
 * what a loop device makes of a flush by the file system above it; only what had been written when
 * the fsync arrived reaches IMAGE, FLUSH-US microseconds later. Whoever was told of a write before
 * the fsync behind it ended was told too early.
 *
 * Commands on standard input, a line each, answered by a line on standard output:
 *   cut none|prefix|writes|sectors SEED   the power fails. Of the writes not synced, nothing
 * reaches IMAGE; those before a random one, which is torn; random ones, whole; random sectors of
 * 512 or of 4096 bytes. From now on every access fails with EIO.
 *   bad read|write AT SIZE     from now on what touches these bytes so fails with EIO
 *   good                       no more of these
 *   stat                       how much is not synced
 * At the end of its input it ends, and with it FILE's contents; IMAGE has what survived.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/fuse.h>

#define MAX_IO    (1024 * 1024)
#define MAX_CACHE (256 * (size_t)MAX_IO) /* a full cache writes its oldest back, as disks do */
#define SERVERS   4
#define BAD_MAX   256
#define PROTOCOL  31 /* the minor version of FUSE that is spoken */

/* A write that no sync has made durable. */
struct pending {
	struct pending *next;
	uint64_t number;
	size_t at, size;
	uint8_t data[];
};

/* Bytes that cannot be read, or written. */
struct bad {
	bool is_write;
	size_t at, size;
};

struct disk {
	int fuse;
	size_t size;
	unsigned flush_us;
	uint8_t *stable; /* IMAGE, as a power cut leaves it */
	uint8_t *latest; /* as readers see it: pages never written are those of IMAGE */

	pthread_mutex_t lock; /* over everything below, and both mappings */
	struct pending *first, **last_next;
	uint64_t next_number;
	size_t cached_bytes;
	bool is_dead;
	struct bad bad[BAD_MAX];
	size_t bad_count;
	uint64_t refused; /* accesses, because of these */
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "volatile_disk: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void must(bool done, const char *what)
{
	if (!done)
		die(what);
}

/* --- the cache; all hold the lock --- */

static void persist(struct disk *d, const struct pending *p, size_t from, size_t size)
{
	memcpy(d->stable + p->at + from, p->data + from, size);
}

static void drop_first(struct disk *d)
{
	struct pending *p = d->first;
	d->first = p->next;
	if (d->first == NULL)
		d->last_next = &d->first;
	d->cached_bytes -= p->size;
	free(p);
}

static void write_back_first(struct disk *d)
{
	persist(d, d->first, 0, d->first->size);
	drop_first(d);
}

static bool is_bad(struct disk *d, bool is_write, size_t at, size_t size)
{
	for (size_t i = 0; i < d->bad_count; i++) {
		const struct bad *b = &d->bad[i];
		if (b->is_write == is_write && at < b->at + b->size && b->at < at + size) {
			d->refused++;
			return true;
		}
	}
	return false;
}

static int disk_write(struct disk *d, size_t at, const uint8_t *data, size_t size)
{
	if (d->is_dead || is_bad(d, true, at, size))
		return EIO;
	if (at > d->size || size > d->size - at)
		return ENOSPC;
	struct pending *p = malloc(sizeof(*p) + size);
	if (p == NULL)
		return ENOMEM;
	*p = (struct pending){ .number = d->next_number++, .at = at, .size = size };
	memcpy(p->data, data, size);
	memcpy(d->latest + at, data, size);
	*d->last_next = p;
	d->last_next = &p->next;
	d->cached_bytes += size;
	while (d->cached_bytes > MAX_CACHE)
		write_back_first(d);
	return 0;
}

static int disk_sync(struct disk *d)
{
	uint64_t end = d->next_number;
	pthread_mutex_unlock(&d->lock);
	usleep(d->flush_us);
	pthread_mutex_lock(&d->lock);
	if (d->is_dead)
		return EIO;
	while (d->first != NULL && d->first->number < end)
		write_back_first(d);
	return 0;
}

/* --- the power cut --- */

static uint64_t count_writes(const struct disk *d)
{
	return d->first != NULL ? d->next_number - d->first->number : 0;
}

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

/* Each part of the write by its own, with the given chance in 256. Returns the bytes kept. */
static size_t keep_parts(
	struct disk *d, const struct pending *p, size_t part, unsigned chance, uint64_t *random)
{
	size_t kept = 0;
	for (size_t from = 0; from < p->size; from += part) {
		size_t size = p->size - from < part ? p->size - from : part;
		if (next_random(random) % 256 >= chance)
			continue;
		persist(d, p, from, size);
		kept += size;
	}
	return kept;
}

/* In the order of writing, so that of several writes to a sector the last that was kept is what
 * stays. Returns the bytes kept. */
static size_t keep_some(struct disk *d, const char *mode, uint64_t random)
{
	static const unsigned chances[] = { 16, 128, 240 };
	size_t kept = 0;
	unsigned chance = chances[next_random(&random) % 3];
	size_t sector = next_random(&random) % 2 == 0 ? 512 : 4096;
	uint64_t count = count_writes(d);
	uint64_t torn = count > 0 ? d->first->number + next_random(&random) % count : 0;
	for (const struct pending *p = d->first; p != NULL; p = p->next) {
		if (strcmp(mode, "sectors") == 0)
			kept += keep_parts(d, p, sector, chance, &random);
		else if (strcmp(mode, "writes") == 0)
			kept += keep_parts(d, p, p->size, chance, &random);
		else if (strcmp(mode, "prefix") == 0 && p->number < torn)
			kept += keep_parts(d, p, p->size, 256, &random);
		else if (strcmp(mode, "prefix") == 0 && p->number == torn)
			kept += keep_parts(d, p, sector, 128, &random);
	}
	return kept;
}

/* Three cuts of four come while there is something to lose, if it comes soon. Holds the lock, but
 * for the waits. */
static void await_writes(struct disk *d, uint64_t seed)
{
	for (unsigned i = 0; seed % 4 != 0 && i < 500 && d->first == NULL; i++) {
		pthread_mutex_unlock(&d->lock);
		usleep(100);
		pthread_mutex_lock(&d->lock);
	}
}

static void command(struct disk *d, const char *line)
{
	char mode[16];
	uint64_t seed;
	size_t at, size;
	pthread_mutex_lock(&d->lock);
	if (sscanf(line, "cut %15s %" SCNu64, mode, &seed) == 2) {
		await_writes(d, seed);
		uint64_t writes = count_writes(d);
		size_t kept = keep_some(d, mode, seed);
		printf("%" PRIu64 " %zu %zu\n", writes, d->cached_bytes, kept);
		d->is_dead = true;
		while (d->first != NULL)
			drop_first(d);
	} else if (d->bad_count < BAD_MAX &&
		   sscanf(line, "bad %15s %zu %zu", mode, &at, &size) == 3) {
		d->bad[d->bad_count++] = (struct bad){ strcmp(mode, "write") == 0, at, size };
		printf("0\n");
	} else if (strcmp(line, "good\n") == 0) {
		printf("%" PRIu64 "\n", d->refused);
		d->bad_count = d->refused = 0;
	} else if (strcmp(line, "stat\n") == 0) {
		printf("%" PRIu64 " %zu 0\n", count_writes(d), d->cached_bytes);
	} else {
		printf("unknown command\n");
	}
	pthread_mutex_unlock(&d->lock);
}

/* --- FUSE --- */

static void reply(struct disk *d, uint64_t unique, int error, const void *data, size_t size)
{
	struct fuse_out_header head = {
		.len = (uint32_t)(sizeof(head) + size), .error = -error, .unique = unique
	};
	struct iovec parts[] = { { &head, sizeof(head) }, { (void *)(uintptr_t)data, size } };
	/* ENOENT: the request was given up meanwhile. */
	must(writev(d->fuse, parts, size > 0 ? 2 : 1) >= 0 || errno == ENOENT, "answer");
}

static void reply_init(struct disk *d, uint64_t unique, const struct fuse_init_in *in)
{
	must(in->major == FUSE_KERNEL_VERSION && in->minor >= PROTOCOL,
		"the kernel's FUSE is too old");
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = PROTOCOL,
		.flags = in->flags & (FUSE_BIG_WRITES | FUSE_MAX_PAGES | FUSE_ASYNC_READ),
		.max_background = 32,
		.congestion_threshold = 32,
		.max_write = MAX_IO,
		.max_pages = MAX_IO / 4096,
		.time_gran = 1,
	};
	reply(d, unique, 0, &out, sizeof(out));
}

static void reply_attr(struct disk *d, uint64_t unique)
{
	struct fuse_attr_out out = {
		.attr_valid = 3600,
		.attr = { .ino = FUSE_ROOT_ID,
			.size = d->size,
			.blocks = d->size / 512,
			.mode = S_IFREG | 0600,
			.nlink = 1,
			.blksize = 4096 },
	};
	reply(d, unique, 0, &out, sizeof(out));
}

static void serve_read(
	struct disk *d, uint64_t unique, const struct fuse_read_in *in, uint8_t *bytes)
{
	size_t size = 0;
	int error = 0;
	pthread_mutex_lock(&d->lock);
	if (d->is_dead || is_bad(d, false, in->offset, in->size)) {
		error = EIO;
	} else if (in->offset < d->size) {
		size = d->size - in->offset < in->size ? d->size - in->offset : in->size;
		size = size < MAX_IO ? size : MAX_IO;
		memcpy(bytes, d->latest + in->offset, size);
	}
	pthread_mutex_unlock(&d->lock);
	reply(d, unique, error, bytes, size);
}

static void serve_write(struct disk *d, uint64_t unique, const struct fuse_write_in *in)
{
	pthread_mutex_lock(&d->lock);
	int error = disk_write(d, in->offset, (const uint8_t *)(in + 1), in->size);
	pthread_mutex_unlock(&d->lock);
	struct fuse_write_out out = { .size = in->size };
	reply(d, unique, error, &out, error == 0 ? sizeof(out) : 0);
}

static void serve_sync(struct disk *d, uint64_t unique)
{
	pthread_mutex_lock(&d->lock);
	int error = disk_sync(d);
	pthread_mutex_unlock(&d->lock);
	reply(d, unique, error, NULL, 0);
}

/* One request. bytes: room for an answer. */
static void serve(struct disk *d, const struct fuse_in_header *in, uint8_t *bytes)
{
	const void *args = in + 1;
	/* Not through the page cache: it would keep what was lost. */
	struct fuse_open_out open = { .open_flags = FOPEN_DIRECT_IO };
	switch (in->opcode) {
	case FUSE_INIT:
		reply_init(d, in->unique, args);
		break;
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		reply_attr(d, in->unique);
		break;
	case FUSE_OPEN:
		reply(d, in->unique, 0, &open, sizeof(open));
		break;
	case FUSE_READ:
		serve_read(d, in->unique, args, bytes);
		break;
	case FUSE_WRITE:
		serve_write(d, in->unique, args);
		break;
	case FUSE_FSYNC:
		serve_sync(d, in->unique);
		break;
	case FUSE_FLUSH: /* that is close */
	case FUSE_RELEASE:
		reply(d, in->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break; /* want no answer */
	default:
		reply(d, in->unique, ENOSYS, NULL, 0);
	}
}

static void *server_main(void *arg)
{
	struct disk *d = arg;
	size_t room = MAX_IO + 4096;
	uint8_t *request = aligned_alloc(4096, room), *bytes = malloc(MAX_IO);
	must(request != NULL && bytes != NULL, "memory");
	for (;;) {
		ssize_t got = read(d->fuse, request, room);
		if (got < 0 && errno == ENODEV)
			break; /* unmounted */
		if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT))
			continue;
		must(got >= (ssize_t)sizeof(struct fuse_in_header), "read of a request");
		serve(d, (const struct fuse_in_header *)(const void *)request, bytes);
	}
	free(request);
	free(bytes);
	return NULL;
}

/* --- start and end --- */

static void open_image(struct disk *d, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	must(fd >= 0 && fstat(fd, &st) == 0, path);
	d->size = (size_t)st.st_size;
	d->stable = mmap(NULL, d->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	/* A page is private from its first write on; before, both are the same page. */
	d->latest = mmap(NULL, d->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	must(d->stable != MAP_FAILED && d->latest != MAP_FAILED, "mmap");
	must(close(fd) == 0, "close");
}

int main(int argc, char **argv)
{
	static struct disk d = { .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t servers[SERVERS];
	char options[64], line[128], *end;
	if (argc != 4) {
		fprintf(stderr, "usage: volatile_disk IMAGE FILE FLUSH-US\n");
		return 2;
	}
	d.flush_us = (unsigned)strtoul(argv[3], &end, 10);
	d.last_next = &d.first;
	must(*end == '\0' && d.flush_us < 1000000, "FLUSH-US");
	must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0,
		"prctl"); /* the input's end may come late: others may have inherited it */
	open_image(&d, argv[1]);
	d.fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	must(d.fuse >= 0, "/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=100600,user_id=0,group_id=0", d.fuse);
	must(mount("volatile_disk", argv[2], "fuse", MS_NOSUID | MS_NODEV, options) == 0, "mount");
	for (size_t i = 0; i < SERVERS; i++)
		must(pthread_create(&servers[i], NULL, server_main, &d) == 0, "thread");
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	while (fgets(line, sizeof(line), stdin) != NULL)
		command(&d, line);
	must(umount2(argv[2], MNT_DETACH) == 0, "umount");
	return 0; /* the device goes with the process; a server may still wait at it */
}
