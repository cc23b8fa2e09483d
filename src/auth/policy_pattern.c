#include "auth/policy_priv.h"

/* One pass over a document's text, writing its compiled form. */
struct reader {
	struct arena *arena;
	struct str in;
	unsigned syntax;
	char *out;
	size_t out_len; /* bytes of the piece being written, from piece */
	size_t piece;   /* where it begins in out */
	struct pattern_part *parts;
	size_t part_count;
	bool has_wildcards;
};

char pattern_lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c + ('a' - 'A'));
	return c;
}

static void put(struct reader *r, char c)
{
	if (r->syntax & PATTERN_LOWER)
		c = pattern_lower(c);
	r->out[r->piece + r->out_len++] = c;
}

static void put_wildcard(struct reader *r, char c)
{
	/* A run of stars is one star. */
	if (c == PATTERN_RUN && r->out_len > 0 && r->out[r->piece + r->out_len - 1] == c)
		return;
	r->out[r->piece + r->out_len++] = c;
	r->has_wildcards = true;
}

/* What stands between "${" and "}": a name, perhaps with ", 'otherwise'". Gives the length up to
 * and with the brace, or 0. */
static size_t read_variable(struct str s, struct str *name, struct str *otherwise)
{
	size_t at = 0;
	while (at < s.len && s.ptr[at] != '}' && s.ptr[at] != ',')
		at++;
	*name = str_sub(s, 0, at);
	*otherwise = (struct str){ NULL, 0 };
	if (at == s.len || name->len == 0)
		return 0;
	if (s.ptr[at] == '}')
		return at + 1;
	at++;
	while (at < s.len && s.ptr[at] == ' ')
		at++;
	if (at == s.len || s.ptr[at] != '\'')
		return 0;
	size_t quote = ++at;
	while (at < s.len && s.ptr[at] != '\'')
		at++;
	*otherwise = (struct str){ s.ptr + quote, at - quote };
	at++;
	while (at < s.len && s.ptr[at] == ' ')
		at++;
	return at < s.len && s.ptr[at] == '}' ? at + 1 : 0;
}

static struct str copy_lower(struct arena *arena, struct str s)
{
	char *copy = arena_alloc(arena, s.len + 1);
	if (copy == NULL)
		return (struct str){ NULL, 0 };
	for (size_t i = 0; i < s.len; i++)
		copy[i] = pattern_lower(s.ptr[i]);
	return (struct str){ copy, s.len };
}

static bool add_variable(struct reader *r, struct str name, struct str otherwise)
{
	struct pattern_part *part = &r->parts[r->part_count++];
	part->text = (struct str){ r->out + r->piece, r->out_len };
	part->key = copy_lower(r->arena, name);
	if (otherwise.ptr != NULL) {
		part->otherwise = arena_str(r->arena, otherwise);
		if (part->otherwise.ptr == NULL)
			return false;
	}
	r->piece += r->out_len;
	r->out_len = 0;
	return part->key.ptr != NULL;
}

/* At "${": consumes it. */
static bool read_dollar(struct reader *r, size_t *at)
{
	struct str name;
	struct str otherwise;
	struct str rest = str_sub(r->in, *at + 2, r->in.len);
	size_t used = read_variable(rest, &name, &otherwise);
	if (used == 0)
		return false;
	*at += 2 + used;
	if (name.len == 1 && otherwise.ptr == NULL && strchr("*?$", name.ptr[0]) != NULL) {
		put(r, name.ptr[0]);
		return true;
	}
	return add_variable(r, name, otherwise);
}

static size_t count_variables(struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i + 1 < s.len; i++)
		n += s.ptr[i] == '$' && s.ptr[i + 1] == '{';
	return n;
}

bool pattern_compile(struct arena *arena, struct str text, unsigned syntax, struct pattern *out)
{
	struct reader r = { .arena = arena, .in = text, .syntax = syntax };
	size_t variables = syntax & PATTERN_VARIABLES ? count_variables(text) : 0;
	r.out = arena_alloc(arena, text.len + 1);
	if (r.out == NULL)
		return false;
	if (variables > 0) {
		r.parts = arena_alloc(arena, (variables + 1) * sizeof(*r.parts));
		if (r.parts == NULL)
			return false;
	}
	for (size_t i = 0; i < text.len;) {
		char c = text.ptr[i];
		if (variables > 0 && c == '$' && i + 1 < text.len && text.ptr[i + 1] == '{') {
			if (!read_dollar(&r, &i))
				return false;
			continue;
		}
		i++;
		if (!(syntax & PATTERN_WILDCARDS) || (c != '*' && c != '?'))
			put(&r, c);
		else if (c == '*')
			put_wildcard(&r, PATTERN_RUN);
		else
			put_wildcard(&r, PATTERN_ONE);
	}
	struct str last = { r.out + r.piece, r.out_len };
	*out = (struct pattern){ .text = last, .has_wildcards = r.has_wildcards };
	if (r.part_count > 0) {
		r.parts[r.part_count++].text = last;
		out->parts = r.parts;
		out->part_count = r.part_count;
	}
	return true;
}

