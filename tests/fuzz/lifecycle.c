/* A lifecycle policy is refused in words, or compiled to rules that can be evaluated. */
#include "fuzz.h"
#include "registry/lifecycle_eval.h"

static void add(struct lifecycle_eval *e, int64_t id, const char *const *tags)
{
	struct err err;
	struct lifecycle_image image = { .id = id,
		.class = id % 3 == 0 ? LIFECYCLE_ARCHIVE : LIFECYCLE_STANDARD,
		.since_ms = id * LIFECYCLE_DAY_MS,
		.used_ms = id * LIFECYCLE_DAY_MS };
	lifecycle_eval_begin(e, &image);
	for (; *tags; tags++)
		lifecycle_eval_tag(e, str_from(*tags));
	CHECK(lifecycle_eval_end(e, &err));
}

static void evaluate(const struct lifecycle_policy *p)
{
	static const char *const tags[][3] = { { NULL }, { "a", NULL }, { "v1", "latest", NULL },
		{ "aaaaaaaaaaaaaaab", NULL } };
	struct lifecycle_eval *e CLEANUP(lifecycle_eval_freep) = lifecycle_eval_new(p);
	for (size_t i = 0; i < 12; i++)
		add(e, (int64_t)i, tags[i % ARRAY_LEN(tags)]);
	lifecycle_eval_run(e, 400 * LIFECYCLE_DAY_MS);
	CHECK(lifecycle_eval_count(e) + lifecycle_eval_waiting(e) <= 12);
	for (size_t i = 0; i < lifecycle_eval_count(e); i++) {
		struct lifecycle_mark m = lifecycle_eval_mark(e, i);
		CHECK(m.priority >= 1 && m.image.id >= 0 && m.image.id < 12);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct lifecycle_policy p;
	struct err err = { .msg = "" };
	struct arena *arena = arena_new(LIFECYCLE_ARENA_BYTES);
	if (lifecycle_policy_parse(text, arena, &p, &err)) {
		CHECK(p.rule_count >= 1 && p.rule_count <= LIFECYCLE_RULES_MAX);
		evaluate(&p);
	} else {
		CHECK(err.kind == ERR_INVALID && err.msg[0] != '\0');
	}
	arena_free(arena);
	return 0;
}
