#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "crypt/aead.h"
#include "crypt/hash.h"
#include "registry/image_priv.h"
#include "registry/pool.h"

/* Names the place of a manifest, so that none can be moved to another image. */
static struct str place(
	int64_t repository_id, const struct digest *digest, char out[DIGEST_TEXT_MAX + 40])
{
	char text[DIGEST_TEXT_MAX];
	snprintf(out, DIGEST_TEXT_MAX + 40, "manifest:%" PRId64 ":%s", repository_id,
		digest_text(digest, text));
	return str_from(out);
}

bool image_seal(struct pool *pool, int64_t form, int64_t repository_id, const struct digest *digest,
	struct str bytes, struct buf *out, struct err *err)
{
	char what[DIGEST_TEXT_MAX + 40];
	return pool_wrap(pool, form, place(repository_id, digest, what), bytes, out, err);
}

/* Nothing authenticates what stands in clear but its digest: who can write to the database must not
 * put a manifest of his own in the place of a sealed one by saying that it is plain. */
static bool check_plain(const struct image_row *row, const struct buf *bytes, struct err *err)
{
	struct digest got;
	char what[DIGEST_TEXT_MAX + 40];
	if (!hash_bytes(row->digest.alg, buf_str(bytes), &got, err))
		return false;
	return digest_eq(&got, &row->digest) ||
	       err_sys(err, ERR_CORRUPT, 0, STR_FMT " in clear: has another digest",
		       STR_ARG(place(row->repository_id, &row->digest, what)));
}

bool image_unseal(struct core *c, const struct image_row *row, struct buf *bytes, struct err *err)
{
	struct buf sealed CLEANUP(buf_fini) = { 0 };
	struct pool *pool;
	char what[DIGEST_TEXT_MAX + 40];
	if (row->form == FORM_PLAIN)
		return check_plain(row, bytes, err);
	buf_init(&sealed, MANIFEST_STORED_MAX);
	buf_add_str(&sealed, buf_str(bytes));
	buf_reset(bytes);
	if (!buf_ok(&sealed))
		return err_sys(err, ERR_UNAVAILABLE, 0, "no memory for a manifest");
	return pool_find(c, row->pool_id, &pool, err) &&
	       pool_unwrap(pool, row->form, place(row->repository_id, &row->digest, what),
		       buf_str(&sealed), bytes, err);
}
