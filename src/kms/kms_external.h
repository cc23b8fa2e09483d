/*
 * kms_external.h - an external KMS that speaks AWS KMS's protocol (JSON 1.1, SigV4): DescribeKey,
 * GenerateDataKey, Decrypt.
 *
 * A request has a time limit and is tried once more after a failure that may pass. After that the
 * KMS counts as down for a moment, in which calls fail at once, so that a dead KMS does not hold
 * every worker. Answers are bounded. TLS is verified; plain HTTP goes to loopback only; proxies and
 * redirections are not used (net/fetch.h).
 *
 * Errors: KMS_KEY_UNKNOWN, KMS_KEY_DISABLED, KMS_KEY_STATE, KMS_KEY_INCORRECT,
 * KMS_CIPHERTEXT_INVALID as the KMS says; KMS_UNAVAILABLE when it does not answer, or refuses
 * Berth's credentials (detail says). Threads: safe.
 */
#ifndef BERTH_KMS_KMS_EXTERNAL_H
#define BERTH_KMS_KMS_EXTERNAL_H

#include "kms/kms.h"

struct kms_external_options {
	const char *endpoint; /* "https://kms.eu-west-1.amazonaws.com" */
	const char *region;   /* that requests are signed for */
	const char *access_key_id;
	const char *secret_file; /* holds the secret access key, white space around it aside */
	const char *ca_file;     /* PEM; NULL: the system's */
	int64_t timeout_ms;      /* of one try; 0: 5 s */
};

struct kms_external;

/* Reads the secret; connects to nothing. Errors: CONFIG. */
MUST_CHECK bool kms_external_open(
	const struct kms_external_options *o, struct kms_external **out, struct err *err);
void kms_external_close(struct kms_external *x); /* accepts NULL */

/* The ARN of the key that text names there, if it can encrypt and decrypt data keys now. */
MUST_CHECK bool kms_external_resolve(struct kms_external *x, struct str text, struct arena *arena,
	struct str *out_arn, struct err *err);
/* Appends the KMS's ciphertext to out_wrapped. */
MUST_CHECK bool kms_external_generate(struct kms_external *x, struct str key_arn,
	const struct kms_context *context, struct secret *out, struct buf *out_wrapped,
	struct err *err);
MUST_CHECK bool kms_external_decrypt(struct kms_external *x, struct str key_arn, struct str wrapped,
	const struct kms_context *context, struct secret *out, struct err *err);

#endif
