#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "crypt/aead.h"
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

bool image_unseal(struct core *c, const struct image_row *row, struct buf *bytes, struct err *err)
{
	struct buf sealed CLEANUP(buf_fini) = { 0 };
	struct pool *pool;
	char what[DIGEST_TEXT_MAX + 40];
	if (row->form == FORM_PLAIN)
		return true;
	buf_init(&sealed, MANIFEST_STORED_MAX);
	buf_add_str(&sealed, buf_str(bytes));
	buf_reset(bytes);
	if (!buf_ok(&sealed))
		return err_sys(err, ERR_UNAVAILABLE, 0, "no memory for a manifest");
	return pool_find(c, row->pool_id, &pool, err) &&
	       pool_unwrap(pool, row->form, place(row->repository_id, &row->digest, what),
		       buf_str(&sealed), bytes, err);
}
