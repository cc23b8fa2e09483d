/* How policies of several classes combine, who is meant by a Principal, and what a refusal says. */
#include "../unit.h"
#include "auth/managed_policies.h"
#include "auth/policy.h"
#include "base/clock.h"

#define MINE          "111122223333"
#define OTHER         "444455556666"
#define REPO          "arn:aws:ecr:eu-west-1:" MINE ":repository/team/app"

#define USER          "arn:aws:iam::" MINE ":user/alice"
#define ROLE          "arn:aws:iam::" MINE ":role/ci/build"
#define SESSION       "arn:aws:sts::" MINE ":assumed-role/build/run-7"
#define OTHER_USER    "arn:aws:iam::" OTHER ":user/olga"
#define OTHER_ROLE    "arn:aws:iam::" OTHER ":role/pull"
#define OTHER_SESSION "arn:aws:sts::" OTHER ":assumed-role/pull/x"
#define FEDERATED     "arn:aws:sts::" MINE ":federated-user/carol"
#define PROVIDER      "arn:aws:iam::" MINE ":oidc-provider/ci.example"
#define SERVICE       "replication.ecr.amazonaws.com"

/* Statements, in the columns of a row; ' for ". */
#define ID(more)           "{'Effect':'Allow','Resource':'*'," more "}"
#define ID_DENY(more)      "{'Effect':'Deny','Resource':'*'," more "}"
#define PUT                "'Action':'ecr:PutImage'"
#define ALL                "'Action':'*'"
#define GET                "'Action':'ecr:BatchGetImage'"
#define BY(who, more)      "{'Effect':'Allow','Resource':'*','Principal':" who "," more "}"
#define DENY_BY(who, more) "{'Effect':'Deny','Resource':'*','Principal':" who "," more "}"
#define UNLESS(who, more)  "{'Effect':'Deny','Resource':'*','NotPrincipal':" who "," more "}"
#define TRUSTS(who)        "{'Effect':'Allow','Principal':" who ",'Action':'sts:AssumeRole'}"
#define TRUSTS_NOT(who)    "{'Effect':'Deny','Principal':" who ",'Action':'sts:AssumeRole'}"
#define AWS(who)           "{'AWS':'" who "'}"
#define ANY                "'*'"

enum who { ME, BOB, RUN, FED, ROOT, OLGA, PULL, OTHER_ROOT, NOBODY, SVC, WEB };

static const struct policy_caller callers[] = {
	[ME] = { CALLER_USER, { USER, sizeof(USER) - 1 }, { "", 0 }, { MINE, 12 } },
	[BOB] = { CALLER_USER, { USER "/bob", sizeof(USER) + 3 }, { "", 0 }, { MINE, 12 } },
	[RUN] = { CALLER_ROLE_SESSION, { SESSION, sizeof(SESSION) - 1 }, { ROLE, sizeof(ROLE) - 1 },
		{ MINE, 12 } },
	[FED] = { CALLER_FEDERATED_USER, { FEDERATED, sizeof(FEDERATED) - 1 },
		{ USER, sizeof(USER) - 1 }, { MINE, 12 } },
	[ROOT] = { CALLER_ROOT, { "arn:aws:iam::" MINE ":root", 30 }, { "", 0 }, { MINE, 12 } },
	[OLGA] = { CALLER_USER, { OTHER_USER, sizeof(OTHER_USER) - 1 }, { "", 0 }, { OTHER, 12 } },
	[PULL] = { CALLER_ROLE_SESSION, { OTHER_SESSION, sizeof(OTHER_SESSION) - 1 },
		{ OTHER_ROLE, sizeof(OTHER_ROLE) - 1 }, { OTHER, 12 } },
	[OTHER_ROOT] = { CALLER_ROOT, { "arn:aws:iam::" OTHER ":root", 30 }, { "", 0 },
		{ OTHER, 12 } },
	[NOBODY] = { CALLER_ANONYMOUS, { "", 0 }, { "", 0 }, { "", 0 } },
	[SVC] = { CALLER_SERVICE, { SERVICE, sizeof(SERVICE) - 1 }, { "", 0 }, { "", 0 } },
	[WEB] = { CALLER_WEB_IDENTITY, { PROVIDER, sizeof(PROVIDER) - 1 }, { "", 0 }, { "", 0 } },
};

static const char *const decided_by[] = { "none", "root", "identity", "boundary", "session",
	"repository", "registry", "trust" };

#define CLASSES 6

static const enum policy_kind kinds[CLASSES] = { POLICY_IDENTITY, POLICY_IDENTITY, POLICY_SESSION,
	POLICY_REPOSITORY, POLICY_REGISTRY, POLICY_TRUST };

struct row {
	enum who who;
	const char *action;
	const char *decision; /* "allow", "explicit" or "implicit", and by which class */
	const char *identity, *boundary, *session, *repository, *registry, *trust;
	bool account_delegates;
};

