#include <stdio.h>
#include <stdlib.h>

#include "app/command.h"
#include "app/folder.h"
#include "app/stack.h"
#include "app/units.h"
#include "base/json.h"
#include "base/mem.h"
#include "registry/name.h"
#include "registry/savings.h"

#define PAGE           1000
#define PAGE_ARENA_MAX (16 * MIB)
#define LINE_MAX_BYTES (16 * KIB)
#define NAME_COLS_MIN  10
#define NAME_COLS_MAX  60

/* The registries are listed first, then their repositories: a callback must not ask the core again.
 */
struct registry_list {
	struct {
		struct registry_id id;
		struct savings_total total;
	} * items;

	size_t count, cap;
	struct savings_total all;
};

static bool list_add(void *arg, const struct registry_id *id, const struct savings_total *t)
{
	struct registry_list *list = arg;
	if (list->count == list->cap) {
		size_t cap = list->cap == 0 ? 16 : list->cap * 2;
		void *grown = xcalloc(cap, sizeof(*list->items));
		if (list->count > 0)
			memcpy(grown, list->items, list->count * sizeof(*list->items));
		free(list->items);
		list->items = grown;
		list->cap = cap;
	}
	list->items[list->count].id = *id;
	list->items[list->count++].total = *t;
	list->all.repositories += t->repositories;
	list->all.images += t->images;
	list->all.blobs += t->blobs;
	list->all.links += t->links;
	list->all.logical_bytes += t->logical_bytes;
	list->all.stored_bytes += t->stored_bytes;
	list->all.waiting_bytes += t->waiting_bytes;
	return true;
}

static void list_fini(struct registry_list *list)
{
	free(list->items);
}

/* What the repositories hold, less what is stored for them. Blobs that wait for collection are
 * nobody's, and no loss of sharing. */
static uint64_t held_bytes(const struct savings_total *t)
{
	return t->stored_bytes > t->waiting_bytes ? t->stored_bytes - t->waiting_bytes : 0;
}

static uint64_t saved_bytes(uint64_t logical, uint64_t stored)
{
	return logical > stored ? logical - stored : 0;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : 100 * (double)part / (double)whole;
}

/* Calls fn for each page of the registry's repositories. */
typedef void (*page_fn)(void *arg, const struct repo_page *page);

static bool each_page(
	struct core *core, const struct registry_id *id, page_fn fn, void *arg, struct err *err)
{
	char after[REPO_NAME_MAX + 1] = "";
	struct repo_page page = { .more = true };
	while (page.more) {
		struct arena *arena = arena_new(PAGE_ARENA_MAX);
		bool done = repo_list(core, id, str_from(after), PAGE, arena, &page, err);
		if (done)
			fn(arg, &page);
		if (done && page.count > 0)
			done = str_to_c(page.items[page.count - 1].name, after, sizeof(after));
		arena_free(arena);
		if (!done)
			return false;
	}
	return true;
}

/* Text */

struct table {
	int name_cols; /* 0 until the first page is known */
};

static void print_row(
	const struct table *t, struct str name, uint64_t images, uint64_t logical, uint64_t stored)
{
	char l[UNITS_TEXT_MAX];
	char s[UNITS_TEXT_MAX];
	char d[UNITS_TEXT_MAX];
	uint64_t saved = saved_bytes(logical, stored);
	printf("  %-*.*s %8llu %11s %11s %11s %6.1f %%\n", t->name_cols, STR_ARG(name),
		(unsigned long long)images, units_bytes(logical, l), units_bytes(stored, s),
		units_bytes(saved, d), percent(saved, logical));
}

static void table_begin(struct table *t, const struct repo_page *page)
{
	size_t cols = NAME_COLS_MIN;
	for (size_t i = 0; i < page->count; i++)
		cols = page->items[i].name.len > cols ? page->items[i].name.len : cols;
	t->name_cols = (int)(cols > NAME_COLS_MAX ? NAME_COLS_MAX : cols);
	printf("  %-*s %8s %11s %11s %11s\n", t->name_cols, "REPOSITORY", "IMAGES", "LOGICAL",
		"STORED", "SAVED");
}

static void print_page(void *arg, const struct repo_page *page)
{
	struct table *t = arg;
	if (t->name_cols == 0)
		table_begin(t, page);
	for (size_t i = 0; i < page->count; i++) {
		const struct repo *r = &page->items[i];
		print_row(t, r->name, r->image_count, r->logical_bytes, r->stored_bytes);
	}
}

