/* May they: auth_allow, and who may assume a role. Gathers what auth/policy.h decides on. */
#include <inttypes.h>
#include <stdio.h>

#include "auth/auth_priv.h"
#include "auth/policy.h"
#include "auth/session.h"
#include "base/clock.h"
#include "base/codec.h"

/* Keys: those of the context below, tags of principal, request and resource (50 each, the
 * resource's twice), and the service's own. */
#define FIXED_MAX  20
#define TAGS_MAX   50
#define TEXT_MAX   (64 * KIB) /* names of tag keys */
#define NUMBER_MAX 24

/* The keys of one request, and where their texts are. */
struct facts {
	struct policy_key keys[FIXED_MAX];
	struct str values[FIXED_MAX];
	size_t count;
	char now_iso[ISO8601_MAX], now_s[NUMBER_MAX], issued_iso[ISO8601_MAX];
	/* with tags only */
	struct arena *arena;
	struct policy_key *all;
	size_t all_count, all_max;
};

static void facts_fini(struct facts *f)
{
	arena_free(f->arena);
}

static void put(struct facts *f, const char *name, struct str value)
{
	if (value.len == 0 || f->count == FIXED_MAX)
		return;
	f->values[f->count] = value;
	f->keys[f->count] = (struct policy_key){ str_from(name), &f->values[f->count], 1 };
	f->count++;
}

static const char *principal_type(const struct principal *who)
{
	if (who->is_root)
		return "Account";
	return who->role_arn.len != 0 ? "AssumedRole" : "User";
}

static void put_context(struct facts *f, const struct auth_context *c)
{
	int64_t now_ms = clock_now_ms();
	iso8601(now_ms, f->now_iso);
	(void)snprintf(f->now_s, sizeof(f->now_s), "%" PRId64, now_ms / 1000);
	put(f, "aws:CurrentTime", str_from(f->now_iso));
	put(f, "aws:EpochTime", str_from(f->now_s));
	if (c == NULL)
		return;
	put(f, "aws:SourceIp", c->source_ip);
	put(f, "aws:SecureTransport", c->is_tls ? STR("true") : STR("false"));
	put(f, "aws:UserAgent", c->user_agent);
}

static void put_principal(struct facts *f, const struct principal *who)
{
	bool is_role = who->role_arn.len != 0;
	put(f, "aws:PrincipalArn", is_role ? who->role_arn : who->arn);
	put(f, "aws:PrincipalAccount", who->account);
	put(f, "aws:PrincipalType", str_from(principal_type(who)));
	put(f, "aws:userid", who->user_id);
	put(f, "aws:RequestedRegion", who->region);
	if (!is_role)
		put(f, "aws:username", who->name);
	if (who->session.len == 0)
		return;
	iso8601(who->session_issued_ms, f->issued_iso);
	put(f, "aws:TokenIssueTime", str_from(f->issued_iso));
	put(f, "aws:MultiFactorAuthPresent", STR("false"));
}

static bool full(struct err *err)
{
	return err_sys(err, ERR_INTERNAL, 0, "the tags of a decision are too long");
}

/* Moves the keys to where there is room for more. */
static bool facts_grow(struct facts *f, size_t more, struct err *err)
{
	f->arena = arena_new(TEXT_MAX);
	f->all_max = f->count + more;
	f->all = arena_alloc(f->arena, f->all_max * sizeof(*f->all));
	if (f->all == NULL)
		return full(err);
	memcpy(f->all, f->keys, f->count * sizeof(*f->all));
	f->all_count = f->count;
	return true;
}

static bool put_tag(struct facts *f, const char *prefix, const struct str *name,
	const struct str *value, struct err *err)
{
	struct str key = arena_printf(f->arena, "%s" STR_FMT, prefix, STR_ARG(*name));
	if (key.ptr == NULL || f->all_count == f->all_max)
		return full(err);
	f->all[f->all_count++] = (struct policy_key){ key, value, 1 };
	return true;
}