/* Appends a value: its bytes count as themselves, also those that would be wildcards here. */
static bool append(char *buffer, size_t *len, struct str s, bool is_value)
{
	if (s.len > PATTERN_EXPANDED_MAX - *len)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool is_special = c == PATTERN_RUN || c == PATTERN_ONE;
		/* Neither byte is UTF-8; FD is not either, so it still matches no proper text. */
		if (is_value && is_special)
			c = '\xfd';
		buffer[(*len)++] = c;
	}
	return true;
}

bool pattern_expand(const struct pattern *p, const struct policy_request *request, char *buffer,
	struct str *out)
{
	if (p->part_count == 0) {
		*out = p->text;
		return true;
	}
	size_t len = 0;
	for (size_t i = 0; i < p->part_count; i++) {
		const struct pattern_part *part = &p->parts[i];
		if (!append(buffer, &len, part->text, false))
			return false;
		if (part->key.len == 0)
			continue;
		const struct policy_key *key = request_key(request, part->key);
		struct str value = part->otherwise;
		if (key != NULL && key->count == 1 && key->values[0].len > 0)
			value = key->values[0];
		if (value.ptr == NULL || !append(buffer, &len, value, true))
			return false;
	}
	*out = (struct str){ buffer, len };
	return true;
}

size_t pattern_count(const struct pattern *p, char c)
{
	size_t n = 0;
	for (size_t i = 0; i < p->text.len; i++)
		n += p->text.ptr[i] == c;
	/* The last part's text is p->text. */
	for (size_t i = 0; i + 1 < p->part_count; i++) {
		for (size_t j = 0; j < p->parts[i].text.len; j++)
			n += p->parts[i].text.ptr[j] == c;
	}
	return n;
}

bool pattern_reads(const struct pattern *p, struct str prefix)
{
	for (size_t i = 0; i < p->part_count; i++) {
		if (p->parts[i].key.len > 0 && str_starts(p->parts[i].key, prefix))
			return true;
	}
	return false;
}

/* The end of the character at i: a byte and the continuation bytes behind it. */
static size_t character_end(struct str s, size_t i)
{
	i++;
	while (i < s.len && ((unsigned char)s.ptr[i] & 0xc0) == 0x80)
		i++;
	return i;
}

/* A chunk (no star in it) against text from at on; gives where it ends, or SIZE_MAX. */
static size_t chunk_match(struct str chunk, struct str text, size_t at)
{
	for (size_t p = 0; p < chunk.len; p++) {
		if (at >= text.len)
			return SIZE_MAX;
		if (chunk.ptr[p] == PATTERN_ONE)
			at = character_end(text, at);
		else if (chunk.ptr[p] == text.ptr[at])
			at++;
		else
			return SIZE_MAX;
	}
	return at;
}

/* The first place from at on where a chunk fits; gives where it ends there, or SIZE_MAX. */
static size_t chunk_find(struct str chunk, struct str text, size_t at)
{
	if (chunk.len > text.len - at)
		return SIZE_MAX;
	if (str_find_char(chunk, PATTERN_ONE) == chunk.len) {
		const char *hit = memmem(text.ptr + at, text.len - at, chunk.ptr, chunk.len);
		return hit == NULL ? SIZE_MAX : (size_t)(hit - text.ptr) + chunk.len;
	}
	for (; at < text.len; at++) {
		size_t end = chunk_match(chunk, text, at);
		if (end != SIZE_MAX)
			return end;
	}
	return SIZE_MAX;
}

/* Whether text, from at on, ends in the chunk. */
static bool chunk_ends(struct str chunk, struct str text, size_t at)
{
	size_t i = text.len;
	for (size_t p = chunk.len; p > 0; p--) {
		if (i <= at)
			return false;
		i--;
		if (chunk.ptr[p - 1] == PATTERN_ONE) {
			while (i > at && ((unsigned char)text.ptr[i] & 0xc0) == 0x80)
				i--;
		} else if (chunk.ptr[p - 1] != text.ptr[i]) {
			return false;
		}
	}
	return true;
}

/*
 * Chunk by chunk: the first sits at the start, the last at the end, each other one at the first
 * place where it fits, since whatever lies before a later place the star can swallow too.
 */
bool pattern_glob(struct str pattern, struct str text)
{
	struct str chunk;
	if (!str_cut(pattern, PATTERN_RUN, &chunk, &pattern)) {
		if (str_find_char(chunk, PATTERN_ONE) == chunk.len)
			return str_eq(chunk, text);
		return chunk_match(chunk, text, 0) == text.len;
	}
	size_t at = chunk_match(chunk, text, 0);
	while (at != SIZE_MAX) {
		bool has_more = str_cut(pattern, PATTERN_RUN, &chunk, &pattern);
		if (!has_more)
			return chunk_ends(chunk, text, at);
		if (chunk.len > 0)
			at = chunk_find(chunk, text, at);
	}
	return false;
}

#define ARN_FIELDS 6

/* "An ARN's six fields are compared one by one" (IAM User Guide, ARN condition operators); the last
 * is all that follows the fifth colon. */
bool pattern_glob_arn(struct str pattern, struct str text)
{
	if (pattern.len == 1 && pattern.ptr[0] == PATTERN_RUN)
		return true;
	for (int i = 1; i < ARN_FIELDS; i++) {
		struct str wanted;
		struct str field;
		if (!str_cut(pattern, ':', &wanted, &pattern) || !str_cut(text, ':', &field, &text))
			return false;
		if (!pattern_glob(wanted, field))
			return false;
	}
	return pattern_glob(pattern, text);
}
