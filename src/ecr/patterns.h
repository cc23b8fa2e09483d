/* patterns.h - the regular expressions of ECR's model as hand-written, linear matchers. Pure. */
#ifndef BERTH_ECR_PATTERNS_H
#define BERTH_ECR_PATTERNS_H

#include "front/shape.h"

extern const struct shape_pattern pattern_registry_id;
extern const struct shape_pattern pattern_repository_name;
extern const struct shape_pattern pattern_layer_digest;
extern const struct shape_pattern pattern_upload_id;
extern const struct shape_pattern pattern_exclusion_filter;
extern const struct shape_pattern pattern_prefix;
extern const struct shape_pattern pattern_template_kms_key;
extern const struct shape_pattern pattern_scan_filter;
extern const struct shape_pattern pattern_principal_arn;

#endif
