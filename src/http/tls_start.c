#include "http/tls_start.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>

#include <gnutls/gnutls.h>

static atomic_bool was_asked;

/* GnuTLS's own function. */
static int start(void)
{
	int (*own)(void) = NULL;
	void *symbol = dlsym(RTLD_NEXT, "gnutls_global_init");

	memcpy(&own, &symbol, sizeof(own)); /* ISO C has no cast from object to function */
	return own != NULL ? own() : GNUTLS_E_INTERNAL_ERROR;
}

/* What libraries see of this program. */
#pragma GCC visibility push(default)

GNUTLS_SKIP_GLOBAL_INIT

/* Stands in front of GnuTLS's own. The first call is libmicrohttpd's, before main. */
int gnutls_global_init(void)
{
	return atomic_exchange(&was_asked, true) ? start() : GNUTLS_E_SUCCESS;
}

#pragma GCC visibility pop

bool tls_start(struct err *err)
{
	int rc = start();

	return rc >= 0 ||
	       err_set(err, ERR_CONFIG, "GnuTLS does not start: %s", gnutls_strerror(rc));
}
