#include "base/codec.h"

static const char lower_hex[] = "0123456789abcdef";
static const char upper_hex[] = "0123456789ABCDEF";

void hex_encode(const uint8_t *in, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = lower_hex[in[i] >> 4];
		out[2 * i + 1] = lower_hex[in[i] & 15];
	}
}

/* Value of a hex digit, or -1. */
static int hex_value(char c, bool lower_only)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F' && !lower_only)
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(struct str in, bool lower_only, uint8_t *out, size_t out_len)
{
	if (in.len % 2 != 0 || in.len / 2 != out_len)
		return false;
	for (size_t i = 0; i < out_len; i++) {
		int high = hex_value(in.ptr[2 * i], lower_only);
		int low = hex_value(in.ptr[2 * i + 1], lower_only);
		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static const char base64_std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Writes the characters without padding; returns how many. */
static size_t encode64(const uint8_t *in, size_t len, const char *alphabet, char *out)
{
	size_t n = 0;
	uint32_t bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | in[i];
		have += 8;
		while (have >= 6) {
			have -= 6;
			out[n++] = alphabet[bits >> have & 63];
		}
	}
	if (have > 0)
		out[n++] = alphabet[bits << (6 - have) & 63];
	return n;
}

static int value64(char c, char c62, char c63)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == c62)
		return 62;
	return c == c63 ? 63 : -1;
}

/* in: without padding. Refuses a lone last character and set bits behind the last byte (RFC
 * 4648 3.5). */
static bool decode64(struct str in, char c62, char c63, uint8_t *out, size_t *out_len)
{
	size_t n = 0;
	uint32_t bits = 0;
	unsigned have = 0;
	if (in.len % 4 == 1)
		return false;
	for (size_t i = 0; i < in.len; i++) {
		int value = value64(in.ptr[i], c62, c63);
		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	if ((bits & ((1U << have) - 1)) != 0)
		return false;
	*out_len = n;
	return true;
}

void base64_encode(const uint8_t *in, size_t len, char *out)
{
	size_t n = encode64(in, len, base64_std, out);
	while (n < BASE64_LEN(len))
		out[n++] = '=';
}

bool base64_decode(struct str in, uint8_t *out, size_t *out_len)
{
	if (in.len % 4 != 0)
		return false;
	for (int i = 0; i < 2; i++) {
		if (in.len > 0 && in.ptr[in.len - 1] == '=')
			in.len--;
	}
	return decode64(in, '+', '/', out, out_len);
}

void base64url_encode(const uint8_t *in, size_t len, char *out)
{
	encode64(in, len, base64_url, out);
}

bool base64url_decode(struct str in, uint8_t *out, size_t cap, size_t *out_len)
{
	if (in.len / 4 * 3 + in.len % 4 * 3 / 4 > cap)
		return false;
	return decode64(in, '-', '_', out, out_len);
}

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void percent_encode(struct buf *out, struct str s, bool keep_slash)
{
	size_t plain = 0; /* where the run that needs no escape began */
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (is_unreserved(c) || (keep_slash && c == '/'))
			continue;
		uint8_t byte = (uint8_t)c;
		char escape[3] = { '%', upper_hex[byte >> 4], upper_hex[byte & 15] };
		buf_add_str(out, str_sub(s, plain, i - plain));
		buf_add(out, escape, sizeof(escape));
		plain = i + 1;
	}
	buf_add_str(out, str_sub(s, plain, SIZE_MAX));
}

bool percent_decode(struct str s, bool plus_is_space, char *out, size_t *out_len)
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == '%') {
			uint8_t byte;
			if (!hex_decode(str_sub(s, i + 1, 2), false, &byte, 1))
				return false;
			c = (char)byte;
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		if (c == '\0')
			return false;
		out[n++] = c;
	}
	*out_len = n;
	return true;
}

static bool is_hyphen_at(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

void uuid_text(const uint8_t uuid[16], char out[UUID_TEXT_LEN + 1])
{
	size_t n = 0;
	for (size_t i = 0; i < 16; i++) {
		if (is_hyphen_at(n))
			out[n++] = '-';
		hex_encode(uuid + i, 1, out + n);
		n += 2;
	}
	out[n] = '\0';
}

bool uuid_parse(struct str text, uint8_t out[16])
{
	uint8_t uuid[16];
	size_t n = 0;
	if (text.len != UUID_TEXT_LEN)
		return false;
	for (size_t i = 0; i < text.len;) {
		if (is_hyphen_at(i)) {
			if (text.ptr[i++] != '-')
				return false;
			continue;
		}
		if (!hex_decode(str_sub(text, i, 2), false, uuid + n++, 1))
			return false;
		i += 2;
	}
	memcpy(out, uuid, sizeof(uuid));
	return true;
}
