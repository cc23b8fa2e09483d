/*
 * What an operator may have set: the first byte chooses the command; a line that begins with "- "
 * is an argument, one with "$ " a variable of the environment, all others are the file. What is
 * taken lies within the bounds of the table, comes from the highest source that names it, and says
 * the same again when it is given as variables and arguments; what is not is refused in one line.
 */
#include "app/config.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "app/rules.h"
#include "base/buf.h"
#include "base/mem.h"
#include "front/throttle.h"
#include "fuzz.h"

#define WORDS_MAX 64

struct words {
	char *items[WORDS_MAX + 1]; /* ended by NULL */
	size_t count;
};

static void words_add(struct words *w, struct str text)
{
	char *copy;
	if (w->count == WORDS_MAX || memchr(text.ptr, '\0', text.len) != NULL)
		return;
	copy = xmalloc(text.len + 1);
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	w->items[w->count++] = copy;
}

static void words_fini(struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->items[i]);
}

static const void *field(const struct config *c, const struct config_key *key)
{
	return (const char *)c + key->offset;
}

static bool load(enum config_command command, const struct words *args,
	const struct words *environment, struct config *out, struct err *err)
{
	struct config_input in = {
		.command = command,
		.args = (const char *const *)args->items,
		.arg_count = args->count,
		.environment = environment->items,
	};
	return config_load(&in, out, err);
}

/* --- what holds for each setting --- */

static void check_bounds(const struct config *c, const struct config_key *key)
{
	const struct config_list *list = field(c, key);
	const char *text;
	switch (key->type) {
	case CONFIG_TEXT:
		text = *(char *const *)field(c, key);
		CHECK(text == NULL ? key->otherwise == NULL : text[0] != '\0');
		break;
	case CONFIG_LIST:
		for (size_t i = 0; i < list->count; i++)
			CHECK(list->items[i][0] != '\0' && strpbrk(list->items[i], ", ") == NULL);
		break;
	case CONFIG_SWITCH:
		CHECK(*(const unsigned char *)field(c, key) <= 1);
		break;
	case CONFIG_BYTES:
		CHECK(*(const uint64_t *)field(c, key) >= key->min &&
			*(const uint64_t *)field(c, key) <= key->max);
		break;
	case CONFIG_DURATION:
		CHECK(*(const int64_t *)field(c, key) >= (int64_t)key->min &&
			*(const int64_t *)field(c, key) <= (int64_t)key->max);
		break;
	case CONFIG_COUNT:
		CHECK(*(const unsigned *)field(c, key) >= key->min &&
			*(const unsigned *)field(c, key) <= key->max);
		break;
	case CONFIG_CHOICE: {
		unsigned n = 1;
		for (const char *p = key->choices; *p != '\0'; p++)
			n += *p == '|';
		CHECK(*(const unsigned *)field(c, key) < n);
		break;
	}
	}
}

/* A variable of Berth's that is there was heeded; there is none that Berth does not know. */
static void check_variables(const struct config *c, const struct words *environment)
{
	char variable[CONFIG_VARIABLE_MAX];
	for (size_t i = 0; i < environment->count; i++) {
		struct str name;
		struct str value;
		bool is_known = false;
		if (!str_cut(str_from(environment->items[i]), '=', &name, &value) ||
			!str_starts(name, STR("BERTH_")))
			continue;
		for (const struct config_key *k = config_keys; k->name != NULL; k++) {
			if (k->only_cli || !str_eq_c(name, config_variable(k, variable)))
				continue;
			is_known = true;
			CHECK(c->origin[k - config_keys].source >= SOURCE_ENVIRONMENT);
		}
		CHECK(is_known);
	}
}

/* --- the same again --- */

static void render_value(const struct config *c, const struct config_key *key, struct buf *out)
{
	const struct config_list *list = field(c, key);
	struct str rest = str_from(key->choices);
	struct str choice = STR("");
	switch (key->type) {
	case CONFIG_TEXT:
		buf_add_c(out, *(char *const *)field(c, key));
		break;
	case CONFIG_LIST:
		for (size_t i = 0; i < list->count; i++)
			buf_addf(out, "%s%s", i == 0 ? "" : ", ", list->items[i]);
		break;
	case CONFIG_SWITCH:
		buf_add_c(out, *(const bool *)field(c, key) ? "on" : "off");
		break;
	case CONFIG_BYTES:
		buf_addf(out, "%llu", (unsigned long long)*(const uint64_t *)field(c, key));
		break;
	case CONFIG_DURATION:
		buf_addf(out, "%lldms", (long long)*(const int64_t *)field(c, key));
		break;
	case CONFIG_COUNT:
		buf_addf(out, "%u", *(const unsigned *)field(c, key));
		break;
	case CONFIG_CHOICE:
		for (unsigned i = 0; i <= *(const unsigned *)field(c, key); i++)
			(void)str_cut(rest, '|', &choice, &rest);
		buf_add_str(out, choice);
		break;
	}
}

static bool is_config(const struct config_key *key)
{
	return key->offset == offsetof(struct config, config);
}

