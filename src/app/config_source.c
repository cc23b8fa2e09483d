#include <ini.h>
#include <stdio.h>

#include "app/config_priv.h"
#include "app/nearest.h"
#include "app/units.h"
#include "base/file.h"

#define FILE_MAX_BYTES  (256 * KIB)

#define VARIABLE_PREFIX "BERTH_"

/* The message about a key that there is not; prefix stands before the name in the source's
 * notation. where: what the message begins with. */
static bool unknown_key(
	const char *where, const char *prefix, struct str name, unsigned commands, struct err *err)
{
	struct nearest near;
	bool is_variable = strcmp(prefix, VARIABLE_PREFIX) == 0;
	name = str_sub(name, 0, NEAREST_MAX - 1);
	nearest_init(&near, name);
	for (const struct config_key *k = config_keys; k->name != NULL; k++) {
		char variable[CONFIG_VARIABLE_MAX];
		if ((k->commands & commands) == 0 || (is_variable && k->only_cli))
			continue;
		nearest_offer(
			&near, is_variable ? config_variable(k, variable) + strlen(VARIABLE_PREFIX)
					   : k->name);
	}
	const char *best = nearest_get(&near);
	return err_set(err, ERR_CONFIG, "%s%s" STR_FMT ": unknown %s%s%s%s%s", where, prefix,
		STR_ARG(name), is_variable ? "variable" : "setting",
		best == NULL ? "" : "; did you mean ", best == NULL ? "" : prefix,
		best == NULL ? "" : best, best == NULL ? "" : "?");
}

/* The command line */

struct arg {
	const struct config_key *key;
	struct str value;
};

/* Reads the option at *i and moves behind it. */
static bool take_arg(const struct config_input *in, size_t *i, struct arg *out, struct err *err)
{
	struct str text = str_from(in->args[(*i)++]);
	struct str name;
	struct str value;
	if (!str_starts(text, STR("--")) || text.len == 2)
		return err_set(err, ERR_CONFIG, "'" STR_FMT "': options begin with --",
			STR_ARG(str_sub(text, 0, 80)));
	bool has_value = str_cut(str_sub(text, 2, text.len), '=', &name, &value);
	const struct config_key *key = config_key_find(name);
	if (key == NULL)
		return unknown_key("", "--", name, in->command, err);
	if ((key->commands & (unsigned)in->command) == 0)
		return err_set(err, ERR_CONFIG, "--%s: not an option of this command", key->name);
	const char *next = *i < in->arg_count ? in->args[*i] : NULL;
	if (!has_value && key->type == CONFIG_SWITCH) {
		bool is_on;
		value = STR("on");
		if (next != NULL && units_parse_switch(str_from(next), &is_on)) {
			value = str_from(next);
			(*i)++;
		}
	} else if (!has_value) {
		if (next == NULL || strncmp(next, "--", 2) == 0)
			return err_set(
				err, ERR_CONFIG, "--%s: give a value (%s)", key->name, key->arg);
		value = str_from(next);
		(*i)++;
	}
	*out = (struct arg){ key, value };
	return true;
}

bool config_read_args(const struct config_input *in, struct config *c, struct err *err)
{
	struct config_origin from = { .source = SOURCE_COMMAND_LINE };
	size_t i = 0;
	while (i < in->arg_count) {
		struct arg arg = { .key = NULL };
		if (!take_arg(in, &i, &arg, err) || !config_set(c, arg.key, arg.value, from, err))
			return false;
	}
	return true;
}

/* The environment */

/* "BERTH_TLS_CERT=x" of the environment: its key, or NULL, and value. False: not one of Berth's. */
static bool read_variable(
	const char *entry, struct str *name, const struct config_key **key, struct str *value)
{
	if (!str_starts(str_from(entry), STR(VARIABLE_PREFIX)) ||
		!str_cut(str_from(entry), '=', name, value))
		return false;
	*key = NULL;
	for (const struct config_key *k = config_keys; k->name != NULL && *key == NULL; k++) {
		char variable[CONFIG_VARIABLE_MAX];
		if (!k->only_cli && str_eq_c(*name, config_variable(k, variable)))
			*key = k;
	}
	return true;
}

