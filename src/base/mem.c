#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_abort(void *p)
{
	if (p == NULL) {
		(void)fputs("berth: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *xmalloc_raw(size_t len)
{
	return or_abort(malloc(len != 0 ? len : 1));
}

void *xmalloc(size_t len)
{
	return or_abort(calloc(1, len != 0 ? len : 1));
}

void *xcalloc(size_t n, size_t len)
{
	if (n == 0 || len == 0)
		return xmalloc(1);
	return or_abort(calloc(n, len));
}

char *xstrdup(const char *s)
{
	return or_abort(strdup(s));
}

void mem_wipe(void *p, size_t len)
{
	if (len != 0)
		explicit_bzero(p, len);
}

void freep(void *pp)
{
	void *p;
	memcpy(&p, pp, sizeof(p)); /* pp is a pointer to a pointer of any type */
	free(p);
	p = NULL;
	memcpy(pp, &p, sizeof(p));
}
