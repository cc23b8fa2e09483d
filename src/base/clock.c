#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t shift_ms;

static int64_t read_us(clockid_t clock)
{
	struct timespec ts;
	/* These two clocks always exist (POSIX, Linux): clock_gettime cannot fail. */
	(void)clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_now_ms(void)
{
	return read_us(CLOCK_REALTIME) / 1000 +
	       atomic_load_explicit(&shift_ms, memory_order_relaxed);
}

int64_t clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

void clock_shift_ms(int64_t ms)
{
	atomic_fetch_add(&shift_ms, ms);
}
