/* command.h - the subcommands of `berth`, a table that cli.c runs and config_help.c describes. */
#ifndef BERTH_APP_COMMAND_H
#define BERTH_APP_COMMAND_H

#include "app/config.h"

/* How a run ends; also the exit status of the program. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1, /* a failure while running; findings, for check (a locked pool is none) */
	EXIT_USAGE = 2,  /* command line, configuration, unusable folder */
};

struct command {
	const char *name;
	enum config_command bit;
	const char *summary; /* a line without full stop */
	const char *text;    /* paragraphs, divided by "\n\n" */
	enum exit_status (*run)(const struct config *c);
};

/* Ends with a command whose name is NULL. */
extern const struct command commands[];
const struct command *command_find(struct str name); /* or NULL */
/* The word that must follow the name; NULL: none. */
const char *command_word(const struct command *c);

/* Prints "berth: <message>" on standard error, with the detail behind it, and returns status; for a
 * CONFIG error EXIT_USAGE. */
enum exit_status command_fail(const struct err *err, enum exit_status status);

enum exit_status serve_run(const struct config *c);
enum exit_status check_run(const struct config *c);
enum exit_status lifecycle_run_command(const struct config *c);
enum exit_status gc_run(const struct config *c);
enum exit_status savings_run(const struct config *c);
enum exit_status new_key_run(const struct config *c);
enum exit_status console_run(const struct config *c);
enum exit_status re_encrypt_run(const struct config *c);

#endif