static struct policy *compile(const char *statements, enum policy_kind kind)
{
	char text[2048];
	struct policy *p;
	struct err err;
	int len = snprintf(
		text, sizeof(text), "{\"Version\":\"2012-10-17\",\"Statement\":[%s]}", statements);
	for (int i = 0; i < len; i++) {
		if (text[i] == '\'')
			text[i] = '"';
	}
	if (!policy_compile(str_from(text), kind, &p, &err))
		fail_msg("%s: %s (%s)", text, err_text(&err), err.detail);
	return p;
}

static void check_row(const struct row *row, size_t number)
{
	const char *const texts[CLASSES] = { row->identity, row->boundary, row->session,
		row->repository, row->registry, row->trust };
	struct policy *owned[CLASSES] = { NULL };
	const struct policy *lists[CLASSES] = { NULL };
	struct policy_list list[CLASSES] = { { NULL, 0 } };
	char got[64];
	for (size_t i = 0; i < CLASSES; i++) {
		if (texts[i] == NULL)
			continue;
		lists[i] = owned[i] = compile(texts[i], kinds[i]);
		list[i] = (struct policy_list){ &lists[i], 1 };
	}
	const struct policy_set set = { list[0], list[1], list[2], list[3], list[4], list[5] };
	const struct policy_request request = {
		.caller = callers[row->who],
		.action = str_from(row->action),
		.resource = STR(REPO),
		.account = STR(MINE),
		.account_delegates = row->account_delegates,
	};
	struct policy_decision d = policy_eval(&set, &request);
	(void)snprintf(got, sizeof(got), "%s %s",
		d.is_allowed    ? "allow"
		: d.is_explicit ? "explicit"
				: "implicit",
		decided_by[d.by]);
	if (strcmp(got, row->decision) != 0)
		fail_msg("row %zu: %s, wanted %s", number, got, row->decision);
	for (size_t i = 0; i < CLASSES; i++)
		policy_free(owned[i]);
}

static void check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_row(&rows[i], i);
}

#define CHECK(rows) check(rows, ARRAY_LEN(rows))
#define PUT_IMAGE   "ecr:PutImage"

static void same_account_needs_one_allow(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ ME, PUT_IMAGE, "implicit identity", .identity = NULL },
		{ ME, PUT_IMAGE, "allow identity", .identity = ID(PUT) },
		{ ME, PUT_IMAGE, "implicit identity", .identity = ID(GET) },
		{ ME, PUT_IMAGE, "allow identity", .identity = ID(GET) "," ID(ALL) },
		{ ME, PUT_IMAGE, "allow repository", .repository = BY(AWS(USER), PUT) },
		{ ME, PUT_IMAGE, "allow repository", .repository = BY(ANY, PUT) },
		{ ME, PUT_IMAGE, "allow repository", .repository = BY("{'AWS':'*'}", PUT) },
		{ ME, PUT_IMAGE, "implicit identity", .repository = BY(AWS(USER), GET) },
		{ ME, PUT_IMAGE, "implicit identity", .repository = BY(AWS(ROLE), PUT) },
		{ ME, PUT_IMAGE, "implicit identity", .repository = BY(AWS(OTHER), PUT) },
		{ ME, PUT_IMAGE, "allow registry", .registry = BY(AWS(USER), PUT) },
		{ ME, PUT_IMAGE, "allow registry", .registry = BY(ANY, ALL) },
		{ ME, PUT_IMAGE, "allow registry", .repository = BY(ANY, GET),
			.registry = BY(ANY, PUT) },
		{ ME, PUT_IMAGE, "allow identity", .identity = ID(PUT), .repository = BY(ANY, GET),
			.registry = BY(ANY, GET) },
		{ ME, PUT_IMAGE, "allow repository", .identity = ID(GET),
			.repository = BY(ANY, PUT) },
		{ BOB, PUT_IMAGE, "implicit identity", .repository = BY(AWS(USER), PUT) },
		{ RUN, PUT_IMAGE, "allow identity", .identity = ID(PUT) },
		{ RUN, PUT_IMAGE, "allow repository", .repository = BY(AWS(ROLE), PUT) },
		{ RUN, PUT_IMAGE, "allow repository", .repository = BY(AWS(SESSION), PUT) },
		{ RUN, PUT_IMAGE, "implicit identity", .repository = BY(AWS(USER), PUT) },
		{ RUN, PUT_IMAGE, "implicit identity",
			.repository = BY("{'AWS':'" SESSION "x'}", PUT) },
		{ FED, PUT_IMAGE, "allow repository", .repository = BY(AWS(FEDERATED), PUT) },
		{ FED, PUT_IMAGE, "allow repository", .repository = BY(AWS(USER), PUT) },
		{ ME, PUT_IMAGE, "implicit identity", .repository = BY(AWS(FEDERATED), PUT) },
		{ ME, PUT_IMAGE, "implicit identity",
			.repository = BY("{'Service':'" SERVICE "'}", PUT) },
		{ ME, PUT_IMAGE, "implicit identity",
			.repository = BY("{'CanonicalUser':'" USER "'}", PUT) },
	};
	CHECK(rows);
}

