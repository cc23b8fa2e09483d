/*
 * The writer's log takes the frames of a commit in one call of the system instead of two a page.
 *
 * SQLite writes each frame as a header of 24 bytes and a page
 * (https://sqlite.org/fileformat2.html#walformat), one after the other. These are gathered, and
 * written when the last frame of a commit is there (its header tells the size of the database), or
 * anything but the next bytes is asked of the file: so SQLite learns of a failed write before it
 * tells readers of the frames, and before it syncs. What a transaction that was given up has left
 * is dropped before another begins: by then its place in the file may hold the commit of another
 * process.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "meta/db_priv.h"

#define GATHER_MAX   ((int)(64 * KIB))
#define FRAME_HEADER 24
#define COMMIT_AT    4 /* in the header: 4 bytes, 0 but in the last frame of a commit */

struct db_log {
	sqlite3_io_methods methods; /* first member: the file's methods lead here */
	const sqlite3_io_methods *real;
	sqlite3_int64 begin; /* where in the file the bytes belong */
	int len;
	bool is_commit; /* the header of a last frame was written, its page not yet */
	uint8_t bytes[GATHER_MAX];
};

static struct db_log *log_of(sqlite3_file *file)
{
	return (struct db_log *)(uintptr_t)file->pMethods;
}

/* What fails is dropped: as after any failed write, what the file holds there is not known. */
static int flush(sqlite3_file *file)
{
	struct db_log *l = log_of(file);
	int len = l->len;
	l->len = 0;
	l->is_commit = false;
	return len == 0 ? SQLITE_OK : l->real->xWrite(file, l->bytes, len, l->begin);
}

static int log_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
	static const uint8_t none[4];
	struct db_log *l = log_of(file);
	if (l->len > 0 && (offset != l->begin + l->len || len > GATHER_MAX - l->len)) {
		int rc = flush(file);
		if (rc != SQLITE_OK)
			return rc;
	}
	if (len > GATHER_MAX)
		return l->real->xWrite(file, bytes, len, offset);
	if (l->len == 0)
		l->begin = offset;
	memcpy(l->bytes + l->len, bytes, (size_t)len);
	l->len += len;
	if (l->is_commit)
		return flush(file);
	l->is_commit = len == FRAME_HEADER &&
		       memcmp((const uint8_t *)bytes + COMMIT_AT, none, sizeof(none)) != 0;
	return SQLITE_OK;
}

static int log_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 offset)
{
	int rc = flush(file);
	return rc == SQLITE_OK ? log_of(file)->real->xRead(file, bytes, len, offset) : rc;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int rc = flush(file);
	return rc == SQLITE_OK ? log_of(file)->real->xTruncate(file, size) : rc;
}

static int log_sync(sqlite3_file *file, int flags)
{
	int rc = flush(file);
	return rc == SQLITE_OK ? log_of(file)->real->xSync(file, flags) : rc;
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size)
{
	int rc = flush(file);
	return rc == SQLITE_OK ? log_of(file)->real->xFileSize(file, size) : rc;
}

static int log_close(sqlite3_file *file)
{
	struct db_log *l = log_of(file);
	/* Nothing that was committed waits here, and the place of the rest may be another's. */
	file->pMethods = l->real;
	free(l);
	return file->pMethods->xClose(file);
}

void db_log_drop(struct db_conn *c)
{
	if (c->log == NULL)
		return;
	c->log->len = 0;
	c->log->is_commit = false;
}

bool db_log_gather(struct db_conn *c, struct err *err)
{
	sqlite3_file *file = NULL;
	int rc = sqlite3_file_control(c->sqlite, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
	if (rc != SQLITE_OK || file == NULL || file->pMethods == NULL)
		return err_sys(err, ERR_CONFIG, 0, "no write-ahead log is open (SQLite %d)", rc);
	struct db_log *l = xmalloc(sizeof(*l));
	l->real = file->pMethods;
	l->methods = *l->real;
	l->len = 0;
	l->is_commit = false;
	l->methods.xWrite = log_write;
	l->methods.xRead = log_read;
	l->methods.xTruncate = log_truncate;
	l->methods.xSync = log_sync;
	l->methods.xFileSize = log_size;
	l->methods.xClose = log_close;
	file->pMethods = &l->methods;
	c->log = l;
	return true;
}
