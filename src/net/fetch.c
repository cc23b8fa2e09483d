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
	if (o->sigv4 != NULL) {
		/* The place of a key in libcurl's syntax: provider, provider of headers, Region,
		 * service. */
		int n = snprintf(
			sigv4, sizeof(sigv4), "aws:amz:%s:%s", o->sigv4->region, o->sigv4->service);
		if (n < 0 || (size_t)n >= sizeof(sigv4) || strchr(o->sigv4->region, ':') != NULL)
			return err_set(err, ERR_CONFIG, "no such Region");
	}
	struct fetch *f = xmalloc(sizeof(*f));
	mutex_init(&f->lock, "fetch");
	f->o = *o;
	if (f->o.connect_timeout_ms == 0)
		f->o.connect_timeout_ms = o->timeout_ms;
	f->ca_file = o->ca_file != NULL ? xstrdup(o->ca_file) : NULL;
	memcpy(f->sigv4, sigv4, sizeof(f->sigv4));
	*out = f;
	return true;
}

void fetch_close(struct fetch *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->idle_count; i++)
		curl_lib.easy_cleanup(f->idle[i]);
	mutex_fini(&f->lock);
	freep(&f->ca_file);
	free(f);
}

/* Of one exchange. */
struct exchange {
	struct buf *answer; /* NULL: read and forgotten */
	size_t discarded;
	bool is_too_long;
	char text[CURL_ERROR_SIZE]; /* what libcurl says */
};

/* Taking less than was offered makes libcurl give up. */
static size_t receive(char *bytes, size_t size, size_t count, void *arg)
{
	struct exchange *e = arg;
	size_t len = size * count;
	if (e->answer != NULL) {
		buf_add(e->answer, bytes, len);
		e->is_too_long = !buf_ok(e->answer);
	} else {
		e->discarded += len;
		e->is_too_long = e->discarded > DISCARD_BYTES;
	}
	return e->is_too_long ? 0 : len;
}

/* libcurl asks about once a second. Not 0: give up. */
static int is_cancelled(void *arg, curl_off_t a UNUSED, curl_off_t b UNUSED, curl_off_t c UNUSED,
	curl_off_t d UNUSED)
{
	const struct fetch *f = arg;
	return atomic_load(f->o.is_cancelled) ? 1 : 0;
}

