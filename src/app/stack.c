#include "app/stack.h"

#include "crypt/hash.h"
#include "meta/db.h"
#include "registry/event.h"
#include "store/store_fs.h"

static enum mount_policy mount_policy(const struct config *c)
{
	return c->mount_policy == MOUNT_CHOICE_ECR ? MOUNT_POLICY_ECR : MOUNT_POLICY_OCI;
}

static bool open_parts(const struct config *c, const struct folder *folder,
	bool mounting_by_default, bool read_only, struct stack *s, struct err *err)
{
	char db_path[PATH_MAX];
	char blobs[PATH_MAX];
	if (!folder_path(folder, "berth.db", db_path, err) ||
		!folder_path(folder, "blobs", blobs, err) || !crypt_init(err))
		return false;
	struct db_options db = {
		.path = db_path,
		.readers = c->db_readers,
		.read_only = read_only,
	};
	if (!db_open(&db, &s->db, err) || !keys_open(c, folder, s->db, !read_only, &s->keys, err) ||
		!store_fs_open(blobs, c->min_free, &s->store, err))
		return false;
	struct core_options core = {
		.db = s->db,
		.store = s->store,
		.managed_key = &s->keys.managed,
		.kms = s->keys.kms,
		.disk_is_encrypted = c->encryption == ENCRYPTION_DISK,
		.mount_policy = mount_policy(c),
		.mounting_by_default = mounting_by_default,
		.collect_grace_ms = c->collect_grace_ms,
		.upload_life_ms = c->upload_life_ms,
		.lifecycle_delay_ms = c->lifecycle_delay_ms,
		.restore_delay_ms = c->restore_delay_ms,
		.uploads_max = c->uploads_max,
		.layer_max_bytes = c->layer_max,
		.small_object_max = (unsigned)c->inline_max,
		.mount_log_keep = c->mount_log_keep,
		.repositories_max = c->repositories_max,
		.layer_parts_max = c->layer_parts_max,
		.images_max = c->images_max,
		.image_tags_max = c->image_tags_max,
	};
	return core_open(&core, &s->core, err) && (read_only || event_load(s->core, err));
}

bool stack_open(const struct config *c, const struct folder *folder, bool mounting_by_default,
	bool read_only, struct stack *out, struct err *err)
{
	*out = (struct stack){ 0 }; /* in place: the rules borrow its keys */
	if (open_parts(c, folder, mounting_by_default, read_only, out, err))
		return true;
	stack_close(out);
	return false;
}

void stack_close(struct stack *s)
{
	core_close(s->core);
	blobstore_close(s->store);
	keys_close(&s->keys);
	db_close(s->db);
	*s = (struct stack){ 0 };
}
