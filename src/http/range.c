#include "http/range.h"

static bool is_digits(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return true;
}

/* Digits only (checked by the caller); a number beyond 64 bits means "past the end" as well as the
 * largest one does. */
static uint64_t to_u64_saturated(struct str digits)
{
	uint64_t n = 0;

	for (size_t i = 0; i < digits.len; i++) {
		uint64_t d = (uint64_t)(digits.ptr[i] - '0');

		if (n > (UINT64_MAX - d) / 10)
			return UINT64_MAX;
		n = n * 10 + d;
	}
	return n;
}

enum spec_result { SPEC_OK, SPEC_UNSATISFIABLE, SPEC_INVALID };

/* One int-range or suffix-range, RFC 9110 14.1.2. */
static enum spec_result parse_spec(struct str spec, uint64_t size, struct range *out)
{
	struct str first;
	struct str last;
	uint64_t from;
	uint64_t to;

	if (!str_cut(spec, '-', &first, &last) || !is_digits(first) || !is_digits(last))
		return SPEC_INVALID;
	if (first.len == 0) {
		uint64_t suffix = to_u64_saturated(last);

		if (last.len == 0)
			return SPEC_INVALID;
		if (suffix == 0 || size == 0)
			return SPEC_UNSATISFIABLE;
		*out = (struct range){ suffix >= size ? 0 : size - suffix, size - 1 };
		return SPEC_OK;
	}
	from = to_u64_saturated(first);
	to = last.len == 0 ? UINT64_MAX : to_u64_saturated(last);
	/* A range that ends before it starts is invalid, and may be ignored or rejected (RFC 9110
	 * 14.2): the OCI conformance suite wants 416, and clients are told of their mistake. */
	if (to < from || from >= size)
		return SPEC_UNSATISFIABLE;
	*out = (struct range){ from, to >= size ? size - 1 : to };
	return SPEC_OK;
}

enum range_result range_parse(
	struct str header, uint64_t size, struct range *out, size_t *out_count)
{
	struct range ranges[RANGE_MAX];
	size_t count = 0;
	size_t listed = 0;
	bool is_tidy = true;
	struct str unit;
	struct str rest;
	struct str spec;

	if (header.ptr == NULL || !str_cut(header, '=', &unit, &rest) ||
		!str_eq_nocase(str_trim(unit), STR("bytes")))
		return RANGE_WHOLE;
	while (rest.len > 0) {
		struct range r;

		(void)str_cut(rest, ',', &spec, &rest);
		spec = str_trim(spec);
		if (spec.len == 0)
			continue; /* empty list elements are allowed, RFC 9110 5.6.1 */
		listed++;
		switch (parse_spec(spec, size, &r)) {
		case SPEC_INVALID:
			return RANGE_WHOLE;
		case SPEC_UNSATISFIABLE:
			continue;
		case SPEC_OK:
			break;
		}
		if (count == RANGE_MAX || (count > 0 && r.first <= ranges[count - 1].last)) {
			is_tidy = false;
			continue;
		}
		ranges[count++] = r;
	}
	if (listed == 0 || listed > RANGE_MAX || !is_tidy)
		return RANGE_WHOLE;
	if (count == 0)
		return RANGE_UNSATISFIABLE;
	memcpy(out, ranges, count * sizeof(*ranges));
	*out_count = count;
	return RANGE_PARTIAL;
}

/* Takes one entity tag off the front of *rest; false when there is none or it is malformed. */
static bool next_etag(struct str *rest, struct str *tag, bool *is_weak)
{
	struct str s = *rest;
	struct str opaque;
	struct str after;

	while (s.len > 0 && (s.ptr[0] == ',' || s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = str_sub(s, 1, s.len);
	*is_weak = str_starts(s, STR("W/"));
	if (*is_weak)
		s = str_sub(s, 2, s.len);
	if (!str_starts(s, STR("\"")) || !str_cut(str_sub(s, 1, s.len), '"', &opaque, &after))
		return false;
	*tag = opaque;
	*rest = after;
	return true;
}

bool range_etag_listed(struct str header, struct str etag, bool is_strong)
{
	struct str rest = str_trim(header);
	struct str tag;
	bool is_weak;

	if (str_eq(rest, STR("*")))
		return true;
	while (next_etag(&rest, &tag, &is_weak))
		if (str_eq(tag, etag) && !(is_strong && is_weak))
			return true;
	return false;
}

bool range_if_range(struct str header, struct str etag)
{
	struct str rest = str_trim(header);
	struct str tag;
	bool is_weak;

	if (header.ptr == NULL)
		return true;
	return next_etag(&rest, &tag, &is_weak) && !is_weak && str_eq(tag, etag) && rest.len == 0;
}
