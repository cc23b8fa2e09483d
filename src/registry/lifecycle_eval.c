#include "registry/lifecycle_eval.h"

#include <stdlib.h>

#include "base/mem.h"

_Static_assert(LIFECYCLE_RULES_MAX <= 64, "rules are bits of a word");

struct item {
	int64_t id, since_ms, used_ms;
	uint64_t selected; /* bit i: its tags satisfy rule i, and it is of the rule's class */
	uint64_t tags_hash;
	bool is_archived, has_parent, has_active_parent;
	uint8_t rule; /* that marked it; NO_RULE */
};

#define NO_RULE UINT8_MAX

struct lifecycle_eval {
	const struct lifecycle_policy *policy;
	struct item *items;
	size_t count, room;
	uint32_t *marks; /* indexes of items */
	size_t mark_count, waiting;
	int64_t next_ms;
	/* of the image that is being added */
	struct lifecycle_image image;
	uint64_t tags_hash;
	size_t tag_count;
	uint8_t *met; /* one a pattern: some tag meets it */
};

struct lifecycle_eval *lifecycle_eval_new(const struct lifecycle_policy *policy)
{
	struct lifecycle_eval *e = xmalloc(sizeof(*e));
	e->policy = policy;
	e->met = xcalloc(policy->pattern_count + 1, 1);
	e->next_ms = INT64_MAX;
	return e;
}

void lifecycle_eval_free(struct lifecycle_eval *e)
{
	if (!e)
		return;
	free(e->items);
	free(e->marks);
	free(e->met);
	free(e);
}

void lifecycle_eval_freep(struct lifecycle_eval **e)
{
	lifecycle_eval_free(*e);
}

/* FNV-1a of each name, added up: the order of the tags does not matter. */
uint64_t lifecycle_tags_hash(uint64_t sum, struct str tag)
{
	uint64_t h = 14695981039346656037ULL;
	for (size_t i = 0; i < tag.len; i++)
		h = (h ^ (uint8_t)tag.ptr[i]) * 1099511628211ULL;
	return sum + (h | 1);
}

void lifecycle_eval_begin(struct lifecycle_eval *e, const struct lifecycle_image *image)
{
	e->image = *image;
	e->tags_hash = 0;
	e->tag_count = 0;
	memset(e->met, 0, e->policy->pattern_count);
}

void lifecycle_eval_tag(struct lifecycle_eval *e, struct str tag)
{
	uint8_t *met = e->met;
	e->tag_count++;
	e->tags_hash = lifecycle_tags_hash(e->tags_hash, tag);
	for (size_t r = 0; r < e->policy->rule_count; r++) {
		const struct lifecycle_rule *rule = &e->policy->rules[r];
		for (size_t i = 0; i < rule->pattern_count; i++) {
			if (!met[i] && lifecycle_rule_meets(rule, i, tag))
				met[i] = 1;
		}
		met += rule->pattern_count;
	}
}

static uint64_t selected(const struct lifecycle_eval *e)
{
	uint64_t bits = 0;
	const uint8_t *met = e->met;
	for (size_t r = 0; r < e->policy->rule_count; r++) {
		const struct lifecycle_rule *rule = &e->policy->rules[r];
		bool fits = rule->class == e->image.class &&
			    (rule->tags == LIFECYCLE_ANY ||
				    (rule->tags == LIFECYCLE_TAGGED) == (e->tag_count > 0));
		for (size_t i = 0; i < rule->pattern_count; i++)
			fits = fits && met[i];
		met += rule->pattern_count;
		bits |= (uint64_t)fits << r;
	}
	return bits;
}

static bool grow(struct lifecycle_eval *e)
{
	size_t room = e->room ? e->room * 2 : 256;
	if (room > UINT32_MAX)
		return false;
	struct item *items = reallocarray(e->items, room, sizeof(*items));
	if (!items)
		return false;
	e->items = items;
	uint32_t *marks = reallocarray(e->marks, room, sizeof(*marks));
	if (!marks)
		return false;
	e->marks = marks;
	e->room = room;
	return true;
}