static void an_account_as_principal_means_all_in_it(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ ME, PUT_IMAGE, "allow repository", .repository = BY(AWS(MINE), PUT) },
		{ ME, PUT_IMAGE, "allow repository",
			.repository = BY("{'AWS':'arn:aws:iam::" MINE ":root'}", PUT) },
		{ RUN, PUT_IMAGE, "allow registry", .registry = BY(AWS(MINE), PUT) },
		{ RUN, PUT_IMAGE, "implicit identity", .session = ID(GET),
			.registry = BY(AWS(MINE), PUT) },
		{ ME, PUT_IMAGE, "implicit identity", .repository = BY(AWS(MINE), PUT),
			.account_delegates = true },
		{ ME, PUT_IMAGE, "allow identity", .identity = ID(PUT),
			.repository = BY(AWS(MINE), PUT), .account_delegates = true },
		{ ME, PUT_IMAGE, "allow repository", .repository = BY(AWS(USER), PUT),
			.account_delegates = true },
		{ ME, PUT_IMAGE, "allow repository", .repository = BY(ANY, PUT),
			.account_delegates = true },
		{ ME, PUT_IMAGE, "explicit repository", .identity = ID(ALL),
			.repository = DENY_BY(AWS(MINE), PUT), .account_delegates = true },
		{ OLGA, PUT_IMAGE, "implicit repository", .identity = ID(ALL),
			.repository = BY(AWS(MINE), PUT) },
	};
	CHECK(rows);
}

static void an_explicit_deny_decides(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ ME, PUT_IMAGE, "explicit identity", .identity = ID(ALL) "," ID_DENY(PUT) },
		{ ME, PUT_IMAGE, "explicit identity", .identity = ID_DENY(PUT) "," ID(ALL) },
		{ ME, PUT_IMAGE, "explicit identity", .identity = ID_DENY(PUT) },
		{ ME, PUT_IMAGE, "allow identity", .identity = ID(ALL) "," ID_DENY(GET) },
		{ ME, PUT_IMAGE, "explicit identity", .identity = ID_DENY(PUT),
			.repository = BY(AWS(USER), PUT) },
		{ ME, PUT_IMAGE, "explicit repository", .identity = ID(ALL),
			.repository = DENY_BY(AWS(USER), PUT) },
		{ ME, PUT_IMAGE, "explicit repository", .identity = ID(ALL),
			.repository = DENY_BY(ANY, PUT) "," BY(ANY, PUT) },
		{ BOB, PUT_IMAGE, "allow identity", .identity = ID(ALL),
			.repository = DENY_BY(AWS(USER), PUT) },
		{ ME, PUT_IMAGE, "explicit registry", .identity = ID(ALL),
			.repository = BY(AWS(USER), PUT), .registry = DENY_BY(AWS(USER), PUT) },
		{ ME, PUT_IMAGE, "explicit boundary", .identity = ID(ALL),
			.boundary = ID(ALL) "," ID_DENY(PUT) },
		{ ME, PUT_IMAGE, "explicit boundary", .boundary = ID_DENY(PUT),
			.repository = BY(AWS(USER), PUT) },
		{ RUN, PUT_IMAGE, "explicit session", .identity = ID(ALL),
			.session = ID(ALL) "," ID_DENY(PUT) },
		{ RUN, PUT_IMAGE, "explicit session", .session = ID_DENY(PUT),
			.repository = BY(AWS(SESSION), PUT) },
		{ RUN, PUT_IMAGE, "explicit repository", .identity = ID(ALL),
			.repository = DENY_BY(AWS(ROLE), PUT) },
		{ RUN, PUT_IMAGE, "explicit repository", .identity = ID(ALL),
			.repository = DENY_BY(AWS(SESSION), PUT) },
		{ RUN, PUT_IMAGE, "explicit repository", .identity = ID(ALL),
			.repository = DENY_BY(AWS(MINE), PUT) },
		{ ME, PUT_IMAGE, "explicit identity", .identity = ID_DENY(PUT),
			.repository = DENY_BY(ANY, PUT) },
		{ ME, PUT_IMAGE, "explicit identity",
			.identity = ID(ALL) ",{'Effect':'Deny','NotAction':'ecr:Batch*',"
					    "'Resource':'*'}" },
		{ ME, PUT_IMAGE, "explicit identity",
			.identity = ID(ALL) ",{'Effect':'Deny','Action':'*','NotResource':'arn:aws:"
					    "ecr:*:*:repository/other'}" },
		{ ME, PUT_IMAGE, "allow identity",
			.identity = ID(ALL) ",{'Effect':'Deny','Action':'*','NotResource':'arn:aws:"
					    "ecr:*:*:repository/team/*'}" },
	};
	CHECK(rows);
}

