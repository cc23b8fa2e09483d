/*
 * The first byte chooses the kind of policy and who asks, the rest is the document. One that
 * compiles gives the same decision twice, lets nobody in that has no Allow, and never turns an
 * explicit Deny of root's own mending operations into a lock-out.
 */
#include "auth/policy.h"

#include "fuzz.h"

static const struct str ip[] = { { "203.0.113.7", 11 } };
static const struct str name[] = { { "alice", 5 } };
static const struct str tags[] = { { "team", 4 }, { "stage", 5 } };
static const struct str when[] = { { "2026-11-24T03:00:00Z", 20 } };
static const struct policy_key keys[] = { { { "aws:SourceIp", 12 }, ip, 1 },
	{ { "aws:username", 12 }, name, 1 }, { { "aws:TagKeys", 11 }, tags, 2 },
	{ { "aws:CurrentTime", 15 }, when, 1 } };

static bool same(struct policy_decision a, struct policy_decision b)
{
	return a.is_allowed == b.is_allowed && a.is_explicit == b.is_explicit && a.by == b.by;
}

static bool visit(void *arg, struct str type, struct str value)
{
	(void)arg;
	CHECK(type.len > 0 && value.len > 0);
	return true;
}

static struct policy_set set_of(enum policy_kind kind, const struct policy *const *p)
{
	struct policy_set set = { .identity.count = 0 };
	const struct policy_list list = { p, 1 };
	switch (kind) {
	case POLICY_IDENTITY:
		set.identity = list;
		break;
	case POLICY_SESSION:
		set.session = list;
		break;
	case POLICY_TRUST:
		set.trust = list;
		break;
	case POLICY_REPOSITORY:
		set.repository = list;
		break;
	case POLICY_REGISTRY:
		set.registry = list;
		break;
	}
	return set;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy *p CLEANUP(policy_freep) = NULL;
	struct err err;
	if (size == 0)
		return 0;
	/* The digits of the corpus are readable: '0' to '4' is the kind. */
	enum policy_kind kind = (enum policy_kind)(data[0] % 16 % 5);
	struct str text = { (const char *)data + 1, size - 1 };
	if (!policy_compile(text, kind, &p, &err)) {
		CHECK(err.kind == ERR_INVALID || err.kind == ERR_TOO_LARGE);
		CHECK(err.msg[0] != '\0');
		return 0;
	}
	CHECK(policy_kind_of(p) == kind);
	CHECK(policy_each_principal(p, visit, NULL));
	CHECK(policy_reads(p, STR("")) || !policy_reads(p, STR("aws:")));

	const struct policy *const list[] = { p };
	const struct policy_set set = set_of(kind, list);
	struct policy_request request = {
		.caller = { CALLER_USER, STR("arn:aws:iam::111122223333:user/alice"), STR(""),
			STR("111122223333") },
		.action = kind == POLICY_TRUST ? STR("sts:AssumeRole") : STR("ecr:PutImage"),
		.resource = STR("arn:aws:ecr:eu-west-1:111122223333:repository/team/app"),
		.account = STR("111122223333"),
		.keys = keys,
		.key_count = ARRAY_LEN(keys),
	};
	struct policy_decision d = policy_eval(&set, &request);
	CHECK(same(d, policy_eval(&set, &request)));
	CHECK(d.is_allowed ? !d.is_explicit : !policy_refuse(&request, &d, &err));
	CHECK(kind != POLICY_SESSION || !d.is_allowed);

	request.caller.kind = CALLER_ANONYMOUS;
	request.caller.account = STR("");
	d = policy_eval(&set, &request);
	CHECK(!d.is_allowed || kind == POLICY_REPOSITORY || kind == POLICY_REGISTRY);

	request.caller.kind = CALLER_ROOT;
	request.caller.account = request.account;
	request.action = STR("ecr:SetRepositoryPolicy");
	if (kind == POLICY_REPOSITORY || kind == POLICY_REGISTRY)
		CHECK(policy_eval(&set, &request).is_allowed);
	return 0;
}
