#include "app/nearest.h"

#include <stdio.h>

void nearest_init(struct nearest *n, struct str word)
{
	*n = (struct nearest){ .word = word, .distance = ~0U };
}

/* Insertions, deletions and replacements between two short words (Levenshtein), a row at a time. */
static unsigned edit_distance(struct str a, struct str b)
{
	unsigned row[NEAREST_MAX + 1];
	for (unsigned j = 0; j <= b.len; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.len; i++) {
		unsigned diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			unsigned best = diagonal + (a.ptr[i - 1] == b.ptr[j - 1] ? 0 : 1);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b.len];
}

void nearest_offer(struct nearest *n, const char *candidate)
{
	struct str c = str_from(candidate);
	if (c.len >= NEAREST_MAX || n->word.len >= NEAREST_MAX)
		return;
	unsigned distance = edit_distance(n->word, c);
	if (distance < n->distance) {
		n->distance = distance;
		snprintf(n->best, sizeof(n->best), "%s", candidate);
	}
}

const char *nearest_get(const struct nearest *n)
{
	return n->distance <= 1 + n->word.len / 4 ? n->best : NULL;
}
