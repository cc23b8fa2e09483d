/*
 * Evaluates IAM policies for policy.py. Each line of stdin is
 *
 *     {"policies": [{"class": "identity", "text": "..."}, ...],
 *      "requests": [{"kind": "user", "arn": "...", "issuer": "...", "account": "...", "action":
 * "...", "resource": "...", "owner": "...", "delegates": false, "context": {"aws:SourceIp":
 * ["..."]}}, ...]}
 *
 * and is answered by a line
 *
 *     {"errors": [null or text for each policy], "decisions": ["allow identity", "explicit
 * session", "implicit ..."]}
 *
 * where policies that do not compile are left out of the evaluation.
 */
#include <stdio.h>
#include <stdlib.h>

#include "auth/policy.h"
#include "base/buf.h"
#include "base/json.h"

#define POLICIES_MAX 64
#define KEYS_MAX     64
#define VALUES_MAX   16

struct class_name {
	const char *name;
	enum policy_kind kind;
};

/* In the order of struct policy_set. */
static const struct class_name classes[] = { { "identity", POLICY_IDENTITY },
	{ "boundary", POLICY_IDENTITY }, { "session", POLICY_SESSION },
	{ "repository", POLICY_REPOSITORY }, { "registry", POLICY_REGISTRY },
	{ "trust", POLICY_TRUST } };

static const char *const kinds[] = { "anonymous", "root", "user", "role-session", "federated-user",
	"web-identity", "service" };

static const char *const decided_by[] = { "none", "root", "identity", "boundary", "session",
	"repository", "registry", "trust" };

struct bench {
	struct policy *owned[POLICIES_MAX];
	size_t owned_count;
	const struct policy *lists[ARRAY_LEN(classes)][POLICIES_MAX];
	size_t counts[ARRAY_LEN(classes)];
};

struct keys {
	struct policy_key items[KEYS_MAX];
	struct str values[KEYS_MAX][VALUES_MAX];
	size_t count;
};

static void die(const char *why)
{
	fprintf(stderr, "policy_lines: %s\n", why);
	exit(1);
}

static void compile(struct bench *b, const struct json *entry, struct json_out *out)
{
	struct err err;
	struct str name = json_get_str(entry, "class");
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (!str_eq_c(name, classes[i].name))
			continue;
		if (b->owned_count == POLICIES_MAX)
			die("too many policies");
		struct policy *p;
		if (!policy_compile(json_get_str(entry, "text"), classes[i].kind, &p, &err)) {
			jo_c(out, NULL, err_text(&err));
			return;
		}
		b->owned[b->owned_count++] = p;
		b->lists[i][b->counts[i]++] = p;
		jo_raw(out, NULL, STR("null"));
		return;
	}
	die("unknown class");
}

static bool add_key(void *arg, struct str name, const struct json *values)
{
	struct keys *keys = arg;
	size_t n = json_len(values);
	if (keys->count == KEYS_MAX || n > VALUES_MAX)
		die("too much context");
	for (size_t i = 0; i < n; i++)
		keys->values[keys->count][i] = json_str(json_at(values, i));
	keys->items[keys->count] = (struct policy_key){ name, keys->values[keys->count], n };
	keys->count++;
	return true;
}

static enum caller_kind kind_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (str_eq_c(name, kinds[i]))
			return (enum caller_kind)i;
	}
	die("unknown kind");
	return CALLER_ANONYMOUS;
}

static struct policy_list list_of(const struct bench *b, size_t i)
{
	return (struct policy_list){ b->lists[i], b->counts[i] };
}

static void decide(const struct bench *b, const struct json *v, struct json_out *out)
{
	struct keys keys = { .count = 0 };
	char text[64];
	(void)json_each(json_get(v, "context"), add_key, &keys);
	const struct policy_set set = {
		.identity = list_of(b, 0),
		.boundary = list_of(b, 1),
		.session = list_of(b, 2),
		.repository = list_of(b, 3),
		.registry = list_of(b, 4),
		.trust = list_of(b, 5),
	};
	const struct policy_request request = {
		.caller = { kind_of(json_get_str(v, "kind")), json_get_str(v, "arn"),
			json_get_str(v, "issuer"), json_get_str(v, "account") },
		.action = json_get_str(v, "action"),
		.resource = json_get_str(v, "resource"),
		.account = json_get_str(v, "owner"),
		.keys = keys.items,
		.key_count = keys.count,
		.account_delegates = json_bool(json_get(v, "delegates"), false),
	};
	struct policy_decision d = policy_eval(&set, &request);
	(void)snprintf(text, sizeof(text), "%s %s",
		d.is_allowed    ? "allow"
		: d.is_explicit ? "explicit"
				: "implicit",
		decided_by[d.by]);
	jo_c(out, NULL, text);
}

static void answer(struct str line)
{
	struct json *root CLEANUP(json_freep) = NULL;
	struct buf buf CLEANUP(buf_fini);
	struct json_out out;
	struct err err;
	static struct bench b;
	b = (struct bench){ .owned_count = 0 };
	buf_init(&buf, 16 * MIB);
	jo_init(&out, &buf);
	if (!json_parse(line, &root, &err))
		die(err.detail);
	const struct json *policies = json_get(root, "policies");
	const struct json *requests = json_get(root, "requests");
	jo_object(&out, NULL);
	jo_array(&out, "errors");
	for (size_t i = 0; i < json_len(policies); i++)
		compile(&b, json_at(policies, i), &out);
	jo_end(&out, ']');
	jo_array(&out, "decisions");
	for (size_t i = 0; i < json_len(requests); i++)
		decide(&b, json_at(requests, i), &out);
	jo_end(&out, ']');
	jo_end(&out, '}');
	for (size_t i = 0; i < b.owned_count; i++)
		policy_free(b.owned[i]);
	puts(buf_c(&buf));
	fflush(stdout);
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	while ((len = getline(&line, &cap, stdin)) > 0)
		answer((struct str){ line, (size_t)len });
	free(line);
	return 0;
}
