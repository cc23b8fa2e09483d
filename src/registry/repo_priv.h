/* repo_priv.h - repositories inside another module's transaction. For registry/ only. */
#ifndef BERTH_REGISTRY_REPO_PRIV_H
#define BERTH_REGISTRY_REPO_PRIV_H

#include "meta/repo_table.h"
#include "registry/repo.h"

/* Exclusion filters as they are stored, one a line. Joining: ptr NULL when the arena is full. */
size_t repo_split_filters(struct str text, struct str out[REPO_FILTERS_MAX]);
struct str repo_join_filters(struct arena *arena, const struct str *filters, size_t count);

void repo_from_row(const struct repo_row *row, struct repo *out);

#endif
