/* units.h - sizes and times as people write them ("64MiB", "24h"). Pure. */
#ifndef BERTH_APP_UNITS_H
#define BERTH_APP_UNITS_H

#include "base/str.h"

/* A whole number and B, KiB, MiB, GiB, TiB or kB, MB, GB, TB, in any case; no unit means bytes.
 * False for anything else, and beyond 64 bits. */
bool units_parse_bytes(struct str s, uint64_t *out);
/* A whole number and ms, s, m, h or d, several of them in a row ("1h30m"); "0" needs no unit.
 * Milliseconds. False for anything else, and beyond 100 years. */
bool units_parse_duration(struct str s, int64_t *out_ms);
/* on/off, true/false, yes/no, 1/0. */
bool units_parse_switch(struct str s, bool *out);

#define UNITS_TEXT_MAX 24
/* "0 B", "999 B", "1.5 MiB": three or four significant characters. Returns out. */
const char *units_bytes(uint64_t bytes, char out[UNITS_TEXT_MAX]);

#endif
