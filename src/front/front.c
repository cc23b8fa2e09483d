#include "front/front.h"

#include "auth/sigv4.h"
#include "base/clock.h"
#include "front/audit.h"
#include "front/resource_policies.h"

static void each_header(void *arg, bool (*fn)(void *, struct str, struct str), void *fn_arg)
{
	http_headers_each(arg, fn, fn_arg);
}

static struct sigv4_request signed_request(struct http_req *req, struct str body)
{
	return (struct sigv4_request){
		.method = req->method,
		.path = req->path,
		.query = req->query,
		.body = body,
		.headers = each_header,
		.headers_arg = req,
	};
}

bool front_sigv4(struct auth *a, struct http_req *req, struct str body, const char *service,
	struct principal *out, struct err *err)
{
	struct sigv4_request r = signed_request(req, body);
	struct principal who;
	if (!sigv4_verify(a, &r, service, clock_now_ms() / 1000, req->arena, &who, err))
		return false;
	req->log_principal = who.arn;
	audit_who(req, &who);
	*out = who;
	return true;
}

struct str front_sigv4_service(struct http_req *req)
{
	struct sigv4_request r = signed_request(req, (struct str){ NULL, 0 });
	return sigv4_service(&r, req->arena);
}

bool front_split_error(const struct err *err, struct str *out_code, struct str *out_text)
{
	struct str msg = str_from(err->msg);
	struct str code;
	struct str text;
	if (!str_cut(msg, ':', &code, &text) || code.len == 0 || !str_starts(text, STR(" ")))
		return false;
	for (size_t i = 0; i < code.len; i++) {
		char c = code.ptr[i];
		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
			return false;
	}
	*out_code = code;
	*out_text = str_sub(text, 1, text.len - 1);
	return true;
}

void front_context(struct http_req *req, struct auth_context *out)
{
	*out = (struct auth_context){
		.source_ip = req->remote_ip,
		.is_tls = req->is_tls,
		.user_agent = http_header(req, "User-Agent"),
	};
}

/* The port of a Host with its colon (":5000"), or empty. The colons of an IPv6 literal stand inside
 * brackets. */
static struct str host_port(struct str host)
{
	size_t from = 0;
	if (str_starts(host, STR("[")))
		from = str_find_char(host, ']');
	struct str rest = str_sub(host, from, host.len - from);
	size_t colon = str_find_char(rest, ':');
	return str_sub(rest, colon, rest.len - colon);
}

static bool is_ecr_label(struct str label)
{
	return str_eq(label, STR("ecr")) || str_eq(label, STR("ecr-fips"));
}

/* Cuts "dkr.ecr.", "dkr.ecr-fips.", "dkr-ecr." or "dkr-ecr-fips." off s. */
static bool cut_service(struct str s, struct str *rest)
{
	struct str label;
	struct str tail;
	if (!str_cut(s, '.', &label, &tail))
		return false;
	if (str_eq(label, STR("dkr"))) {
		if (!str_cut(tail, '.', &label, &tail) || !is_ecr_label(label))
			return false;
	} else if (!str_starts(label, STR("dkr-")) ||
		   !is_ecr_label(str_sub(label, 4, label.len - 4))) {
		return false;
	}
	*rest = tail;
	return true;
}

bool front_host_registry(struct str host, const char *domain, struct registry_id *out)
{
	char lower[256]; /* RFC 1035 2.3.4: a name has at most 255 octets */
	struct str name = str_sub(host, 0, host.len - host_port(host).len);
	if (name.len == 0 || name.len > sizeof(lower))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 0x20);
		lower[i] = c;
	}
	name.ptr = lower;

	struct str account;
	struct str rest;
	struct str region;
	struct str suffix;
	if (!str_cut(name, '.', &account, &rest) || !cut_service(rest, &rest))
		return false;
	if (!str_cut(rest, '.', &region, &suffix) || suffix.len == 0)
		return false;
	if (domain != NULL && !str_eq_nocase(suffix, str_from(domain)))
		return false;
	return registry_id_make(account, region, out);
}

struct str front_registry_host(
	struct http_req *req, const struct front_options *o, const struct registry_id *reg)
{
	if (o->domain == NULL)
		return req->host;
	return arena_printf(req->arena, "%s.dkr.ecr.%s.%s" STR_FMT, reg->account, reg->region,
		o->domain, STR_ARG(host_port(req->host)));
}

struct str front_repo_arn(struct arena *arena, const struct registry_id *reg, struct str repo)
{
	return arena_printf(arena, "arn:aws:ecr:%s:%s:repository/" STR_FMT, reg->region,
		reg->account, STR_ARG(repo));
}

bool front_allow_resource(const struct front_options *o, struct http_req *req,
	const struct principal *who, const char *action, struct str account, struct str resource,
	struct err *err)
{
	struct auth_context context;
	front_context(req, &context);
	struct auth_question q = {
		.who = who,
		.action = str_from(action),
		.account = account,
		.resource = resource,
		.context = &context,
	};
	return auth_allow(o->auth, &q, err);
}

/* Where a decision finds the tags of its repository, if a condition reads them. */
struct tags_place {
	struct resource_policies *policies;
	const struct registry_id *reg;
	struct str repo;
	struct arena *arena;
};

static bool read_tags(void *arg, const struct auth_tag **out, size_t *out_n, struct err *err)
{
	const struct tags_place *p = arg;
	return resource_policies_tags(p->policies, p->reg, p->repo, p->arena, out, out_n, err);
}

bool front_ask(const struct front_options *o, struct http_req *req, const struct principal *who,
	const struct front_question *question, struct err *err)
{
	struct auth_context context;
	struct tags_place place = { o->policies, question->reg, question->repo, req->arena };
	struct auth_question q = {
		.who = who,
		.action = str_from(question->action),
		.account = str_from(question->reg->account),
		.resource = STR("*"),
		.context = &context,
		.repository_policy = question->repository_policy,
	};
	front_context(req, &context);
	context.request_tags = question->request_tags;
	context.request_tag_count = question->request_tag_count;
	context.keys = question->keys;
	context.key_count = question->key_count;
	if (question->repo.ptr != NULL) {
		q.resource = front_repo_arn(req->arena, question->reg, question->repo);
		if (q.resource.ptr == NULL)
			return err_sys(err, ERR_INTERNAL, 0, "request arena exhausted");
		if (o->policies != NULL) {
			context.resource_tags = read_tags;
			context.resource_tags_arg = &place;
		}
	}
	return auth_allow(o->auth, &q, err);
}

bool front_allow(const struct front_options *o, struct http_req *req, const struct principal *who,
	const char *action, const struct registry_id *reg, struct str repo, struct err *err)
{
	struct front_question q = { .action = action, .reg = reg, .repo = repo };
	return front_ask(o, req, who, &q, err);
}
