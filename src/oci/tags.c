/* tags.c - the two lists of names: tags of a repository, repositories of the registry, in byte
 * order, in pages. OCI spec 1.1 "Listing Tags"; _catalog is Docker's. Long pages are put together
 * from short ones, so that no arena has to hold them. */
#include "oci/oci_priv.h"
#include "registry/image.h"
#include "registry/name.h"
#include "registry/repo.h"

#define TAGS_PAGE_MAX  10000
#define REPOS_PAGE_MAX 1000
#define STEP_TAGS      1000
#define STEP_REPOS     100
#define STEP_ARENA     (256 * KIB)
#define BODY_MAX_BYTES (4 * MIB)
#define LAST_MAX       512 /* longer than any tag or repository name */

/* A list being rendered. */
struct list {
	struct http_req *req;
	struct oci_request *r;
	struct json_out *out;
	char last[LAST_MAX + 1]; /* NUL-terminated: the name that the next page starts behind */
	unsigned left;
	bool more;
};

/* Adds up to STEP_* names behind list->last to the array; false: err. */
typedef bool (*step_fn)(struct list *list, struct arena *arena, struct err *err);

static bool keep_last(struct list *list, struct str name, struct err *err)
{
	if (str_to_c(name, list->last, sizeof(list->last)))
		return true;
	return err_set(err, ERR_INVALID, "The parameter last is no name");
}

static bool step_tags(struct list *list, struct arena *arena, struct err *err)
{
	struct tag_page page;
	unsigned limit = list->left < STEP_TAGS ? list->left : STEP_TAGS;
	struct tag_query query = { list->r->path.name, str_from(list->last), limit };
	if (!image_tags(list->r->front->core, &list->r->reg, &query, arena, &page, err))
		return false;
	for (size_t i = 0; i < page.count; i++)
		jo_str(list->out, NULL, page.tags[i]);
	list->left -= (unsigned)page.count;
	list->more = page.more;
	return page.count == 0 || keep_last(list, page.tags[page.count - 1], err);
}

static bool step_repos(struct list *list, struct arena *arena, struct err *err)
{
	struct repo_page page;
	unsigned limit = list->left < STEP_REPOS ? list->left : STEP_REPOS;
	if (limit == 0)
		return true;
	if (!repo_list(list->r->front->core, &list->r->reg, str_from(list->last), limit, arena,
		    &page, err))
		return false;
	for (size_t i = 0; i < page.count; i++)
		jo_str(list->out, NULL, page.items[i].name);
	list->left -= (unsigned)page.count;
	list->more = page.more;
	return page.count == 0 || keep_last(list, page.items[page.count - 1].name, err);
}

static bool fill(struct list *list, step_fn step, struct err *err)
{
	do {
		struct arena *arena = arena_new(STEP_ARENA);
		unsigned before = list->left;
		bool done = step(list, arena, err);
		arena_free(arena);
		if (!done)
			return false;
		if (list->left == before)
			break;
	} while (list->more && list->left > 0);
	return true;
}

/* Renders one page: the array `name`, filled by step, and Link when more is there. */
static void reply_list(
	struct http_req *req, struct str path, const char *name, unsigned max, step_fn step)
{
	unsigned n;
	struct err err;
	struct str last = STR("");
	struct json_out out;
	struct buf body CLEANUP(buf_fini);
	struct list list = { .req = req, .r = oci_request_of(req), .out = &out };
	buf_init(&body, BODY_MAX_BYTES);
	if (!oci_page_size(req, max, &n))
		return;
	list.left = n;
	(void)http_query(req, "last", 0, &last);
	if (!keep_last(&list, last, &err)) {
		oci_error_from(req, &err);
		return;
	}
	jo_init(&out, &body);
	jo_object(&out, NULL);
	if (list.r->path.name.len > 0)
		jo_str(&out, "name", list.r->path.name);
	jo_array(&out, name);
	if (!fill(&list, step, &err)) {
		oci_error_from(req, &err);
		return;
	}
	jo_end(&out, ']');
	jo_end(&out, '}');
	/* n=0 asks for nothing, so there is no next page of it ("Listing Tags"). */
	if (list.more && n > 0)
		oci_set_next(req, path, STR(""), n, str_from(list.last));
	oci_reply_json(req, "application/json", &body);
}

void oci_tags_handle(struct http_req *req)
{
	struct str path = arena_printf(
		req->arena, "/v2/" STR_FMT "/tags/list", STR_ARG(oci_request_of(req)->path.name));
	if (!path.ptr)
		oci_no_memory_handle(req);
	else
		reply_list(req, path, "tags", TAGS_PAGE_MAX, step_tags);
}

void oci_catalog_handle(struct http_req *req)
{
	reply_list(req, STR("/v2/_catalog"), "repositories", REPOS_PAGE_MAX, step_repos);
}
