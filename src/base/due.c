#include "base/due.h"

#define SET_MIN_MS 1000 /* the clocks are not read in the same moment */

void due_clock_init(struct due_clock *d, int64_t keep_ms, int64_t wall_ms, int64_t mono_us)
{
	*d = (struct due_clock){ .keep_ms = keep_ms, .offset_ms = wall_ms - mono_us / 1000 };
}

int64_t due_clock_now(struct due_clock *d, int64_t wall_ms, int64_t mono_us, int64_t *out_set_ms)
{
	int64_t offset_ms = wall_ms - mono_us / 1000;
	int64_t set_ms = offset_ms - d->offset_ms;
	*out_set_ms = 0;
	if (d->behind_ms > 0 && mono_us >= d->until_us)
		d->behind_ms = 0;
	if (set_ms >= SET_MIN_MS || set_ms <= -SET_MIN_MS) {
		*out_set_ms = set_ms;
		d->offset_ms = offset_ms;
		d->behind_ms += set_ms;
		if (set_ms > 0)
			d->until_us = mono_us + d->keep_ms * 1000;
		if (d->behind_ms < 0)
			d->behind_ms = 0;
	}
	return wall_ms - d->behind_ms;
}
