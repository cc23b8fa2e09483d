/*
 * due.h - the time by which is decided what is old enough to be deleted. It is the wall clock's,
 * but when that is set forward while the process runs, or goes on after the machine slept, this
 * one goes on as before for keep_ms: whatever is younger than that in time that really ran does not
 * count as old at once. When the wall clock is set back, what lies in its future is not old either.
 * Threads: one caller.
 */
#ifndef BERTH_BASE_DUE_H
#define BERTH_BASE_DUE_H

#include <stdint.h>

struct due_clock {
	int64_t keep_ms;
	int64_t offset_ms; /* of the wall clock to the monotonic one, when last looked at */
	int64_t behind_ms; /* the wall clock, by so much */
	int64_t until_us;  /* monotonic; then it catches up */
};

/* wall_ms, mono_us: clock_now_ms, clock_mono_us. */
void due_clock_init(struct due_clock *d, int64_t keep_ms, int64_t wall_ms, int64_t mono_us);

/* What time it is for these decisions, in milliseconds since 1970. *out_set_ms: by how much the
 * wall clock has been set since the last call (less than a second does not count); 0: not. */
int64_t due_clock_now(struct due_clock *d, int64_t wall_ms, int64_t mono_us, int64_t *out_set_ms);

#endif