bool lifecycle_eval_end(struct lifecycle_eval *e, struct err *err)
{
	if (e->count == e->room && !grow(e))
		return err_sys(err, ERR_UNAVAILABLE, 0,
			"no memory to evaluate a lifecycle policy over %zu images", e->count);
	e->items[e->count++] = (struct item){
		.id = e->image.id,
		.since_ms = e->image.since_ms,
		.used_ms = e->image.used_ms,
		.selected = selected(e),
		.tags_hash = e->tags_hash,
		.is_archived = e->image.class == LIFECYCLE_ARCHIVE,
		.has_parent = e->image.has_parent,
		.has_active_parent = e->image.has_active_parent,
		.rule = NO_RULE,
	};
	return true;
}

static int oldest_first(const void *a, const void *b)
{
	const struct item *x = a;
	const struct item *y = b;
	if (x->since_ms != y->since_ms)
		return x->since_ms < y->since_ms ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* How many of the oldest go when the youngest `number` stay. */
static size_t excess(const struct lifecycle_eval *e, size_t r)
{
	size_t n = 0;
	size_t keep = (size_t)e->policy->rules[r].number;
	for (size_t i = 0; i < e->count; i++)
		n += (size_t)(e->items[i].selected >> r & 1);
	return n > keep ? n - keep : 0;
}

/* The moment after which a rule of days takes an image. */
static int64_t due_ms(const struct lifecycle_rule *rule, const struct item *item)
{
	int64_t from = rule->count == LIFECYCLE_SINCE_PULLED ? item->used_ms : item->since_ms;
	return from + rule->number * LIFECYCLE_DAY_MS;
}

static void mark(struct lifecycle_eval *e, size_t i, size_t r)
{
	struct item *item = &e->items[i];
	bool waits = e->policy->rules[r].action == LIFECYCLE_EXPIRE ? item->has_parent
								    : item->has_active_parent;
	if (waits) {
		e->waiting++;
		return;
	}
	item->rule = (uint8_t)r;
	e->marks[e->mark_count++] = (uint32_t)i;
}

static void run_rule(struct lifecycle_eval *e, size_t r, int64_t now_ms)
{
	const struct lifecycle_rule *rule = &e->policy->rules[r];
	bool counts = rule->count == LIFECYCLE_COUNT_MORE_THAN;
	size_t left = counts ? excess(e, r) : 0;
	/* A rule of another class has no bits in common: selected says both. */
	uint64_t higher = ((uint64_t)1 << r) - 1;
	for (size_t i = 0; i < e->count; i++) {
		struct item *item = &e->items[i];
		if (!(item->selected >> r & 1))
			continue;
		bool is_due = counts ? left > 0 : due_ms(rule, item) < now_ms;
		if (counts && left > 0)
			left--; /* taken images count as present all the same */
		if (item->selected & higher)
			continue;
		if (is_due)
			mark(e, i, r);
		else if (!counts && due_ms(rule, item) + 1 < e->next_ms)
			e->next_ms = due_ms(rule, item) + 1;
	}
}

void lifecycle_eval_run(struct lifecycle_eval *e, int64_t now_ms)
{
	if (e->count)
		qsort(e->items, e->count, sizeof(*e->items), oldest_first);
	for (size_t r = 0; r < e->policy->rule_count; r++)
		run_rule(e, r, now_ms);
}

size_t lifecycle_eval_count(const struct lifecycle_eval *e)
{
	return e->mark_count;
}

struct lifecycle_mark lifecycle_eval_mark(const struct lifecycle_eval *e, size_t i)
{
	const struct item *item = &e->items[e->marks[i]];
	const struct lifecycle_rule *rule = &e->policy->rules[item->rule];
	return (struct lifecycle_mark){
		.image = { .id = item->id,
			.class = item->is_archived ? LIFECYCLE_ARCHIVE : LIFECYCLE_STANDARD,
			.since_ms = item->since_ms,
			.used_ms = item->used_ms,
			.has_parent = item->has_parent,
			.has_active_parent = item->has_active_parent },
		.tags_hash = item->tags_hash,
		.priority = rule->priority,
		.action = rule->action,
	};
}

size_t lifecycle_eval_waiting(const struct lifecycle_eval *e)
{
	return e->waiting;
}

int64_t lifecycle_eval_next_ms(const struct lifecycle_eval *e)
{
	return e->next_ms;
}
