/* codec.h - hex, base64, percent-encoding, UUID text, and times as the protocols write them. Pure
 * functions. */
#ifndef BERTH_BASE_CODEC_H
#define BERTH_BASE_CODEC_H

#include "base/buf.h"

void hex_encode(const uint8_t *in, size_t len, char *out); /* 2*len lower-case characters, no NUL */
/* Exactly 2*out_len hex digits, either case unless lower_only. */
bool hex_decode(struct str in, bool lower_only, uint8_t *out, size_t out_len);

#define BASE64_LEN(n) (((n) + 2) / 3 * 4)
void base64_encode(const uint8_t *in, size_t len, char *out); /* BASE64_LEN characters, no NUL */
/* Strict RFC 4648 section 4 with padding; out must hold in.len/4*3 bytes. False on any other
 * character. */
bool base64_decode(struct str in, uint8_t *out, size_t *out_len);
#define BASE64URL_LEN(n) (((n)*4 + 2) / 3)
void base64url_encode(const uint8_t *in, size_t len, char *out); /* no padding, no NUL */
bool base64url_decode(struct str in, uint8_t *out, size_t cap, size_t *out_len);

/* RFC 3986: keeps A-Z a-z 0-9 - . _ ~, and '/' too when keep_slash; upper-case hex (as SigV4
 * wants). */
void percent_encode(struct buf *out, struct str s, bool keep_slash);
/* Decodes %XX (and '+' to space when plus_is_space) into out (cap >= s.len). False on a malformed
 * escape or a NUL byte. */
bool percent_decode(struct str s, bool plus_is_space, char *out, size_t *out_len);

#define UUID_TEXT_LEN 36
void uuid_text(const uint8_t uuid[16], char out[UUID_TEXT_LEN + 1]);
bool uuid_parse(struct str text, uint8_t out[16]); /* either case, hyphens required */

#define HTTP_DATE_MAX 30
void http_date(int64_t unix_s, char out[HTTP_DATE_MAX]); /* RFC 9110 5.6.7, IMF-fixdate */
bool http_date_parse(struct str s, int64_t *unix_s);     /* IMF-fixdate only */
#define ISO8601_MAX 32
void iso8601(int64_t unix_ms, char out[ISO8601_MAX]); /* 2026-11-24T03:00:00.123Z */
bool amz_date_parse(struct str s, int64_t *unix_s);   /* 20261124T030000Z */

#endif
