#include "auth/oidc_fetch.h"

#include "net/fetch.h"

#define CONNECT_MS 3000
#define TOTAL_MS   6000

bool oidc_url_ok(struct str url)
{
	struct str authority;
	bool is_https;
	return url.len <= OIDC_URL_MAX && fetch_authority(url, &is_https, &authority) &&
	       (is_https || fetch_is_loopback(authority));
}

static void fetch_closep(struct fetch **f)
{
	fetch_close(*f);
}

bool oidc_fetch(struct str url, const char *ca_file, struct buf *out, struct err *err)
{
	char text[OIDC_URL_MAX + 1];
	int status = 0;
	struct fetch *f CLEANUP(fetch_closep) = NULL;
	struct fetch_options o = {
		.ca_file = ca_file,
		.timeout_ms = TOTAL_MS,
		.connect_timeout_ms = CONNECT_MS,
		.uses_proxy = true,
	};
	struct fetch_request r = { .url = text };
	if (!oidc_url_ok(url) || !str_to_c(url, text, sizeof(text)))
		return err_sys(err, ERR_UNAVAILABLE, 0, "not a URL for keys: " STR_FMT,
			STR_ARG(str_sub(url, 0, 200)));
	if (!fetch_open(&o, &f, err)) {
		err->kind = ERR_UNAVAILABLE;
		return false;
	}
	if (!fetch_send(f, &r, out, &status, err))
		return err_wrap(err, "%s", text);
	return status == 200 || err_sys(err, ERR_UNAVAILABLE, 0, "%s: status %d", text, status);
}
