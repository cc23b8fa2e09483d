#include "front/kms_code.h"

static const struct {
	enum err_kind kind;
	const char *code;
} codes[] = {
	{ ERR_KMS_KEY_UNKNOWN, "NotFoundException" },
	{ ERR_KMS_KEY_DISABLED, "DisabledException" },
	{ ERR_KMS_KEY_STATE, "KMSInvalidStateException" },
	{ ERR_KMS_KEY_INCORRECT, "IncorrectKeyException" },
	{ ERR_KMS_CIPHERTEXT_INVALID, "InvalidCiphertextException" },
	{ ERR_KMS_ALIAS_EXISTS, "AlreadyExistsException" },
	{ ERR_KMS_UNAVAILABLE, "DependencyTimeoutException" },
};

const char *front_kms_code(enum err_kind kind)
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (codes[i].kind == kind)
			return codes[i].code;
	}
	return NULL;
}
