#include "net/fetch.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/thread.h"
#include "net/curl_lib.h"

#define IDLE_HANDLES  8 /* connections that are kept */
#define DISCARD_BYTES (64 * KIB)
#define URL_MAX       2048
#define SIGV4_MAX     128

struct fetch {
	struct fetch_options o;
	char *ca_file;
	char sigv4[SIGV4_MAX];
	struct mutex lock;
	CURL *idle[IDLE_HANDLES]; /* guarded by lock */
	size_t idle_count;
};

bool fetch_is_loopback(struct str authority)
{
	struct str host = str_sub(authority, 0, str_find_char(authority, ':'));
	if (str_starts(authority, STR("[")))
		return str_starts(authority, STR("[::1]"));
	return str_eq(host, STR("localhost")) || str_eq(host, STR("127.0.0.1"));
}

bool fetch_authority(struct str url, bool *out_is_https, struct str *out)
{
	bool is_https = str_starts(url, STR("https://"));
	if ((!is_https && !str_starts(url, STR("http://"))) || url.len >= URL_MAX)
		return false;
	struct str rest = str_sub(url, is_https ? 8 : 7, url.len);
	size_t end = 0;
	while (end < rest.len && strchr("/?#", rest.ptr[end]) == NULL)
		end++;
	struct str authority = str_sub(rest, 0, end);
	for (size_t i = 0; i < url.len; i++) {
		char c = url.ptr[i];
		if (c <= ' ' || c > '~' || c == '#' || c == '@' || c == '\\')
			return false;
	}
	if (authority.len == 0)
		return false;
	*out_is_https = is_https;
	*out = authority;
	return true;
}

bool fetch_open(const struct fetch_options *o, struct fetch **out, struct err *err)
{
	char sigv4[SIGV4_MAX] = "";
	if (!curl_lib_load(err))
		return false;
