/* fuzz.h - what a target shares with the program around it (libFuzzer, or replay.c). */
#ifndef BERTH_TESTS_FUZZ_H
#define BERTH_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Must return 0, hold no state between calls, and abort where a promise is broken. */
int LLVMFuzzerTestOneInput(
	const uint8_t *data, size_t size); /* NOLINT(readability-identifier-naming) */

/* An assert that no build switches off. */
#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

#endif
