#include "oci/oci_path.h"

#include "base/codec.h"
#include "registry/name.h"

/* Decodes path into the arena, segment by segment, so that in the result '/' only ever separates.
 */
static bool decode(struct str path, struct arena *arena, struct str *out, struct err *err)
{
	char *text = arena_alloc(arena, path.len + 1);
	size_t used = 0;
	if (!text)
		return err_set(err, ERR_INTERNAL, "The request needs too much memory");
	for (struct str rest = path, segment; rest.len > 0;) {
		bool more = str_cut(rest, '/', &segment, &rest);
		size_t n = 0;
		if (!percent_decode(segment, false, text + used, &n) ||
			str_find_char((struct str){ text + used, n }, '/') < n)
			return err_set(err, ERR_NAME_INVALID,
				"The path holds a character that no repository name, tag or digest has");
		used += n;
		if (more)
			text[used++] = '/';
	}
	*out = (struct str){ text, used };
	return true;
}

/* Cuts the last segment off *rest; false when there is no '/' left to cut at. */
static bool pop(struct str *rest, struct str *out_last)
{
	for (size_t i = rest->len; i-- > 0;) {
		if (rest->ptr[i] != '/')
			continue;
		*out_last = str_sub(*rest, i + 1, rest->len - i - 1);
		rest->len = i;
		return true;
	}
	return false;
}

/* The endpoint that path (behind "/v2/") ends with; what stands before is left in out->name. */
static enum oci_endpoint endpoint_of(struct str path, struct oci_path *out)
{
	struct str last;
	struct str word;
	struct str name = path;
	if (!pop(&name, &last) || !pop(&name, &word))
		return OCI_NOWHERE;
	out->reference = last;
	out->name = name;
	if (str_eq_c(word, "tags") && str_eq_c(last, "list"))
		return OCI_TAGS;
	if (str_eq_c(word, "manifests") && last.len > 0)
		return OCI_MANIFEST;
	if (str_eq_c(word, "referrers") && last.len > 0)
		return OCI_REFERRERS;
	if (str_eq_c(word, "blobs") && last.len > 0)
		return str_eq_c(last, "uploads") ? OCI_UPLOADS : OCI_BLOB;
	if (str_eq_c(word, "uploads") && pop(&out->name, &word) && str_eq_c(word, "blobs"))
		return last.len > 0 ? OCI_UPLOAD : OCI_UPLOADS;
	return OCI_NOWHERE;
}

bool oci_path_parse(struct str path, struct arena *arena, struct oci_path *out, struct err *err)
{
	struct oci_path p = { .endpoint = OCI_NOWHERE };
	struct str text = STR("");
	if (!decode(path, arena, &text, err))
		return false;
	if (str_eq_c(text, "/v2") || str_eq_c(text, "/v2/")) {
		p.endpoint = OCI_BASE;
	} else if (str_eq_c(text, "/v2/_catalog")) {
		p.endpoint = OCI_CATALOG;
	} else if (str_starts(text, STR("/v2/"))) {
		/* The '/' in front of the name stays, so that a path without a name is told from
		 * one of a short name. */
		p.endpoint = endpoint_of(str_sub(text, 3, text.len - 3), &p);
		if (p.endpoint != OCI_NOWHERE && p.name.len == 0)
			p.endpoint = OCI_NOWHERE;
		p.name = str_sub(p.name, 1, p.name.len);
		if (p.endpoint != OCI_NOWHERE && !name_is_repository(p.name))
			p.endpoint = OCI_BAD_NAME;
	}
	if (p.endpoint == OCI_TAGS || p.endpoint == OCI_UPLOADS)
		p.reference = STR("");
	*out = p;
	return true;
}
