#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Formats into a temporary first: the arguments may well be the fields that are about to be
 * overwritten. */
#define FORMAT_INTO(field, fmt)                                                   \
	do {                                                                      \
		char tmp_[sizeof(field)];                                         \
		va_list ap_;                                                      \
		va_start(ap_, fmt);                                               \
		int n_ = vsnprintf(tmp_, sizeof(tmp_), fmt, ap_);                 \
		va_end(ap_);                                                      \
		memcpy(field, n_ < 0 ? "" : tmp_, n_ < 0 ? 1 : strlen(tmp_) + 1); \
	} while (0)

bool err_set_at(
	struct err *err, enum err_kind kind, const char *file, int line, const char *fmt, ...)
{
	FORMAT_INTO(err->msg, fmt);
	err->kind = kind;
	err->detail[0] = '\0';
	err->file = file;
	err->line = line;
	return false;
}

bool err_sys_at(struct err *err, enum err_kind kind, int errnum, const char *file, int line,
	const char *fmt, ...)
{
	int saved = errno;
	FORMAT_INTO(err->detail, fmt);
	if (errnum != 0) {
		size_t len = strlen(err->detail);
		char why[128];
		/* The GNU strerror_r: may or may not use the buffer, always returns text. */
		const char *text = strerror_r(errnum, why, sizeof(why));
		snprintf(err->detail + len, sizeof(err->detail) - len, ": %s", text);
	}
	err->kind = kind;
	err->msg[0] = '\0';
	err->file = file;
	err->line = line;
	errno = saved;
	return false;
}

bool err_wrap(struct err *err, const char *fmt, ...)
{
	char old[sizeof(err->detail)];
	memcpy(old, err->detail, sizeof(old));
	FORMAT_INTO(err->detail, fmt);
	if (old[0] != '\0') {
		size_t len = strlen(err->detail);
		snprintf(err->detail + len, sizeof(err->detail) - len, ": %s", old);
	}
	return false;
}

const char *err_kind_name(enum err_kind kind)
{
	switch (kind) {
#define ERR(name, text)  \
	case ERR_##name: \
		return #name;
#include "base/err.def"
#undef ERR
	}
	return "INTERNAL";
}

const char *err_kind_text(enum err_kind kind)
{
	switch (kind) {
#define ERR(name, text)  \
	case ERR_##name: \
		return text;
#include "base/err.def"
#undef ERR
	}
	return "internal error";
}

const char *err_text(const struct err *err)
{
	return err->msg[0] != '\0' ? err->msg : err_kind_text(err->kind);
}
