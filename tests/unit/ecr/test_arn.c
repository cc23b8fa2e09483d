#include "../unit.h"
#include "ecr/arn.h"

static void repository_arns_name_registry_and_repository(void **state)
{
	static const struct {
		const char *arn, *account, *region, *repo;
	} rows[] = {
		{ "arn:aws:ecr:eu-west-1:123456789012:repository/app", "123456789012", "eu-west-1",
			"app" },
		{ "arn:aws:ecr:us-east-1:000000000000:repository/a/b/c-d", "000000000000",
			"us-east-1", "a/b/c-d" },
		{ "arn:aws-cn:ecr:cn-north-1:123456789012:repository/app", "123456789012",
			"cn-north-1", "app" },
		{ "arn:aws-us-gov:ecr:us-gov-west-1:123456789012:repository/x__y", "123456789012",
			"us-gov-west-1", "x__y" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct registry_id reg;
		struct str repo;
		struct err err;
		ASSERT_DONE(arn_parse_repository(str_from(rows[i].arn), &reg, &repo, &err));
		assert_string_equal(reg.account, rows[i].account);
		assert_string_equal(reg.region, rows[i].region);
		ASSERT_STR(repo, rows[i].repo);
	}
}

static void everything_else_is_an_invalid_arn(void **state)
{
	static const char *const rows[] = {
		"",
		"app",
		"arn:aws:ecr:eu-west-1:123456789012:repository/",
		"arn:aws:ecr:eu-west-1:123456789012:repository",
		"arn:aws:ecr:eu-west-1:123456789012:app",
		"arn:aws:ecr:eu-west-1:123456789012:repository/App",
		"arn:aws:ecr:eu-west-1:123456789012:repository/a//b",
		"arn:aws:ecr:eu-west-1:123456789012:repository/a:b",
		"arn:aws:ecr:eu-west-1:12345678901:repository/app",
		"arn:aws:ecr:eu-west-1::repository/app",
		"arn:aws:ecr::123456789012:repository/app",
		"arn:aws:ecr:EU:123456789012:repository/app",
		"arn:aws:s3:eu-west-1:123456789012:repository/app",
		"arn:amazon:ecr:eu-west-1:123456789012:repository/app",
		"arn:aws-:ecr:eu-west-1:123456789012:repository/app",
		"ARN:aws:ecr:eu-west-1:123456789012:repository/app",
		" arn:aws:ecr:eu-west-1:123456789012:repository/app",
		"arn:aws:ecr:eu-west-1:123456789012:repository/app ",
		"arn:aws:ecr:eu-west-1:123456789012",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct registry_id reg;
		struct str repo;
		struct err err;
		if (arn_parse_repository(str_from(rows[i]), &reg, &repo, &err))
			fail_msg("taken: %s", rows[i]);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_string_equal(err.msg,
			"Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repository_arns_name_registry_and_repository),
		cmocka_unit_test(everything_else_is_an_invalid_arn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
