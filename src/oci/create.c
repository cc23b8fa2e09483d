/* create.c - create on push: a push to a repository that does not exist makes it, where a creation
 * template of the registry says so. */
#include "oci/oci_priv.h"
#include "registry/template.h"

/* The template comes first: without one the answer is that of a registry without templates, whoever
 * asks. ECR asks ecr:CreateRepository for repositories that a pull-through cache makes; so does
 * Berth for those that a push makes. */
static bool create(struct http_req *req, struct arena *arena, struct err *err)
{
	struct template t;
	struct err why;
	struct oci_request *r = oci_request_of(req);
	if (!template_find(r->front->core, &r->reg, r->path.name, TEMPLATE_CREATE_ON_PUSH, arena,
		    &t, &why)) {
		*err = why;
		return false;
	}
	if (t.prefix.ptr == NULL)
		return false;
	if (front_allow(
		    r->front, req, &r->who, "ecr:CreateRepository", &r->reg, r->path.name, &why) &&
		template_apply(r->front->core, &r->reg, &t, r->path.name, arena, &why))
		return true;
	*err = why;
	return false;
}

bool oci_create_on_push(struct http_req *req, struct err *err)
{
	if (err->kind != ERR_REPO_UNKNOWN)
		return false;
	struct arena *arena = arena_new(TEMPLATE_ARENA_BYTES);
	bool made = create(req, arena, err);
	arena_free(arena);
	return made;
}
