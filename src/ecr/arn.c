#include "ecr/arn.h"

#include "registry/name.h"

static bool is_partition(struct str s)
{
	return str_eq(s, STR("aws")) || (str_starts(s, STR("aws-")) && s.len > 4);
}

bool arn_parse_repository(
	struct str text, struct registry_id *out_reg, struct str *out_repo, struct err *err)
{
	static const char message[] =
		"Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'";
	struct str part[5];
	struct str rest = text;
	for (size_t i = 0; i < ARRAY_LEN(part); i++) {
		if (!str_cut(rest, ':', &part[i], &rest))
			return err_set(err, ERR_INVALID, "%s", message);
	}
	struct str prefix = STR("repository/");
	if (!str_eq(part[0], STR("arn")) || !is_partition(part[1]) ||
		!str_eq(part[2], STR("ecr")) || !str_starts(rest, prefix))
		return err_set(err, ERR_INVALID, "%s", message);
	struct str repo = str_sub(rest, prefix.len, rest.len - prefix.len);
	struct registry_id reg;
	if (!name_is_repository(repo) || !registry_id_make(part[4], part[3], &reg))
		return err_set(err, ERR_INVALID, "%s", message);
	*out_reg = reg;
	*out_repo = repo;
	return true;
}
