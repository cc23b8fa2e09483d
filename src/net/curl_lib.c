#include "net/curl_lib.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "base/macros.h"

#define LIBRARY "libcurl.so.4" /* since 2006 */

struct curl_lib curl_lib;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct err failure;
static bool is_loaded;

/* Once there it stays: it and its own libraries leave exit handlers and thread data behind. */
static bool load(struct err *err)
{
	const struct {
		const char *name;
		void *slot;
	} wanted[] = {
		{ "curl_global_init", &curl_lib.global_init },
		{ "curl_easy_init", &curl_lib.easy_init },
		{ "curl_easy_cleanup", &curl_lib.easy_cleanup },
		{ "curl_easy_setopt", &curl_lib.easy_setopt },
		{ "curl_easy_perform", &curl_lib.easy_perform },
		{ "curl_easy_getinfo", &curl_lib.easy_getinfo },
		{ "curl_easy_strerror", &curl_lib.easy_strerror },
		{ "curl_slist_append", &curl_lib.slist_append },
		{ "curl_slist_free_all", &curl_lib.slist_free_all },
	};

	void *so = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (so == NULL)
		/* glibc keeps the text per thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
		return err_set(err, ERR_CONFIG, "libcurl cannot be loaded: %s", dlerror());
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		void *symbol = dlsym(so, wanted[i].name);
		if (symbol == NULL)
			return err_set(err, ERR_CONFIG, "libcurl has no %s", wanted[i].name);
		/* ISO C has no cast from object to function. */
		memcpy(wanted[i].slot, &symbol, sizeof(symbol));
	}
	return curl_lib.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ||
	       err_set(err, ERR_CONFIG, "libcurl does not start");
}

static void load_once(void)
{
	is_loaded = load(&failure);
}

bool curl_lib_load(struct err *err)
{
	(void)pthread_once(&once, load_once);
	if (!is_loaded)
		*err = failure;
	return is_loaded;
}
