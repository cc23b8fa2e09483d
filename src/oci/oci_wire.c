#include "oci/oci_wire.h"

#include "base/codec.h"

bool oci_chunk_range_parse(struct str text, uint64_t *out_first, uint64_t *out_last)
{
	struct str range = str_trim(text);
	struct str first;
	struct str last;
	struct str total;
	uint64_t a = 0;
	uint64_t b = 0;
	if (str_starts(range, STR("bytes ")) || str_starts(range, STR("bytes="))) {
		range = str_trim(str_sub(range, 6, range.len - 6));
		if (str_cut(range, '/', &range, &total) && !str_eq_c(total, "*") &&
			!str_to_u64(total, INT64_MAX, &a))
			return false;
	}
	if (!str_cut(range, '-', &first, &last) || !str_to_u64(first, INT64_MAX, &a) ||
		!str_to_u64(last, INT64_MAX, &b) || b < a)
		return false;
	*out_first = a;
	*out_last = b;
	return true;
}

bool oci_page_size_parse(struct str text, unsigned max, unsigned *out)
{
	uint64_t n = 0;
	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
	}
	*out = str_to_u64(text, max, &n) ? (unsigned)n : max;
	return true;
}

void oci_link_next(struct buf *out, struct str path, struct str extra, unsigned n, struct str last)
{
	buf_add_char(out, '<');
	buf_add_str(out, path);
	buf_add_char(out, '?');
	buf_add_str(out, extra);
	buf_addf(out, "n=%u&last=", n);
	percent_encode(out, last, false);
	buf_add_c(out, ">; rel=\"next\"");
}

bool oci_etag_is_listed(struct str header, struct str etag)
{
	struct str tag;
	if (str_eq_c(str_trim(header), "*"))
		return true;
	for (struct str rest = header; rest.len > 0;) {
		(void)str_cut(rest, ',', &tag, &rest);
		tag = str_trim(tag);
		if (str_starts(tag, STR("W/")))
			tag = str_sub(tag, 2, tag.len - 2);
		if (tag.len == etag.len + 2 && tag.ptr[0] == '"' && tag.ptr[tag.len - 1] == '"' &&
			str_eq(str_sub(tag, 1, etag.len), etag))
			return true;
	}
	return false;
}
