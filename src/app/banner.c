#include "app/banner.h"

/* As a word of a shell: in quotes when it holds anything that a shell would look at. */
static void shell_word(struct buf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._-+@:,";
	if (strspn(word, plain) == strlen(word)) {
		buf_add_c(out, word);
		return;
	}
	buf_add_char(out, '\'');
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			buf_add_c(out, "'\\''");
		else
			buf_add_char(out, *word);
	}
	buf_add_char(out, '\'');
}

static void render_places(struct buf *out, const struct banner *b)
{
	const struct identity *id = b->identity;
	for (size_t i = 0; i < b->url_count; i++)
		buf_addf(out, "  %-12s %s\n", i == 0 ? "listening" : "", b->urls[i]);
	buf_addf(out, "  %-12s %s\n", "data", b->data);
	buf_addf(out, "  %-12s %s, Region %s\n", "account", id->account, id->region);
	if (b->no_auth)
		buf_addf(out, "  %-12s none needed: --no-auth lets everybody do everything\n",
			"credentials");
	else if (id->has_credentials)
		buf_addf(out, "  %-12s %s%s\n", "credentials", id->credentials,
			id->is_new ? " (new)" : "");
	else
		buf_addf(out, "  %-12s %s is gone; 'berth new-key' makes another key\n",
			"credentials", id->credentials);
}

static void render_next(struct buf *out, const struct banner *b)
{
	struct str scheme;
	struct str host;
	(void)str_cut(str_from(b->urls[0]), '/', &scheme, &host);
	host = str_sub(host, 1, host.len);
	buf_add_c(out, "\nNext, in another terminal:\n");
	if (b->no_auth) {
		/* The tools sign in any case, with whatever they find. */
		buf_add_c(out, "  export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any\n");
	} else {
		buf_add_c(out, "  export AWS_SHARED_CREDENTIALS_FILE=");
		shell_word(out, b->identity->credentials);
		buf_add_char(out, '\n');
	}
	buf_addf(out, "  export AWS_DEFAULT_REGION=%s AWS_ENDPOINT_URL=%s\n", b->identity->region,
		b->urls[0]);
	buf_add_c(out, "  aws ecr create-repository --repository-name team/app\n");
	buf_add_c(out, "  aws ecr put-account-setting --name BLOB_MOUNTING --value ENABLED\n");
	buf_addf(out,
		"  aws ecr get-login-password | docker login --username AWS --password-stdin " STR_FMT
		"\n",
		STR_ARG(host));
}

void banner_render(struct buf *out, const struct banner *b)
{
	buf_addf(out, "Berth " BERTH_VERSION " is ready (%lld ms)\n", (long long)b->ready_ms);
	render_places(out, b);
	render_next(out, b);
	buf_add_char(out, '\n');
}
