/* config_help.h - help texts and the reference, rendered from the tables of keys and commands. */
#ifndef BERTH_APP_CONFIG_HELP_H
#define BERTH_APP_CONFIG_HELP_H

#include "app/command.h"
#include "base/buf.h"

/* `berth --help` and `berth help serve`. */
void config_help_overview(struct buf *out);
void config_help_command(struct buf *out, const struct command *command);
/* `berth config`: every key of the configuration in one of the FORMAT_*. */
void config_help_reference(struct buf *out, unsigned format);
/* "--data", "--listen"... that the command takes, one a line. */
void config_help_options(struct buf *out, enum config_command command);

#endif
