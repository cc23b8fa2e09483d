#include "app/units.h"

#include <stdio.h>

#include "base/macros.h"

#define DURATION_MAX_MS ((int64_t)100 * 366 * 86400 * 1000)

struct unit {
	const char *name;
	uint64_t factor;
};

/* Splits "64MiB" into number and unit, either of which may be empty. */
static void split_number(struct str s, struct str *number, struct str *rest)
{
	size_t n = 0;
	while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
		n++;
	*number = str_sub(s, 0, n);
	*rest = str_sub(s, n, s.len - n);
}

bool units_parse_bytes(struct str s, uint64_t *out)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "B", 1 },
		{ "KiB", 1ULL << 10 },
		{ "MiB", 1ULL << 20 },
		{ "GiB", 1ULL << 30 },
		{ "TiB", 1ULL << 40 },
		{ "kB", 1000ULL },
		{ "MB", 1000000ULL },
		{ "GB", 1000000000ULL },
		{ "TB", 1000000000000ULL },
	};
	struct str number;
	struct str rest;
	split_number(s, &number, &rest);
	rest = str_trim(rest);
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		uint64_t n;
		if (!str_eq_nocase(rest, str_from(units[i].name)))
			continue;
		if (!str_to_u64(number, UINT64_MAX / units[i].factor, &n))
			return false;
		*out = n * units[i].factor;
		return true;
	}
	return false;
}

/* One number and its unit off the front of *s, in milliseconds. */
static bool take_duration(struct str *s, uint64_t *out_ms)
{
	/* "ms" before "m". */
	static const struct unit units[] = {
		{ "ms", 1 },
		{ "s", 1000 },
		{ "m", 60000 },
		{ "h", 3600000 },
		{ "d", 86400000 },
	};
	struct str number;
	struct str rest;
	split_number(*s, &number, &rest);
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct str name = str_from(units[i].name);
		uint64_t n;
		if (!str_starts(rest, name))
			continue;
		if (!str_to_u64(number, (uint64_t)DURATION_MAX_MS / units[i].factor, &n))
			return false;
		*out_ms = n * units[i].factor;
		*s = str_sub(rest, name.len, rest.len - name.len);
		return true;
	}
	return false;
}

bool units_parse_duration(struct str s, int64_t *out_ms)
{
	int64_t sum = 0;
	if (str_eq_c(s, "0")) {
		*out_ms = 0;
		return true;
	}
	do {
		uint64_t part = 0;
		if (!take_duration(&s, &part))
			return false;
		sum += (int64_t)part;
		if (sum > DURATION_MAX_MS)
			return false;
	} while (s.len > 0);
	*out_ms = sum;
	return true;
}

bool units_parse_switch(struct str s, bool *out)
{
	static const char *const words[][2] = {
		{ "off", "on" },
		{ "false", "true" },
		{ "no", "yes" },
		{ "0", "1" },
	};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		for (unsigned value = 0; value < 2; value++) {
			if (str_eq_nocase(s, str_from(words[i][value]))) {
				*out = value == 1;
				return true;
			}
		}
	}
	return false;
}

const char *units_bytes(uint64_t bytes, char out[UNITS_TEXT_MAX])
{
	static const char *const names[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	if (bytes < 1024) {
		snprintf(out, UNITS_TEXT_MAX, "%u B", (unsigned)bytes);
		return out;
	}
	double value = (double)bytes / 1024;
	size_t i = 0;
	/* Not 1024: what would be rounded up to "1024" reads better as "1.0" of the next. */
	while (value >= 1023.5 && i + 1 < ARRAY_LEN(names)) {
		value /= 1024;
		i++;
	}
	snprintf(out, UNITS_TEXT_MAX, value < 99.95 ? "%.1f %s" : "%.0f %s", value, names[i]);
	return out;
}
