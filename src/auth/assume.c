#include "auth/assume.h"

#include "auth/auth_priv.h"
#include "auth/managed_policies.h"
#include "auth/policy.h"
#include "base/clock.h"
#include "iam/iam_part.h"
#include "iam/iam_policy.h"

#define HOUR_S        3600
#define TOKEN_FIRST_S 43200  /* GetSessionToken's default */
#define TOKEN_MAX_S   129600 /* and longest life */
#define CLIENTS_MAX   100
#define KEYS_MAX      (OIDC_CLAIMS_MAX + 4)

static bool no_memory(struct err *err)
{
	return err_sys(err, ERR_INTERNAL, 0, "request arena exhausted");
}

static bool refuse(struct err *err, const struct principal *who, struct str role_arn)
{
	return err_set(err, ERR_DENIED,
		"User: " STR_FMT
		" is not authorized to perform: sts:AssumeRole on resource: " STR_FMT,
		STR_ARG(who->arn), STR_ARG(role_arn));
}

static bool refuse_web(struct err *err)
{
	return err_set(err, ERR_DENIED, "Not authorized to perform sts:AssumeRoleWithWebIdentity");
}

/* *found false: there is no role of exactly that ARN. */
static bool find_role(struct auth *a, struct str arn, struct arena *arena, struct iam_entity *out,
	bool *found, struct err *err)
{
	struct iam_ref ref;
	struct str path;
	struct iam_entity role;
	struct err why;
	*found = false;
	if (!iam_arn_parse(arn, IAM_TYPE_ROLE, &ref, &path))
		return err_set(
			err, ERR_INVALID, "ValidationError: " STR_FMT " is invalid", STR_ARG(arn));
	if (!iam_get(a->iam, &ref, arena, &role, &why)) {
		if (why.kind == ERR_INVALID) /* NoSuchEntity: told as a refusal, as by AWS */
			return true;
		*err = why;
		return false;
	}
	if (!str_eq(role.path, path) || !str_eq(role.name, ref.name))
		return true;
	*out = role;
	*found = true;
	return true;
}

