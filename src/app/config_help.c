#include "app/config_help.h"

#include "base/mem.h"

#define WIDTH       80
#define OPTION_COLS 26 /* where the texts of options begin */

/* Writes text in lines of at most WIDTH columns, the first from column `at`, the others from
 * `indent`. Ends with a newline. */
static void wrap(struct buf *out, const char *prefix, size_t at, size_t indent, struct str text)
{
	struct str word;
	size_t col = at;
	bool is_first = true;
	while (text.len > 0) {
		(void)str_cut(text, ' ', &word, &text);
		if (!is_first && col + 1 + word.len > WIDTH) {
			buf_addf(out, "\n%s%*s", prefix, (int)indent, "");
			col = indent;
			is_first = true;
		}
		buf_addf(out, "%s" STR_FMT, is_first ? "" : " ", STR_ARG(word));
		col += word.len + (is_first ? 0 : 1);
		is_first = false;
	}
	buf_add_char(out, '\n');
}

static void paragraphs(struct buf *out, size_t indent, struct str text)
{
	while (text.len > 0) {
		struct str line;
		(void)str_cut(text, '\n', &line, &text);
		if (line.len > 0) {
			buf_addf(out, "%*s", (int)indent, "");
			wrap(out, "", indent, indent, line);
		} else {
			buf_add_char(out, '\n');
		}
	}
}

/* "--tls-cert FILE", "--no-auth", "--mount-policy oci|ecr" */
static void option_synopsis(struct buf *out, const struct config_key *k)
{
	buf_addf(out, "--%s", k->name);
	if (k->type == CONFIG_CHOICE)
		buf_addf(out, " %s", k->choices);
	else if (k->type != CONFIG_SWITCH)
		buf_addf(out, " %s", k->arg);
	else if (strcmp(k->otherwise, "on") == 0)
		buf_add_c(out, " on|off");
}

static void option_default(struct buf *out, const struct config_key *k)
{
	if (k->otherwise != NULL && (k->type != CONFIG_SWITCH || strcmp(k->otherwise, "on") == 0))
		buf_addf(out, " Default: %s.", k->otherwise);
}

static void option_text(struct buf *out, const struct config_key *k)
{
	struct buf text CLEANUP(buf_fini);
	buf_init(&text, 4 * KIB);
	size_t before = out->len;
	buf_add_c(out, "  ");
	option_synopsis(out, k);
	size_t col = out->len - before;
	if (col + 2 > OPTION_COLS)
		buf_addf(out, "\n%*s", OPTION_COLS, "");
	else
		buf_addf(out, "%*s", (int)(OPTION_COLS - col), "");
	buf_add_c(&text, k->help);
	option_default(&text, k);
	wrap(out, "", OPTION_COLS, OPTION_COLS, buf_str(&text));
}

static bool begins_group(const struct config_key *k, const char **group)
{
	bool begins = *group == NULL || strcmp(*group, k->group) != 0;
	*group = k->group;
	return begins;
}

static void options(struct buf *out, enum config_command command)
{
	const char *group = NULL;
	for (const struct config_key *k = config_keys; k->name != NULL; k++) {
		if ((k->commands & (unsigned)command) == 0)
			continue;
		if (begins_group(k, &group))
			buf_addf(out, "\n%s:\n", k->group);
		option_text(out, k);
	}
}

void config_help_overview(struct buf *out)
{
	buf_add_c(out,
		"Berth " BERTH_VERSION ", a private container registry that speaks Amazon ECR.\n\n"
		"Usage: berth COMMAND [OPTION]...\n\nCommands:\n");
	for (const struct command *c = commands; c->name != NULL; c++)
		buf_addf(out, "  %-11s%s\n", c->name, c->summary);
	buf_add_c(out, "  help       Explains a command: berth help serve\n"
		       "  version    Prints the version\n\n");
	wrap(out, "", 0, 0,
		STR("Every option can also stand in the file given by --config, as 'tls-cert = "
		    "FILE', and in the environment, as BERTH_TLS_CERT. The command line wins over "
		    "the environment, the environment over the file. 'berth config' prints them "
		    "all; berth(1) is the manual."));
	buf_add_c(out, "\nA registry to try, with its data under ./berth-data:\n\n"
		       "  berth serve\n");
}

void config_help_command(struct buf *out, const struct command *command)
{
	const char *word = command_word(command);
	buf_addf(out, "Usage: berth %s%s%s [OPTION]...\n\n", command->name, word == NULL ? "" : " ",
		word == NULL ? "" : word);
	paragraphs(out, 0, str_from(command->text));
	options(out, command->bit);
}

void config_help_options(struct buf *out, enum config_command command)
{
	for (const struct config_key *k = config_keys; k->name != NULL; k++) {
		if ((k->commands & (unsigned)command) != 0)
			buf_addf(out, "--%s\n", k->name);
	}
}

