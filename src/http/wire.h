/*
 * wire.h - pure: where requests end in the bytes of a connection, before libmicrohttpd reads them.
 *
 * libmicrohttpd overwrites line ends with NUL and unpacks chunks itself, so some forms cannot be
 * seen any more when it is done: a NUL in a header section, a bare line feed in a chunked body, the
 * form of trailers. The scanner reads the bytes before it does, in the pieces in which they come,
 * and keeps nothing but its state. It follows the lines of header sections, counts bodies without
 * looking at them, and reads every byte between chunks as RFC 9112 has it. All that can be seen
 * afterwards (names, values, request lines) is judged by admit.c.
 *
 * At the first byte that may not be there it stops for good. In its place libmicrohttpd is given
 * something that it, or admit.c, surely refuses: so the request is answered 400 in its turn, behind
 * those before it, and nothing that follows is ever read. Chunk extensions and trailers, which
 * nobody here uses, are taken out.
 */
#ifndef BERTH_HTTP_WIRE_H
#define BERTH_HTTP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_FRAMING_LINE_MAX 63   /* of a Content-Length or Transfer-Encoding, with its name */
#define WIRE_SIZE_DIGITS_MAX  16   /* of a chunk */
#define WIRE_EXTENSION_MAX    256  /* of a chunk, with its semicolon */
#define WIRE_TRAILERS_MAX     8192 /* all lines of a request */

enum wire_state {
	WIRE_LINE,   /* of a request; empty ones before it are nothing */
	WIRE_HEADER, /* a line, or the end of the section */
	WIRE_BODY,   /* with a length */
	WIRE_SIZE,   /* of a chunk */
	WIRE_EXTENSION,
	WIRE_SIZE_LF,
	WIRE_DATA, /* of a chunk */
	WIRE_DATA_CR,
	WIRE_DATA_LF,
	WIRE_TRAILER, /* a line begins */
	WIRE_TRAILER_NAME,
	WIRE_TRAILER_VALUE,
	WIRE_TRAILER_LF,
	WIRE_END_LF, /* of the line that ends the trailers */
	WIRE_OVER, /* the header section was whole and will be refused: nothing passes behind it */
	WIRE_BROKEN
};

/* All zero before the first byte. */
struct wire {
	uint64_t left;      /* of a body or a chunk; the size of a chunk while it is read */
	const char *poison; /* what is still to be given in the place of the rest */
	size_t count;       /* of the line, the digits, the extension or the trailers so far */
	uint8_t state;      /* enum wire_state */
	bool ends_with_cr;  /* the line so far */
	bool is_framed, is_chunked, is_bad;   /* the header section so far */
	char text[WIRE_FRAMING_LINE_MAX + 1]; /* how the line begins, if it came in pieces */
};

/* n bytes have come to p, where there is room for cap. Returns how many stand there now for
 * libmicrohttpd to read. With n = 0: what did not fit the last time. */
size_t wire_pass(struct wire *w, char *p, size_t n, size_t cap);

/* Nothing more passes. */
bool wire_is_over(const struct wire *w);

#endif
