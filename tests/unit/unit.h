/* unit.h - cmocka with the headers that it wants before itself, and a few helpers. */
#ifndef BERTH_TESTS_UNIT_H
#define BERTH_TESTS_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

#include "base/err.h"
#include "base/str.h"

/* Fails with the error's text when the call is not done; wants a `struct err err` in scope. */
#define ASSERT_DONE(call)                                                           \
	do {                                                                        \
		if (!(call))                                                        \
			fail_msg("%s: %s: %s (%s)", #call, err_kind_name(err.kind), \
				err_text(&err), err.detail);                        \
	} while (0)

/* The call must fail, with that kind. */
#define ASSERT_FAILS(wanted, call)                                                   \
	do {                                                                         \
		if (call)                                                            \
			fail_msg("%s: done, but was to fail", #call);                \
		assert_string_equal(err_kind_name(err.kind), err_kind_name(wanted)); \
	} while (0)

#define ASSERT_STR(s, literal)                                                              \
	do {                                                                                \
		struct str got_ = (s);                                                      \
		if (!str_eq_c(got_, literal))                                               \
			fail_msg("%s: \"%.*s\" is not \"%s\"", #s, STR_ARG(got_), literal); \
	} while (0)

/* A folder of its own under $TMPDIR; path must hold 256 bytes. */
static inline UNUSED void make_temp_folder(char path[256])
{
	const char *tmp = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
	snprintf(
		path, 256, "%s/berth-test-XXXXXX", tmp != NULL && strlen(tmp) < 200 ? tmp : "/tmp");
	assert_non_null(mkdtemp(path));
}

/* Removes the folder with all in it. */
static inline UNUSED void remove_temp_folder(const char *path)
{
	char command[300];
	snprintf(command, sizeof(command), "rm -rf -- '%s'", path);
	/* NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): a path that mkdtemp made */
	assert_int_equal(system(command), 0);
}

#endif
