/* shapes.h - the input of each operation, as ECR's model states it. Tables only. */
#ifndef BERTH_ECR_SHAPES_H
#define BERTH_ECR_SHAPES_H

#include "front/shape.h"

extern const struct shape shape_batch_check_layer_availability;
extern const struct shape shape_batch_delete_image;
extern const struct shape shape_batch_get_image;
extern const struct shape shape_complete_layer_upload;
extern const struct shape shape_create_repository;
extern const struct shape shape_delete_repository;
extern const struct shape shape_describe_images;
extern const struct shape shape_describe_repositories;
extern const struct shape shape_get_account_setting;
extern const struct shape shape_get_authorization_token;
extern const struct shape shape_get_download_url_for_layer;
extern const struct shape shape_initiate_layer_upload;
extern const struct shape shape_list_image_referrers;
extern const struct shape shape_list_images;
extern const struct shape shape_list_tags_for_resource;
extern const struct shape shape_put_account_setting;
extern const struct shape shape_put_image;
extern const struct shape shape_put_image_tag_mutability;
extern const struct shape shape_tag_resource;
extern const struct shape shape_untag_resource;
extern const struct shape shape_upload_layer_part;

/* shapes_registry.c */
extern const struct shape shape_batch_get_repository_scanning_configuration;
extern const struct shape shape_create_repository_creation_template;
extern const struct shape shape_delete_registry_policy;
extern const struct shape shape_delete_repository_creation_template;
extern const struct shape shape_delete_repository_policy;
extern const struct shape shape_describe_registry;
extern const struct shape shape_describe_repository_creation_templates;
extern const struct shape shape_get_registry_policy;
extern const struct shape shape_get_registry_scanning_configuration;
extern const struct shape shape_get_repository_policy;
extern const struct shape shape_put_image_scanning_configuration;
extern const struct shape shape_put_registry_policy;
extern const struct shape shape_put_registry_scanning_configuration;
extern const struct shape shape_set_repository_policy;
extern const struct shape shape_update_repository_creation_template;

/* shapes_lifecycle.c */
extern const struct shape shape_delete_lifecycle_policy;
extern const struct shape shape_deregister_pull_time_update_exclusion;
extern const struct shape shape_get_lifecycle_policy;
extern const struct shape shape_get_lifecycle_policy_preview;
extern const struct shape shape_list_pull_time_update_exclusions;
extern const struct shape shape_put_lifecycle_policy;
extern const struct shape shape_register_pull_time_update_exclusion;
extern const struct shape shape_start_lifecycle_policy_preview;
extern const struct shape shape_update_image_storage_class;

#endif
