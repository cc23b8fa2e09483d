/* storage.c - storage classes of images, and whose pulls do not count as use. */
#include "ecr/handlers.h"
#include "ecr/image_ids.h"
#include "ecr/pages.h"
#include "registry/archive.h"
#include "registry/pull.h"

bool ecr_update_image_storage_class(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct image_id id = image_id_get(json_get(call->input, "imageId"));
	struct archive_request in = {
		.repo = call->repo,
		.to_archive = str_eq_c(json_get_str(call->input, "targetStorageClass"), "ARCHIVE"),
	};
	struct archive_result done;
	struct image_failure failure = image_id_parse(id, &in.ref);
	char text[DIGEST_TEXT_MAX];
	if (failure.code != NULL && strcmp(failure.code, "ImageNotFound") != 0)
		return ecr_bad_parameter(err, "imageId", STR_FMT, STR_ARG(failure.reason));
	if (failure.code != NULL)
		return ecr_image_not_found(call, id, err);
	if (!archive_update(call->core, &call->reg, &in, &done, err))
		return err->kind == ERR_IMAGE_UNKNOWN ? ecr_image_not_found(call, id, err) : false;
	id.digest = str_from(digest_text(&done.digest, text));
	ecr_put_place(call, out);
	image_id_put(out, "imageId", id);
	jo_c(out, "imageStatus", image_status_name(done.status));
	return true;
}

bool ecr_register_pull_time_update_exclusion(
	struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str principal = json_get_str(call->input, "principalArn");
	int64_t created_at_ms;
	if (!pull_exclude(call->core, &call->reg, principal, &created_at_ms, err))
		return false;
	jo_str(out, "principalArn", principal);
	jo_time(out, "createdAt", created_at_ms);
	return true;
}

bool ecr_deregister_pull_time_update_exclusion(
	struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str principal = json_get_str(call->input, "principalArn");
	if (!pull_include(call->core, &call->reg, principal, err))
		return false;
	jo_str(out, "principalArn", principal);
	return true;
}

bool ecr_list_pull_time_update_exclusions(
	struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct page_scope scope = { .auth = call->options->auth,
		.operation = STR("ListPullTimeUpdateExclusions"),
		.reg = call->reg };
	struct str token = json_get_str(call->input, "nextToken");
	struct str after = STR("");
	struct pull_exclusion_page page;
	if (token.ptr != NULL && !page_token_open(&scope, token, call->arena, &after, err))
		return false;
	if (!pull_exclusions(call->core, &call->reg, after, ecr_max_results(call, 100), call->arena,
		    &page, err))
		return false;
	/* The model's list holds the ARNs alone. */
	jo_array(out, "pullTimeUpdateExclusions");
	for (size_t i = 0; i < page.count; i++)
		jo_str(out, NULL, page.items[i].principal);
	jo_end(out, ']');
	if (!page.more)
		return true;
	if (!page_token_make(
		    &scope, page.items[page.count - 1].principal, call->arena, &token, err))
		return false;
	jo_str(out, "nextToken", token);
	return true;
}
