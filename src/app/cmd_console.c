#include <stdio.h>

#include "app/command.h"
#include "app/identity.h"
#include "app/stack.h"
#include "auth/console_link.h"

static bool print_link(struct db *db, struct err *err)
{
	struct identity id;
	char url[IDENTITY_URL_MAX];
	char link[CONSOLE_LINK_TEXT_MAX];
	if (!identity_find(db, &id, err) || !identity_find_url(db, url, err))
		return false;
	if (url[0] == '\0')
		return err_set(err, ERR_CONFIG, "the server has never served this data folder");
	if (!console_link_make(db, id.account, link, err))
		return false;
	printf("%s/console/#signin=%s\n", url, link);
	(void)fflush(stdout);
	fprintf(stderr, "Open this link within five minutes; it works once.\n");
	return true;
}

enum exit_status console_run(const struct config *c)
{
	struct folder folder;
	struct stack stack;
	struct err err;
	if (!folder_find(c, &folder, &err))
		return command_fail(&err, EXIT_USAGE);
	if (!stack_open(c, &folder, false, false, &stack, &err))
		return command_fail(&err, EXIT_FAILED);
	bool done = print_link(stack.db, &err);
	stack_close(&stack);
	return done ? EXIT_OK
		    : command_fail(&err, err.kind == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED);
}
