#include <stdio.h>

#include "app/command.h"
#include "app/folder.h"
#include "app/stack.h"
#include "app/units.h"
#include "base/clock.h"
#include "registry/collect.h"

#define ROUND_STEPS 64

static void print_report(const struct config *c, const struct collect_report *r)
{
	char bytes[UNITS_TEXT_MAX];
	unsigned long long numbers[] = { r->blobs, r->bytes, r->links, r->uploads, r->images,
		r->repositories };
	if (c->json)
		printf("{\"blobs\":%llu,\"bytes\":%llu,\"links\":%llu,\"uploads\":%llu,"
		       "\"images\":%llu,\"repositories\":%llu}\n",
			numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
	else
		printf("Collected %llu layers (%s), %llu links, %llu uploads; removed %llu images "
		       "and %llu repositories that had been deleted.\n",
			numbers[0], units_bytes(r->bytes, bytes), numbers[2], numbers[3],
			numbers[4], numbers[5]);
}

enum exit_status gc_run(const struct config *c)
{
	struct collect_report report = { 0 };
	struct folder folder;
	struct stack stack;
	struct err err;
	if (!folder_find(c, &folder, &err))
		return command_fail(&err, EXIT_USAGE);
	if (!stack_open(c, &folder, false, false, &stack, &err))
		return command_fail(&err, EXIT_FAILED);
	bool done;
	do {
		report.more = false;
		done = collect_run(stack.core, clock_now_ms(), ROUND_STEPS, &report, &err);
	} while (done && report.more);
	stack_close(&stack);
	if (!done)
		return command_fail(&err, EXIT_FAILED);
	print_report(c, &report);
	return EXIT_OK;
}
