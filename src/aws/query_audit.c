/* Parameters of the query protocol as CloudTrail tells them: "Tags.member.1.Key=env" is
 * "tags": [{"key": "env"}]. */
#include "aws/query.h"
#include "front/audit.h"

#define NODES_MAX    512 /* of one request; as deep as PARTS_MAX */
#define PARTS_MAX    8
#define NAME_MAX_LEN 128

/* A value, or an object or list of nodes in the order in which they came. */
struct node {
	struct str name;
	struct str value; /* ptr NULL: it has none */
	struct node *first, *last, *next;
	bool is_list;
};

struct tree {
	struct http_req *req;
	struct node root;
	size_t count;
	bool is_full;
};

/* Tokens that prove a caller, and passwords of operations that Berth does not have. */
static bool is_secret(struct str name)
{
	static const char *const secrets[] = { "WebIdentityToken", "SAMLAssertion", "TokenCode",
		"AuthenticationCode", "Password", "NewPassword", "OldPassword", "PrivateKey" };

	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		if (str_eq_nocase(name, str_from(secrets[i])))
			return true;
	}
	/* Signatures in a query, and what is no name of a parameter. */
	return str_starts(name, STR("X-Amz-")) || name.len == 0 || name.len > NAME_MAX_LEN ||
	       str_eq_c(name, "Action") || str_eq_c(name, "Version");
}

static struct node *child(struct tree *t, struct node *parent, struct str name)
{
	for (struct node *n = parent->first; n != NULL; n = n->next) {
		if (str_eq(n->name, name))
			return n;
	}
	struct node *made = t->count < NODES_MAX ? arena_alloc(t->req->arena, sizeof(*made)) : NULL;
	t->is_full |= made == NULL;
	if (made == NULL)
		return NULL;
	t->count++;
	*made = (struct node){ .name = name };
	if (parent->first == NULL)
		parent->first = made;
	else
		parent->last->next = made;
	parent->last = made;
	return made;
}

/* The node for a parameter's name; NULL: there is no place for it. */
static struct node *place(struct tree *t, struct str name)
{
	struct node *at = &t->root;
	bool is_more = true;
	for (int i = 0; at != NULL && is_more; i++) {
		struct str part;
		if (i == PARTS_MAX)
			return NULL;
		is_more = str_cut(name, '.', &part, &name);
		if (is_more && at != &t->root && str_eq_c(part, "member"))
			at->is_list = true;
		else
			at = child(t, at, part);
	}
	return at;
}

static void collect(struct tree *t, struct str form)
{
	struct str key;
	struct str value;
	while (query_next(&form, &key, &value)) {
		size_t len = 0;
		/* Escapes in a name could hide which one it is. */
		if (str_find_char(key, '%') < key.len || is_secret(key))
			continue;
		char *p = arena_alloc(t->req->arena, value.len + 1);
		if (p == NULL || !percent_decode(value, true, p, &len))
			continue;
		struct node *n = place(t, key);
		if (n != NULL && n->value.ptr == NULL)
			n->value = (struct str){ p, len };
	}
}

static void put_value(struct json_out *o, const char *name, struct str value)
{
	static const char *const numbers[] = { "durationSeconds", "maxItems",
		"maxSessionDuration" };
	static const char *const switches[] = { "setAsDefault", "onlyAttached" };
	uint64_t n;

	for (size_t i = 0; name != NULL && i < ARRAY_LEN(numbers); i++) {
		if (strcmp(name, numbers[i]) == 0 && str_to_u64(value, INT32_MAX, &n)) {
			jo_int(o, name, (int64_t)n);
			return;
		}
	}
	for (size_t i = 0; name != NULL && i < ARRAY_LEN(switches); i++) {
		if (strcmp(name, switches[i]) == 0 &&
			(str_eq(value, STR("true")) || str_eq(value, STR("false")))) {
			jo_bool(o, name, str_eq(value, STR("true")));
			return;
		}
	}
	jo_str(o, name, value);
}

/* name NULL: an element of a list. As deep as PARTS_MAX. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void put_node(struct json_out *o, const char *name, const struct node *n)
{
	char member[NAME_MAX_LEN + 1];
	if (n->first == NULL && !n->is_list) {
		put_value(o, name, n->value);
		return;
	}
	if (n->is_list)
		jo_array(o, name);
	else
		jo_object(o, name);
	for (const struct node *c = n->first; c != NULL; c = c->next) {
		bool is_named = !n->is_list && str_to_c(c->name, member, sizeof(member));
		if (is_named && member[0] >= 'A' && member[0] <= 'Z')
			member[0] = (char)(member[0] | 0x20);
		if (is_named || n->is_list)
			put_node(o, is_named ? member : NULL, c);
	}
	jo_end(o, n->is_list ? ']' : '}');
}

void query_audit(struct http_req *req)
{
	struct buf text CLEANUP(buf_fini) = { 0 };
	struct json_out o;
	struct tree t = { .req = req };
	if (req->audit == NULL)
		return;
	collect(&t, req->query);
	if (req->op->body == HTTP_BODY_WHOLE)
		collect(&t, http_body(req));
	if (t.root.first == NULL)
		return;
	buf_init(&text, AUDIT_TEXT_MAX);
	jo_init(&o, &text);
	put_node(&o, NULL, &t.root);
	bool is_whole = buf_ok(&text) && !t.is_full;
	audit_parameters_text(req, is_whole ? buf_str(&text) : STR("{\"omitted\":\"too long\"}"));
}