static void boundaries_and_session_policies_cut(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ ME, PUT_IMAGE, "allow identity", .identity = ID(ALL), .boundary = ID(PUT) },
		{ ME, PUT_IMAGE, "implicit boundary", .identity = ID(ALL), .boundary = ID(GET) },
		{ ME, PUT_IMAGE, "implicit identity", .identity = ID(GET), .boundary = ID(ALL) },
		{ ME, PUT_IMAGE, "implicit identity", .boundary = ID(ALL) },
		{ RUN, PUT_IMAGE, "allow identity", .identity = ID(ALL), .session = ID(PUT) },
		{ RUN, PUT_IMAGE, "implicit session", .identity = ID(ALL), .session = ID(GET) },
		{ RUN, PUT_IMAGE, "implicit identity", .identity = ID(GET), .session = ID(ALL) },
		{ RUN, PUT_IMAGE, "implicit identity", .session = ID(ALL) },
		{ RUN, PUT_IMAGE, "implicit boundary", .identity = ID(ALL), .boundary = ID(GET),
			.session = ID(GET) },
		{ RUN, PUT_IMAGE, "implicit session", .identity = ID(ALL), .boundary = ID(PUT),
			.session = ID(GET) },
		{ RUN, PUT_IMAGE, "allow identity", .identity = ID(ALL), .boundary = ID(PUT),
			.session = ID(PUT) },
		/* A resource policy that names the user, or the session itself, is not cut. */
		{ ME, PUT_IMAGE, "allow repository", .boundary = ID(GET),
			.repository = BY(AWS(USER), PUT) },
		{ RUN, PUT_IMAGE, "allow repository", .boundary = ID(GET), .session = ID(GET),
			.repository = BY(AWS(SESSION), PUT) },
		{ RUN, PUT_IMAGE, "allow repository", .boundary = ID(GET), .session = ID(GET),
			.repository = BY(ANY, PUT) },
		{ FED, PUT_IMAGE, "allow repository", .session = ID(GET),
			.repository = BY(AWS(FEDERATED), PUT) },
		/* One that names the role (or the federated user's user) is. */
		{ RUN, PUT_IMAGE, "implicit identity", .session = ID(GET),
			.repository = BY(AWS(ROLE), PUT) },
		{ RUN, PUT_IMAGE, "implicit identity", .boundary = ID(GET),
			.repository = BY(AWS(ROLE), PUT) },
		{ RUN, PUT_IMAGE, "implicit session", .identity = ID(PUT), .session = ID(GET),
			.repository = BY(AWS(ROLE), PUT) },
		{ RUN, PUT_IMAGE, "allow repository", .boundary = ID(PUT), .session = ID(PUT),
			.repository = BY(AWS(ROLE), PUT) },
		{ RUN, PUT_IMAGE, "allow registry", .session = ID(PUT),
			.registry = BY(AWS(ROLE), PUT) },
		{ FED, PUT_IMAGE, "implicit identity", .session = ID(GET),
			.repository = BY(AWS(USER), PUT) },
		{ RUN, PUT_IMAGE, "allow repository", .session = ID(GET),
			.repository = BY(AWS(ROLE), PUT) "," BY(AWS(SESSION), PUT) },
	};
	CHECK(rows);
}

