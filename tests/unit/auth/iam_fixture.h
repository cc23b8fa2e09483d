/* iam_fixture.h - on top of auth_fixture.h: users and roles, and questions asked for them. */
#ifndef BERTH_TESTS_AUTH_IAM_FIXTURE_H
#define BERTH_TESTS_AUTH_IAM_FIXTURE_H

#include "auth/assume.h"
#include "auth_fixture.h"
#include "iam/iam_key.h"
#include "iam/iam_part.h"
#include "iam/iam_policy.h"

#define REPO "arn:aws:ecr:" TEST_REGION ":" TEST_ACCOUNT ":repository/"
#define ALLOW(action, resource)                                                                 \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"" action \
	"\",\"Resource\":\"" resource "\"}]}"
#define DENY(action, resource)                                                                 \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"" action \
	"\",\"Resource\":\"" resource "\"}]}"
#define TRUST(principal)                                                                           \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":" \
	"\"" principal "\"},\"Action\":\"sts:AssumeRole\"}]}"

static inline UNUSED struct iam_entity fixture_make(
	struct fixture *f, enum iam_type type, const char *name, const char *document)
{
	struct err err;
	const struct iam_tags none = { NULL, 0 };
	struct iam_entity e = { .account = STR(TEST_ACCOUNT),
		.type = type,
		.name = str_from(name),
		.document = str_from(document),
		.max_session_s = type == IAM_TYPE_ROLE ? 7200 : 0 };
	ASSERT_DONE(iam_create(auth_iam(f->auth), &e, none, f->arena, &e, &err));
	return e;
}

static inline UNUSED struct iam_ref fixture_ref(enum iam_type type, const char *name)
{
	return (struct iam_ref){ STR(TEST_ACCOUNT), type, str_from(name) };
}

static inline UNUSED void fixture_inline(
	struct fixture *f, enum iam_type type, const char *name, const char *document)
{
	struct err err;
	struct iam_ref ref = fixture_ref(type, name);
	ASSERT_DONE(iam_inline_put(auth_iam(f->auth), &ref, STR("p"), str_from(document), &err));
}

/* A principal as a signed request of a new key of the user gives. */
static inline UNUSED struct principal fixture_user(struct fixture *f, const struct iam_entity *e)
{
	struct err err;
	struct iam_new_key key;
	ASSERT_DONE(iam_key_create(auth_iam(f->auth), e->account, e->name, &key, &err));
	return (struct principal){
		.account = e->account,
		.region = STR(TEST_REGION),
		.arn = iam_arn(f->arena, e),
		.user_id = e->uid,
		.key_id = arena_str(f->arena, str_from(key.key.id)),
		.entity_id = e->id,
		.name = e->name,
	};
}

static inline UNUSED bool fixture_may(
	struct fixture *f, const struct principal *who, const char *action, const char *resource)
{
	struct err err;
	const struct auth_context context = { .source_ip = STR("10.1.2.3") };
	struct auth_question q = { .who = who,
		.action = str_from(action),
		.account = STR(TEST_ACCOUNT),
		.resource = str_from(resource),
		.context = &context };
	bool may = auth_allow(f->auth, &q, &err);
	if (!may && err.kind != ERR_DENIED)
		fail_msg("%s: %s (%s)", err_kind_name(err.kind), err_text(&err), err.detail);
	return may;
}

#endif
