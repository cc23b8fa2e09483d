#include "app/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/config_priv.h"
#include "app/units.h"
#include "base/mem.h"

#define LIST_MAX 64 /* values of one key */

static void *field(struct config *c, const struct config_key *key)
{
	return (char *)c + key->offset;
}

static struct config_origin *origin_of(struct config *c, const struct config_key *key)
{
	return &c->origin[key - config_keys];
}

const struct config_key *config_key_find(struct str name)
{
	for (const struct config_key *k = config_keys; k->name != NULL; k++) {
		if (str_eq_c(name, k->name))
			return k;
	}
	return NULL;
}

const struct config_key *config_key_at(size_t offset)
{
	for (const struct config_key *k = config_keys; k->name != NULL; k++) {
		if (k->offset == offset)
			return k;
	}
	abort();
}

bool config_is_set(const struct config *c, const struct config_key *key)
{
	return c->origin[key - config_keys].source != SOURCE_DEFAULT;
}

const char *config_variable(const struct config_key *key, char out[CONFIG_VARIABLE_MAX])
{
	size_t n = (size_t)snprintf(out, CONFIG_VARIABLE_MAX, "BERTH_%s", key->name);
	for (size_t i = 0; i < n; i++) {
		if (out[i] == '-')
			out[i] = '_';
		else if (out[i] >= 'a' && out[i] <= 'z')
			out[i] = (char)(out[i] - 'a' + 'A');
	}
	return out;
}

/* How messages call a key of a source. */
static const char *where_text(const struct config *c, const struct config_key *key,
	struct config_origin from, char out[CONFIG_WHERE_MAX])
{
	char variable[CONFIG_VARIABLE_MAX];
	switch (from.source) {
	case SOURCE_ENVIRONMENT:
		snprintf(out, CONFIG_WHERE_MAX, "%s", config_variable(key, variable));
		return out;
	case SOURCE_FILE:
		snprintf(out, CONFIG_WHERE_MAX, "%s line %u: %s", c->config, from.line, key->name);
		return out;
	case SOURCE_DEFAULT:
	case SOURCE_COMMAND_LINE:
		break;
	}
	snprintf(out, CONFIG_WHERE_MAX, "--%s", key->name);
	return out;
}

const char *config_where(
	const struct config *c, const struct config_key *key, char out[CONFIG_WHERE_MAX])
{
	return where_text(c, key, c->origin[key - config_keys], out);
}

static void list_clear(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct config_list){ 0 };
}

static char *copy(struct str s)
{
	char *c = xmalloc(s.len + 1);
	memcpy(c, s.ptr, s.len);
	return c;
}

/* Adds the parts of a value such as "127.0.0.1:5000, [::1]:5000". False: none, or too many. */
static bool list_add(struct config_list *list, struct str value)
{
	size_t before = list->count;
	while (value.len > 0) {
		size_t n = 0;
		while (n < value.len && value.ptr[n] != ',' && value.ptr[n] != ' ')
			n++;
		if (n > 0) {
			if (list->count == LIST_MAX)
				return false;
			if (list->items == NULL)
				list->items = xcalloc(LIST_MAX, sizeof(*list->items));
			list->items[list->count++] = copy(str_sub(value, 0, n));
		}
		value = str_sub(value, n + 1, value.len);
	}
	return list->count > before;
}

static bool choice_parse(const char *choices, struct str value, unsigned *out)
{
	struct str rest = str_from(choices);
	struct str head;
	for (unsigned i = 0; rest.len > 0; i++) {
		(void)str_cut(rest, '|', &head, &rest);
		if (str_eq(head, value)) {
			*out = i;
			return true;
		}
	}
	return false;
}

