#include <stdio.h>

#include "app/command.h"
#include "app/folder.h"
#include "app/stack.h"
#include "base/clock.h"
#include "registry/lifecycle.h"

static void print_report(const struct config *c, const struct lifecycle_report *r)
{
	unsigned long long numbers[] = { r->repositories, r->expired, r->archived, r->restored,
		r->waiting };
	if (c->json)
		printf("{\"evaluations\":%llu,\"expired\":%llu,\"archived\":%llu,\"restored\":%llu,"
		       "\"waiting\":%llu}\n",
			numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]);
	else
		printf("%llu images expired, %llu archived, %llu restored, in %llu evaluations; "
		       "%llu times one waited for an index that names it.\n",
			numbers[1], numbers[2], numbers[3], numbers[0], numbers[4]);
}

enum exit_status lifecycle_run_command(const struct config *c)
{
	struct lifecycle_report report = { 0 };
	struct folder folder;
	struct stack stack;
	struct err err;
	if (!folder_find(c, &folder, &err))
		return command_fail(&err, EXIT_USAGE);
	if (!stack_open(c, &folder, false, false, &stack, &err))
		return command_fail(&err, EXIT_FAILED);
	bool done = lifecycle_run_all(
		stack.core, str_from(c->repository), clock_now_ms() + c->ahead_ms, &report, &err);
	stack_close(&stack);
	if (!done)
		return command_fail(&err, err.kind == ERR_REPO_UNKNOWN ? EXIT_USAGE : EXIT_FAILED);
	print_report(c, &report);
	return EXIT_OK;
}
