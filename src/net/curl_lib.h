/*
 * curl_lib.h - libcurl, loaded when the first client is opened. It brings some twenty libraries
 * with it (LDAP, Kerberos, SSH, ...), of which a server that asks nothing of others would hold two
 * megabytes in memory for nothing.
 */
#ifndef BERTH_NET_CURL_LIB_H
#define BERTH_NET_CURL_LIB_H

#include <curl/curl.h>

#include "base/err.h"

/* Its functions, by their names there. */
struct curl_lib {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_easy_setopt) *easy_setopt;
	__typeof__(curl_easy_perform) *easy_perform;
	__typeof__(curl_easy_getinfo) *easy_getinfo;
	__typeof__(curl_easy_strerror) *easy_strerror;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
};

/* Good once curl_lib_load has returned true. */
extern struct curl_lib curl_lib;

/* Loads and starts it, the first time; it stays. Errors: CONFIG. Threads: safe. */
MUST_CHECK bool curl_lib_load(struct err *err);

#endif
