#include "http/wire.h"

#include <string.h>

#include "base/str.h"

/* A piece on its way: what was read of it, and what stands before that to be passed on. */
struct piece {
	char *p;
	size_t n, at, out;
	size_t nul; /* the first NUL from `at` on; n: none */
	bool has_nul;
};

static void pass(struct piece *x, size_t len)
{
	if (x->out != x->at)
		memmove(x->p + x->out, x->p + x->at, len);
	x->out += len;
	x->at += len;
}

static size_t nul_in(struct piece *x)
{
	if (!x->has_nul || x->nul < x->at) {
		const char *found = memchr(x->p + x->at, '\0', x->n - x->at);

		x->nul = found != NULL ? (size_t)(found - x->p) : x->n;
		x->has_nul = true;
	}
	return x->nul;
}

static bool go(struct wire *w, enum wire_state state)
{
	w->state = (uint8_t)state;
	return true;
}

static bool begin(struct wire *w, enum wire_state state)
{
	w->count = 0;
	return go(w, state);
}

/* --- request lines and headers --- */

static void keep(struct wire *w, const char *p, size_t n)
{
	if (w->count < sizeof(w->text)) {
		size_t room = sizeof(w->text) - w->count;

		memcpy(w->text + w->count, p, n < room ? n : room);
	}
	w->count += n;
	if (n > 0)
		w->ends_with_cr = p[n - 1] == '\r';
}

static bool begins_with(struct str line, struct str name)
{
	return line.len >= name.len && str_eq_nocase(str_sub(line, 0, name.len), name);
}

/* A line that says where the request ends. What is bad here is refused by libmicrohttpd (which
 * knows no space behind such a value) or admit.c. */
static bool take_framing(struct wire *w, struct str value, bool is_coding)
{
	struct str text = str_trim(value);

	w->is_bad = w->is_bad || w->is_framed || !str_ends(value, text) ||
		    !(is_coding ? str_eq_nocase(text, STR("chunked"))
				: str_to_u64(text, INT64_MAX, &w->left));
	w->is_framed = true;
	w->is_chunked = is_coding;
	return true;
}

/* len: of the line, of which p may hold no more than the beginning. */
static bool take_header(struct wire *w, const char *p, size_t len)
{
	const struct str length = STR("Content-Length:");
	const struct str coding = STR("Transfer-Encoding:");
	struct str line = { p, len <= WIRE_FRAMING_LINE_MAX ? len : WIRE_FRAMING_LINE_MAX };
	char first = (char)(*p | 0x20);
	bool is_length = first == 'c' && begins_with(line, length);
	bool is_coding = first == 't' && begins_with(line, coding);

	if (!is_length && !is_coding)
		return true;
	if (line.len < len)
		return false;
	return take_framing(
		w, str_sub(line, is_coding ? coding.len : length.len, line.len), is_coding);
}

static bool end_section(struct wire *w)
{
	if (w->is_bad)
		return go(w, WIRE_OVER);
	if (w->is_chunked) {
		w->left = 0;
		return go(w, WIRE_SIZE);
	}
	return go(w, w->left > 0 ? WIRE_BODY : WIRE_LINE);
}

/* len: without the line's end. */
static bool end_line(struct wire *w, const char *p, size_t len)
{
	if (w->state == WIRE_HEADER)
		return len > 0 ? take_header(w, p, len) : end_section(w);
	if (len == 0)
		return true;
	w->left = 0;
	w->is_framed = w->is_chunked = w->is_bad = false;
	return go(w, WIRE_HEADER);
}

static bool take_line(struct wire *w, struct piece *x)
{
	const char *p = x->p + x->at;
	const char *lf = memchr(p, '\n', x->n - x->at);
	size_t len = lf != NULL ? (size_t)(lf - p) : x->n - x->at;
	size_t nul = nul_in(x);
	bool is_good;

	if (nul < x->at + len) {
		pass(x, nul - x->at);
		return false;
	}
	if (lf == NULL || w->count > 0)
		keep(w, p, len);
	if (lf == NULL) {
		pass(x, len);
		return true;
	}
	if (w->count > 0)
		is_good = w->ends_with_cr && end_line(w, w->text, w->count - 1);
	else
		is_good = len > 0 && p[len - 1] == '\r' && end_line(w, p, len - 1);
	pass(x, len + is_good);
	w->count = 0;
	return is_good;
}

/* --- chunks --- */

static unsigned hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

