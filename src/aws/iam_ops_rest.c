/* What Terraform and the CLI ask of things that Berth has none of: the honest answer is an empty
 * list, or that there is none. */
#include "aws/iam_call.h"

/* The user or role must be there all the same. */
static bool add_nothing(struct iam_call *c, const char *element)
{
	struct iam_entity e;
	if (c->ref.name.ptr != NULL && !iam_get(c->iam, &c->ref, c->arena, &e, c->err))
		return false;
	buf_addf(&c->xml, "<%s></%s><IsTruncated>false</IsTruncated>", element, element);
	return true;
}

static bool list_instance_profiles(struct iam_call *c)
{
	return add_nothing(c, "InstanceProfiles");
}

static bool list_signing_certificates(struct iam_call *c)
{
	return add_nothing(c, "Certificates");
}

static bool list_ssh_public_keys(struct iam_call *c)
{
	return add_nothing(c, "SSHPublicKeys");
}

static bool list_mfa_devices(struct iam_call *c)
{
	return add_nothing(c, "MFADevices");
}

static bool list_virtual_mfa_devices(struct iam_call *c)
{
	return add_nothing(c, "VirtualMFADevices");
}

static bool list_service_credentials(struct iam_call *c)
{
	return add_nothing(c, "ServiceSpecificCredentials");
}

static bool list_account_aliases(struct iam_call *c)
{
	return add_nothing(c, "AccountAliases");
}

static bool no_login_profile(struct iam_call *c)
{
	struct iam_entity e;
	if (c->ref.name.ptr != NULL && !iam_get(c->iam, &c->ref, c->arena, &e, c->err))
		return false;
	return iam_fail(c, "NoSuchEntity", "Login Profile for User " STR_FMT " cannot be found.",
		STR_ARG(c->ref.name));
}

const struct iam_op iam_ops_rest[] = {
	{ "ListInstanceProfilesForRole", list_instance_profiles, IAM_TYPE_ROLE, IAM_ON_ONE, false },
	{ "ListSigningCertificates", list_signing_certificates, IAM_TYPE_USER, IAM_ON_SELF, false },
	{ "ListSSHPublicKeys", list_ssh_public_keys, IAM_TYPE_USER, IAM_ON_SELF, false },
	{ "ListMFADevices", list_mfa_devices, IAM_TYPE_USER, IAM_ON_SELF, false },
	{ "ListVirtualMFADevices", list_virtual_mfa_devices, IAM_TYPE_USER, IAM_ON_ALL, false },
	{ "ListServiceSpecificCredentials", list_service_credentials, IAM_TYPE_USER, IAM_ON_SELF,
		false },
	{ "ListAccountAliases", list_account_aliases, IAM_TYPE_USER, IAM_ON_ALL, false },
	{ "GetLoginProfile", no_login_profile, IAM_TYPE_USER, IAM_ON_SELF, false },
	{ "DeleteLoginProfile", no_login_profile, IAM_TYPE_USER, IAM_ON_SELF, false },
	{ .name = NULL },
};
