#include "front/blob64.h"

#include "base/codec.h"

#define PIECE_TEXT (16 * KIB) /* a multiple of 4: every piece but the last is free of padding */

static bool decode_piece(struct str text, size_t at, uint8_t *out, size_t *out_len)
{
	struct str piece = str_sub(text, at, PIECE_TEXT);
	size_t len;
	if (!base64_decode(piece, out, &len))
		return false;
	/* Padding may stand at the very end only. */
	if (at + piece.len < text.len && len != PIECE_TEXT / 4 * 3)
		return false;
	*out_len = len;
	return true;
}

bool blob64_is_valid(struct str text)
{
	uint8_t piece[PIECE_TEXT / 4 * 3];
	size_t len;
	for (size_t at = 0; at < text.len; at += PIECE_TEXT) {
		if (!decode_piece(text, at, piece, &len))
			return false;
	}
	return true;
}

size_t blob64_len(struct str text)
{
	size_t padding = 0;
	while (padding < 2 && padding < text.len && text.ptr[text.len - 1 - padding] == '=')
		padding++;
	return text.len / 4 * 3 - (text.len == 0 ? 0 : padding);
}

bool blob64_each(struct str text, blob64_fn fn, void *arg, struct err *err)
{
	uint8_t piece[PIECE_TEXT / 4 * 3];
	size_t len;
	for (size_t at = 0; at < text.len; at += PIECE_TEXT) {
		if (!decode_piece(text, at, piece, &len))
			return err_set(err, ERR_INVALID, "Invalid base64 text");
		if (!fn(arg, piece, len, err))
			return false;
	}
	return true;
}
