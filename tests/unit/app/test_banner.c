#include "../unit.h"
#include "app/banner.h"
#include "auth/auth.h"

static void the_credentials_file_has_the_format_of_the_aws_tools(void **state UNUSED)
{
	struct buf out CLEANUP(buf_fini);
	struct access_key key = { .id = "AKIAABCDEFGHIJKLMNOP",
		.secret = "0123456789012345678901234567890123456789" };
	buf_init(&out, 4096);
	identity_render_credentials(&out, &key);
	assert_string_equal(buf_c(&out),
		"[default]\naws_access_key_id = AKIAABCDEFGHIJKLMNOP\n"
		"aws_secret_access_key = 0123456789012345678901234567890123456789\n");
	buf_reset(&out);
	identity_render_config(&out, &(struct identity){ .region = "eu-west-1" });
	assert_string_equal(buf_c(&out), "[default]\nregion = eu-west-1\n");
}

static const char urls[][LISTEN_URL_MAX] = { "http://127.0.0.1:5000", "https://127.0.0.1:5443" };

static void the_banner_says_where_things_are_and_what_to_type(void **state UNUSED)
{
	struct buf out CLEANUP(buf_fini);
	struct identity id = { .account = "123456789012",
		.region = "us-east-1",
		.credentials = "/data/credentials",
		.has_credentials = true,
		.is_new = true };
	struct banner b = {
		.identity = &id, .data = "/data", .urls = urls, .url_count = 2, .ready_ms = 12
	};
	buf_init(&out, 16384);
	banner_render(&out, &b);
	assert_string_equal(buf_c(&out),
		"Berth " BERTH_VERSION " is ready (12 ms)\n"
		"  listening    http://127.0.0.1:5000\n"
		"               https://127.0.0.1:5443\n"
		"  data         /data\n"
		"  account      123456789012, Region us-east-1\n"
		"  credentials  /data/credentials (new)\n"
		"\n"
		"Next, in another terminal:\n"
		"  export AWS_SHARED_CREDENTIALS_FILE=/data/credentials\n"
		"  export AWS_DEFAULT_REGION=us-east-1 AWS_ENDPOINT_URL=http://127.0.0.1:5000\n"
		"  aws ecr create-repository --repository-name team/app\n"
		"  aws ecr put-account-setting --name BLOB_MOUNTING --value ENABLED\n"
		"  aws ecr get-login-password | docker login --username AWS --password-stdin "
		"127.0.0.1:5000\n\n");
}

static void paths_are_quoted_for_the_shell(void **state UNUSED)
{
	struct buf out CLEANUP(buf_fini);
	struct identity id = { .credentials = "/my data/o'clock $x/credentials",
		.has_credentials = true };
	struct banner b = { .identity = &id, .data = "/", .urls = urls, .url_count = 1 };
	buf_init(&out, 16384);
	banner_render(&out, &b);
	assert_non_null(strstr(buf_c(&out),
		"AWS_SHARED_CREDENTIALS_FILE='/my data/o'\\''clock $x/credentials'\n"));
}

static void a_missing_credentials_file_is_said(void **state UNUSED)
{
	struct buf out CLEANUP(buf_fini);
	struct identity id = { .credentials = "/data/credentials" };
	struct banner b = { .identity = &id, .data = "/", .urls = urls, .url_count = 1 };
	buf_init(&out, 16384);
	banner_render(&out, &b);
	assert_non_null(strstr(
		buf_c(&out), "/data/credentials is gone; 'berth new-key' makes another key\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_credentials_file_has_the_format_of_the_aws_tools),
		cmocka_unit_test(the_banner_says_where_things_are_and_what_to_type),
		cmocka_unit_test(paths_are_quoted_for_the_shell),
		cmocka_unit_test(a_missing_credentials_file_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
