/*
 * Evaluates lifecycle policies that come as JSON lines, one answer a line:
 *   {"policy": "...", "now": ms, "images": [{"id", "archived", "since", "used", "parent",
 *    "activeParent", "tags": [...]}]}
 *   -> {"marks": [[id, priority, "expire"|"transition"]...], "waiting": n, "next": ms or null}
 *   or {"error": "..."} when the policy is refused.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "registry/lifecycle_eval.h"

static void die(const char *what)
{
	fprintf(stderr, "lifecycle_lines: %s\n", what);
	exit(2);
}

static void add(struct lifecycle_eval *e, const struct json *v)
{
	struct err err;
	const struct json *tags = json_get(v, "tags");
	struct lifecycle_image image = {
		.id = json_int(json_get(v, "id"), 0),
		.class = json_bool(json_get(v, "archived"), false) ? LIFECYCLE_ARCHIVE
								   : LIFECYCLE_STANDARD,
		.since_ms = json_int(json_get(v, "since"), 0),
		.used_ms = json_int(json_get(v, "used"), 0),
		.has_parent = json_bool(json_get(v, "parent"), false),
		.has_active_parent = json_bool(json_get(v, "activeParent"), false),
	};
	lifecycle_eval_begin(e, &image);
	for (size_t i = 0; i < json_len(tags); i++)
		lifecycle_eval_tag(e, json_str(json_at(tags, i)));
	if (!lifecycle_eval_end(e, &err))
		die(err_text(&err));
}

static void answer(const struct lifecycle_eval *e, struct json_out *out)
{
	jo_array(out, "marks");
	for (size_t i = 0; i < lifecycle_eval_count(e); i++) {
		struct lifecycle_mark m = lifecycle_eval_mark(e, i);
		jo_array(out, NULL);
		jo_int(out, NULL, m.image.id);
		jo_int(out, NULL, m.priority);
		jo_c(out, NULL, m.action == LIFECYCLE_EXPIRE ? "expire" : "transition");
		jo_end(out, ']');
	}
	jo_end(out, ']');
	jo_int(out, "waiting", (int64_t)lifecycle_eval_waiting(e));
	if (lifecycle_eval_next_ms(e) == INT64_MAX)
		jo_raw(out, "next", STR("null"));
	else
		jo_int(out, "next", lifecycle_eval_next_ms(e));
}

static void serve(const struct json *v, struct json_out *out)
{
	struct arena *arena = arena_new(LIFECYCLE_ARENA_BYTES);
	struct lifecycle_policy policy;
	struct err err;
	const struct json *images = json_get(v, "images");
	if (!lifecycle_policy_parse(json_get_str(v, "policy"), arena, &policy, &err)) {
		jo_c(out, "error", err_text(&err));
		arena_free(arena);
		return;
	}
	struct lifecycle_eval *e = lifecycle_eval_new(&policy);
	for (size_t i = 0; i < json_len(images); i++)
		add(e, json_at(images, i));
	lifecycle_eval_run(e, json_int(json_get(v, "now"), 0));
	answer(e, out);
	lifecycle_eval_free(e);
	arena_free(arena);
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	while ((len = getline(&line, &cap, stdin)) > 0) {
		struct json *v;
		struct json_out out;
		struct buf text;
		struct err err;
		if (!json_parse((struct str){ line, (size_t)len }, &v, &err))
			die(err_text(&err));
		buf_init(&text, 64 * MIB);
		jo_init(&out, &text);
		jo_object(&out, NULL);
		serve(v, &out);
		jo_end(&out, '}');
		if (!buf_ok(&text))
			die("the answer is too long");
		printf("%s\n", buf_c(&text));
		if (fflush(stdout) != 0)
			return 2;
		buf_fini(&text);
		json_free(v);
	}
	free(line);
	return 0;
}
