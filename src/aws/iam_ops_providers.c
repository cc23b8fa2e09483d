/* OIDC providers: whose tokens AssumeRoleWithWebIdentity takes. */
#include "aws/iam_call.h"

#define CLIENTS_MAX     100
#define THUMBPRINTS_MAX 5

static bool is_loopback(struct str rest)
{
	struct str host = str_sub(rest, 0, str_find_char(rest, '/'));
	struct str name = str_sub(host, 0, str_find_char(host, ':'));
	return str_starts(host, STR("[::1]")) || str_eq(name, STR("127.0.0.1")) ||
	       str_eq(name, STR("localhost"));
}

/* The URL without its scheme, which names the provider. Plain HTTP only to this machine. */
static bool cut_url(struct iam_call *c, struct str url, struct str *name)
{
	bool is_https = str_starts(url, STR("https://"));
	bool is_http = str_starts(url, STR("http://"));
	struct str rest = str_sub(url, is_https ? 8 : 7, url.len);
	struct str host = str_sub(rest, 0, str_find_char(rest, '/'));
	for (size_t i = 0; i < url.len; i++) {
		if (url.ptr[i] <= ' ' || url.ptr[i] > '~' || strchr("@#?\\", url.ptr[i]) != NULL)
			return iam_fail(
				c, "ValidationError", "Invalid Open ID Connect Provider URL");
	}
	if ((!is_https && !(is_http && is_loopback(rest))) || host.len == 0)
		return iam_fail(c, "ValidationError", "Invalid Open ID Connect Provider URL");
	*name = rest;
	return true;
}

static bool create_provider(struct iam_call *c)
{
	struct iam_entity e = { .account = c->who.account, .type = IAM_TYPE_OIDC };
	const struct str *clients;
	const struct str *prints;
	struct iam_tags tags;
	size_t client_count = 0;
	size_t print_count = 0;
	if (!iam_param(c, "Url", &e.description) || !cut_url(c, e.description, &e.name) ||
		!iam_param_tags(c, &tags) ||
		!iam_param_list(c, "ClientIDList", CLIENTS_MAX, &clients, &client_count) ||
		!iam_param_list(c, "ThumbprintList", THUMBPRINTS_MAX, &prints, &print_count) ||
		!iam_create(c->iam, &e, tags, c->arena, &e, c->err))
		return false;
	c->ref.name = e.name;
	if (!iam_thumbprints_set(c->iam, &c->ref, prints, print_count, c->err))
		return false;
	for (size_t i = 0; i < client_count; i++) {
		if (!iam_client_add(c->iam, &c->ref, clients[i], c->err))
			return false;
	}
	struct str arn = iam_arn(c->arena, &e);
	if (arn.ptr == NULL)
		return iam_full(c);
	iam_add(c, "OpenIDConnectProviderArn", arn);
	return iam_add_tags(c, &c->ref);
}

static bool add_names(struct iam_call *c, const char *element, enum iam_part_kind kind)
{
	const struct iam_part *parts;
	size_t n = 0;
	if (!iam_part_list(c->iam,
		    &(const struct iam_part_page){ &c->ref, kind, STR(""), CLIENTS_MAX }, c->arena,
		    &parts, &n, c->err))
		return false;
	buf_addf(&c->xml, "<%s>", element);
	for (size_t i = 0; i < n; i++)
		iam_add(c, "member", parts[i].name);
	buf_addf(&c->xml, "</%s>", element);
	return true;
}

static bool get_provider(struct iam_call *c)
{
	struct iam_entity e;
	if (!iam_get(c->iam, &c->ref, c->arena, &e, c->err))
		return false;
	iam_add(c, "Url", e.name); /* AWS gives it without the scheme */
	iam_add_time(c, "CreateDate", e.created_at_ms);
	return add_names(c, "ClientIDList", IAM_PART_CLIENT) &&
	       add_names(c, "ThumbprintList", IAM_PART_THUMBPRINT) && iam_add_tags(c, &c->ref);
}

static bool list_providers(struct iam_call *c)
{
	const struct iam_list list = { .account = c->who.account,
		.type = IAM_TYPE_OIDC,
		.after = STR(""),
		.limit = IAM_PAGE_LARGEST };
	const struct iam_entity *rows;
	size_t n = 0;
	if (!iam_list(c->iam, &list, c->arena, &rows, &n, c->err))
		return false;
	buf_add_c(&c->xml, "<OpenIDConnectProviderList>");
	for (size_t i = 0; i < n; i++) {
		struct str arn = iam_arn(c->arena, &rows[i]);
		if (arn.ptr == NULL)
			return iam_full(c);
		buf_add_c(&c->xml, "<member>");
		iam_add(c, "Arn", arn);
		buf_add_c(&c->xml, "</member>");
	}
	buf_add_c(&c->xml, "</OpenIDConnectProviderList>");
	return true;
}

static bool delete_provider(struct iam_call *c)
{
	return iam_delete(c->iam, &c->ref, c->err);
}

static bool add_client(struct iam_call *c)
{
	struct str id;
	return iam_param(c, "ClientID", &id) && iam_client_add(c->iam, &c->ref, id, c->err);
}

static bool remove_client(struct iam_call *c)
{
	struct str id;
	return iam_param(c, "ClientID", &id) && iam_client_remove(c->iam, &c->ref, id, c->err);
}

static bool update_thumbprints(struct iam_call *c)
{
	const struct str *prints;
	size_t n = 0;
	return iam_param_list(c, "ThumbprintList", THUMBPRINTS_MAX, &prints, &n) &&
	       iam_thumbprints_set(c->iam, &c->ref, prints, n, c->err);
}

#define O IAM_TYPE_OIDC

const struct iam_op iam_ops_providers[] = {
	{ "CreateOpenIDConnectProvider", create_provider, O, IAM_ON_NEW, false },
	{ "GetOpenIDConnectProvider", get_provider, O, IAM_ON_ONE, false },
	{ "ListOpenIDConnectProviders", list_providers, O, IAM_ON_ALL, false },
	{ "DeleteOpenIDConnectProvider", delete_provider, O, IAM_ON_ONE, true },
	{ "AddClientIDToOpenIDConnectProvider", add_client, O, IAM_ON_ONE, true },
	{ "RemoveClientIDFromOpenIDConnectProvider", remove_client, O, IAM_ON_ONE, true },
	{ "UpdateOpenIDConnectProviderThumbprint", update_thumbprints, O, IAM_ON_ONE, true },
	{ .name = NULL },
};