static void cross_account_needs_both_sides(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ OLGA, PUT_IMAGE, "implicit repository", .identity = NULL },
		{ OLGA, PUT_IMAGE, "implicit repository", .identity = ID(PUT) },
		{ OLGA, PUT_IMAGE, "implicit identity", .repository = BY(AWS(OTHER_USER), PUT) },
		{ OLGA, PUT_IMAGE, "allow repository", .identity = ID(PUT),
			.repository = BY(AWS(OTHER_USER), PUT) },
		{ OLGA, PUT_IMAGE, "allow repository", .identity = ID(PUT),
			.repository = BY(AWS(OTHER), PUT) },
		{ OLGA, PUT_IMAGE, "allow repository", .identity = ID(PUT),
			.repository = BY(AWS(OTHER), PUT), .account_delegates = true },
		{ OLGA, PUT_IMAGE, "allow repository", .identity = ID(PUT),
			.repository = BY(ANY, PUT) },
		{ OLGA, PUT_IMAGE, "implicit identity", .repository = BY(ANY, PUT) },
		{ OLGA, PUT_IMAGE, "allow registry", .identity = ID(PUT),
			.registry = BY(AWS(OTHER), PUT) },
		{ OLGA, PUT_IMAGE, "implicit repository", .identity = ID(PUT),
			.registry = BY(AWS(OTHER), GET) },
		{ OLGA, PUT_IMAGE, "explicit repository", .identity = ID(PUT),
			.repository = DENY_BY(AWS(OTHER), PUT), .registry = BY(AWS(OTHER), PUT) },
		{ OLGA, PUT_IMAGE, "explicit identity", .identity = ID_DENY(PUT),
			.repository = BY(AWS(OTHER), PUT) },
		{ OLGA, PUT_IMAGE, "implicit boundary", .identity = ID(PUT), .boundary = ID(GET),
			.repository = BY(AWS(OTHER_USER), PUT) },
		{ PULL, PUT_IMAGE, "allow repository", .identity = ID(PUT),
			.repository = BY(AWS(OTHER_ROLE), PUT) },
		{ PULL, PUT_IMAGE, "allow repository", .identity = ID(PUT),
			.repository = BY(AWS(OTHER_SESSION), PUT) },
		{ PULL, PUT_IMAGE, "implicit identity", .repository = BY(AWS(OTHER_SESSION), PUT) },
		{ PULL, PUT_IMAGE, "implicit session", .identity = ID(PUT), .session = ID(GET),
			.repository = BY(AWS(OTHER_SESSION), PUT) },
		{ OTHER_ROOT, PUT_IMAGE, "allow repository", .repository = BY(AWS(OTHER), PUT) },
		{ OTHER_ROOT, PUT_IMAGE, "implicit repository", .repository = BY(AWS(MINE), PUT) },
		{ OTHER_ROOT, PUT_IMAGE, "implicit repository", .identity = NULL },
		{ OTHER_ROOT, PUT_IMAGE, "implicit repository",
			.repository = BY(AWS(OTHER_USER), PUT) },
		{ OTHER_ROOT, "ecr:SetRepositoryPolicy", "explicit repository",
			.repository = BY(ANY, ALL) "," DENY_BY(ANY, ALL) },
	};
	CHECK(rows);
}

static void root_may_all_that_no_resource_policy_denies(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ ROOT, PUT_IMAGE, "allow root", .identity = NULL },
		{ ROOT, PUT_IMAGE, "allow root", .repository = BY(ANY, GET) },
		{ ROOT, PUT_IMAGE, "explicit repository", .repository = DENY_BY(ANY, PUT) },
		{ ROOT, PUT_IMAGE, "explicit repository", .repository = DENY_BY(AWS(MINE), PUT) },
		{ ROOT, PUT_IMAGE, "explicit registry", .registry = DENY_BY(ANY, ALL) },
		{ ROOT, "ecr:GetRepositoryPolicy", "explicit registry",
			.registry = DENY_BY(ANY, ALL) },
		{ ROOT, "ecr:SetRepositoryPolicy", "allow root", .repository = DENY_BY(ANY, ALL) },
		{ ROOT, "ecr:DeleteRepositoryPolicy", "allow root", .registry = DENY_BY(ANY, ALL) },
		{ ROOT, "ecr:PutRegistryPolicy", "allow root", .registry = DENY_BY(ANY, ALL) },
		{ ROOT, "ECR:deleteregistrypolicy", "allow root", .registry = DENY_BY(ANY, ALL) },
		{ ME, "ecr:SetRepositoryPolicy", "explicit repository", .identity = ID(ALL),
			.repository = DENY_BY(ANY, ALL) },
		{ ROOT, "ecr:GetAuthorizationToken", "allow root", .identity = NULL },
	};
	CHECK(rows);
}

static void not_principal_spares_whom_it_lists_wholly(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ ME, PUT_IMAGE, "explicit repository", .identity = ID(ALL),
			.repository = UNLESS(AWS(ROLE), PUT) },
		{ ME, PUT_IMAGE, "explicit repository", .identity = ID(ALL),
			.repository = UNLESS(AWS(USER), PUT) },
		{ ME, PUT_IMAGE, "explicit repository", .identity = ID(ALL),
			.repository = UNLESS(AWS(MINE), PUT) },
		{ ME, PUT_IMAGE, "allow identity", .identity = ID(ALL),
			.repository = UNLESS("{'AWS':['" USER "','" MINE "']}", PUT) },
		{ ME, PUT_IMAGE, "explicit repository", .identity = ID(ALL), .boundary = ID(ALL),
			.repository = UNLESS("{'AWS':['" USER "','" MINE "']}", PUT) },
		{ BOB, PUT_IMAGE, "explicit repository", .identity = ID(ALL),
			.repository = UNLESS("{'AWS':['" USER "','" MINE "']}", PUT) },
		{ RUN, PUT_IMAGE, "explicit repository", .identity = ID(ALL),
			.repository = UNLESS("{'AWS':['" ROLE "','" MINE "']}", PUT) },
		{ RUN, PUT_IMAGE, "allow identity", .identity = ID(ALL),
			.repository =
				UNLESS("{'AWS':['" SESSION "','" ROLE "','" MINE "']}", PUT) },
		{ ROOT, PUT_IMAGE, "allow root", .repository = UNLESS(AWS(MINE), PUT) },
		{ ROOT, PUT_IMAGE, "explicit repository", .repository = UNLESS(AWS(OTHER), PUT) },
		{ ME, PUT_IMAGE, "allow identity", .identity = ID(ALL),
			.repository = UNLESS(ANY, PUT) },
		{ NOBODY, PUT_IMAGE, "explicit registry", .repository = BY(ANY, PUT),
			.registry = UNLESS(AWS(MINE), PUT) },
		{ SVC, PUT_IMAGE, "allow repository",
			.repository = BY(ANY, PUT) "," UNLESS("{'Service':'" SERVICE "'}", PUT) },
		{ SVC, PUT_IMAGE, "explicit repository",
			.repository = BY(ANY, PUT) "," UNLESS("{'Service':'x.y'}", PUT) },
	};
	CHECK(rows);
}

