/* The writing half of json.h. */
#include <assert.h>

#include "base/json.h"

void jo_init(struct json_out *o, struct buf *buf)
{
	*o = (struct json_out){ .buf = buf };
}

/* The comma that the value about to be written needs, and its name. */
static void begin(struct json_out *o, const char *name)
{
	uint32_t bit = UINT32_C(1) << o->depth;
	if ((o->more & bit) != 0)
		buf_add_char(o->buf, ',');
	o->more |= bit;
	if (name != NULL) {
		json_quote(o->buf, str_from(name));
		buf_add_char(o->buf, ':');
	}
}

static void open_bracket(struct json_out *o, const char *name, char bracket)
{
	begin(o, name);
	buf_add_char(o->buf, bracket);
	assert(o->depth < 31);
	o->depth++;
	o->more &= ~(UINT32_C(1) << o->depth);
}

void jo_object(struct json_out *o, const char *name)
{
	open_bracket(o, name, '{');
}

void jo_array(struct json_out *o, const char *name)
{
	open_bracket(o, name, '[');
}

void jo_end(struct json_out *o, char bracket)
{
	assert(o->depth > 0);
	o->depth--;
	buf_add_char(o->buf, bracket);
}

void jo_str(struct json_out *o, const char *name, struct str value)
{
	begin(o, name);
	json_quote(o->buf, value);
}

void jo_c(struct json_out *o, const char *name, const char *value)
{
	jo_str(o, name, str_from(value));
}

void jo_int(struct json_out *o, const char *name, int64_t value)
{
	begin(o, name);
	buf_addf(o->buf, "%lld", (long long)value);
}

void jo_bool(struct json_out *o, const char *name, bool value)
{
	begin(o, name);
	buf_add_c(o->buf, value ? "true" : "false");
}

void jo_time(struct json_out *o, const char *name, int64_t unix_ms)
{
	/* Not %f: a double would do today, but the digits are exact this way. */
	uint64_t ms = unix_ms < 0 ? -(uint64_t)unix_ms : (uint64_t)unix_ms;
	begin(o, name);
	buf_addf(o->buf, "%s%llu.%03llu", unix_ms < 0 ? "-" : "", (unsigned long long)(ms / 1000),
		(unsigned long long)(ms % 1000));
}

void jo_raw(struct json_out *o, const char *name, struct str json)
{
	begin(o, name);
	buf_add_str(o->buf, json);
}

/* Length of the well-formed UTF-8 sequence at s (RFC 3629: no overlong forms, no surrogates), or 0.
 */
static size_t utf8_len(struct str s)
{
	static const struct form {
		uint8_t lead_min, lead_max, second_min, second_max;
		size_t len;
	} forms[] = {
		{ 0x00, 0x7F, 0, 0, 1 },
		{ 0xC2, 0xDF, 0x80, 0xBF, 2 },
		{ 0xE0, 0xE0, 0xA0, 0xBF, 3 },
		{ 0xE1, 0xEC, 0x80, 0xBF, 3 },
		{ 0xED, 0xED, 0x80, 0x9F, 3 },
		{ 0xEE, 0xEF, 0x80, 0xBF, 3 },
		{ 0xF0, 0xF0, 0x90, 0xBF, 4 },
		{ 0xF1, 0xF3, 0x80, 0xBF, 4 },
		{ 0xF4, 0xF4, 0x80, 0x8F, 4 },
	};

	uint8_t lead = (uint8_t)s.ptr[0];
	for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
		if (lead < forms[f].lead_min || lead > forms[f].lead_max)
			continue;
		if (forms[f].len > s.len)
			return 0;
		for (size_t i = 1; i < forms[f].len; i++) {
			uint8_t byte = (uint8_t)s.ptr[i];
			uint8_t min = i == 1 ? forms[f].second_min : 0x80;
			uint8_t max = i == 1 ? forms[f].second_max : 0xBF;
			if (byte < min || byte > max)
				return 0;
		}
		return forms[f].len;
	}
	return 0;
}

static void add_escape(struct buf *out, char c)
{
	switch (c) {
	case '"':
		buf_add_c(out, "\\\"");
		break;
	case '\\':
		buf_add_c(out, "\\\\");
		break;
	case '\n':
		buf_add_c(out, "\\n");
		break;
	case '\r':
		buf_add_c(out, "\\r");
		break;
	case '\t':
		buf_add_c(out, "\\t");
		break;
	default:
		buf_addf(out, "\\u%04x", (unsigned)(uint8_t)c);
	}
}

void json_quote(struct buf *out, struct str s)
{
	size_t plain = 0; /* where the run that can be copied as it is began */
	size_t i = 0;
	buf_add_char(out, '"');
	while (i < s.len) {
		uint8_t byte = (uint8_t)s.ptr[i];
		bool is_plain = byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
		size_t len = is_plain ? 1 : byte >= 0x80 ? utf8_len(str_sub(s, i, 4)) : 0;
		if (len != 0) {
			i += len;
			continue;
		}
		buf_add_str(out, str_sub(s, plain, i - plain));
		if (byte >= 0x80)
			buf_add_c(out, "\xEF\xBF\xBD");
		else
			add_escape(out, s.ptr[i]);
		plain = ++i;
	}
	buf_add_str(out, str_sub(s, plain, SIZE_MAX));
	buf_add_char(out, '"');
}
