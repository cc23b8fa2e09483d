#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../unit.h"
#include "app/config.h"

#define ARGS_MAX 8

/* A command line, an environment and the text of a file (NULL: no --config). */
struct sources {
	enum config_command command;
	const char *args[ARGS_MAX];
	const char *environment[ARGS_MAX];
	const char *file;
};

static char file_path[] = "/tmp/berth-test-config-XXXXXX";

static void write_file(const char *text)
{
	FILE *f = fopen(file_path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static bool load(const struct sources *s, struct config *out, struct err *err)
{
	const char *args[ARGS_MAX + 2];
	char *environment[ARGS_MAX + 1] = { NULL };
	size_t n = 0;
	if (s->file != NULL) {
		write_file(s->file);
		args[n++] = "--config";
		args[n++] = file_path;
	}
	for (size_t i = 0; i < ARGS_MAX && s->args[i] != NULL; i++)
		args[n++] = s->args[i];
	for (size_t i = 0; i < ARGS_MAX && s->environment[i] != NULL; i++)
		environment[i] = strdup(s->environment[i]);
	struct config_input in = {
		.command = s->command == 0 ? COMMAND_SERVE : s->command,
		.args = args,
		.arg_count = n,
		.environment = environment,
	};
	bool done = config_load(&in, out, err);
	for (size_t i = 0; environment[i] != NULL; i++)
		free(environment[i]);
	return done;
}

static struct config loaded(struct sources s)
{
	struct config c = { 0 };
	struct err err;
	if (!load(&s, &c, &err))
		fail_msg("%s", err.msg);
	return c;
}

static void without_sources_the_defaults_hold(void **state UNUSED)
{
	struct config c = loaded((struct sources){ 0 });
	assert_string_equal(c.data, "berth-data");
	assert_int_equal(c.listen.count, 1);
	assert_string_equal(c.listen.items[0], "127.0.0.1:5000");
	assert_null(c.account);
	assert_false(c.no_auth);
	assert_true(c.access_log);
	assert_int_equal(c.mount_policy, MOUNT_CHOICE_OCI);
	assert_int_equal(c.grace_ms, 30000);
	assert_int_equal(c.layer_max, 52000ULL << 20);
	assert_int_equal(c.log_level, 1);
	assert_false(config_is_set(&c, config_key_find(STR("data"))));
	config_fini(&c);
}

static void each_source_wins_over_the_one_before(void **state UNUSED)
{
	static const char file[] = "data = file\nregion = file-1\ngrace = 1s\nlayer-max = 1\n";
	struct config c = loaded((struct sources){
		.file = file,
		.environment = { "BERTH_REGION=env-1", "BERTH_GRACE=2s", "BERTH_LAYER_MAX=2",
			"PATH=/x" },
		.args = { "--grace", "3s", "--layer-max=3" },
	});
	assert_string_equal(c.data, "file");
	assert_string_equal(c.region, "env-1");
	assert_int_equal(c.grace_ms, 3000);
	assert_int_equal(c.layer_max, 3);
	assert_int_equal(c.workers, 64);
	config_fini(&c);
}

static void a_list_adds_up_within_a_source_and_is_replaced_by_the_next(void **state UNUSED)
{
	struct config c = loaded((struct sources){
		.file = "listen = 127.0.0.1:1, 127.0.0.1:2\nlisten = 127.0.0.1:3\n"
			"default-setting = BLOB_MOUNTING=ENABLED\n",
	});
	assert_int_equal(c.listen.count, 3);
	assert_string_equal(c.listen.items[2], "127.0.0.1:3");
	assert_string_equal(c.default_setting.items[0], "BLOB_MOUNTING=ENABLED");
	config_fini(&c);

	c = loaded((struct sources){
		.file = "listen = 127.0.0.1:1\n",
		.environment = { "BERTH_LISTEN=[::1]:4,127.0.0.1:5" },
	});
	assert_int_equal(c.listen.count, 2);
	assert_string_equal(c.listen.items[0], "[::1]:4");
	config_fini(&c);

	c = loaded((struct sources){
		.environment = { "BERTH_LISTEN=[::1]:4,127.0.0.1:5" },
		.args = { "--listen", "127.0.0.1:6", "--listen=127.0.0.1:7" },
	});
	assert_int_equal(c.listen.count, 2);
	assert_string_equal(c.listen.items[1], "127.0.0.1:7");
	config_fini(&c);
}

static void switches_may_stand_alone_or_take_a_word(void **state UNUSED)
{
	struct config c = loaded((struct sources){
		.args = { "--no-auth", "--access-log", "off", "--metrics-open=on",
			"--allow-plain-http", "--data", "x" },
	});
	assert_true(c.no_auth);
	assert_false(c.access_log);
	assert_true(c.metrics_open);
	assert_true(c.allow_plain_http);
	assert_string_equal(c.data, "x");
	config_fini(&c);
}

static void the_file_may_have_a_heading_comments_and_spaces(void **state UNUSED)
{
	struct config c = loaded((struct sources){
		.file = "# comment\n; comment\n[berth]\n  data =  /srv/a b  ; why\n\n"
			"\tno-auth: on\nmount-policy=ecr\n",
	});
	assert_string_equal(c.data, "/srv/a b");
	assert_true(c.no_auth);
	assert_int_equal(c.mount_policy, MOUNT_CHOICE_ECR);
	config_fini(&c);
}

static void the_file_can_be_named_by_the_environment(void **state UNUSED)
{
	char variable[64];
	write_file("region = from-file\n");
	snprintf(variable, sizeof(variable), "BERTH_CONFIG=%s", file_path);
	struct config c = loaded((struct sources){ .environment = { variable } });
	assert_string_equal(c.region, "from-file");
	config_fini(&c);
}

static void origins_are_told_in_the_words_of_their_source(void **state UNUSED)
{
	char where[CONFIG_WHERE_MAX], expected[CONFIG_WHERE_MAX];
	struct config c = loaded((struct sources){
		.file = "\nregion = a-1\n",
		.environment = { "BERTH_TLS_CERT=x" },
		.args = { "--tls-key", "y" },
	});
	snprintf(expected, sizeof(expected), "%s line 2: region", file_path);
	assert_string_equal(config_where(&c, config_key_find(STR("region")), where), expected);
	assert_string_equal(
		config_where(&c, config_key_find(STR("tls-cert")), where), "BERTH_TLS_CERT");
	assert_string_equal(config_where(&c, config_key_find(STR("tls-key")), where), "--tls-key");
	config_fini(&c);
}

/* In messages, % stands for the file's path. */
static const struct {
	struct sources sources;
	const char *message;
} refused[] = {
	{ { .args = { "--lissten", "x" } }, "--lissten: unknown setting; did you mean --listen?" },
	{ { .args = { "--qqqqqqqq" } }, "--qqqqqqqq: unknown setting" },
	{ { .args = { "data" } }, "'data': options begin with --" },
	{ { .args = { "-d" } }, "'-d': options begin with --" },
	{ { .args = { "--" } }, "'--': options begin with --" },
	{ { .args = { "--data" } }, "--data: give a value (FOLDER)" },
	{ { .args = { "--data", "--no-auth" } }, "--data: give a value (FOLDER)" },
	{ { .args = { "--data=" } }, "--data: '' will not do: data must not be empty" },
	{ { .args = { "--deep" } }, "--deep: not an option of this command" },
	{ { .command = COMMAND_CHECK, .args = { "--listen", "x" } },
		"--listen: not an option of this command" },
	{ { .args = { "--no-auth=maybe" } },
		"--no-auth: 'maybe' will not do: no-auth is on or off" },
	{ { .args = { "--no-auth", "maybe" } }, "'maybe': options begin with --" },
	{ { .args = { "--mount-policy", "docker" } },
		"--mount-policy: 'docker' will not do: mount-policy is one of oci|ecr" },
	{ { .args = { "--mount-policy", "" } },
		"--mount-policy: '' will not do: mount-policy is one of oci|ecr" },
	{ { .args = { "--workers", "0" } },
		"--workers: '0' will not do: workers is a number from 1 to 4096" },
	{ { .args = { "--workers", "4097" } },
		"--workers: '4097' will not do: workers is a number from 1 to 4096" },
	{ { .args = { "--grace", "30" } },
		"--grace: '30' will not do: grace is a time such as 500ms, 30s, 24h or 7d, from 0s "
		"to 86400s" },
	{ { .args = { "--header-max", "1KiB" } },
		"--header-max: '1KiB' will not do: header-max is a size such as 64MiB, from 8.0 "
		"KiB to 1.0 MiB" },
	{ { .args = { "--listen", " , " } },
		"--listen: ' , ' will not do: listen takes 1 to 64 values" },
	{ { .environment = { "BERTH_LISTN=x" } },
		"BERTH_LISTN: unknown variable; did you mean BERTH_LISTEN?" },
	{ { .environment = { "BERTH_listen=x" } }, "BERTH_listen: unknown variable" },
	{ { .environment = { "BERTH_DEEP=on" } }, "BERTH_DEEP: unknown variable" },
	{ { .environment = { "BERTH_GRACE=soon" } },
		"BERTH_GRACE: 'soon' will not do: grace is a time such as 500ms, 30s, 24h or 7d, "
		"from 0s to 86400s" },
	{ { .environment = { "BERTH_GRACE=a\n\x1b[2Jb" } },
		"BERTH_GRACE: 'a??[2Jb' will not do: grace is a time such as 500ms, 30s, 24h or "
		"7d, from 0s to 86400s" },
	{ { .environment = { "BERTH_CONFIG=/nowhere/berth.conf" } },
		"BERTH_CONFIG: /nowhere/berth.conf: cannot be read*" },
	{ { .args = { "--config", "/" } }, "--config: /: cannot be read*" },
	{ { .file = "a\n\nlisen = x\n" },
		"% line 3: lisen: unknown setting; did you mean listen?" },
	{ { .file = "data = a\nnonsense\n" }, "% line 2: not a line 'key = value'" },
	{ { .file = "[server]\ndata = x\n" },
		"% line 2: [server]: unknown section; did you mean [berth]?" },
	{ { .file = "deep = on\n" }, "% line 1: deep: only for the command line, not for a file" },
	{ { .file = "config = x\n" },
		"% line 1: config: only for the command line, not for a file" },
	{ { .file = "\nworkers = many\n" },
		"% line 2: workers: 'many' will not do: workers is a number from 1 to 4096" },
	{ { .file = "data = 0123456789012345678901234567890123456789012345678901234567890123456789"
		    "01234567890123456789012345678901234567890123456789012345678901234567890123456"
		    "78901234567890123456789012345678901234567890123456789\n" },
		"% line 1: not text, or longer than 199 bytes" },
};

/* True when message is what is expected: '%' the path, '*' at the end anything. */
static bool message_is(const char *message, const char *expected)
{
	if (*expected == '%') {
		size_t n = strlen(file_path);
		if (strncmp(message, file_path, n) != 0)
			return false;
		message += n;
		expected++;
	}
	return str_glob(str_from(expected), str_from(message));
}

static void what_is_wrong_is_said_in_one_line(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct config c;
		struct err err;
		if (load(&refused[i].sources, &c, &err))
			fail_msg("accepted, expected: %s", refused[i].message);
		assert_int_equal(err.kind, ERR_CONFIG);
		if (!message_is(err.msg, refused[i].message))
			fail_msg("\"%s\", expected \"%s\"", err.msg, refused[i].message);
	}
}

static void every_key_can_be_set_by_its_variable_and_in_the_file(void **state UNUSED)
{
	size_t keys = 0;
	for (const struct config_key *k = config_keys; k->name != NULL; k++, keys++) {
		char variable[CONFIG_VARIABLE_MAX], entry[160], line[160];
		const char *value = k->otherwise != NULL ? k->otherwise : "x";
		assert_ptr_equal(config_key_find(str_from(k->name)), k);
		assert_ptr_equal(config_key_at(k->offset), k); /* no two share a field */
		assert_true(strlen(k->help) > 10 && k->help[strlen(k->help) - 1] == '.');
		if (k->only_cli || strcmp(k->name, "config") == 0)
			continue;
		snprintf(entry, sizeof(entry), "%s=%s", config_variable(k, variable), value);
		snprintf(line, sizeof(line), "%s = %s\n", k->name, value);
		struct config c = loaded((struct sources){ .environment = { entry } });
		assert_int_equal(c.origin[k - config_keys].source, SOURCE_ENVIRONMENT);
		config_fini(&c);
		c = loaded((struct sources){ .file = line });
		assert_int_equal(c.origin[k - config_keys].source, SOURCE_FILE);
		config_fini(&c);
	}
	assert_true(keys > 30 && keys < CONFIG_KEYS_MAX);
}

static int make_file(void **state UNUSED)
{
	int fd = mkstemp(file_path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state UNUSED)
{
	return unlink(file_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_sources_the_defaults_hold),
		cmocka_unit_test(each_source_wins_over_the_one_before),
		cmocka_unit_test(a_list_adds_up_within_a_source_and_is_replaced_by_the_next),
		cmocka_unit_test(switches_may_stand_alone_or_take_a_word),
		cmocka_unit_test(the_file_may_have_a_heading_comments_and_spaces),
		cmocka_unit_test(the_file_can_be_named_by_the_environment),
		cmocka_unit_test(origins_are_told_in_the_words_of_their_source),
		cmocka_unit_test(what_is_wrong_is_said_in_one_line),
		cmocka_unit_test(every_key_can_be_set_by_its_variable_and_in_the_file),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
