/*
 * kms_call.h - one call of a KMS operation, as its handler sees it. Internal to aws/kms_*.
 *
 * The dispatcher (kms_front.c) has verified signature and input. A handler asks whether the caller
 * may (kms_call_key does that for the key that the input names), calls kms/, and writes the members
 * of the answer's object; what it returns false with becomes the error.
 */
#ifndef BERTH_AWS_KMS_CALL_H
#define BERTH_AWS_KMS_CALL_H

#include "aws/kms_front.h"
#include "base/json.h"
#include "kms/kms_alias.h"
#include "kms/kms_crypt.h"
#include "kms/kms_tag.h"

struct kms_call {
	struct http_req *req;
	const struct front_options *options;
	struct kms *kms;
	const struct json *input;
	struct arena *arena; /* of this call: larger than the request's */
	struct principal who;
	struct kms_realm realm;
	/* What kms_raise noted; NULL: the kind of err says. */
	const char *exception;
	int status;
};

typedef bool (*kms_handler_fn)(struct kms_call *call, struct json_out *out, struct err *err);

/* Fails with this exception of AWS, whatever the kind of err would read as. Returns false. */
/* NOLINTNEXTLINE(readability-identifier-naming): it reads as a function on purpose */
#define kms_raise(call, code, err, ...) \
	((call)->exception = (code), (call)->status = 400, err_set((err), ERR_INVALID, __VA_ARGS__))
/* The arena gave nothing. Errors: UNAVAILABLE where memory was missing, else INTERNAL. */
bool kms_call_no_memory(const struct arena *arena, struct err *err);

/* Asks for an action ("kms:CreateKey") on a resource of the caller's account. Errors: DENIED. */
MUST_CHECK bool kms_call_allow(
	struct kms_call *call, const char *action, struct str resource, struct err *err);
/* The key that a member names, in any state, if the caller may do action to it. */
MUST_CHECK bool kms_call_key(struct kms_call *call, const char *member, const char *action,
	struct kms_key *out, struct err *err);
/* The same for a key by text. */
MUST_CHECK bool kms_call_key_of(struct kms_call *call, struct str text, const char *action,
	struct kms_key *out, struct err *err);

/* A key's ARN as KeyId, and a time unless it is 0. */
void kms_call_put_arn(struct json_out *out, const struct kms_key *key);
void kms_call_put_time(struct json_out *out, const char *name, int64_t at_ms);

/* Limit, or otherwise. */
unsigned kms_call_limit(const struct kms_call *call, unsigned otherwise);
/* Marker, opened; empty without one. Raises InvalidMarkerException. */
MUST_CHECK bool kms_call_marker(struct kms_call *call, struct str *out, struct err *err);
/* Truncated, and NextMarker when there is more: after is the last item's place in its order. */
MUST_CHECK bool kms_call_put_more(
	struct kms_call *call, struct json_out *out, bool more, struct str after, struct err *err);

/* A member of type blob, decoded into the arena. */
MUST_CHECK bool kms_call_blob(
	struct kms_call *call, const char *member, struct str *out, struct err *err);
/* Bytes as base64. */
MUST_CHECK bool kms_call_put_blob(struct kms_call *call, struct json_out *out, const char *name,
	struct str bytes, struct err *err);

#endif