/* The reference in four formats */

static void reference_text(struct buf *out, const struct config_key *k)
{
	char variable[CONFIG_VARIABLE_MAX];
	option_text(out, k);
	buf_addf(out, "%*s%s\n", OPTION_COLS, "", config_variable(k, variable));
}

static void reference_ini(struct buf *out, const struct config_key *k)
{
	buf_add_c(out, "\n# ");
	wrap(out, "# ", 2, 0, str_from(k->help));
	buf_addf(out, "#%s = %s\n", k->name, k->otherwise != NULL ? k->otherwise : k->arg);
}

/* A leading dot or apostrophe would be a request of roff, a backslash an escape. */
static void mdoc_text(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == '\\')
			buf_add_c(out, "\\e");
		else if ((c == '.' || c == '\'') && (i == 0 || s.ptr[i - 1] == '\n'))
			buf_addf(out, "\\&%c", c);
		else if (c == '-')
			buf_add_c(out, "\\-");
		else
			buf_add_char(out, c);
	}
}

static void reference_mdoc(struct buf *out, const struct config_key *k)
{
	char variable[CONFIG_VARIABLE_MAX];
	struct buf text CLEANUP(buf_fini);
	buf_init(&text, 4 * KIB);
	buf_addf(out, ".It Fl \\-");
	mdoc_text(out, str_from(k->name));
	if (k->type == CONFIG_CHOICE)
		buf_addf(out, " Ar %s", k->choices);
	else if (k->type != CONFIG_SWITCH)
		buf_addf(out, " Ar %s", k->arg);
	else if (strcmp(k->otherwise, "on") == 0)
		buf_add_c(out, " Ar on|off");
	buf_add_char(out, '\n');
	buf_add_c(&text, k->help);
	option_default(&text, k);
	mdoc_text(out, buf_str(&text));
	if (!k->only_cli)
		buf_addf(out, "\n.Pq Ev %s", config_variable(k, variable));
	buf_add_char(out, '\n');
}

static void reference_markdown(struct buf *out, const struct config_key *k)
{
	char variable[CONFIG_VARIABLE_MAX];
	buf_addf(out, "| `%s` | `%s` | %s%s%s | ", k->name, config_variable(k, variable),
		k->otherwise == NULL ? "" : "`", k->otherwise == NULL ? "" : k->otherwise,
		k->otherwise == NULL ? "" : "`");
	/* What stands in angle brackets would be taken for HTML. */
	for (const char *p = k->help; *p != '\0'; p++) {
		if (*p == '|' || *p == '<')
			buf_add_char(out, '\\');
		buf_add_char(out, *p);
	}
	buf_add_c(out, " |\n");
}

static void reference_key(struct buf *out, const struct config_key *k, unsigned format)
{
	switch (format) {
	case FORMAT_INI:
		reference_ini(out, k);
		return;
	case FORMAT_MDOC:
		reference_mdoc(out, k);
		return;
	case FORMAT_MARKDOWN:
		reference_markdown(out, k);
		return;
	default:
		reference_text(out, k);
		return;
	}
}

static void reference_heading(struct buf *out, const char *group, bool is_first, unsigned format)
{
	switch (format) {
	case FORMAT_INI:
		buf_addf(out, "\n\n## %s\n", group);
		return;
	case FORMAT_MDOC:
		buf_addf(out, "%s.Ss %s\n.Bl -tag -width Ds\n", is_first ? "" : ".El\n", group);
		return;
	case FORMAT_MARKDOWN:
		buf_addf(out,
			"%s## %s\n\n| key | variable | default | meaning |\n|---|---|---|---|\n",
			is_first ? "" : "\n", group);
		return;
	default:
		buf_addf(out, "%s%s:\n", is_first ? "" : "\n", group);
		return;
	}
}

void config_help_reference(struct buf *out, unsigned format)
{
	const char *group = NULL;
	if (format == FORMAT_INI)
		buf_add_c(out, "# Configuration of Berth, read by 'berth serve --config FILE'.\n"
			       "# What is commented out shows the default, or what is expected.\n"
			       "\n[berth]");
	for (const struct config_key *k = config_keys; k->name != NULL; k++) {
		/* mdoc describes the options of single commands as well. */
		if (k->only_cli && format != FORMAT_MDOC)
			continue;
		if (format == FORMAT_INI && k->offset == offsetof(struct config, config))
			continue;
		bool is_first = group == NULL;
		if (begins_group(k, &group))
			reference_heading(out, group, is_first, format);
		reference_key(out, k, format);
	}
	if (format == FORMAT_MDOC)
		buf_add_c(out, ".El\n");
}
