/* handlers.h - the operations' handlers, one file a family. Each writes the members of the answer's
 * object. */
#ifndef BERTH_ECR_HANDLERS_H
#define BERTH_ECR_HANDLERS_H

#include "ecr/call.h"

typedef bool (*ecr_handler_fn)(struct ecr_call *call, struct json_out *out, struct err *err);

/* repositories.c */
MUST_CHECK bool ecr_create_repository(struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_describe_repositories(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_delete_repository(struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_put_image_tag_mutability(
	struct ecr_call *call, struct json_out *out, struct err *err);

/* tags.c */
MUST_CHECK bool ecr_tag_resource(struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_untag_resource(struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_list_tags_for_resource(
	struct ecr_call *call, struct json_out *out, struct err *err);

/* settings.c */
MUST_CHECK bool ecr_get_account_setting(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_put_account_setting(
	struct ecr_call *call, struct json_out *out, struct err *err);

MUST_CHECK bool ecr_describe_registry(struct ecr_call *call, struct json_out *out, struct err *err);

/* authorization.c */
MUST_CHECK bool ecr_get_authorization_token(
	struct ecr_call *call, struct json_out *out, struct err *err);

/* images.c */
MUST_CHECK bool ecr_put_image(struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_batch_get_image(struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_batch_delete_image(
	struct ecr_call *call, struct json_out *out, struct err *err);

/* image_lists.c */
MUST_CHECK bool ecr_list_images(struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_describe_images(struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_list_image_referrers(
	struct ecr_call *call, struct json_out *out, struct err *err);

/* layers.c */
MUST_CHECK bool ecr_batch_check_layer_availability(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_initiate_layer_upload(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_upload_layer_part(struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_complete_layer_upload(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_get_download_url_for_layer(
	struct ecr_call *call, struct json_out *out, struct err *err);

/* policies.c */
MUST_CHECK bool ecr_set_repository_policy(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_get_repository_policy(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_delete_repository_policy(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_put_registry_policy(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_get_registry_policy(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_delete_registry_policy(
	struct ecr_call *call, struct json_out *out, struct err *err);

/* templates.c */
MUST_CHECK bool ecr_create_repository_creation_template(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_update_repository_creation_template(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_delete_repository_creation_template(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_describe_repository_creation_templates(
	struct ecr_call *call, struct json_out *out, struct err *err);

/* scanning.c */
MUST_CHECK bool ecr_put_image_scanning_configuration(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_batch_get_repository_scanning_configuration(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_put_registry_scanning_configuration(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_get_registry_scanning_configuration(
	struct ecr_call *call, struct json_out *out, struct err *err);

/* lifecycle.c */
MUST_CHECK bool ecr_put_lifecycle_policy(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_get_lifecycle_policy(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_delete_lifecycle_policy(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_start_lifecycle_policy_preview(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_get_lifecycle_policy_preview(
	struct ecr_call *call, struct json_out *out, struct err *err);

/* storage.c */
MUST_CHECK bool ecr_update_image_storage_class(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_register_pull_time_update_exclusion(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_deregister_pull_time_update_exclusion(
	struct ecr_call *call, struct json_out *out, struct err *err);
MUST_CHECK bool ecr_list_pull_time_update_exclusions(
	struct ecr_call *call, struct json_out *out, struct err *err);

#endif