/* No const: libcurl's argument is none. */
static bool watch(CURL *h, struct fetch *f)
{
	return f->o.is_cancelled == NULL ||
	       (curl_lib.easy_setopt(h, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
		       curl_lib.easy_setopt(h, CURLOPT_XFERINFOFUNCTION, is_cancelled) ==
			       CURLE_OK &&
		       curl_lib.easy_setopt(h, CURLOPT_XFERINFODATA, f) == CURLE_OK);
}

static CURL *handle_make(struct fetch *f)
{
	const struct fetch_sigv4 *key = f->o.sigv4;
	const char *loopback = "localhost,127.0.0.1,::1";
	CURL *h = curl_lib.easy_init();
	if (h == NULL)
		return NULL;
	bool ok = watch(h, f);
	ok = ok && curl_lib.easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
	ok = ok && curl_lib.easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
	ok = ok && curl_lib.easy_setopt(h, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	ok = ok && curl_lib.easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)f->o.timeout_ms) == CURLE_OK;
	ok = ok && curl_lib.easy_setopt(
			   h, CURLOPT_CONNECTTIMEOUT_MS, (long)f->o.connect_timeout_ms) == CURLE_OK;
	ok = ok && curl_lib.easy_setopt(h, CURLOPT_USERAGENT, "berth/" BERTH_VERSION) == CURLE_OK;
	ok = ok && curl_lib.easy_setopt(h, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK;
	ok = ok && (f->o.uses_proxy ? curl_lib.easy_setopt(h, CURLOPT_NOPROXY, loopback)
				    : curl_lib.easy_setopt(h, CURLOPT_PROXY, "")) == CURLE_OK;
	if (f->ca_file != NULL)
		ok = ok && curl_lib.easy_setopt(h, CURLOPT_CAINFO, f->ca_file) == CURLE_OK;
	if (key != NULL) {
		ok = ok && curl_lib.easy_setopt(h, CURLOPT_AWS_SIGV4, f->sigv4) == CURLE_OK;
		ok = ok &&
		     curl_lib.easy_setopt(h, CURLOPT_USERNAME, key->access_key_id) == CURLE_OK;
		ok = ok && curl_lib.easy_setopt(h, CURLOPT_PASSWORD, key->secret) == CURLE_OK;
	}
	if (!ok) {
		curl_lib.easy_cleanup(h);
		return NULL;
	}
	return h;
}

static CURL *handle_take(struct fetch *f)
{
	{
		LOCKED(&f->lock);
		if (f->idle_count != 0)
			return f->idle[--f->idle_count];
	}
	return handle_make(f);
}

static void handle_give(struct fetch *f, CURL *h)
{
	/* What belongs to one request does not stay behind. */
	(void)curl_lib.easy_setopt(h, CURLOPT_ERRORBUFFER, NULL);
	(void)curl_lib.easy_setopt(h, CURLOPT_HTTPHEADER, NULL);
	(void)curl_lib.easy_setopt(h, CURLOPT_POSTFIELDS, NULL);
	(void)curl_lib.easy_setopt(h, CURLOPT_WRITEDATA, NULL);
	{
		LOCKED(&f->lock);
		if (f->idle_count < IDLE_HANDLES) {
			f->idle[f->idle_count++] = h;
			return;
		}
	}
	curl_lib.easy_cleanup(h);
}

static void headers_freep(struct curl_slist **list)
{
	curl_lib.slist_free_all(*list);
}

static bool headers_add(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_lib.slist_append(*list, line);
	if (longer == NULL)
		return false;
	*list = longer;
	return true;
}

static bool headers_make(
	const struct fetch *f, const struct fetch_request *r, struct curl_slist **list)
{
	char host[URL_MAX + 8];
	struct str authority;
	bool is_https;
	for (size_t i = 0; r->headers != NULL && r->headers[i] != NULL; i++) {
		if (!headers_add(list, r->headers[i]))
			return false;
	}
	/* Host is given so that libcurl signs it with its port, as the server sees it. */
	if (f->o.sigv4 != NULL && fetch_authority(str_from(r->url), &is_https, &authority)) {
		(void)snprintf(host, sizeof(host), "Host: " STR_FMT, STR_ARG(authority));
		if (!headers_add(list, host))
			return false;
	}
	/* Without it libcurl asks for leave (Expect: 100-continue) for a large body, and waits a
	 * second for it. A signed request goes without: this libcurl would sign the header that it
	 * then leaves out. */
	return f->o.sigv4 != NULL || headers_add(list, "Expect:");
}

static bool handle_prepare(
	CURL *h, const struct fetch_request *r, struct curl_slist *headers, struct exchange *e)
{
	bool ok = curl_lib.easy_setopt(h, CURLOPT_URL, r->url) == CURLE_OK &&
		  curl_lib.easy_setopt(h, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
		  curl_lib.easy_setopt(h, CURLOPT_WRITEDATA, e) == CURLE_OK &&
		  curl_lib.easy_setopt(h, CURLOPT_ERRORBUFFER, e->text) == CURLE_OK;
	if (!r->is_post)
		return ok && curl_lib.easy_setopt(h, CURLOPT_HTTPGET, 1L) == CURLE_OK;
	return ok && curl_lib.easy_setopt(h, CURLOPT_POST, 1L) == CURLE_OK &&
	       curl_lib.easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)r->body.len) == CURLE_OK &&
	       curl_lib.easy_setopt(h, CURLOPT_POSTFIELDS, r->body.len != 0 ? r->body.ptr : "") ==
		       CURLE_OK;
}

bool fetch_send(struct fetch *f, const struct fetch_request *request, struct buf *answer,
	int *out_status, struct err *err)
{
	struct exchange e = { .answer = answer };
	struct curl_slist *headers CLEANUP(headers_freep) = NULL;
	long status = 0;
	CURL *h = handle_take(f);
	if (h == NULL)
		return err_sys(err, ERR_UNAVAILABLE, 0, "libcurl refuses its settings");
	CURLcode code =
		headers_make(f, request, &headers) && handle_prepare(h, request, headers, &e)
			? curl_lib.easy_perform(h)
			: CURLE_OUT_OF_MEMORY;
	bool is_enough =
		code == CURLE_OK || (code == CURLE_WRITE_ERROR && answer == NULL && e.is_too_long);
	bool ok = is_enough &&
		  curl_lib.easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
		  status > 0;
	if (ok && code == CURLE_OK)
		handle_give(f, h);
	else
		curl_lib.easy_cleanup(h);
	if (ok) {
		*out_status = (int)status;
		return true;
	}
	return err_sys(err, ERR_UNAVAILABLE, 0, "%s",
		e.is_too_long       ? "the answer is too long"
		: e.text[0] != '\0' ? e.text
				    : curl_lib.easy_strerror(code));
}