static void callers_without_identity_policies(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ NOBODY, PUT_IMAGE, "implicit repository", .identity = NULL },
		{ NOBODY, PUT_IMAGE, "implicit repository", .identity = ID(ALL) },
		{ NOBODY, PUT_IMAGE, "allow repository", .repository = BY(ANY, PUT) },
		{ NOBODY, PUT_IMAGE, "implicit repository", .repository = BY(AWS(MINE), PUT) },
		{ NOBODY, PUT_IMAGE, "explicit repository",
			.repository = BY(ANY, PUT) "," DENY_BY(ANY, PUT) },
		{ SVC, PUT_IMAGE, "allow registry",
			.registry = BY("{'Service':'" SERVICE "'}", PUT) },
		{ SVC, PUT_IMAGE, "implicit repository", .registry = BY("{'Service':'x.y'}", PUT) },
		{ SVC, PUT_IMAGE, "implicit repository", .identity = ID(ALL) },
		{ WEB, PUT_IMAGE, "implicit repository", .repository = BY(ANY, PUT) },
		{ WEB, PUT_IMAGE, "explicit repository", .repository = DENY_BY(ANY, PUT) },
	};
	CHECK(rows);
}

static void only_identity_policies_grant_login(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ ME, "ecr:GetAuthorizationToken", "allow identity", .identity = ID(ALL) },
		{ ME, "ecr:GetAuthorizationToken", "implicit identity", .registry = BY(ANY, ALL) },
		{ ME, "ecr:GetAuthorizationToken", "explicit registry", .identity = ID(ALL),
			.registry = DENY_BY(ANY, ALL) },
		{ RUN, "ECR:GETAUTHORIZATIONTOKEN", "implicit identity",
			.registry = BY(AWS(SESSION), ALL) },
	};
	CHECK(rows);
}

static void trust_policies_say_who_assumes_a_role(void **state)
{
	(void)state;
	static const char assume[] = "sts:AssumeRole";
	static const char may[] = ID("'Action':'sts:AssumeRole'");
	static const struct row rows[] = {
		{ ME, assume, "allow trust", .trust = TRUSTS(AWS(USER)) },
		{ BOB, assume, "implicit trust", .identity = may, .trust = TRUSTS(AWS(USER)) },
		{ ME, assume, "allow trust", .trust = TRUSTS(ANY) },
		{ ME, assume, "implicit identity", .trust = TRUSTS(AWS(MINE)) },
		{ ME, assume, "allow trust", .identity = may, .trust = TRUSTS(AWS(MINE)) },
		{ ME, assume, "explicit identity", .identity = ID_DENY("'Action':'sts:AssumeRole'"),
			.trust = TRUSTS(AWS(USER)) },
		{ ME, assume, "explicit trust", .identity = may,
			.trust = TRUSTS(AWS(USER)) "," TRUSTS_NOT(AWS(MINE)) },
		{ ME, "sts:TagSession", "implicit trust", .identity = ID(ALL),
			.trust = TRUSTS(AWS(USER)) },
		{ RUN, assume, "allow trust", .trust = TRUSTS(AWS(ROLE)) },
		{ RUN, assume, "allow trust", .trust = TRUSTS(AWS(SESSION)) },
		{ RUN, assume, "implicit identity", .session = ID(GET),
			.trust = TRUSTS(AWS(ROLE)) },
		{ RUN, assume, "implicit session", .identity = may, .session = ID(GET),
			.trust = TRUSTS(AWS(ROLE)) },
		{ OLGA, assume, "implicit identity", .trust = TRUSTS(AWS(OTHER_USER)) },
		{ OLGA, assume, "allow trust", .identity = may, .trust = TRUSTS(AWS(OTHER_USER)) },
		{ OLGA, assume, "allow trust", .identity = may, .trust = TRUSTS(AWS(OTHER)) },
		{ OLGA, assume, "implicit trust", .identity = may, .trust = TRUSTS(AWS(MINE)) },
		{ OLGA, assume, "implicit identity", .trust = TRUSTS(ANY) },
		{ ROOT, assume, "implicit trust", .trust = TRUSTS(AWS(USER)) },
		{ SVC, assume, "allow trust", .trust = TRUSTS("{'Service':'" SERVICE "'}") },
		{ SVC, assume, "implicit trust",
			.trust = TRUSTS("{'Service':'ec2.amazonaws.com'}") },
		{ NOBODY, assume, "implicit trust", .trust = TRUSTS(ANY) },
		{ WEB, assume, "allow trust", .trust = TRUSTS("{'Federated':'" PROVIDER "'}") },
		{ WEB, assume, "implicit trust", .trust = TRUSTS("{'Federated':'" PROVIDER "x'}") },
		{ WEB, assume, "implicit trust", .trust = TRUSTS(ANY) },
		{ WEB, assume, "implicit trust", .trust = TRUSTS("{'AWS':'*'}") },
		{ WEB, assume, "explicit trust",
			.trust = TRUSTS("{'Federated':'" PROVIDER "'}") "," TRUSTS_NOT(ANY) },
	};
	CHECK(rows);
}

