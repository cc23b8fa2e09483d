/*
 * token_memo.h - tokens whose MAC was found right a moment ago, with what they say: a client sends
 * the same one with each of its requests. Nothing else is remembered: whether it has expired, and
 * who its holder is now, is asked each time (token.c). Bounded; wiped at the end. Threads: safe.
 */
#ifndef BERTH_AUTH_TOKEN_MEMO_H
#define BERTH_AUTH_TOKEN_MEMO_H

#include "base/macros.h"
#include "base/str.h"

struct token_memo;

/* Tokens longer than text_max bytes, or that say more than payload_max, are never remembered. */
struct token_memo *token_memo_new(size_t text_max, size_t payload_max);
void token_memo_free(struct token_memo *m); /* accepts NULL */

/* Compares in constant time. payload: room for payload_max bytes. */
bool token_memo_find(struct token_memo *m, struct str text, uint8_t *payload, size_t *len);
void token_memo_keep(struct token_memo *m, struct str text, struct str payload);

#endif
