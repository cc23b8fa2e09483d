/* repo_priv.h - repositories inside another module's transaction. For registry/ only. */
#ifndef BERTH_REGISTRY_REPO_PRIV_H
#define BERTH_REGISTRY_REPO_PRIV_H

#include "meta/repo_table.h"
#include "registry/repo.h"

void repo_from_row(const struct repo_row *row, struct repo *out);

#endif