static void render(const struct config *c, struct words *args, struct words *environment)
{
	char variable[CONFIG_VARIABLE_MAX];
	struct buf text CLEANUP(buf_fini);
	buf_init(&text, 2 * MIB);
	for (const struct config_key *k = config_keys; k->name != NULL; k++) {
		if (!config_is_set(c, k) || is_config(k))
			continue;
		buf_reset(&text);
		if (k->only_cli)
			buf_addf(&text, "--%s=", k->name);
		else
			buf_addf(&text, "%s=", config_variable(k, variable));
		render_value(c, k, &text);
		CHECK(buf_ok(&text));
		words_add(k->only_cli ? args : environment, buf_str(&text));
	}
}

static bool same(const struct config *a, const struct config *b, const struct config_key *key)
{
	const struct config_list *la = field(a, key), *lb = field(b, key);
	bool is_same = true;
	switch (key->type) {
	case CONFIG_TEXT: {
		const char *ta = *(char *const *)field(a, key), *tb = *(char *const *)field(b, key);
		return ta == NULL || tb == NULL ? ta == tb : strcmp(ta, tb) == 0;
	}
	case CONFIG_LIST:
		is_same = la->count == lb->count;
		for (size_t i = 0; i < la->count && is_same; i++)
			is_same = strcmp(la->items[i], lb->items[i]) == 0;
		return is_same;
	case CONFIG_SWITCH:
		return *(const bool *)field(a, key) == *(const bool *)field(b, key);
	case CONFIG_BYTES:
	case CONFIG_DURATION:
		return *(const uint64_t *)field(a, key) == *(const uint64_t *)field(b, key);
	case CONFIG_COUNT:
	case CONFIG_CHOICE:
		return *(const unsigned *)field(a, key) == *(const unsigned *)field(b, key);
	}
	return false;
}

static void check_again(const struct config *c, enum config_command command)
{
	struct words args CLEANUP(words_fini) = { .count = 0 };
	struct words environment CLEANUP(words_fini) = { .count = 0 };
	struct config again;
	struct err err;
	render(c, &args, &environment);
	if (args.count == WORDS_MAX || environment.count == WORDS_MAX)
		return;
	CHECK(load(command, &args, &environment, &again, &err));
	for (const struct config_key *k = config_keys; k->name != NULL; k++)
		CHECK(is_config(k) || same(c, &again, k));
	config_fini(&again);
}

/* --- the whole --- */

static void check_refusal(const struct err *err)
{
	CHECK(err->kind == ERR_CONFIG && err->msg[0] != '\0');
	for (const char *p = err->msg; *p != '\0'; p++)
		CHECK((unsigned char)*p >= ' ' && *p != 0x7f);
}

static void check_rules(const struct config *c)
{
	struct rules rules;
	struct err err;
	if (!rules_check(c, &rules, &err)) {
		check_refusal(&err);
		return;
	}
	CHECK(rules.listen_count > 0 && rules.listen_count <= LISTEN_MAX);
	for (size_t i = 0; i < rules.listen_count; i++)
		CHECK(rules.listen[i].is_loopback || (rules.listen[i].tls && !c->no_auth) ||
			(c->allow_plain_http && !c->no_auth));
	throttle_free(rules_throttle(c));
}

/* Another file than ours could be anything, also one that is never read to its end. */
static bool names_a_file(struct str word)
{
	return str_starts(word, STR("--config")) || str_starts(word, STR("BERTH_CONFIG"));
}

static void split(struct str text, struct buf *file, struct words *args, struct words *environment)
{
	struct str line;
	while (text.len > 0) {
		(void)str_cut(text, '\n', &line, &text);
		struct str word = str_sub(line, 2, line.len);
		if (str_starts(line, STR("- ")) && !names_a_file(word)) {
			words_add(args, word);
		} else if (str_starts(line, STR("$ ")) && !names_a_file(word)) {
			/* A variable may hold what a line cannot. */
			words_add(environment, word);
			for (char *p = environment
					       ->items[environment->count ? environment->count - 1
									  : 0];
				p != NULL && *p != '\0'; p++)
				*p = *p == '\v' ? '\n' : *p;
		} else {
			buf_add_str(file, line);
			buf_add_c(file, "\n");
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1; /* the file; written anew each time */
	struct words args CLEANUP(words_fini) = { .count = 0 };
	struct words environment CLEANUP(words_fini) = { .count = 0 };
	struct buf file CLEANUP(buf_fini);
	char path[40];
	struct config c;
	struct err err = { .msg = "" };
	buf_init(&file, 128 * KIB);
	if (size == 0 || size > 64 * KIB)
		return 0;
	if (fd < 0)
		fd = memfd_create("berth.conf", MFD_CLOEXEC);
	(void)snprintf(path, sizeof(path), "--config=/proc/self/fd/%d", fd);
	words_add(&args, str_from(path));
	split((struct str){ (const char *)data + 1, size - 1 }, &file, &args, &environment);
	CHECK(fd >= 0 && buf_ok(&file) && ftruncate(fd, 0) == 0);
	CHECK(pwrite(fd, file.ptr, file.len, 0) == (ssize_t)file.len);
	enum config_command command = 1U << (data[0] % 9);
	if (!load(command, &args, &environment, &c, &err)) {
		check_refusal(&err);
		return 0;
	}
	for (const struct config_key *k = config_keys; k->name != NULL; k++)
		check_bounds(&c, k);
	check_variables(&c, &environment);
	check_again(&c, command);
	if (command == COMMAND_SERVE)
		check_rules(&c);
	config_fini(&c);
	return 0;
}
