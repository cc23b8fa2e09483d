#include "auth/oidc_fetch.h"

#include <curl/curl.h>

#define CONNECT_MS 3000L
#define TOTAL_MS   6000L
/* curl's text of a failure */
#define REASON_MAX CURL_ERROR_SIZE

static bool is_loopback(struct str authority)
{
	struct str host = str_sub(authority, 0, str_find_char(authority, ':'));
	return str_starts(authority, STR("[::1]")) || str_eq(host, STR("localhost")) ||
	       str_eq(host, STR("127.0.0.1"));
}

bool oidc_url_ok(struct str url)
{
	bool is_https = str_starts(url, STR("https://"));
	if ((!is_https && !str_starts(url, STR("http://"))) || url.len > OIDC_URL_MAX)
		return false;
	struct str rest = str_sub(url, is_https ? 8 : 7, url.len);
	struct str authority = str_sub(rest, 0, str_find_char(rest, '/'));
	for (size_t i = 0; i < url.len; i++) {
		char c = url.ptr[i];
		if (c <= ' ' || c > '~' || c == '#' || c == '@' || c == '\\')
			return false;
	}
	return authority.len != 0 && (is_https || is_loopback(authority));
}

static size_t receive(char *bytes, size_t size, size_t count, void *arg)
{
	struct buf *out = arg;
	buf_add(out, bytes, size * count);
	return buf_ok(out) ? size * count : 0; /* 0: curl gives up */
}

static void handle_freep(CURL **h)
{
	curl_easy_cleanup(*h);
}

static bool set_up(CURL *h, const char *url, const char *ca_file, struct buf *out, char *reason)
{
	bool set = curl_easy_setopt(h, CURLOPT_URL, url) == CURLE_OK &&
		   curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
		   curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
		   curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
		   curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) == CURLE_OK &&
		   curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, TOTAL_MS) == CURLE_OK &&
		   curl_easy_setopt(h, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1") == CURLE_OK &&
		   curl_easy_setopt(h, CURLOPT_USERAGENT, "berth") == CURLE_OK &&
		   curl_easy_setopt(h, CURLOPT_ERRORBUFFER, reason) == CURLE_OK &&
		   curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
		   curl_easy_setopt(h, CURLOPT_WRITEDATA, out) == CURLE_OK;
	return set && (ca_file == NULL || curl_easy_setopt(h, CURLOPT_CAINFO, ca_file) == CURLE_OK);
}

bool oidc_fetch(struct str url, const char *ca_file, struct buf *out, struct err *err)
{
	char text[OIDC_URL_MAX + 1];
	char reason[REASON_MAX] = "";
	long status = 0;
	if (!oidc_url_ok(url) || !str_to_c(url, text, sizeof(text)))
		return err_sys(err, ERR_UNAVAILABLE, 0, "not a URL for keys: " STR_FMT,
			STR_ARG(str_sub(url, 0, 200)));
	CURL *h CLEANUP(handle_freep) = curl_easy_init();
	if (h == NULL || !set_up(h, text, ca_file, out, reason))
		return err_sys(err, ERR_UNAVAILABLE, 0, "libcurl refuses its settings");
	CURLcode code = curl_easy_perform(h);
	if (code != CURLE_OK)
		return err_sys(err, ERR_UNAVAILABLE, 0, "%s: %s", text,
			reason[0] != '\0' ? reason : curl_easy_strerror(code));
	if (curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status != 200)
		return err_sys(err, ERR_UNAVAILABLE, 0, "%s: status %ld", text, status);
	return true;
}
