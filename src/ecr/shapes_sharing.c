/* shapes_sharing.c - inputs of the sharing API. */
#include "ecr/patterns.h"
#include "ecr/shapes_priv.h"
#include "ecr/sharing.h"

/* clang-format off */

/* Values. */

static const struct shape layer_digest = { "LayerDigest", .type = SHAPE_STRING, .pattern = &pattern_layer_digest };
static const struct shape name_part = { "RepositoryNamePart", .type = SHAPE_STRING, .min = 1, .max = 256 };
static const struct shape sort_by = { "RepositorySharingOrder",
	ENUM("NAME", "LOGICAL_BYTES", "STORED_BYTES", "SAVED_BYTES", "CREATED_AT") };
static const struct shape time_value = { "Timestamp", .type = SHAPE_TIME };
static const struct shape max_points = { "MaxPoints", .type = SHAPE_INT, .min = 2, .max = 1000 };
static const struct shape max_pairs = { "MaxPairs", .type = SHAPE_INT, .min = 1, .max = 500 };
static const struct shape max_hundred = { "MaxHundred", .type = SHAPE_INT, .min = 1, .max = 100 };
static const struct shape outcome = { "MountOutcome",
	ENUM("mounted", "present", "off", "other-registry", "no-source", "denied", "not-held", "other-pool", "bad-digest",
		"unreferenced", "cached", "not-found") };
static const struct shape outcomes = { "MountOutcomeList", LIST_OF(outcome), .min = 1, .max = 12 };

#define REGISTRY { "registryId", &value_registry_id, false }
#define PAGE { "nextToken", &value_next_token, false }, { "maxResults", &value_max_results, false }
#define POOL { "encryptionType", &value_encryption_type, false }, { "kmsKey", &value_kms_key, false }
#define TIMES { "startTime", &time_value, false }, { "endTime", &time_value, false }

/* Inputs. */

const struct shape shape_describe_image_layers = { "DescribeImageLayers",
	STRUCTURE(PLACE, { "imageId", &value_image_identifier, true }) };
const struct shape shape_describe_layer = { "DescribeLayer",
	STRUCTURE(REGISTRY, { "layerDigest", &layer_digest, true }, PAGE) };
const struct shape shape_estimate_mount_savings = { "EstimateMountSavings",
	STRUCTURE(REGISTRY, TIMES, { "maxResults", &max_hundred, false }) };
const struct shape shape_get_server_status = { "GetServerStatus", STRUCTURE(REGISTRY) };
const struct shape shape_get_sharing_history = { "GetSharingHistory",
	STRUCTURE(REGISTRY, POOL, TIMES, { "maxPoints", &max_points, false }) };
const struct shape shape_get_sharing_summary = { "GetSharingSummary", STRUCTURE(REGISTRY) };
const struct shape shape_list_layer_sharing = { "ListLayerSharing", STRUCTURE(REGISTRY, POOL, PAGE) };
const struct shape shape_list_mount_log = { "ListMountLog",
	STRUCTURE(REGISTRY, { "outcomes", &outcomes, false }, { "repositoryName", &value_repository_name, false },
		{ "sourceRepositoryName", &value_repository_name, false }, TIMES, PAGE) };
const struct shape shape_list_repository_layers = { "ListRepositoryLayers", STRUCTURE(PLACE, PAGE) };
const struct shape shape_list_repository_sharing = { "ListRepositorySharing",
	STRUCTURE(REGISTRY, { "sortBy", &sort_by, false }, { "nameContains", &name_part, false }, PAGE) };
const struct shape shape_list_sharing_pairs = { "ListSharingPairs",
	STRUCTURE(REGISTRY, { "repositoryName", &value_repository_name, false }, { "maxResults", &max_pairs, false }) };
const struct shape shape_list_tag_history = { "ListTagHistory",
	STRUCTURE(PLACE, { "imageTag", &value_image_tag, false }, PAGE) };
const struct shape shape_list_uploads = { "ListUploads", STRUCTURE(REGISTRY, PAGE) };