static void an_absurd_action_matches_nothing(void **state)
{
	(void)state;
	char action[200];
	memset(action, 'a', sizeof(action) - 1);
	action[sizeof(action) - 1] = '\0';
	const struct row rows[] = { { ME, action, "implicit identity", .identity = ID(ALL) } };
	CHECK(rows);
}

static void refusals_say_why(void **state)
{
	(void)state;

	static const struct {
		enum policy_class by;
		bool is_explicit;
		const char *why;
	} rows[] = {
		{ POLICY_BY_IDENTITY, false,
			"because no identity-based policy allows the ecr:PutImage action" },
		{ POLICY_BY_BOUNDARY, false,
			"because no permissions boundary allows the ecr:PutImage action" },
		{ POLICY_BY_SESSION, false,
			"because no session policy allows the ecr:PutImage action" },
		{ POLICY_BY_REPOSITORY, false,
			"because no resource-based policy allows the ecr:PutImage action" },
		{ POLICY_BY_TRUST, false,
			"because no role trust policy allows the ecr:PutImage action" },
		{ POLICY_BY_IDENTITY, true, "with an explicit deny in an identity-based policy" },
		{ POLICY_BY_BOUNDARY, true, "with an explicit deny in a permissions boundary" },
		{ POLICY_BY_SESSION, true, "with an explicit deny in a session policy" },
		{ POLICY_BY_REPOSITORY, true, "with an explicit deny in a resource-based policy" },
		{ POLICY_BY_REGISTRY, true, "with an explicit deny in a resource-based policy" },
		{ POLICY_BY_TRUST, true, "with an explicit deny in the role trust policy" },
	};
	const struct policy_request request = {
		.caller = callers[ME],
		.action = STR("ecr:PutImage"),
		.resource = STR(REPO),
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct policy_decision d = { .is_explicit = rows[i].is_explicit, .by = rows[i].by };
		struct err err;
		char wanted[512];
		assert_false(policy_refuse(&request, &d, &err));
		assert_int_equal(err.kind, ERR_DENIED);
		(void)snprintf(wanted, sizeof(wanted),
			"User: " USER
			" is not authorized to perform: ecr:PutImage on resource: " REPO " %s",
			rows[i].why);
		assert_string_equal(err.msg, wanted);
	}
}