bool config_read_environment(const struct config_input *in, struct config *c, struct err *err)
{
	struct config_origin from = { .source = SOURCE_ENVIRONMENT };
	for (char *const *e = in->environment; e != NULL && *e != NULL; e++) {
		const struct config_key *key;
		struct str name;
		struct str value;
		if (!read_variable(*e, &name, &key, &value))
			continue;
		if (key == NULL)
			return unknown_key("", VARIABLE_PREFIX,
				str_sub(name, strlen(VARIABLE_PREFIX), name.len), ~0U, err);
		if (!config_set(c, key, value, from, err))
			return false;
	}
	return true;
}

bool config_find_file(const struct config_input *in, struct config *c, struct err *err)
{
	const struct config_key *file = config_key_at(offsetof(struct config, config));
	for (char *const *e = in->environment; e != NULL && *e != NULL; e++) {
		const struct config_key *key;
		struct str name;
		struct str value;
		if (read_variable(*e, &name, &key, &value) && key == file &&
			!config_set(c, file, value,
				(struct config_origin){ .source = SOURCE_ENVIRONMENT }, err))
			return false;
	}
	size_t i = 0;
	while (i < in->arg_count) {
		struct arg arg = { .key = NULL };
		if (!take_arg(in, &i, &arg, err))
			return false;
		if (arg.key == file &&
			!config_set(c, file, arg.value,
				(struct config_origin){ .source = SOURCE_COMMAND_LINE }, err))
			return false;
	}
	return true;
}

/* The file */

struct ini_state {
	struct config *c;
	struct err *err;
	struct str rest; /* what is still to be read */
	unsigned line;
	bool failed; /* err is filled */
};

/* inih's source of lines: as fgets, and counts them. A line that does not fit would be read as two,
 * so it is refused. */
static char *ini_line(char *out, int cap, void *arg)
{
	struct ini_state *st = arg;
	struct str line;
	if (st->rest.len == 0 || st->failed)
		return NULL;
	(void)str_cut(st->rest, '\n', &line, &st->rest);
	st->line++;
	if (!str_to_c(line, out, (size_t)cap)) {
		st->failed = true;
		(void)err_set(st->err, ERR_CONFIG, "%s line %u: not text, or longer than %d bytes",
			st->c->config, st->line, cap - 1);
		return NULL;
	}
	return out;
}

static int ini_value(void *arg, const char *section, const char *name, const char *value)
{
	struct ini_state *st = arg;
	char where[CONFIG_WHERE_MAX];
	if (st->failed)
		return 0;
	snprintf(where, sizeof(where), "%s line %u: ", st->c->config, st->line);
	const struct config_key *key = config_key_find(str_from(name));
	if (section[0] != '\0' && strcmp(section, "berth") != 0)
		st->failed = !err_set(st->err, ERR_CONFIG,
			"%s[%.80s]: unknown section; did you mean [berth]?", where, section);
	else if (key == NULL)
		st->failed = !unknown_key(where, "", str_from(name), ~0U, st->err);
	else if (key->only_cli || key->offset == offsetof(struct config, config))
		st->failed = !err_set(st->err, ERR_CONFIG,
			"%s%s: only for the command line, not for a file", where, name);
	else
		st->failed = !config_set(st->c, key, str_from(value),
			(struct config_origin){ .source = SOURCE_FILE, .line = st->line }, st->err);
	return st->failed ? 0 : 1;
}

bool config_read_file(struct config *c, struct err *err)
{
	struct buf text CLEANUP(buf_fini);
	struct err e;
	char where[CONFIG_WHERE_MAX];
	buf_init(&text, FILE_MAX_BYTES);
	if (c->config == NULL)
		return true;
	if (!file_read(c->config, &text, &e)) {
		config_where(c, config_key_at(offsetof(struct config, config)), where);
		return err_set(err, ERR_CONFIG, "%s: %s: cannot be read: %s", where, c->config,
			e.detail[0] != '\0' ? e.detail : err_text(&e));
	}
	struct ini_state st = { .c = c, .err = err, .rest = buf_str(&text) };
	ini_allow_multiline = false; /* an indented key is a key */
	int rc = ini_parse_stream(ini_line, &st, ini_value, &st);
	if (st.failed)
		return false;
	if (rc != 0)
		return err_set(
			err, ERR_CONFIG, "%s line %d: not a line 'key = value'", c->config, rc);
	return true;
}
