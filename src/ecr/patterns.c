#include "ecr/patterns.h"

#include "base/codec.h"
#include "registry/name.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_among(const char *set, char c)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static bool is_registry_id(struct str s)
{
	size_t i = 0;
	while (i < s.len && is_digit(s.ptr[i]))
		i++;
	return i == s.len && s.len == 12;
}

static bool is_layer_digest(struct str s)
{
	size_t i = 0;
	while (i < s.len && (is_alnum(s.ptr[i]) || is_among("-_+.", s.ptr[i])))
		i++;
	if (i == 0 || i == s.len || s.ptr[i] != ':')
		return false;
	size_t hex = ++i;
	while (i < s.len && is_hex(s.ptr[i]))
		i++;
	return i == s.len && i > hex;
}

static bool is_upload_id(struct str s)
{
	uint8_t uuid[16];
	return uuid_parse(s, uuid);
}

static bool is_exclusion_filter(struct str s)
{
	size_t i = 0;
	while (i < s.len && (is_alnum(s.ptr[i]) || is_among("._*-", s.ptr[i])))
		i++;
	return i == s.len && s.len >= 1 && s.len <= 128;
}

static bool is_prefix(struct str s)
{
	if (str_eq(s, STR("ROOT")))
		return true;
	return name_is_repository(str_ends(s, STR("/")) ? str_sub(s, 0, s.len - 1) : s);
}

static bool is_lower_words(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!is_digit(s.ptr[i]) && !(s.ptr[i] >= 'a' && s.ptr[i] <= 'z') && s.ptr[i] != '-')
			return false;
	}
	return true;
}

static bool is_template_kms_key(struct str s)
{
	struct str key = STR("key/");
	struct str partition = STR("arn:aws");
	struct str part[4]; /* partition's end, service, Region, account */
	if (s.len == 0)
		return true;
	if (!str_starts(s, partition))
		return false;
	struct str rest = str_sub(s, partition.len, s.len - partition.len);
	for (size_t i = 0; i < ARRAY_LEN(part); i++) {
		if (!str_cut(rest, ':', &part[i], &rest))
			return false;
	}
	struct str id =
		str_sub(rest, key.len, rest.len - (rest.len < key.len ? rest.len : key.len));
	return is_lower_words(part[0]) && str_eq(part[1], STR("kms")) && part[2].len != 0 &&
	       is_lower_words(part[2]) && is_registry_id(part[3]) && str_starts(rest, key) &&
	       id.len != 0 && is_lower_words(id);
}

/* Starts and ends with a letter, digit or star; separators stand alone between them. */
static bool is_scan_filter(struct str s)
{
	bool was_separator = true;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool is_word = is_digit(c) || (c >= 'a' && c <= 'z') || c == '*';
		if (!is_word && (was_separator || !is_among("._-/", c)))
			return false;
		was_separator = !is_word;
	}
	return s.len != 0 && !was_separator;
}

/* "-gov", "-cn", "-iso-b": (-[a-z]+)* */
static bool is_partition_tail(struct str s)
{
	bool was_hyphen = true;
	for (size_t i = 0; i < s.len; i++) {
		bool is_hyphen = s.ptr[i] == '-';
		if (is_hyphen ? i > 0 && was_hyphen : i == 0 || s.ptr[i] < 'a' || s.ptr[i] > 'z')
			return false;
		was_hyphen = is_hyphen;
	}
	return s.len == 0 || !was_hyphen;
}

static bool is_principal_name(struct str s)
{
	bool was_slash = true;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool is_word = is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			       is_among("_+=,.@-", c);
		if (!is_word && (was_slash || c != '/'))
			return false;
		was_slash = !is_word;
	}
	return s.len != 0 && !was_slash;
}

static bool is_principal_arn(struct str s)
{
	struct str part[5];
	for (size_t i = 0; i < ARRAY_LEN(part); i++) {
		if (!str_cut(s, ':', &part[i], &s))
			return false;
	}
	struct str kind;
	return str_eq_c(part[0], "arn") && str_starts(part[1], STR("aws")) &&
	       is_partition_tail(str_sub(part[1], 3, part[1].len)) && str_eq_c(part[2], "iam") &&
	       part[3].len == 0 && is_registry_id(part[4]) && str_cut(s, '/', &kind, &s) &&
	       (str_eq_c(kind, "role") || str_eq_c(kind, "user")) && is_principal_name(s);
}

const struct shape_pattern pattern_registry_id = { "^[0-9]{12}$", is_registry_id };
const struct shape_pattern pattern_repository_name = {
	"[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*",
	name_is_repository,
};
const struct shape_pattern pattern_layer_digest = {
	"[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+",
	is_layer_digest,
};
const struct shape_pattern pattern_upload_id = {
	"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
	is_upload_id,
};
const struct shape_pattern pattern_exclusion_filter = {
	"^[0-9a-zA-Z._*-]{1,128}$",
	is_exclusion_filter,
};
const struct shape_pattern pattern_prefix = {
	"^([a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*\\/?|ROOT)$",
	is_prefix,
};
const struct shape_pattern pattern_template_kms_key = {
	"^$|arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:key\\/[a-z0-9-]+",
	is_template_kms_key,
};
const struct shape_pattern pattern_scan_filter = {
	"^[a-z0-9*](?:[._\\-/a-z0-9*]?[a-z0-9*]+)*$",
	is_scan_filter,
};
const struct shape_pattern pattern_principal_arn = {
	"^arn:aws(-[a-z]+)*:iam::[0-9]{12}:(role|user)/[\\w+=,.@-]+(/[\\w+=,.@-]+)*$",
	is_principal_arn,
};
