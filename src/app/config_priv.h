/* config_priv.h - what config.c and config_source.c share. */
#ifndef BERTH_APP_CONFIG_PRIV_H
#define BERTH_APP_CONFIG_PRIV_H

#include "app/config.h"

/* Sets one key from one source. Errors: CONFIG with the finished line. */
MUST_CHECK bool config_set(struct config *c, const struct config_key *key, struct str value,
	struct config_origin from, struct err *err);

/* The sources, from config_source.c. */
MUST_CHECK bool config_find_file(const struct config_input *in, struct config *c, struct err *err);
MUST_CHECK bool config_read_file(struct config *c, struct err *err); /* done when there is none */
MUST_CHECK bool config_read_environment(
	const struct config_input *in, struct config *c, struct err *err);
MUST_CHECK bool config_read_args(const struct config_input *in, struct config *c, struct err *err);

#endif
