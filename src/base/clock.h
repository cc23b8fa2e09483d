/* clock.h - the time, replaceable in tests. Threads: safe. */
#ifndef BERTH_BASE_CLOCK_H
#define BERTH_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_now_ms(void);  /* wall clock, milliseconds since 1970 */
int64_t clock_mono_us(void); /* monotonic microseconds, for durations */
/* Test seam: adds ms to clock_now_ms from now on. */
void clock_shift_ms(int64_t ms);

#endif
