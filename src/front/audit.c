#include "front/audit.h"

#define NAME_MAX_LEN 128

struct audit_note *audit_begin(
	const struct front_options *o, struct http_req *req, const char *source, bool is_data_plane)
{
	if (is_data_plane ? !o->audits_data_plane : !o->audits)
		return NULL;
	struct audit_note *note = arena_alloc(req->arena, sizeof(*note));
	if (note != NULL) {
		note->source = source;
		note->is_data_plane = is_data_plane;
	}
	req->audit = note;
	return note;
}

void audit_forget(struct http_req *req)
{
	req->audit = NULL;
}

void audit_event(struct http_req *req, const char *event)
{
	if (req->audit != NULL)
		req->audit->event = event;
}

void audit_who(struct http_req *req, const struct principal *who)
{
	if (req->audit == NULL)
		return;
	req->audit->has_who = true;
	req->audit->who = *who;
}

void audit_web_identity(struct http_req *req, struct str subject, struct str provider)
{
	if (req->audit == NULL)
		return;
	req->audit->subject = arena_str(req->arena, subject);
	req->audit->provider = arena_str(req->arena, provider);
}

void audit_error(struct http_req *req, struct str code, struct str message)
{
	if (req->audit == NULL)
		return;
	req->audit->error_code = arena_str(req->arena, code);
	req->audit->error_message = arena_str(req->arena, message);
}

/* --- objects --- */

struct selection {
	struct json_out out;
	const char *const *omit;
	bool is_inner;
};

static bool is_omitted(const char *const *omit, struct str name)
{
	for (; omit != NULL && *omit != NULL; omit++) {
		if (str_eq_c(name, *omit))
			return true;
	}
	return false;
}

static void put_value(struct json_out *o, const char *name, const struct json *value)
{
	struct buf text CLEANUP(buf_fini) = { 0 };
	buf_init(&text, AUDIT_TEXT_MAX);
	json_render(value, &text);
	if (buf_ok(&text))
		jo_raw(o, name, buf_str(&text));
	else
		o->buf->failed = true;
}

static bool put_member(void *arg, struct str name, const struct json *value)
{
	struct selection *s = arg;
	char text[NAME_MAX_LEN];
	if (is_omitted(s->omit, name) || !str_to_c(name, text, sizeof(text)))
		return true;
	if (text[0] >= 'A' && text[0] <= 'Z')
		text[0] = (char)(text[0] | 0x20);
	if (json_type(value) != JSON_OBJECT || s->is_inner) {
		put_value(&s->out, text, value);
		return true;
	}
	s->is_inner = true;
	jo_object(&s->out, text);
	(void)json_each(value, put_member, s);
	jo_end(&s->out, '}');
	s->is_inner = false;
	return true;
}

static struct str keep(struct http_req *req, struct buf *text)
{
	struct str kept = { NULL, 0 };
	if (buf_ok(text))
		kept = arena_str(req->arena, buf_str(text));
	return kept.ptr != NULL ? kept : STR("{\"omitted\":\"too long\"}");
}

static struct str select_members(
	struct http_req *req, const struct json *object, const char *const *omit)
{
	struct buf text CLEANUP(buf_fini) = { 0 };
	struct selection s = { .omit = omit };
	if (json_type(object) != JSON_OBJECT)
		return STR("");
	buf_init(&text, AUDIT_TEXT_MAX);
	jo_init(&s.out, &text);
	jo_object(&s.out, NULL);
	(void)json_each(object, put_member, &s);
	jo_end(&s.out, '}');
	return keep(req, &text);
}

void audit_parameters(struct http_req *req, const struct json *input, const char *const *omit)
{
	if (req->audit != NULL)
		req->audit->parameters = select_members(req, input, omit);
}

void audit_response(struct http_req *req, const struct json *output, const char *const *omit)
{
	if (req->audit != NULL)
		req->audit->response = select_members(req, output, omit);
}

void audit_parameters_text(struct http_req *req, struct str json)
{
	if (req->audit != NULL)
		req->audit->parameters = arena_str(req->arena, json);
}

void audit_response_text(struct http_req *req, struct str json)
{
	if (req->audit != NULL)
		req->audit->response = arena_str(req->arena, json);
}
