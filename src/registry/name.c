#include "registry/name.h"

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* */
static bool is_component(struct str s)
{
	size_t i = 0;
	if (s.len == 0 || !is_lower_alnum(s.ptr[0]) || !is_lower_alnum(s.ptr[s.len - 1]))
		return false;
	while (i < s.len) {
		while (i < s.len && is_lower_alnum(s.ptr[i]))
			i++;
		if (i == s.len)
			return true;
		char sep = s.ptr[i];
		size_t run = 0;
		while (i < s.len && s.ptr[i] == sep) {
			i++;
			run++;
		}
		bool ok = (sep == '.' && run == 1) || (sep == '_' && run <= 2) || sep == '-';
		if (!ok ||
			!is_lower_alnum(s.ptr[i])) /* i < len: the last character is alphanumeric */
			return false;
	}
	return true;
}

bool name_is_repository(struct str s)
{
	if (s.len == 0 || s.len > REPO_NAME_MAX)
		return false;
	struct str head;
	struct str rest = s;
	bool more = true;
	while (more) {
		more = str_cut(rest, '/', &head, &rest);
		if (!is_component(head))
			return false;
	}
	return true;
}

bool name_is_tag(struct str s)
{
	if (s.len == 0 || s.len > TAG_NAME_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool word = is_lower_alnum(c) || (c >= 'A' && c <= 'Z') || c == '_';
		if (!word && (i == 0 || (c != '.' && c != '-')))
			return false;
	}
	return true;
}
