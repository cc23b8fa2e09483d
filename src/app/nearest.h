/* nearest.h - finds what a mistyped word was meant to be. */
#ifndef BERTH_APP_NEAREST_H
#define BERTH_APP_NEAREST_H

#include "base/str.h"

#define NEAREST_MAX 64

struct nearest {
	struct str word;
	char best[NEAREST_MAX];
	unsigned distance;
};

void nearest_init(struct nearest *n, struct str word); /* borrows word */
void nearest_offer(struct nearest *n, const char *candidate);
/* The closest candidate, or NULL when none is close (about a third of the word may differ). */
const char *nearest_get(const struct nearest *n);

#endif
