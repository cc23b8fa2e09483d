/*
 * sigv4.h - verification of AWS Signature Version 4: header and presigned (query) forms.
 * AWS "Signature Version 4 for API requests"; verified against a canonical request built from the
 * raw target.
 */
#ifndef BERTH_AUTH_SIGV4_H
#define BERTH_AUTH_SIGV4_H

#include "auth/auth.h"
#include "base/buf.h"

/* A request as it came, independent of the HTTP library. */
struct sigv4_request {
	struct str method, path, query; /* raw */
	struct str body;
	/* Calls fn for every header in order, as http_headers_each does. */
	void (*headers)(void *arg, bool (*fn)(void *fn_arg, struct str name, struct str value),
		void *fn_arg);
	void *headers_arg;
};

#define SIGV4_SKEW_S 300 /* AWS: five minutes */

/* service: expected name in the credential scope ("ecr", "sts", "kms", "iam").
 * Errors: UNAUTHENTICATED with msg "<AWS code>: <text>": MissingAuthenticationTokenException,
 * IncompleteSignatureException, UnrecognizedClientException, InvalidSignatureException,
 * SignatureDoesNotMatch (texts as AWS's); the caller splits at ": ". */
MUST_CHECK bool sigv4_verify(struct auth *a, const struct sigv4_request *r, const char *service,
	int64_t now_s, struct arena *arena, struct principal *out, struct err *err);
/* The service named in the credential scope, ptr NULL when the request is not signed. */
struct str sigv4_service(const struct sigv4_request *r, struct arena *arena);

/* The pieces, exposed for tests against published vectors. */
void sigv4_key(
	struct str secret, struct str date, struct str region, struct str service, uint8_t out[32]);
MUST_CHECK bool sigv4_canonical(const struct sigv4_request *r, struct str signed_headers,
	struct str payload_hash, bool is_presigned, struct buf *out, struct err *err);

#endif