/* What the documentation of the managed policies promises, for actions that tell them apart. */
static void managed_policies_grant_what_they_promise(void **state)
{
	(void)state;

	static const struct {
		const char *action;
		const char *granted; /* Full, Power, Read, Pull */
	} rows[] = {
		{ "ecr:GetAuthorizationToken", "yyyy" },
		{ "ecr:BatchGetImage", "yyyy" },
		{ "ecr:GetDownloadUrlForLayer", "yyyy" },
		{ "ecr:BatchImportUpstreamImage", "ynny" },
		{ "ecr:BatchCheckLayerAvailability", "yyyn" },
		{ "ecr:DescribeRepositories", "yyyn" },
		{ "ecr:ListImages", "yyyn" },
		{ "ecr:DescribeImages", "yyyn" },
		{ "ecr:GetRepositoryPolicy", "yyyn" },
		{ "ecr:GetLifecyclePolicy", "yyyn" },
		{ "ecr:GetLifecyclePolicyPreview", "yyyn" },
		{ "ecr:ListTagsForResource", "yyyn" },
		{ "ecr:DescribeImageScanFindings", "yyyn" },
		{ "ecr:InitiateLayerUpload", "yynn" },
		{ "ecr:UploadLayerPart", "yynn" },
		{ "ecr:CompleteLayerUpload", "yynn" },
		{ "ecr:PutImage", "yynn" },
		{ "ecr:DeleteRepository", "ynnn" },
		{ "ecr:SetRepositoryPolicy", "ynnn" },
		{ "ecr:BatchDeleteImage", "ynnn" },
		{ "ecr:CreateRepository", "ynnn" },
		{ "cloudtrail:LookupEvents", "ynnn" },
		{ "iam:CreateServiceLinkedRole", "nnnn" },
		{ "iam:CreateUser", "nnnn" },
	};

	for (size_t p = 0; p < MANAGED_POLICY_COUNT; p++) {
		struct policy *compiled CLEANUP(policy_freep) = NULL;
		struct err err;
		ASSERT_DONE(policy_compile(
			str_from(managed_policies[p].document), POLICY_IDENTITY, &compiled, &err));
		const struct policy *const list[] = { compiled };
		const struct policy_set set = { .identity = { list, 1 } };
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct policy_request request = { .caller = callers[ME],
				.action = str_from(rows[i].action),
				.resource = STR(REPO),
				.account = STR(MINE) };
			if (policy_eval(&set, &request).is_allowed != (rows[i].granted[p] == 'y'))
				fail_msg("%s, %s", managed_policies[p].name, rows[i].action);
		}
	}
}

#define ROUNDS 20000

/* Measures only: a typical set of policies, asked for a push and for something that nothing allows.
 */
static void a_decision_takes_microseconds(void **state)
{
	(void)state;
	struct err err;
	struct policy *power CLEANUP(policy_freep) = NULL;
	struct policy *repository CLEANUP(policy_freep) = compile(
		BY(AWS(OTHER),
			"'Action':['ecr:BatchGetImage','ecr:GetDownloadUrlForLayer']") "," DENY_BY(ANY,
			"'Action':'ecr:Delete*','Condition':{'NotIpAddress':"
			"{'aws:SourceIp':['203.0.113.0/24','10.0.0.0/8']}}"),
		POLICY_REPOSITORY);
	struct policy *registry CLEANUP(policy_freep) =
		compile("{'Effect':'Allow','Principal':{'AWS':'" OTHER
			"'},'Action':['ecr:ReplicateImage','ecr:CreateRepository'],'Resource':"
			"'arn:aws:ecr:eu-west-1:" MINE ":repository/*'}",
			POLICY_REGISTRY);
	ASSERT_DONE(policy_compile(
		str_from(managed_policies[1].document), POLICY_IDENTITY, &power, &err));
	const struct policy *const lists[] = { power, repository, registry };
	const struct policy_set set = { .identity = { &lists[0], 1 },
		.repository = { &lists[1], 1 },
		.registry = { &lists[2], 1 } };
	const struct str ip = STR("203.0.113.7");
	const struct policy_key keys[] = { { STR("aws:PrincipalArn"), &callers[RUN].arn, 1 },
		{ STR("aws:userid"), &callers[RUN].account, 1 }, { STR("aws:SourceIp"), &ip, 1 } };
	static const char *const actions[] = { "ecr:PutImage", "ecr:DeleteRepository" };
	for (size_t a = 0; a < ARRAY_LEN(actions); a++) {
		const struct policy_request request = { callers[RUN], str_from(actions[a]),
			STR(REPO), STR(MINE), keys, ARRAY_LEN(keys), false };
		int64_t start = clock_mono_us();
		for (int i = 0; i < ROUNDS; i++)
			assert_int_equal(policy_eval(&set, &request).is_allowed, a == 0);
		print_message("# bench: %s decided in %.2f us\n", actions[a],
			(double)(clock_mono_us() - start) / ROUNDS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_account_needs_one_allow),
		cmocka_unit_test(an_account_as_principal_means_all_in_it),
		cmocka_unit_test(an_explicit_deny_decides),
		cmocka_unit_test(boundaries_and_session_policies_cut),
		cmocka_unit_test(cross_account_needs_both_sides),
		cmocka_unit_test(root_may_all_that_no_resource_policy_denies),
		cmocka_unit_test(not_principal_spares_whom_it_lists_wholly),
		cmocka_unit_test(callers_without_identity_policies),
		cmocka_unit_test(only_identity_policies_grant_login),
		cmocka_unit_test(trust_policies_say_who_assumes_a_role),
		cmocka_unit_test(an_absurd_action_matches_nothing),
		cmocka_unit_test(refusals_say_why),
		cmocka_unit_test(managed_policies_grant_what_they_promise),
		cmocka_unit_test(a_decision_takes_microseconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
