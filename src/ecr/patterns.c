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
