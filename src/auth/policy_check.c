#include <stdarg.h>
#include <stdio.h>

#include "auth/policy_priv.h"

bool fault_note(struct fault *f, enum fault_rank rank, const char *fmt, ...)
{
	va_list args;
	if (rank >= f->rank)
		return false;
	f->rank = rank;
	va_start(args, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
	return false;
}

bool check_is_partition(struct str s)
{
	static const char *const known[] = { "aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b",
		"aws-iso-e", "aws-iso-f", "aws-eusc" };
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (str_eq_c(s, known[i]))
			return true;
	}
	return false;
}

static bool is_vendor_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.';
}

void check_action(struct fault *f, struct str action)
{
	struct str vendor;
	struct str name;
	if (str_eq_c(action, "*"))
		return;
	if (!str_cut(action, ':', &vendor, &name)) {
		fault_note(f, FAULT_ACTION,
			"Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
		return;
	}
	if (str_find_char(name, ':') < name.len) {
		fault_note(f, FAULT_ACTION, "Actions/Condition can contain only one colon.");
		return;
	}
	bool is_valid = vendor.len > 0;
	for (size_t i = 0; i < vendor.len; i++)
		is_valid = is_valid && is_vendor_char(vendor.ptr[i]);
	if (!is_valid && !str_eq_c(vendor, "*"))
		fault_note(f, FAULT_ACTION, "Vendor " STR_FMT " is not valid", STR_ARG(vendor));
}

void check_trust_action(struct fault *f, struct str action)
{
	const struct str sts = STR("sts:");
	if (action.len <= sts.len || !str_eq_nocase(str_sub(action, 0, sts.len), sts))
		fault_note(f, FAULT_REST,
			"AssumeRole policy may only specify STS AssumeRole actions.");
}

static size_t count(struct str s, char c)
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		n += s.ptr[i] == c;
	return n;
}

/* IAM completes the ARN with stars before it quotes it. */
static void note_partition(struct fault *f, struct str partition, struct str rest)
{
	struct str field[4];
	for (int i = 0; i < 3; i++) {
		(void)str_cut(rest, ':', &field[i], &rest);
		if (field[i].len == 0 && rest.len == 0)
			field[i] = STR("*");
	}
	field[3] = rest.len > 0 ? rest : STR("*");
	fault_note(f, FAULT_RESOURCE,
		"Partition \"" STR_FMT "\" is not valid for resource \"arn:" STR_FMT ":" STR_FMT
		":" STR_FMT ":" STR_FMT ":" STR_FMT "\".",
		STR_ARG(partition), STR_ARG(partition), STR_ARG(field[0]), STR_ARG(field[1]),
		STR_ARG(field[2]), STR_ARG(field[3]));
}

/* Resources of IAM and S3 have no Region, and IAM's begin with their type. */
static void check_service(struct fault *f, struct str resource, struct str rest)
{
	static const char *const types[] = { "user/", "federated-user/", "role/", "group/",
		"instance-profile/", "mfa/", "server-certificate/", "policy/", "sms-mfa/",
		"saml-provider/", "oidc-provider/", "report/", "access-report/" };
	struct str service;
	struct str region = STR("");
	struct str account = STR("");
	struct str path = STR("");
	(void)(str_cut(rest, ':', &service, &rest) && str_cut(rest, ':', &region, &rest) &&
		str_cut(rest, ':', &account, &path));
	bool is_iam = str_eq_c(service, "iam");
	if (count(resource, ':') < 5 || (!is_iam && !str_eq_c(service, "s3")))
		return;
	if (region.len > 0) {
		if (is_iam || !str_starts(path, STR("accesspoint/")))
			fault_note(f, FAULT_RESOURCE,
				"%s " STR_FMT " %s contain region information.",
				is_iam ? "IAM resource" : "Resource", STR_ARG(resource),
				is_iam ? "cannot" : "can not");
		return;
	}
	bool is_typed = !is_iam || str_eq_c(path, "*") || str_eq_c(path, "root");
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		is_typed = is_typed || str_starts(path, str_from(types[i]));
	if (!is_typed)
		fault_note(f, FAULT_RESOURCE,
			"IAM resource path must either be \"*\" or start with user/, "
			"federated-user/, role/, group/, instance-profile/, mfa/, "
			"server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, "
			"report/, access-report/.");
}

void check_resource(struct fault *f, struct str resource)
{
	struct str head;
	struct str partition;
	struct str rest;
	if (str_eq_c(resource, "*"))
		return;
	if (!str_cut(resource, ':', &head, &rest)) {
		fault_note(f, FAULT_RESOURCE,
			"Resource " STR_FMT " must be in ARN format or \"*\".", STR_ARG(resource));
		return;
	}
	bool has_vendor = str_cut(rest, ':', &partition, &rest);
	if (!str_eq_c(partition, "*") && !check_is_partition(partition)) {
		note_partition(f, partition, rest);
		return;
	}
	if (!has_vendor || !str_eq_c(head, "arn")) {
		fault_note(f, FAULT_RESOURCE,
			"Resource vendor must be fully qualified and cannot contain regexes.");
		return;
	}
	/* Fields may be missing at the end, but then none in the middle may be empty. */
	if (rest.len == 0 || rest.ptr[0] == ':' ||
		(count(resource, ':') < 5 && memmem(resource.ptr, resource.len, "::", 2) != NULL))
		fault_note(f, FAULT_LEGACY, "The policy failed legacy parsing");
	else
		check_service(f, resource, rest);
}

/* "Sid" of IAM policies; ECR allows more. */
void check_sid(struct fault *f, struct str sid)
{
	for (size_t i = 0; i < sid.len; i++) {
		char c = sid.ptr[i];
		if (c == '-' || c == '.' || !is_vendor_char(c)) {
			fault_note(f, FAULT_SID,
				"Statement IDs (SID) must be alpha-numeric. Check that your input "
				"satisfies the regular expression [0-9A-Za-z]*");
			return;
		}
	}
}
