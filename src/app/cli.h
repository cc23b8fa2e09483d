/* cli.h - the command line: finds the subcommand, reads its configuration, runs it. */
#ifndef BERTH_APP_CLI_H
#define BERTH_APP_CLI_H

/* The whole program; returns its exit status. environment: NAME=VALUE, ended by NULL. */
int cli_main(int argc, char *const *argv, char *const *environment);

#endif