static bool take_size(struct wire *w, struct piece *x)
{
	char c = x->p[x->at];
	unsigned digit = hex_value(c);

	if (digit < 16 && w->count < WIRE_SIZE_DIGITS_MAX) {
		w->left = w->left << 4 | digit;
		w->count++;
		pass(x, 1);
		return true;
	}
	if (w->count == 0 || (c != ';' && c != '\r'))
		return false;
	if (c == ';')
		return begin(w, WIRE_EXTENSION);
	pass(x, 1);
	return go(w, WIRE_SIZE_LF);
}

static bool is_text(char c)
{
	unsigned char u = (unsigned char)c;

	return (u >= 0x20 && u != 0x7f) || u == '\t';
}

static bool take_extension(struct wire *w, struct piece *x)
{
	char c = x->p[x->at];

	if (c == '\r') {
		pass(x, 1);
		return go(w, WIRE_SIZE_LF);
	}
	x->at++;
	return is_text(c) && ++w->count <= WIRE_EXTENSION_MAX;
}

static bool take_one(struct wire *w, struct piece *x, char wanted, enum wire_state next)
{
	if (x->p[x->at] != wanted)
		return false;
	pass(x, 1);
	return begin(w, next);
}

static bool take_counted(struct wire *w, struct piece *x, enum wire_state next)
{
	size_t len = x->n - x->at;

	len = len < w->left ? len : (size_t)w->left;
	pass(x, len);
	w->left -= len;
	return w->left > 0 || begin(w, next);
}

/* --- trailers --- */

/* RFC 9110 5.6.2 */
static bool is_token(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool take_trailer(struct wire *w, struct piece *x)
{
	char c = x->p[x->at];

	if (w->state == WIRE_TRAILER && c == '\r') {
		pass(x, 1);
		return go(w, WIRE_END_LF);
	}
	x->at++;
	if (++w->count > WIRE_TRAILERS_MAX)
		return false;
	switch (w->state) {
	case WIRE_TRAILER:
		return is_token(c) && go(w, WIRE_TRAILER_NAME);
	case WIRE_TRAILER_NAME:
		return is_token(c) || (c == ':' && go(w, WIRE_TRAILER_VALUE));
	case WIRE_TRAILER_VALUE:
		return is_text(c) || (c == '\r' && go(w, WIRE_TRAILER_LF));
	default:
		return c == '\n' && go(w, WIRE_TRAILER);
	}
}

/* --- all of it --- */

/* False: what stands at x->at (or has just been read) may not be there. */
static bool step(struct wire *w, struct piece *x)
{
	switch ((enum wire_state)w->state) {
	case WIRE_LINE:
	case WIRE_HEADER:
		return take_line(w, x);
	case WIRE_BODY:
		return take_counted(w, x, WIRE_LINE);
	case WIRE_SIZE:
		return take_size(w, x);
	case WIRE_EXTENSION:
		return take_extension(w, x);
	case WIRE_SIZE_LF:
		return take_one(w, x, '\n', w->left > 0 ? WIRE_DATA : WIRE_TRAILER);
	case WIRE_DATA:
		return take_counted(w, x, WIRE_DATA_CR);
	case WIRE_DATA_CR:
		return take_one(w, x, '\r', WIRE_DATA_LF);
	case WIRE_DATA_LF:
		return take_one(w, x, '\n', WIRE_SIZE);
	case WIRE_TRAILER:
	case WIRE_TRAILER_NAME:
	case WIRE_TRAILER_VALUE:
	case WIRE_TRAILER_LF:
		return take_trailer(w, x);
	case WIRE_END_LF:
		return take_one(w, x, '\n', WIRE_LINE);
	case WIRE_OVER:
	case WIRE_BROKEN:
		break;
	}
	return false;
}

/* What is refused wherever in the state it comes: a request whose method or target holds a control
 * character, a header whose name does, a chunk size or trailer that is none. */
static const char *poison_for(enum wire_state state)
{
	switch (state) {
	case WIRE_LINE:
		return "\1 \1 HTTP/1.1\r\n\r\n";
	case WIRE_HEADER:
		return "\1:\r\n\r\n";
	default:
		return "x\r\n";
	}
}

size_t wire_pass(struct wire *w, char *p, size_t n, size_t cap)
{
	struct piece x = { .p = p, .n = n };

	while (x.at < n && !wire_is_over(w)) {
		if (!step(w, &x)) {
			w->poison = poison_for(w->state);
			w->state = WIRE_BROKEN;
		}
	}
	for (; w->poison != NULL && *w->poison != '\0' && x.out < cap; w->poison++)
		p[x.out++] = *w->poison;
	return x.out;
}

bool wire_is_over(const struct wire *w)
{
	return w->state == WIRE_OVER || w->state == WIRE_BROKEN;
}
