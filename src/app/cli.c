#include "app/cli.h"

#include <stdio.h>

#include "app/command.h"
#include "app/config_help.h"
#include "app/nearest.h"
#include "base/mem.h"

#define HELP_MAX_BYTES (256 * KIB)

static enum exit_status config_run(const struct config *c);

const struct command commands[] = {
	{ "serve", COMMAND_SERVE, "Runs the registry",
		"Serves the registry until SIGTERM or SIGINT; SIGHUP rereads the certificate. The "
		"first start makes an account id and an access key, written to the file of "
		"--credentials in the format of the AWS tools.\n\n"
		"Plain HTTP is only served on loopback addresses, unless --allow-plain-http is "
		"given.",
		serve_run },
	{ "check", COMMAND_CHECK, "Verifies what is stored",
		"Compares database and storage: every row that says that bytes exist against the "
		"bytes, every link and count against the rows, and looks for bytes that nothing "
		"names. Prints a line for each finding. Safe while the server runs.\n\n"
		"A pool whose KMS key cannot be used now is told of as locked: what it holds could not be "
		"read, which is no finding.\n\n"
		"Exit status: 0 if nothing was found in what could be read, 1 if something was, 2 if the "
		"check could not run.",
		check_run },
	{ "gc", COMMAND_GC, "Collects what is not needed any more",
		"Removes layers that no image has needed for --collect-grace, expired uploads and "
		"the remains of deleted repositories. A running server does the same by itself; "
		"the command may run beside it.",
		gc_run },
	{ "lifecycle", COMMAND_LIFECYCLE, "Carries out lifecycle policies now",
		"berth lifecycle run evaluates the lifecycle policy of each repository, expires and "
		"archives what is due, and lets referrers follow their subject, until nothing is left "
		"to do. A running server does the same by itself, some time after a change "
		"(--lifecycle-delay); the command may run beside it. What expired images leave behind "
		"is collected later: see berth gc.",
		lifecycle_run_command },
	{ "savings", COMMAND_SAVINGS, "Shows what sharing layers saves",
		"Prints for each repository, each registry and in all: the size of what it holds "
		"(logical), what of it is stored for it (stored), and the difference (saved). Each "
		"stored layer counts in one of the repositories that hold it.",
		savings_run },
	{ "console", COMMAND_CONSOLE, "Prints a link that signs in to the console",
		"The link works once, within five minutes, and signs in as the account's root. The "
		"server must be running; it and this command meet in the data folder.",
		console_run },
	{ "new-key", COMMAND_NEW_KEY, "Makes a new root access key",
		"Adds an access key of the account's root and writes it to the file of "
		"--credentials, in place of the one that stands there. Earlier keys stay valid.",
		new_key_run },
	{ "re-encrypt", COMMAND_RE_ENCRYPT, "Moves what is stored to the current form",
		"Layers and manifests that were stored in another form than --encryption asks for now "
		"are written again: encrypted, or as they are. Everything stays readable meanwhile, also "
		"beside a running server (which must have the same --encryption); what was interrupted is "
		"gone on with by the next run. Then tells, pool by pool, who encrypts.",
		re_encrypt_run },
	{ "config", COMMAND_CONFIG, "Prints every setting, with its default",
		"Prints the reference of all settings.", config_run },
	{ .name = NULL },
};

const struct command *command_find(struct str name)
{
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (str_eq_c(name, c->name))
			return c;
	}
	return NULL;
}

const char *command_word(const struct command *c)
{
	return c->bit == COMMAND_LIFECYCLE ? "run" : NULL;
}

enum exit_status command_fail(const struct err *err, enum exit_status status)
{
	const char *divider = err->detail[0] == '\0' ? "" : ": ";
	fprintf(stderr, "berth: %s%s%s\n", err_text(err), divider, err->detail);
	return err->kind == ERR_CONFIG ? EXIT_USAGE : status;
}

static enum exit_status print(const struct buf *text)
{
	struct str s = buf_str(text);
	bool done = buf_ok(text) && fwrite(s.ptr, 1, s.len, stdout) == s.len && fflush(stdout) == 0;
	return done ? EXIT_OK : EXIT_FAILED;
}

static enum exit_status unknown_command(struct str name)
{
	struct nearest near;
	struct err e;
	nearest_init(&near, name);
	for (const struct command *c = commands; c->name != NULL; c++)
		nearest_offer(&near, c->name);
	nearest_offer(&near, "help");
	nearest_offer(&near, "version");
	const char *best = nearest_get(&near);
	if (best == NULL)
		err_set(&e, ERR_CONFIG, STR_FMT ": unknown command; see berth --help",
			STR_ARG(name));
	else
		err_set(&e, ERR_CONFIG, STR_FMT ": unknown command; did you mean %s?",
			STR_ARG(name), best);
	return command_fail(&e, EXIT_USAGE);
}

static enum exit_status help_run(const char *name)
{
	struct buf text CLEANUP(buf_fini);
	buf_init(&text, HELP_MAX_BYTES);
	if (name == NULL) {
		config_help_overview(&text);
		return print(&text);
	}
	const struct command *command = command_find(str_from(name));
	if (command == NULL)
		return unknown_command(str_from(name));
	config_help_command(&text, command);
	return print(&text);
}

static enum exit_status config_run(const struct config *c)
{
	struct buf text CLEANUP(buf_fini);
	buf_init(&text, HELP_MAX_BYTES);
	if (c->list != NULL) {
		const struct command *command = command_find(str_from(c->list));
		if (command == NULL)
			return unknown_command(str_from(c->list));
		config_help_options(&text, command->bit);
	} else {
		config_help_reference(&text, c->format);
	}
	return print(&text);
}

static bool is_word(const char *arg, const char *word, const char *option, const char *letter)
{
	return strcmp(arg, word) == 0 || strcmp(arg, option) == 0 || strcmp(arg, letter) == 0;
}

static bool wants_help(int argc, char *const *argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	}
	return false;
}

int cli_main(int argc, char *const *argv, char *const *environment)
{
	struct config config;
	struct err err;
	if (argc < 2) {
		(void)help_run(NULL);
		return EXIT_USAGE;
	}
	if (is_word(argv[1], "help", "--help", "-h"))
		return (int)help_run(argc > 2 ? argv[2] : NULL);
	if (is_word(argv[1], "version", "--version", "-V")) {
		printf("berth " BERTH_VERSION "\n");
		return EXIT_OK;
	}
	if (strcmp(argv[1], "--help-config") == 0)
		return (int)config_run(&(struct config){ .format = FORMAT_TEXT });
	const struct command *command = command_find(str_from(argv[1]));
	if (command == NULL)
		return (int)unknown_command(str_from(argv[1]));
	if (wants_help(argc - 2, argv + 2))
		return (int)help_run(command->name);
	const char *word = command_word(command);
	int begin = word == NULL ? 2 : 3;
	if (word != NULL && (argc < 3 || strcmp(argv[2], word) != 0)) {
		err_set(&err, ERR_CONFIG, "say what is to be done: berth %s %s", command->name,
			word);
		return (int)command_fail(&err, EXIT_USAGE);
	}
	struct config_input in = { .command = command->bit,
		.args = (const char *const *)(argv + begin),
		.arg_count = (size_t)(argc - begin),
		.environment = command->bit == COMMAND_CONFIG ? NULL : environment };
	if (!config_load(&in, &config, &err))
		return (int)command_fail(&err, EXIT_USAGE);
	enum exit_status status = command->run(&config);
	config_fini(&config);
	return (int)status;
}
