/*
 * Calls of IAM and STS: the first line is the operation, the rest the parameters as a query or form
 * has them. They fit the operation's model or are refused in words, and what the audit log is told
 * of them is a JSON object, whatever they are.
 */
#include "aws/query.h"

#include "aws/query_input.h"
#include "base/json.h"
#include "front/audit.h"
#include "fuzz.h"

static const struct http_op op = { .name = "IAM", .body = HTTP_BODY_NONE };

/* The router lets no other through. */
static bool is_operation(const char *name)
{
	for (const struct shape *s = query_inputs; s->name != NULL; s++) {
		if (strcmp(s->name, name) == 0)
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char name[64];
	struct str operation;
	struct err err = { .msg = "" };
	struct audit_note note = { .source = "iam.amazonaws.com" };
	struct http_req req = { .op = &op, .audit = &note, .arena = arena_new(1 * MIB) };
	(void)str_cut((struct str){ (const char *)bytes, len }, '\n', &operation, &req.query);
	if (str_to_c(operation, name, sizeof(name)) && !query_check_input(&req, name, &err)) {
		CHECK(err.kind == ERR_INVALID || err.kind == ERR_TOO_LARGE || !is_operation(name));
		CHECK(err.kind != ERR_INVALID ||
			str_starts(str_from(err.msg), STR("ValidationError: ")));
	}
	query_audit(&req);
	if (note.parameters.len != 0) {
		struct json *told CLEANUP(json_freep) = NULL;
		/* Not everything that is JSON is taken: NUL, a name that comes twice. */
		if (json_parse(note.parameters, &told, &err))
			CHECK(json_type(told) == JSON_OBJECT);
	}
	arena_free(req.arena);
	return 0;
}
