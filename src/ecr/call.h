/*
 * call.h - one call of an operation, as its handler sees it. Internal to ecr/.
 *
 * The dispatcher (ecr.c) has verified signature and input, decided the registry and, for operations
 * on a named repository, asked whether the caller may. A handler reads members of `input` by their
 * declared types, calls registry/, and writes the members of the answer's object; what it returns
 * false with becomes the exception.
 */
#ifndef BERTH_ECR_CALL_H
#define BERTH_ECR_CALL_H

#include "auth/auth.h"
#include "base/json.h"
#include "ecr/errors.h"
#include "front/front.h"

struct ecr_call {
	struct http_req *req;
	const struct front_options *options;
	struct core *core;
	const struct json *input;
	struct arena *arena; /* of this call: larger than the request's */
	struct principal who;
	struct registry_id reg;
	struct str repo; /* member repositoryName; ptr NULL without one */
	/* What ECR_RAISE noted. */
	bool is_raised;
	enum ecr_exception raised;
	struct str raised_members;
};

/* One answer is at most this long: a list stops before it, and what cannot stop is
 * LimitExceededException. */
#define ECR_ANSWER_MAX (32 * MIB)
/* A page of a list ends when the answer has grown so long. */
#define ECR_PAGE_BYTES (4 * MIB)

/* Fails with this exception, whatever the kind of err would read as. Returns false. */
#define ECR_RAISE(call, e, err, ...) \
	((call)->is_raised = true, (call)->raised = (e), err_set((err), ERR_INVALID, __VA_ARGS__))
/* For a failure that is there already. Returns false. */
bool ecr_raise_as(struct ecr_call *call, enum ecr_exception e);
/* InvalidParameterException in ECR's form. Returns false. */
bool ecr_bad_parameter(struct err *err, const char *member, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The arena gave nothing. Errors: UNAVAILABLE where memory was missing, else INTERNAL. */
bool ecr_out_of_memory(const struct arena *arena, struct err *err);

/* Asks for an action on a repository (ptr NULL: "*") of the call's registry. Errors: DENIED. */
MUST_CHECK bool ecr_allow(
	struct ecr_call *call, const char *action, struct str repo, struct err *err);

/* For a batch of which no item could be asked for. Errors: REPO_UNKNOWN. */
MUST_CHECK bool ecr_need_repository(struct ecr_call *call, struct err *err);

/* For CLEANUP. */
void arena_freep(struct arena **a);

/* The members registryId and repositoryName that many answers begin with. */
void ecr_put_place(const struct ecr_call *call, struct json_out *out);

/* maxResults, or the default. */
unsigned ecr_max_results(const struct ecr_call *call, unsigned otherwise);

/* An array of strings of the input as an array of struct str in the arena; *out_n 0 when absent. */
MUST_CHECK bool ecr_strings(struct ecr_call *call, const char *member, struct str **out,
	size_t *out_n, struct err *err);

#endif
