#include <stdio.h>
#include <unistd.h>

#include "app/command.h"
#include "app/encryption.h"
#include "app/folder.h"
#include "app/stack.h"
#include "app/units.h"
#include "base/clock.h"
#include "registry/reencrypt.h"

#define PROGRESS_US 100000

struct progress {
	int64_t drawn_us;
	bool is_drawn;
};

static void draw(void *arg, int64_t pool_id, const struct reencrypt_report *r)
{
	struct progress *p = arg;
	char bytes[UNITS_TEXT_MAX];
	int64_t now_us = clock_mono_us();
	if (now_us - p->drawn_us < PROGRESS_US)
		return;
	p->drawn_us = now_us;
	p->is_drawn = true;
	fprintf(stderr, "\r\033[Kpool %lld: %llu layers, %s", (long long)pool_id,
		(unsigned long long)r->blobs, units_bytes(r->bytes, bytes));
	(void)fflush(stderr);
}

enum exit_status re_encrypt_run(const struct config *c)
{
	struct reencrypt_report report = { 0 };
	struct progress progress = { 0 };
	struct folder folder;
	struct stack stack;
	struct err err;
	if (!folder_find(c, &folder, &err) || !stack_open(c, &folder, false, false, &stack, &err))
		return command_fail(&err, EXIT_USAGE);
	bool done =
		reencrypt_run(stack.core, isatty(2) == 1 ? draw : NULL, &progress, &report, &err);
	if (progress.is_drawn)
		(void)fputs("\r\033[K", stderr);
	if (done) {
		char bytes[UNITS_TEXT_MAX];
		printf("Moved %llu layers (%s) and %llu manifests to the current form.\n",
			(unsigned long long)report.blobs, units_bytes(report.bytes, bytes),
			(unsigned long long)report.images);
		done = encryption_print(c, stack.core, &err);
	}
	stack_close(&stack);
	return done ? EXIT_OK : command_fail(&err, EXIT_FAILED);
}
