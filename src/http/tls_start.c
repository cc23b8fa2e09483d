#include "http/tls_start.h"

#include <dlfcn.h>
#include <string.h>

#include <gnutls/gnutls.h>

static bool is_loaded;

/* A program's constructors come after those of its libraries. */
__attribute__((constructor)) static void note_loaded(void)
{
	is_loaded = true;
}

/* What libraries see of this program. */
#pragma GCC visibility push(default)

GNUTLS_SKIP_GLOBAL_INIT

/* Stands in front of GnuTLS's own. The call that comes while the libraries of this program are
 * loaded, libmicrohttpd's, does nothing. */
int gnutls_global_init(void)
{
	int (*start)(void) = NULL;
	void *symbol = is_loaded ? dlsym(RTLD_NEXT, "gnutls_global_init") : NULL;

	memcpy(&start, &symbol, sizeof(start)); /* ISO C has no cast from object to function */
	return start != NULL ? start() : GNUTLS_E_SUCCESS;
}

#pragma GCC visibility pop

bool tls_start(struct err *err)
{
	int rc = gnutls_global_init();

	return rc >= 0 ||
	       err_set(err, ERR_CONFIG, "GnuTLS does not start: %s", gnutls_strerror(rc));
}
