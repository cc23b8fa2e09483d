/* The times of codec.h. Own calendar arithmetic: gmtime_r and timegm read the time zone files,
 * strptime the locale. */
#include "base/codec.h"

#define DAY_S   86400
#define FIRST_S INT64_C(-62167219200) /* 0000-01-01T00:00:00Z */
#define LAST_S  INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

struct civil {
	int year, month, day, hour, minute, second, weekday;
};

static const char month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
	"Sep", "Oct", "Nov", "Dec" };
static const char day_names[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 0000-01-01 to the first day of a year in 0..10000. */
static int64_t days_before_year(int year)
{
	if (year == 0)
		return 0;
	int y = year - 1;
	return INT64_C(366) + (int64_t)y * 365 + y / 4 - y / 100 + y / 400;
}

/* Times outside years 0 to 9999 are clamped: the forms have four digits. */
static struct civil to_civil(int64_t unix_s)
{
	if (unix_s < FIRST_S)
		unix_s = FIRST_S;
	if (unix_s > LAST_S)
		unix_s = LAST_S;
	int64_t since = unix_s - FIRST_S;
	int64_t days = since / DAY_S;
	int in_day = (int)(since % DAY_S);
	struct civil c = {
		.hour = in_day / 3600, .minute = in_day / 60 % 60, .second = in_day % 60
	};
	c.weekday = (int)((days + 6) % 7); /* 0000-01-01 was a Saturday */
	c.year = (int)(days * 400 / 146097);
	while (days_before_year(c.year + 1) <= days)
		c.year++;
	while (days_before_year(c.year) > days)
		c.year--;
	int day = (int)(days - days_before_year(c.year));
	c.month = 1;
	while (day >= month_days(c.year, c.month))
		day -= month_days(c.year, c.month++);
	c.day = day + 1;
	return c;
}

static bool from_civil(const struct civil *c, int64_t *unix_s)
{
	if (c->month < 1 || c->month > 12 || c->day < 1 || c->day > month_days(c->year, c->month))
		return false;
	/* RFC 9110 5.6.7 allows second 60 for a leap second; it counts as the next one. */
	if (c->hour > 23 || c->minute > 59 || c->second > 60)
		return false;
	int64_t days = days_before_year(c->year) + c->day - 1;
	for (int m = 1; m < c->month; m++)
		days += month_days(c->year, m);
	*unix_s = FIRST_S + days * DAY_S + (int64_t)c->hour * 3600 + (int64_t)c->minute * 60 +
		  c->second;
	return true;
}

/* Writes width digits at out and returns the place behind them. */
static char *put(char *out, int value, int width)
{
	for (int i = width - 1; i >= 0; i--) {
		out[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return out + width;
}

static char *put_text(char *out, const char *text)
{
	while (*text != '\0')
		*out++ = *text++;
	return out;
}

static bool get(struct str s, size_t at, size_t width, int *out)
{
	uint64_t value;
	struct str digits = str_sub(s, at, width);
	if (digits.len != width || !str_to_u64(digits, 9999, &value))
		return false;
	*out = (int)value;
	return true;
}

void http_date(int64_t unix_s, char out[HTTP_DATE_MAX])
{
	struct civil c = to_civil(unix_s);
	char *p = put_text(out, day_names[c.weekday]);
	p = put(put_text(p, ", "), c.day, 2);
	p = put_text(put_text(put_text(p, " "), month_names[c.month - 1]), " ");
	p = put(put_text(put(p, c.year, 4), " "), c.hour, 2);
	p = put(put_text(p, ":"), c.minute, 2);
	p = put(put_text(p, ":"), c.second, 2);
	p = put_text(p, " GMT");
	*p = '\0';
}

bool http_date_parse(struct str s, int64_t *unix_s)
{
	/* Sun, 06 Nov 1994 08:49:37 GMT; the day's name is not checked against the date. */
	struct civil c = { 0 };
	if (s.len != HTTP_DATE_MAX - 1)
		return false;
	while (c.weekday < 7 && !str_eq_c(str_sub(s, 0, 3), day_names[c.weekday]))
		c.weekday++;
	while (c.month < 12 && !str_eq_c(str_sub(s, 8, 3), month_names[c.month]))
		c.month++;
	if (c.weekday == 7 || c.month++ == 12)
		return false;
	if (!str_eq_c(str_sub(s, 3, 2), ", ") || s.ptr[7] != ' ' || s.ptr[11] != ' ' ||
		s.ptr[16] != ' ' || s.ptr[19] != ':' || s.ptr[22] != ':' ||
		!str_eq_c(str_sub(s, 25, 4), " GMT"))
		return false;
	return get(s, 5, 2, &c.day) && get(s, 12, 4, &c.year) && get(s, 17, 2, &c.hour) &&
	       get(s, 20, 2, &c.minute) && get(s, 23, 2, &c.second) && from_civil(&c, unix_s);
}

void iso8601(int64_t unix_ms, char out[ISO8601_MAX])
{
	int64_t s = unix_ms / 1000 - (unix_ms % 1000 < 0);
	int ms = (int)(unix_ms - s * 1000);
	struct civil c = to_civil(s);
	char *p = put(out, c.year, 4);
	p = put(put_text(p, "-"), c.month, 2);
	p = put(put_text(p, "-"), c.day, 2);
	p = put(put_text(p, "T"), c.hour, 2);
	p = put(put_text(p, ":"), c.minute, 2);
	p = put(put_text(p, ":"), c.second, 2);
	p = put_text(put(put_text(p, "."), ms, 3), "Z");
	*p = '\0';
}

bool amz_date_parse(struct str s, int64_t *unix_s)
{
	struct civil c = { 0 };
	if (s.len != 16 || s.ptr[8] != 'T' || s.ptr[15] != 'Z')
		return false;
	return get(s, 0, 4, &c.year) && get(s, 4, 2, &c.month) && get(s, 6, 2, &c.day) &&
	       get(s, 9, 2, &c.hour) && get(s, 11, 2, &c.minute) && get(s, 13, 2, &c.second) &&
	       from_civil(&c, unix_s);
}