/* A session's own tags come before the role's of the same name: the first of a name counts. */
static bool put_principal_tags(
	struct facts *f, const struct session *s, const struct grants *g, struct err *err)
{
	for (size_t i = 0; s != NULL && i < s->tag_count; i++) {
		if (!put_tag(f, "aws:PrincipalTag/", &s->tags[i].name, &s->tags[i].value, err))
			return false;
	}
	for (size_t i = 0; g != NULL && i < g->tags.count; i++) {
		if (!put_tag(f, "aws:PrincipalTag/", &g->tags.items[i].name,
			    &g->tags.items[i].value, err))
			return false;
	}
	return true;
}

static bool put_request_tags(struct facts *f, const struct auth_context *c, struct err *err)
{
	struct str *names = arena_alloc(f->arena, (c->request_tag_count + 1) * sizeof(*names));
	if (names == NULL || f->all_count == f->all_max)
		return full(err);
	for (size_t i = 0; i < c->request_tag_count; i++) {
		names[i] = c->request_tags[i].name;
		if (!put_tag(f, "aws:RequestTag/", &c->request_tags[i].name,
			    &c->request_tags[i].value, err))
			return false;
	}
	if (c->request_tag_count != 0)
		f->all[f->all_count++] =
			(struct policy_key){ STR("aws:TagKeys"), names, c->request_tag_count };
	return true;
}

static bool put_resource_tags(struct facts *f, const struct auth_tag *tags, size_t count,
	struct str action, struct err *err)
{
	struct str service = str_sub(action, 0, str_find_char(action, ':'));
	struct str prefix = arena_printf(f->arena, STR_FMT ":ResourceTag/", STR_ARG(service));
	if (prefix.ptr == NULL)
		return full(err);
	for (size_t i = 0; i < count; i++) {
		if (!put_tag(f, "aws:ResourceTag/", &tags[i].name, &tags[i].value, err) ||
			!put_tag(f, prefix.ptr, &tags[i].name, &tags[i].value, err))
			return false;
	}
	return true;
}

/* What is needed beyond the fixed keys; nothing is allocated when that is nothing. */
static bool put_lists(struct facts *f, const struct auth_question *q, const struct session *s,
	const struct grants *g, bool reads_resource_tags, struct err *err)
{
	static const struct auth_context none = { .is_tls = false };
	const struct auth_context *c = q->context != NULL ? q->context : &none;
	const struct auth_tag *tags = NULL;
	size_t tag_count = 0;
	if (reads_resource_tags && c->resource_tags != NULL &&
		!c->resource_tags(c->resource_tags_arg, &tags, &tag_count, err))
		return false;
	size_t more = (s != NULL ? s->tag_count : 0) + (g != NULL ? g->tags.count : 0) +
		      c->request_tag_count + 2 * tag_count + c->key_count;
	if (more == 0) {
		f->all = f->keys;
		f->all_count = f->count;
		return true;
	}
	if (!facts_grow(f, more + 1, err))
		return false;
	for (size_t i = 0; i < c->key_count; i++)
		f->all[f->all_count++] = c->keys[i];
	return put_principal_tags(f, s, g, err) && put_request_tags(f, c, err) &&
	       put_resource_tags(f, tags, tag_count, q->action, err);
}

static struct policy_caller caller_of(const struct principal *who)
{
	enum caller_kind kind = CALLER_USER;
	if (who->is_root)
		kind = CALLER_ROOT;
	else if (who->role_arn.len != 0)
		kind = CALLER_ROLE_SESSION;
	return (struct policy_caller){
		.kind = kind,
		.arn = who->arn,
		.issuer_arn = who->role_arn,
		.account = who->account,
	};
}

/* Grants and resource policies, held for one decision. */
struct held {
	struct auth *auth;
	struct grants *grants;
	bool has_policies;
	struct auth_resource_policies policies;
	struct session session;
	bool has_session;
};

static void held_drop(struct held *h)
{
	grants_release(h->auth->grants, h->grants);
	if (h->has_policies)
		h->auth->source.release(h->auth->source.arg, &h->policies);
}

static bool take_grants(struct held *h, const struct principal *who, struct err *err)
{
	if (who->session.len != 0) {
		if (!session_parse(who->session, &h->session))
			return err_sys(err, ERR_INTERNAL, 0, "a session's record is damaged");
		h->has_session = true;
	}
	return who->entity_id == 0 || grants_take(h->auth->grants, who->entity_id,
					      h->has_session ? &h->session : NULL, &h->grants, err);
}

