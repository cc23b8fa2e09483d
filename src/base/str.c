#include "base/str.h"

static int ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

struct str str_from(const char *c)
{
	return c == NULL ? (struct str){ "", 0 } : (struct str){ c, strlen(c) };
}

/* memcmp may not be given NULL, not even for no bytes. */
static bool same_bytes(const char *a, const char *b, size_t len)
{
	return len == 0 || memcmp(a, b, len) == 0;
}

bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && same_bytes(a.ptr, b.ptr, a.len);
}

bool str_eq_c(struct str a, const char *b)
{
	return str_eq(a, str_from(b));
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]))
			return false;
	}
	return true;
}

int str_cmp(struct str a, struct str b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len && same_bytes(s.ptr, prefix.ptr, prefix.len);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.len >= suffix.len && (suffix.len == 0 || same_bytes(s.ptr + (s.len - suffix.len),
								  suffix.ptr, suffix.len));
}

size_t str_find_char(struct str s, char c)
{
	const char *at = s.len == 0 ? NULL : memchr(s.ptr, c, s.len);
	return at == NULL ? s.len : (size_t)(at - s.ptr);
}

struct str str_sub(struct str s, size_t from, size_t len)
{
	if (from > s.len)
		from = s.len;
	if (len > s.len - from)
		len = s.len - from;
	return (struct str){ from == 0 ? s.ptr : s.ptr + from, len };
}

struct str str_trim(struct str s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

bool str_cut(struct str s, char c, struct str *head, struct str *tail)
{
	size_t at = str_find_char(s, c);
	*head = str_sub(s, 0, at);
	*tail = str_sub(s, at + 1, SIZE_MAX);
	return at < s.len;
}

bool str_to_u64(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(s.ptr[i] - '0');
		if (digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

bool str_to_c(struct str s, char *dst, size_t cap)
{
	if (s.len >= cap || str_find_char(s, '\0') < s.len)
		return false;
	if (s.len > 0)
		memcpy(dst, s.ptr, s.len);
	dst[s.len] = '\0';
	return true;
}

/*
 * Only the last star seen needs to be retried: whatever an earlier star could still swallow, the
 * later one can swallow too.
 */
bool str_glob(struct str pattern, struct str s)
{
	size_t p = 0;
	size_t i = 0;
	size_t star = SIZE_MAX; /* place in the pattern behind the last star */
	size_t resume = 0;      /* place in s where the run of that star ends */
	while (i < s.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = ++p;
			resume = i;
		} else if (p < pattern.len && pattern.ptr[p] == s.ptr[i]) {
			p++;
			i++;
		} else if (star != SIZE_MAX) {
			p = star;
			i = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}