static bool check_duration(const struct assume_request *r, const struct iam_entity *role,
	bool chained, struct err *err)
{
	int64_t max = role->max_session_s != 0 ? role->max_session_s : HOUR_S;
	if (chained && r->duration_s > HOUR_S)
		return err_set(err, ERR_INVALID,
			"ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed "
			"by role chaining");
	if (r->duration_s > max)
		return err_set(err, ERR_INVALID,
			"ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
	return true;
}

/* That the session policies can be read, and exist. */
static bool check_policies(struct auth *a, const struct assume_request *r, struct str account,
	struct arena *arena, struct err *err)
{
	struct policy *p CLEANUP(policy_freep) = NULL;
	struct err why;
	if (r->policy.len > ASSUME_POLICY_MAX)
		return err_set(err, ERR_INVALID,
			"PackedPolicyTooLarge: The session policy is longer than %d characters",
			ASSUME_POLICY_MAX);
	if (r->policy.len != 0 && !policy_compile(r->policy, POLICY_SESSION, &p, &why))
		return err_set(err, ERR_INVALID, "MalformedPolicyDocument: %.500s", err_text(&why));
	for (size_t i = 0; i < r->policy_arn_count; i++) {
		struct str text;
		if (managed_policy_find(r->policy_arns[i]) != NULL)
			continue;
		if (!iam_document_find(a->iam, account, r->policy_arns[i], arena, &text, err))
			return false;
		if (text.ptr == NULL)
			return err_set(err, ERR_INVALID,
				"ValidationError: The policy with ARN " STR_FMT
				" could not be found.",
				STR_ARG(r->policy_arns[i]));
	}
	return true;
}

static bool begin(struct auth *a, const struct assume_request *r, const struct iam_entity *role,
	struct arena *arena, struct assumed *out, struct err *err)
{
	int64_t now_ms = clock_now_ms();
	int64_t duration_s = r->duration_s != 0 ? r->duration_s : HOUR_S;
	struct session s = {
		.account = role->account,
		.entity_id = role->id,
		.uid = role->uid,
		.name = r->session_name,
		.issued_at_ms = now_ms,
		.ends_at_ms = now_ms + duration_s * 1000,
		.policy = r->policy,
	};
	struct assumed made;
	size_t carried = r->policy.len;
	if (r->policy_arn_count > SESSION_ARNS_MAX || r->tag_count > SESSION_TAGS_MAX)
		return err_set(
			err, ERR_INVALID, "ValidationError: too many session policies or tags");
	for (size_t i = 0; i < r->policy_arn_count; i++) {
		s.policy_arns[s.policy_arn_count++] = r->policy_arns[i];
		carried += r->policy_arns[i].len;
	}
	for (size_t i = 0; i < r->tag_count; i++) {
		s.tags[s.tag_count++] = r->tags[i];
		carried += r->tags[i].name.len + r->tags[i].value.len;
	}
	if (!session_issue(a, &s, arena, &made.credentials, err)) {
		if (err->kind != ERR_TOO_LARGE)
			return false;
		return err_set(err, ERR_INVALID,
			"PackedPolicyTooLarge: The session's policies and tags are too large");
	}
	made.arn = arena_printf(arena, "arn:aws:sts::" STR_FMT ":assumed-role/" STR_FMT "/" STR_FMT,
		STR_ARG(role->account), STR_ARG(role->name), STR_ARG(r->session_name));
	made.user_id = arena_printf(
		arena, STR_FMT ":" STR_FMT, STR_ARG(role->uid), STR_ARG(r->session_name));
	made.packed_percent = (unsigned)(carried * 100 / SESSION_RECORD_MAX);
	if (made.arn.ptr == NULL || made.user_id.ptr == NULL)
		return no_memory(err);
	*out = made;
	return true;
}

static bool ask(struct auth *a, const struct principal *who, const struct auth_context *context,
	const char *action, const struct iam_entity *role, struct str role_arn, struct err *err)
{
	struct auth_question q = {
		.who = who,
		.action = str_from(action),
		.account = role->account,
		.resource = role_arn,
		.context = context,
	};
	return auth_allow_trust(a, &q, (struct str){ NULL, 0 }, role->document, err);
}

bool assume_role(struct auth *a, const struct principal *who, const struct auth_context *context,
	const struct assume_request *r, struct arena *arena, struct assumed *out, struct err *err)
{
	struct iam_entity role;
	bool found;
	const struct policy_key keys[] = {
		{ STR("sts:ExternalId"), &r->external_id, r->external_id.len != 0 },
		{ STR("sts:RoleSessionName"), &r->session_name, 1 },
	};
	struct auth_context c = *context;
	c.keys = keys;
	c.key_count = ARRAY_LEN(keys);
	c.request_tags = r->tags;
	c.request_tag_count = r->tag_count;
	if (!find_role(a, r->role_arn, arena, &role, &found, err))
		return false;
	/* "Roles may not be assumed by root accounts." */
	if (who->is_root)
		return err_set(err, ERR_DENIED, "Roles may not be assumed by root accounts.");
	if (!found)
		return refuse(err, who, r->role_arn);
	if (!ask(a, who, &c, "sts:AssumeRole", &role, r->role_arn, err))
		return err->kind == ERR_DENIED ? refuse(err, who, r->role_arn) : false;
	if (r->tag_count != 0 && !ask(a, who, &c, "sts:TagSession", &role, r->role_arn, err))
		return false;
	return check_duration(r, &role, who->role_arn.len != 0, err) &&
	       check_policies(a, r, role.account, arena, err) &&
	       begin(a, r, &role, arena, out, err);
}

/* The provider of the role's account for the issuer. */
static bool find_provider(struct auth *a, struct str account, struct str issuer,
	struct arena *arena, struct iam_entity *out, struct err *err)
{
	struct str name = issuer;
	struct err why;
	if (str_starts(issuer, STR("https://")))
		name = str_sub(issuer, 8, issuer.len);
	else if (str_starts(issuer, STR("http://")))
		name = str_sub(issuer, 7, issuer.len);
	struct iam_ref ref = { account, IAM_TYPE_OIDC, name };
	if (iam_get(a->iam, &ref, arena, out, &why)) {
		if (str_eq(out->description, issuer))
			return true;
	} else if (why.kind != ERR_INVALID) {
		*err = why;
		return false;
	}
	return err_set(err, ERR_INVALID,
		"InvalidIdentityToken: No OpenIDConnect provider found in your account for " STR_FMT,
		STR_ARG(issuer));
}

/* OpenID Connect Core 2: azp, where it is, is the party the token was issued to. */
static bool check_audience(struct auth *a, const struct iam_entity *provider,
	const struct oidc_token *t, struct arena *arena, struct str *out, struct err *err)
{
	struct iam_ref ref = { provider->account, IAM_TYPE_OIDC, provider->name };
	const struct iam_part *clients;
	size_t n = 0;
	const struct oidc_claim *asked = oidc_claim(t, "azp");
	if (asked == NULL)
		asked = oidc_claim(t, "aud");
	if (!iam_part_list(a->iam,
		    &(const struct iam_part_page){ &ref, IAM_PART_CLIENT, STR(""), CLIENTS_MAX },
		    arena, &clients, &n, err))
		return false;
	for (size_t i = 0; asked != NULL && i < asked->count; i++) {
		for (size_t j = 0; j < n; j++) {
			if (str_eq(asked->values[i], clients[j].name)) {
				*out = asked->values[i];
				return true;
			}
		}
	}
	return err_set(err, ERR_INVALID, "InvalidIdentityToken: Incorrect token audience");
}

/* The token's claims as condition keys "<issuer>:<claim>"; as AWS has it, aud is azp where that is,
 * and oaud the token's own aud. */
static bool claim_keys(const struct iam_entity *provider, const struct oidc_token *t,
	struct arena *arena, struct policy_key keys[KEYS_MAX], size_t *out_n, struct err *err)
{
	const struct oidc_claim *azp = oidc_claim(t, "azp");
	size_t n = 0;
	for (size_t i = 0; i < t->claim_count; i++) {
		const struct oidc_claim *c = &t->claims[i];
		struct str name = c->name;
		if (azp != NULL && str_eq(name, STR("aud")))
			name = STR("oaud");
		if (c == azp)
			name = STR("aud");
		struct str key = arena_printf(
			arena, STR_FMT ":" STR_FMT, STR_ARG(provider->name), STR_ARG(name));
		if (key.ptr == NULL)
			return no_memory(err);
		keys[n++] = (struct policy_key){ key, c->values, c->count };
	}
	*out_n = n;
	return true;
}

/* Who shows a token, and where from. */
struct shown {
	const struct auth_context *context;
	struct iam_entity provider;
	struct oidc_token token;
};

static bool allow_web(struct auth *a, const struct shown *s, const struct assume_request *r,
	const struct iam_entity *role, struct arena *arena, struct err *err)
{
	struct policy_key keys[KEYS_MAX];
	struct auth_context c = *s->context;
	size_t n = 0;
	struct str arn = iam_arn(arena, &s->provider);
	if (arn.ptr == NULL)
		return no_memory(err);
	if (!claim_keys(&s->provider, &s->token, arena, keys, &n, err))
		return false;
	keys[n++] = (struct policy_key){ STR("sts:RoleSessionName"), &r->session_name, 1 };
	c.keys = keys;
	c.key_count = n;
	struct auth_question q = {
		.action = STR("sts:AssumeRoleWithWebIdentity"),
		.account = role->account,
		.resource = r->role_arn,
		.context = &c,
	};
	if (auth_allow_trust(a, &q, arn, role->document, err))
		return true;
	return err->kind == ERR_DENIED ? refuse_web(err) : false;
}

bool assume_role_with_web_identity(struct auth *a, const struct auth_context *context,
	const struct assume_request *r, struct arena *arena, struct assumed *out,
	struct web_identity *out_identity, struct err *err)
{
	struct shown s = { .context = context };
	struct iam_ref ref;
	struct str path;
	struct str issuer;
	struct str audience;
	struct iam_entity role;
	bool found;
	if (!iam_arn_parse(r->role_arn, IAM_TYPE_ROLE, &ref, &path))
		return err_set(err, ERR_INVALID, "ValidationError: Request ARN is invalid");
	if (!oidc_issuer(r->web_token, arena, &issuer, err) ||
		!find_provider(a, ref.account, issuer, arena, &s.provider, err) ||
		!oidc_verify(a->oidc, r->web_token, s.provider.description, clock_now_ms(), arena,
			&s.token, err) ||
		!check_audience(a, &s.provider, &s.token, arena, &audience, err) ||
		!find_role(a, r->role_arn, arena, &role, &found, err))
		return false;
	if (!found)
		return refuse_web(err);
	if (!allow_web(a, &s, r, &role, arena, err) || !check_duration(r, &role, false, err) ||
		!check_policies(a, r, role.account, arena, err) ||
		!begin(a, r, &role, arena, out, err))
		return false;
	*out_identity = (struct web_identity){ s.token.subject, audience, s.provider.name };
	return true;
}

bool assume_session_token(struct auth *a, const struct principal *who, int64_t duration_s,
	struct arena *arena, struct credentials *out, struct err *err)
{
	int64_t now_ms = clock_now_ms();
	int64_t max_s = who->is_root ? HOUR_S : TOKEN_MAX_S;
	if (who->session.len != 0)
		return err_set(
			err, ERR_DENIED, "Cannot call GetSessionToken with session credentials");
	if (who->key_id.len == 0)
		return err_set(err, ERR_DENIED,
			"There are no sessions while the server checks nobody (--no-auth)");
	if (duration_s == 0)
		duration_s = TOKEN_FIRST_S;
	if (duration_s > max_s)
		duration_s = max_s; /* as AWS does for root */
	struct session s = {
		.account = who->account,
		.entity_id = who->entity_id,
		.uid = who->user_id,
		.parent_key = who->key_id,
		.issued_at_ms = now_ms,
		.ends_at_ms = now_ms + duration_s * 1000,
	};
	return session_issue(a, &s, arena, out, err);
}
