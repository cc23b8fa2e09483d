/* kms_code.h - AWS KMS's own names of what can be wrong with a key: its API answers with them, and
 * ECR repeats them as kmsError. */
#ifndef BERTH_FRONT_KMS_CODE_H
#define BERTH_FRONT_KMS_CODE_H

#include "base/err.h"

/* "DisabledException"; NULL for a kind that is not about KMS. */
const char *front_kms_code(enum err_kind kind);

#endif