static void print_waiting(const struct savings_total *t)
{
	char w[UNITS_TEXT_MAX];
	if (t->waiting_bytes > 0)
		printf("  (and %s that no repository holds any more, until it is collected)\n",
			units_bytes(t->waiting_bytes, w));
}

static bool print_text(struct core *core, const struct registry_list *list, struct err *err)
{
	struct table t = { 0 };
	if (list->count == 0)
		printf("There are no repositories.\n");
	for (size_t i = 0; i < list->count; i++) {
		const struct savings_total *total = &list->items[i].total;
		t.name_cols = 0;
		printf("%sRegistry %s, %s\n", i == 0 ? "" : "\n", list->items[i].id.account,
			list->items[i].id.region);
		if (!each_page(core, &list->items[i].id, print_page, &t, err))
			return false;
		print_row(
			&t, STR("in all"), total->images, total->logical_bytes, held_bytes(total));
		print_waiting(total);
	}
	if (list->count > 1) {
		printf("\nAll %zu registries\n", list->count);
		print_row(&t, STR("in all"), list->all.images, list->all.logical_bytes,
			held_bytes(&list->all));
		print_waiting(&list->all);
	}
	return true;
}

/* JSON, written a line at a time: there may be many repositories. */

static void json_bytes(struct json_out *o, uint64_t logical, uint64_t stored)
{
	jo_int(o, "logical_bytes", (int64_t)logical);
	jo_int(o, "stored_bytes", (int64_t)stored);
	jo_int(o, "saved_bytes", (int64_t)saved_bytes(logical, stored));
}

static void json_total(const struct savings_total *t)
{
	struct buf line CLEANUP(buf_fini);
	struct json_out o;
	buf_init(&line, LINE_MAX_BYTES);
	jo_init(&o, &line);
	jo_object(&o, NULL);
	jo_int(&o, "repositories", (int64_t)t->repositories);
	jo_int(&o, "images", (int64_t)t->images);
	jo_int(&o, "blobs", (int64_t)t->blobs);
	jo_int(&o, "links", (int64_t)t->links);
	json_bytes(&o, t->logical_bytes, held_bytes(t));
	jo_int(&o, "waiting_bytes", (int64_t)t->waiting_bytes);
	jo_end(&o, '}');
	(void)fputs(buf_c(&line), stdout);
}

static void json_page(void *arg, const struct repo_page *page)
{
	const char **divider = arg;
	for (size_t i = 0; i < page->count; i++) {
		const struct repo *r = &page->items[i];
		struct buf line CLEANUP(buf_fini);
		struct json_out o;
		buf_init(&line, LINE_MAX_BYTES);
		jo_init(&o, &line);
		jo_object(&o, NULL);
		jo_str(&o, "name", r->name);
		jo_int(&o, "images", (int64_t)r->image_count);
		json_bytes(&o, r->logical_bytes, r->stored_bytes);
		jo_end(&o, '}');
		printf("%s\n  %s", *divider, buf_c(&line));
		*divider = ",";
	}
}

static bool print_json(struct core *core, const struct registry_list *list, struct err *err)
{
	printf("{\"registries\":[");
	for (size_t i = 0; i < list->count; i++) {
		const char *divider = "";
		printf("%s\n {\"account\":\"%s\",\"region\":\"%s\",\"repositories\":[",
			i == 0 ? "" : ",", list->items[i].id.account, list->items[i].id.region);
		if (!each_page(core, &list->items[i].id, json_page, &divider, err))
			return false;
		printf("],\n  \"total\":");
		json_total(&list->items[i].total);
		printf("}");
	}
	printf("],\n \"total\":");
	json_total(&list->all);
	printf("}\n");
	return true;
}

enum exit_status savings_run(const struct config *c)
{
	struct registry_list list CLEANUP(list_fini) = { .items = NULL };
	struct folder folder;
	struct stack stack;
	struct err err;
	if (!folder_find(c, &folder, &err))
		return command_fail(&err, EXIT_USAGE);
	if (!stack_open(c, &folder, false, true, &stack, &err))
		return command_fail(&err, EXIT_FAILED);
	bool done = savings_registries(stack.core, list_add, &list, &err) &&
		    (c->json ? print_json(stack.core, &list, &err)
			     : print_text(stack.core, &list, &err));
	stack_close(&stack);
	return done ? EXIT_OK : command_fail(&err, EXIT_FAILED);
}
