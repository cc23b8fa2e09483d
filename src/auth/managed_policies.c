#include "auth/managed_policies.h"

#define ARN "arn:aws:iam::aws:policy/"

/* What reading needs, as ReadOnly and PowerUser share it. */
#define READ_ACTIONS                                                              \
	"\"ecr:GetAuthorizationToken\",\"ecr:BatchCheckLayerAvailability\","      \
	"\"ecr:GetDownloadUrlForLayer\",\"ecr:GetRepositoryPolicy\","             \
	"\"ecr:DescribeRepositories\",\"ecr:ListImages\",\"ecr:DescribeImages\"," \
	"\"ecr:BatchGetImage\",\"ecr:GetLifecyclePolicy\","                       \
	"\"ecr:GetLifecyclePolicyPreview\",\"ecr:ListTagsForResource\","          \
	"\"ecr:DescribeImageScanFindings\""
#define PUSH_ACTIONS                                           \
	"\"ecr:InitiateLayerUpload\",\"ecr:UploadLayerPart\"," \
	"\"ecr:CompleteLayerUpload\",\"ecr:PutImage\""
#define PULL_ACTIONS                                           \
	"\"ecr:GetAuthorizationToken\",\"ecr:BatchGetImage\"," \
	"\"ecr:GetDownloadUrlForLayer\",\"ecr:BatchImportUpstreamImage\""

#define ALLOW(actions, more) \
	"{\"Effect\":\"Allow\",\"Action\":[" actions "],\"Resource\":\"*\"" more "}"
#define DOCUMENT(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"

/* Actions, descriptions, versions and dates: AWS Managed Policy Reference Guide. */
const struct managed_policy managed_policies[MANAGED_POLICY_COUNT] = {
	{
		.name = "AmazonEC2ContainerRegistryFullAccess",
		.arn = ARN "AmazonEC2ContainerRegistryFullAccess",
		.policy_id = "ANPABERTHECRFULLACCES",
		.description = "Provides administrative access to Amazon ECR resources",
		.version = "v4",
		.created_at_ms = 1450717560000, /* 2015-12-21 17:06 */
		.updated_at_ms = 1607126640000, /* 2020-12-05 00:04 */
		.document = DOCUMENT(ALLOW("\"ecr:*\",\"cloudtrail:LookupEvents\"", "") "," ALLOW(
			"\"iam:CreateServiceLinkedRole\"",
			",\"Condition\":{\"StringEquals\":{\"iam:AWSServiceName\":"
			"[\"replication.ecr.amazonaws.com\"]}}")),
	},
	{
		.name = "AmazonEC2ContainerRegistryPowerUser",
		.arn = ARN "AmazonEC2ContainerRegistryPowerUser",
		.policy_id = "ANPABERTHECRPOWERUSER",
		.description = "Provides full access to Amazon EC2 Container Registry "
			       "repositories, but does not allow repository deletion or policy "
			       "changes.",
		.version = "v3",
		.created_at_ms = 1450717500000, /* 2015-12-21 17:05 */
		.updated_at_ms = 1576010880000, /* 2019-12-10 20:48 */
		.document = DOCUMENT(ALLOW(READ_ACTIONS "," PUSH_ACTIONS, "")),
	},
	{
		.name = "AmazonEC2ContainerRegistryReadOnly",
		.arn = ARN "AmazonEC2ContainerRegistryReadOnly",
		.policy_id = "ANPABERTHECRREADONLYA",
		.description = "Provides read-only access to Amazon EC2 Container Registry "
			       "repositories.",
		.version = "v3",
		.created_at_ms = 1450717440000, /* 2015-12-21 17:04 */
		.updated_at_ms = 1576011360000, /* 2019-12-10 20:56 */
		.document = DOCUMENT(ALLOW(READ_ACTIONS, "")),
	},
	{
		.name = "AmazonEC2ContainerRegistryPullOnly",
		.arn = ARN "AmazonEC2ContainerRegistryPullOnly",
		.policy_id = "ANPABERTHECRPULLONLYA",
		.description = "Provides access to pull images from Amazon EC2 Container "
			       "Registry repositories.",
		.version = "v1",
		.created_at_ms = 1728061080000, /* 2024-10-04 16:58 */
		.updated_at_ms = 1728061080000,
		.document = DOCUMENT(ALLOW(PULL_ACTIONS, "")),
	},
};

const struct managed_policy *managed_policy_find(struct str arn)
{
	for (size_t i = 0; i < MANAGED_POLICY_COUNT; i++) {
		if (str_eq_c(arn, managed_policies[i].arn))
			return &managed_policies[i];
	}
	return NULL;
}