/* The Region is in the resource's ARN; "*" is in the caller's. */
static struct str region_of(const struct auth_question *q)
{
	struct str rest = q->resource;
	struct str field = { NULL, 0 };
	for (int i = 0; i < 4; i++)
		str_cut(rest, ':', &field, &rest);
	return field.len != 0 && str_starts(q->resource, STR("arn:")) ? field : q->who->region;
}

static bool take_policies(struct held *h, const struct auth_question *q, struct err *err)
{
	const struct auth_policy_source *source = &h->auth->source;
	if (source->find == NULL || !str_starts(q->action, STR("ecr:")))
		return true;
	h->has_policies =
		source->find(source->arg, q->account, region_of(q), q->resource, &h->policies, err);
	return h->has_policies;
}

static bool reads_tags(const struct policy *p)
{
	return p != NULL && (policy_reads(p, STR("aws:resourcetag/")) ||
				    policy_reads(p, STR("ecr:resourcetag/")));
}

static bool decide(const struct auth_question *q, struct held *h, struct facts *f,
	const struct policy *trust, struct policy_caller caller, struct err *err)
{
	static const struct policy_list none = { NULL, 0 };
	const struct grants *g = h->grants;
	const struct policy *repository =
		q->repository_policy != NULL ? q->repository_policy : h->policies.repository;
	const struct policy *registry = h->policies.registry;
	bool tags = (g != NULL && g->reads_resource_tags) || reads_tags(repository) ||
		    reads_tags(registry) || reads_tags(trust);
	if (!put_lists(f, q, h->has_session ? &h->session : NULL, g, tags, err))
		return false;
	const struct policy_set set = {
		.identity = g != NULL ? g->identity : none,
		.boundary = g != NULL ? g->boundary : none,
		.session = g != NULL ? g->session : none,
		.repository = { &repository, repository != NULL },
		.registry = { &registry, registry != NULL },
		.trust = { &trust, trust != NULL },
	};
	const struct policy_request request = {
		.caller = caller,
		.action = q->action,
		.resource = q->resource,
		.account = q->account,
		.keys = f->all,
		.key_count = f->all_count,
	};
	struct policy_decision decision = { .by = POLICY_BY_IDENTITY };
	/* A user or role that is gone may not even do what a resource policy allows it. */
	if (g != NULL || caller.kind == CALLER_ROOT || caller.kind == CALLER_WEB_IDENTITY)
		decision = policy_eval(&set, &request);
	return decision.is_allowed || policy_refuse(&request, &decision, err);
}

bool auth_allow(struct auth *a, const struct auth_question *q, struct err *err)
{
	struct held h CLEANUP(held_drop) = { .auth = a };
	struct facts f CLEANUP(facts_fini) = { .count = 0 };
	if (!take_grants(&h, q->who, err) || !take_policies(&h, q, err))
		return false;
	put_context(&f, q->context);
	put_principal(&f, q->who);
	put(&f, "aws:ResourceAccount", q->account);
	return decide(q, &h, &f, NULL, caller_of(q->who), err);
}

bool auth_allow_trust(struct auth *a, const struct auth_question *q, struct str provider,
	struct str trust, struct err *err)
{
	struct held h CLEANUP(held_drop) = { .auth = a };
	struct facts f CLEANUP(facts_fini) = { .count = 0 };
	struct policy *p CLEANUP(policy_freep) = NULL;
	struct policy_caller caller = { .kind = CALLER_WEB_IDENTITY, .arn = provider };
	if (!policy_compile(trust, POLICY_TRUST, &p, err)) {
		err->kind = ERR_CORRUPT;
		return err_wrap(err, "the trust policy of %.*s", STR_ARG(q->resource));
	}
	put_context(&f, q->context);
	if (provider.len != 0) {
		put(&f, "aws:FederatedProvider", provider);
	} else {
		caller = caller_of(q->who);
		if (!take_grants(&h, q->who, err))
			return false;
		put_principal(&f, q->who);
	}
	put(&f, "aws:ResourceAccount", q->account);
	return decide(q, &h, &f, p, caller, err);
}
