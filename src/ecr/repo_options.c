#include "ecr/repo_options.h"

#define FILTER_STARS_MAX 2 /* of one exclusion filter; as Terraform's provider validates it */

static const char *const mutability_names[] = {
	[MUTABLE] = "MUTABLE",
	[IMMUTABLE] = "IMMUTABLE",
	[MUTABLE_WITH_EXCLUSION] = "MUTABLE_WITH_EXCLUSION",
	[IMMUTABLE_WITH_EXCLUSION] = "IMMUTABLE_WITH_EXCLUSION",
};

static const char *const encryption_names[] = {
	[ENC_AES256] = "AES256",
	[ENC_KMS] = "KMS",
	[ENC_KMS_DSSE] = "KMS_DSSE",
};

/* Index of a name in a table, or otherwise when the member is absent. The shape table has refused
 * other names. */
static unsigned name_index(
	const char *const *names, size_t count, struct str name, unsigned otherwise)
{
	for (unsigned i = 0; i < count; i++) {
		if (names[i] != NULL && str_eq_c(name, names[i]))
			return i;
	}
	return otherwise;
}

bool mutability_parse(struct ecr_call *call, struct mutability_input *out, struct err *err)
{
	const struct json *list = json_get(call->input, "imageTagMutabilityExclusionFilters");
	enum mutability mode =
		(enum mutability)name_index(mutability_names, ARRAY_LEN(mutability_names),
			json_get_str(call->input, "imageTagMutability"), MUTABLE);
	bool wants_filters = mode == MUTABLE_WITH_EXCLUSION || mode == IMMUTABLE_WITH_EXCLUSION;
	bool has_filters = json_type(list) == JSON_ARRAY;
	if (wants_filters && !has_filters)
		return ecr_bad_parameter(err, "imageTagMutabilityExclusionFilters",
			"ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as %s",
			mutability_names[mode]);
	if (has_filters && !wants_filters)
		return ecr_bad_parameter(err, "imageTagMutabilityExclusionFilters",
			"ImageTagMutabilityExclusionFilters are not allowed when imageTagMutability is set as %s",
			mutability_names[mode]);
	struct mutability_input in = { .mode = mode };
	for (size_t i = 0; has_filters && i < json_len(list) && i < REPO_FILTERS_MAX; i++) {
		struct str filter = json_get_str(json_at(list, i), "filter");
		unsigned stars = 0;
		for (size_t k = 0; k < filter.len; k++)
			stars += filter.ptr[k] == '*';
		if (stars > FILTER_STARS_MAX)
			return ecr_bad_parameter(err, "imageTagMutabilityExclusionFilters",
				"A filter can contain at most %d wildcards", FILTER_STARS_MAX);
		in.filters[in.filter_count++] = filter;
	}
	*out = in;
	return true;
}

void mutability_put(
	struct json_out *out, enum mutability mode, const struct str *filters, size_t filter_count)
{
	jo_c(out, "imageTagMutability", mutability_names[mode]);
	if (filter_count == 0)
		return;
	jo_array(out, "imageTagMutabilityExclusionFilters");
	for (size_t i = 0; i < filter_count; i++) {
		jo_object(out, NULL);
		jo_c(out, "filterType", "WILDCARD");
		jo_str(out, "filter", filters[i]);
		jo_end(out, '}');
	}
	jo_end(out, ']');
}

bool encryption_parse(struct ecr_call *call, struct encryption_input *out, struct err *err)
{
	const struct json *in = json_get(call->input, "encryptionConfiguration");
	struct encryption_input e = {
		.type = (enum enc_type)name_index(encryption_names, ARRAY_LEN(encryption_names),
			json_get_str(in, "encryptionType"), ENC_AES256),
		.kms_key = json_get_str(in, "kmsKey"),
	};
	if (e.type == ENC_AES256 && e.kms_key.len != 0)
		return ecr_bad_parameter(err, "encryptionConfiguration",
			"kmsKey can't be set when encryptionType is AES256");
	*out = e;
	return true;
}

void encryption_put(struct json_out *out, enum enc_type type, struct str kms_key)
{
	jo_object(out, "encryptionConfiguration");
	jo_c(out, "encryptionType", encryption_names[type]);
	if (kms_key.len != 0)
		jo_str(out, "kmsKey", kms_key);
	jo_end(out, '}');
}