/* Parses value into key's field. False: the value is not of the key's type or out of bounds. */
static bool value_store(struct config *c, const struct config_key *key, struct str value)
{
	uint64_t number = 0;
	int64_t ms = 0;
	switch (key->type) {
	case CONFIG_TEXT: {
		char **text = field(c, key);
		if (value.len == 0 || memchr(value.ptr, '\0', value.len) != NULL)
			return false;
		free(*text);
		*text = copy(value);
		return true;
	}
	case CONFIG_LIST:
		return list_add(field(c, key), value);
	case CONFIG_SWITCH:
		return units_parse_switch(value, field(c, key));
	case CONFIG_BYTES:
		if (!units_parse_bytes(value, &number) || number < key->min || number > key->max)
			return false;
		*(uint64_t *)field(c, key) = number;
		return true;
	case CONFIG_DURATION:
		if (!units_parse_duration(value, &ms) || (uint64_t)ms < key->min ||
			(uint64_t)ms > key->max)
			return false;
		*(int64_t *)field(c, key) = ms;
		return true;
	case CONFIG_COUNT:
		if (!str_to_u64(value, key->max, &number) || number < key->min)
			return false;
		*(unsigned *)field(c, key) = (unsigned)number;
		return true;
	case CONFIG_CHOICE:
		return choice_parse(key->choices, value, field(c, key));
	}
	return false;
}

/* What a key takes, for the message about a value that it does not. */
static void expectation(const struct config_key *key, char *out, size_t cap)
{
	char low[UNITS_TEXT_MAX];
	char high[UNITS_TEXT_MAX];
	switch (key->type) {
	case CONFIG_TEXT:
		snprintf(out, cap, "must not be empty");
		return;
	case CONFIG_LIST:
		snprintf(out, cap, "takes 1 to %d values", LIST_MAX);
		return;
	case CONFIG_SWITCH:
		snprintf(out, cap, "is on or off");
		return;
	case CONFIG_BYTES:
		snprintf(out, cap, "is a size such as 64MiB, from %s to %s",
			units_bytes(key->min, low), units_bytes(key->max, high));
		return;
	case CONFIG_DURATION:
		snprintf(out, cap, "is a time such as 500ms, 30s, 24h or 7d, from %llus to %llus",
			(unsigned long long)(key->min / 1000),
			(unsigned long long)(key->max / 1000));
		return;
	case CONFIG_COUNT:
		snprintf(out, cap, "is a number from %llu to %llu", (unsigned long long)key->min,
			(unsigned long long)key->max);
		return;
	case CONFIG_CHOICE:
		snprintf(out, cap, "is one of %s", key->choices);
		return;
	}
}

bool config_set(struct config *c, const struct config_key *key, struct str value,
	struct config_origin from, struct err *err)
{
	struct config_origin *origin = origin_of(c, key);
	/* Values of a list add up within one source; those of a higher source replace them. */
	if (key->type == CONFIG_LIST && origin->source != from.source)
		list_clear(field(c, key));
	if (!value_store(c, key, str_trim(value))) {
		char where[CONFIG_WHERE_MAX];
		char expected[128];
		expectation(key, expected, sizeof(expected));
		return err_set(err, ERR_CONFIG, "%s: '" STR_FMT "' will not do: %s %s",
			where_text(c, key, from, where), STR_ARG(str_sub(value, 0, 80)), key->name,
			expected);
	}
	*origin = from;
	return true;
}

static void set_defaults(struct config *c)
{
	for (const struct config_key *k = config_keys; k->name != NULL; k++) {
		struct err e;
		assert(k - config_keys < CONFIG_KEYS_MAX);
		if (k->otherwise != NULL &&
			!config_set(c, k, str_from(k->otherwise),
				(struct config_origin){ .source = SOURCE_DEFAULT }, &e)) {
			fprintf(stderr, "berth: built-in default: %s\n", e.msg);
			abort();
		}
	}
}

void config_one_line(struct err *err)
{
	for (char *p = err->msg; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	}
}

bool config_load(const struct config_input *in, struct config *out, struct err *err)
{
	struct config c = { 0 };
	set_defaults(&c);
	/* The file's name comes from the sources that win over the file. */
	if (!config_find_file(in, &c, err) || !config_read_file(&c, err) ||
		!config_read_environment(in, &c, err) || !config_read_args(in, &c, err)) {
		config_fini(&c);
		config_one_line(err);
		return false;
	}
	*out = c;
	return true;
}

void config_fini(struct config *c)
{
	for (const struct config_key *k = config_keys; k->name != NULL; k++) {
		if (k->type == CONFIG_TEXT)
			free(*(char **)field(c, k));
		else if (k->type == CONFIG_LIST)
			list_clear(field(c, k));
	}
	*c = (struct config){ 0 };
}
