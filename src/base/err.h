/*
 * err.h - the one way to report a failure.
 *
 * A function that can fail returns bool (true = done), takes `struct err *err` last and fills it
 * exactly when it returns false. The struct is the caller's, fixed in size, and never allocates.
 */
#ifndef BERTH_BASE_ERR_H
#define BERTH_BASE_ERR_H

#include <stdbool.h>

#include "base/macros.h"

enum err_kind {

#define ERR(name, text) ERR_##name,
#include "base/err.def"
#undef ERR
};

struct err {
	enum err_kind kind;
	char msg[640]; /* safe to show to the client; may be empty: then the kind's text serves */
	char detail[512]; /* log only: paths, SQL, errno */
	const char *file; /* origin */
	int line;
};

/* NOLINTBEGIN(readability-identifier-naming): they read as functions on purpose */
/* Fills err and returns false, so that `return err_set(err, ERR_X, "...")` reads well. Text longer
 * than the field is cut. */
#define err_set(err, kind, ...) err_set_at((err), (kind), __FILE__, __LINE__, __VA_ARGS__)
/* As err_set, with the message empty and the text (plus strerror(errnum) unless 0) in detail, for
 * what only the log may say. */
#define err_sys(err, kind, errnum, ...) \
	err_sys_at((err), (kind), (errnum), __FILE__, __LINE__, __VA_ARGS__)
/* NOLINTEND(readability-identifier-naming) */

bool err_set_at(struct err *err, enum err_kind kind, const char *file, int line, const char *fmt,
	...) PRINTF_LIKE(5, 6);
bool err_sys_at(struct err *err, enum err_kind kind, int errnum, const char *file, int line,
	const char *fmt, ...) PRINTF_LIKE(6, 7);

/* Puts "text: " before the detail; never changes the kind or the message. Returns false. */
bool err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The kind's name ("REPO_UNKNOWN") and its plain text. Never NULL. */
const char *err_kind_name(enum err_kind kind);
const char *err_kind_text(enum err_kind kind);
/* What may be shown: msg, or the kind's text where msg is empty. */
const char *err_text(const struct err *err);

/* Spells that a failure does not matter here; say why in a comment beside it. */
static inline void err_ignore(bool done)
{
	(void)done;
}

#endif
