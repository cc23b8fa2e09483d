#include <stdio.h>
#include <unistd.h>

#include "app/command.h"
#include "app/encryption.h"
#include "app/folder.h"
#include "app/stack.h"
#include "app/units.h"
#include "base/clock.h"
#include "base/json.h"
#include "meta/db.h"
#include "registry/verify.h"

#define LINE_MAX_BYTES (16 * KIB)
#define PROGRESS_US    100000

struct output {
	bool json, deep;
	bool is_drawn; /* a progress line stands on the terminal */
	uint64_t findings, locked;
	int64_t drawn_us;
};

static const char *kind_text(enum verify_kind kind)
{
	switch (kind) {
	case VERIFY_DAMAGE:
		return "damage";
	case VERIFY_ORPHAN:
		return "orphan";
	case VERIFY_LOCKED:
		return "locked";
	case VERIFY_COUNT:
		return "count";
	}
	return "damage";
}

static void erase(struct output *o)
{
	if (o->is_drawn)
		(void)fputs("\r\033[K", stderr);
	o->is_drawn = false;
}

static void print_finding(void *arg, enum verify_kind kind, struct str text)
{
	struct output *o = arg;
	uint64_t *count = kind == VERIFY_LOCKED ? &o->locked : &o->findings;
	erase(o);
	if (o->json) {
		struct buf line CLEANUP(buf_fini);
		buf_init(&line, LINE_MAX_BYTES);
		json_quote(&line, str_sub(text, 0, LINE_MAX_BYTES / 8));
		if (kind == VERIFY_LOCKED && o->locked == 0)
			printf("],\n \"locked\":["); /* they come last */
		printf("%s\n  {\"kind\":\"%s\",\"text\":%s}", *count == 0 ? "" : ",",
			kind_text(kind), buf_c(&line));
	} else {
		printf("%s: " STR_FMT "\n", kind_text(kind), STR_ARG(text));
	}
	++*count;
}

static void draw_progress(void *arg, const char *phase, uint64_t done, uint64_t total)
{
	struct output *o = arg;
	int64_t now_us = clock_mono_us();
	if (now_us - o->drawn_us < PROGRESS_US)
		return;
	o->drawn_us = now_us;
	o->is_drawn = true;
	fprintf(stderr, "\r\033[K%s: %.0f %%", phase,
		total == 0 ? 0 : 100 * (double)done / (double)total);
	(void)fflush(stderr);
}

/* The engine's own check of its file, whose damage would make everything else meaningless.
 * False: it could not be run. */
static bool check_database(const struct stack *s, struct output *o, struct err *err)
{
	struct err e;
	if (db_check(s->db, &e))
		return true;
	if (e.kind != ERR_CORRUPT) {
		*err = e;
		return false;
	}
	print_finding(o, VERIFY_DAMAGE, str_from(e.detail[0] != '\0' ? e.detail : err_text(&e)));
	return true;
}

static void print_summary(const struct output *o, const struct verify_report *r)
{
	char bytes[UNITS_TEXT_MAX];
	unsigned long long numbers[] = { r->blobs, r->bytes, r->links, r->images, r->tags,
		r->uploads, r->objects, o->findings };
	if (o->json) {
		printf("%s],\n \"blobs\":%llu,\"bytes\":%llu,\"links\":%llu,\"images\":%llu,"
		       "\"tags\":%llu,\"uploads\":%llu,\"objects\":%llu,\n \"encryption\":",
			o->locked == 0 ? "],\n \"locked\":[" : "", numbers[0], numbers[1],
			numbers[2], numbers[3], numbers[4], numbers[5], numbers[6]);
		return;
	}
	printf("Checked %llu layers%s%s, %llu links, %llu images, %llu tags, %llu uploads, "
	       "%llu stored objects: ",
		numbers[0], o->deep ? " and all their bytes, " : "",
		o->deep ? units_bytes(r->bytes, bytes) : "", numbers[2], numbers[3], numbers[4],
		numbers[5], numbers[6]);
	if (o->findings == 0)
		printf("nothing is wrong");
	else
		printf("%llu %s", numbers[7], o->findings == 1 ? "finding" : "findings");
	if (o->locked == 0)
		printf(".\n");
	else
		printf(", but %llu %s locked, and not read.\n", (unsigned long long)o->locked,
			o->locked == 1 ? "pool is" : "pools are");
}

static bool print_encryption(const struct config *c, struct core *core, struct err *err)
{
	if (!c->json)
		return encryption_print(c, core, err);
	bool done = encryption_print_json(core, err);
	printf("}\n");
	return done;
}

enum exit_status check_run(const struct config *c)
{
	struct output o = { .json = c->json, .deep = c->deep };
	struct verify_options options = { .deep = c->deep, .finding = print_finding, .arg = &o };
	struct verify_report report = { 0 };
	struct folder folder;
	struct stack stack;
	struct err err;
	if (isatty(2) == 1)
		options.progress = draw_progress;
	if (!folder_find(c, &folder, &err) || !stack_open(c, &folder, false, true, &stack, &err))
		return command_fail(&err, EXIT_USAGE);
	if (o.json)
		printf("{\"findings\":[");
	bool done =
		check_database(&stack, &o, &err) && verify_run(stack.core, &options, &report, &err);
	erase(&o);
	if (done)
		print_summary(&o, &report);
	done = done && print_encryption(c, stack.core, &err);
	stack_close(&stack);
	if (!done)
		return command_fail(&err, EXIT_USAGE);
	return o.findings == 0 ? EXIT_OK : EXIT_FAILED;
}
