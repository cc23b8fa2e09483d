#include <arpa/inet.h>
#include <stdlib.h>

#include "auth/policy_priv.h"

#define NUMBER_MAX 40

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t digits_from(struct str s, size_t at)
{
	size_t from = at;
	while (at < s.len && is_digit(s.ptr[at]))
		at++;
	return at - from;
}

/* A JSON number, with a plus or leading zeros allowed: strtod would take more (hex, "inf", blanks).
 */
static bool is_number(struct str s)
{
	size_t at = s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+') ? 1 : 0;
	size_t whole = digits_from(s, at);
	at += whole;
	if (whole == 0)
		return false;
	if (at < s.len && s.ptr[at] == '.') {
		size_t fraction = digits_from(s, at + 1);
		if (fraction == 0)
			return false;
		at += 1 + fraction;
	}
	if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
		at++;
		if (at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+'))
			at++;
		size_t exponent = digits_from(s, at);
		if (exponent == 0)
			return false;
		at += exponent;
	}
	return at == s.len;
}

bool value_number(struct str s, double *out)
{
	char text[NUMBER_MAX + 1];
	if (!is_number(s) || !str_to_c(s, text, sizeof(text)))
		return false;
	*out = strtod(text, NULL);
	return true;
}

/* Exactly n digits at *at. */
static bool read_digits(struct str s, size_t *at, size_t n, int64_t min, int64_t max, int64_t *out)
{
	uint64_t value;
	if (!str_to_u64(str_sub(s, *at, n), (uint64_t)max, &value) || s.len - *at < n ||
		(int64_t)value < min)
		return false;
	*at += n;
	*out = (int64_t)value;
	return true;
}

static bool read_char(struct str s, size_t *at, char c)
{
	if (*at >= s.len || s.ptr[*at] != c)
		return false;
	(*at)++;
	return true;
}

/* Days from 1970-01-01, by counting years from March so that the leap day comes last. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;
	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
	if (month == 2)
		return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* "Z", "+hh:mm", "-hh:mm" or nothing (UTC), in milliseconds east. */
static bool read_zone(struct str s, size_t *at, int64_t *out_ms)
{
	int64_t hours = 0;
	int64_t minutes = 0;
	*out_ms = 0;
	if (*at == s.len || read_char(s, at, 'Z') || read_char(s, at, 'z'))
		return true;
	bool is_west = s.ptr[*at] == '-';
	if (!is_west && s.ptr[*at] != '+')
		return false;
	(*at)++;
	if (!read_digits(s, at, 2, 0, 23, &hours) || !read_char(s, at, ':') ||
		!read_digits(s, at, 2, 0, 59, &minutes))
		return false;
	*out_ms = (hours * 60 + minutes) * 60000 * (is_west ? -1 : 1);
	return true;
}

/* "hh:mm", "hh:mm:ss" or "hh:mm:ss.fff", and the zone. */
static bool read_time(struct str s, size_t *at, int64_t *out_ms)
{
	int64_t hours;
	int64_t minutes;
	int64_t seconds = 0;
	int64_t ms = 0;
	int64_t zone;
	if (!read_digits(s, at, 2, 0, 23, &hours) || !read_char(s, at, ':') ||
		!read_digits(s, at, 2, 0, 59, &minutes))
		return false;
	if (read_char(s, at, ':')) {
		if (!read_digits(s, at, 2, 0, 59, &seconds))
			return false;
		if (read_char(s, at, '.')) {
			size_t n = digits_from(s, *at);
			if (n == 0 || n > 9)
				return false;
			for (size_t i = 0; i < 3; i++)
				ms = ms * 10 + (i < n ? s.ptr[*at + i] - '0' : 0);
			*at += n;
		}
	}
	if (!read_zone(s, at, &zone))
		return false;
	*out_ms = ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms - zone;
	return true;
}

/* The W3C profile of ISO 8601 ("IAM JSON policy elements: Condition operators", Date), or seconds
 * since 1970. A bare year would read as the latter: it does. */
bool value_date(struct str s, int64_t *out_ms)
{
	uint64_t seconds;
	if (str_to_u64(s, INT64_MAX / 1000, &seconds)) {
		*out_ms = (int64_t)seconds * 1000;
		return true;
	}
	size_t at = 0;
	int64_t year;
	int64_t month;
	int64_t day = 1;
	int64_t time_ms = 0;
	if (!read_digits(s, &at, 4, 1, 9999, &year) || !read_char(s, &at, '-') ||
		!read_digits(s, &at, 2, 1, 12, &month))
		return false;
	if (read_char(s, &at, '-')) {
		if (!read_digits(s, &at, 2, 1, days_in_month(year, month), &day))
			return false;
		if ((read_char(s, &at, 'T') || read_char(s, &at, 't')) &&
			!read_time(s, &at, &time_ms))
			return false;
	}
	if (at != s.len)
		return false;
	*out_ms = days_from_civil(year, month, day) * 86400000 + time_ms;
	return true;
}

bool value_bool(struct str s, bool *out)
{
	bool is_true = str_eq_nocase(s, STR("true"));
	if (!is_true && !str_eq_nocase(s, STR("false")))
		return false;
	*out = is_true;
	return true;
}

static void mask(struct ip_net *net)
{
	for (unsigned i = 0; i < sizeof(net->address); i++) {
		unsigned first = i * 8;
		if (first >= net->bits)
			net->address[i] = 0;
		else if (net->bits - first < 8)
			net->address[i] &= (uint8_t)(0xff << (8 - (net->bits - first)));
	}
}

bool value_net(struct str s, struct ip_net *out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct ip_net net = { .bits = 0 };
	struct str address;
	struct str prefix;
	char text[INET6_ADDRSTRLEN];
	bool has_prefix = str_cut(s, '/', &address, &prefix);
	if (!str_to_c(address, text, sizeof(text)))
		return false;
	net.is_v6 = str_find_char(address, ':') < address.len;
	if (inet_pton(net.is_v6 ? AF_INET6 : AF_INET, text, net.address) != 1)
		return false;
	uint64_t bits = net.is_v6 ? 128 : 32;
	if (has_prefix && !str_to_u64(prefix, bits, &bits))
		return false;
	/* A client of a socket that serves both families shows its IPv4 address like this. */
	if (net.is_v6 && bits >= 96 && memcmp(net.address, mapped, sizeof(mapped)) == 0) {
		memmove(net.address, net.address + 12, 4);
		memset(net.address + 4, 0, 12);
		net.is_v6 = false;
		bits -= 96;
	}
	net.bits = (uint8_t)bits;
	mask(&net);
	*out = net;
	return true;
}

bool value_net_holds(const struct ip_net *net, const struct ip_net *address)
{
	struct ip_net cut = *address;
	if (net->is_v6 != address->is_v6 || address->bits < net->bits)
		return false;
	cut.bits = net->bits;
	mask(&cut);
	return memcmp(cut.address, net->address, sizeof(cut.address)) == 0;
}
