/*
 * The server's certificate, replaceable while handshakes run. GnuTLS borrows what the callback
 * returns for as long as the handshake lasts and tells nobody when it is over, so certificates that
 * were replaced are kept until the server stops: a few kilobytes each time.
 */
#include <stdlib.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "base/mem.h"
#include "http/http_priv.h"
#include "http/tls_start.h"

#define CHAIN_MAX 8

const char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

struct pair {
	struct pair *older;
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned chain_len;
	gnutls_privkey_t key;
};

struct tls {
	char *cert_file, *key_file;
	struct mutex reload_lock;
	_Atomic(struct pair *) current;
};

static void pair_free(struct pair *p)
{
	for (unsigned i = 0; i < p->chain_len; i++)
		gnutls_pcert_deinit(&p->chain[i]);
	if (p->key != NULL)
		gnutls_privkey_deinit(p->key);
	free(p);
}

static void pair_freep(struct pair **p)
{
	if (*p != NULL)
		pair_free(*p);
}

static bool load_key(struct pair *p, const char *file, struct err *err)
{
	gnutls_datum_t pem;
	int rc = gnutls_load_file(file, &pem);

	if (rc < 0)
		return err_set(err, ERR_CONFIG, "cannot read the TLS key %s: %s", file,
			gnutls_strerror(rc));
	rc = gnutls_privkey_init(&p->key);
	if (rc >= 0)
		rc = gnutls_privkey_import_x509_raw(p->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	mem_wipe(pem.data, pem.size);
	gnutls_free(pem.data);
	if (rc < 0)
		return err_set(err, ERR_CONFIG, "%s holds no usable TLS key: %s", file,
			gnutls_strerror(rc));
	return true;
}

/* A certificate with somebody else's key would only show in every handshake. */
static bool is_matching(const struct pair *p)
{
	unsigned char of_cert[64];
	unsigned char of_key[64];
	size_t cert_len = sizeof(of_cert);
	size_t key_len = sizeof(of_key);
	gnutls_pubkey_t pub;
	bool is_same;

	if (gnutls_pubkey_init(&pub) < 0)
		return false;
	is_same = gnutls_pubkey_import_privkey(pub, p->key, 0, 0) >= 0 &&
		  gnutls_pubkey_get_key_id(pub, GNUTLS_KEYID_USE_SHA256, of_key, &key_len) >= 0 &&
		  gnutls_pubkey_get_key_id(
			  p->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, of_cert, &cert_len) >= 0 &&
		  key_len == cert_len && memcmp(of_key, of_cert, key_len) == 0;
	gnutls_pubkey_deinit(pub);
	return is_same;
}

bool tls_reload(struct tls *t, struct err *err)
{
	struct pair *p CLEANUP(pair_freep) = xmalloc(sizeof(*p));
	unsigned count = CHAIN_MAX;
	int rc = gnutls_pcert_list_import_x509_file(
		p->chain, &count, t->cert_file, GNUTLS_X509_FMT_PEM, NULL, NULL, 0);

	if (rc < 0)
		return err_set(err, ERR_CONFIG, "cannot read the TLS certificate %s: %s",
			t->cert_file, gnutls_strerror(rc));
	p->chain_len = count;
	if (!load_key(p, t->key_file, err))
		return false;
	if (count == 0 || !is_matching(p))
		return err_set(err, ERR_CONFIG,
			"the TLS key %s does not belong to the certificate %s", t->key_file,
			t->cert_file);
	mutex_lock(&t->reload_lock);
	p->older = atomic_load(&t->current);
	atomic_store(&t->current, p);
	mutex_unlock(&t->reload_lock);
	p = NULL;
	return true;
}

bool tls_open(const char *cert_file, const char *key_file, struct tls **out, struct err *err)
{
	struct tls *t;

	if (cert_file == NULL || key_file == NULL)
		return err_set(err, ERR_CONFIG, "a TLS listener needs a certificate and a key");
	if (!tls_start(err))
		return false;
	t = xmalloc(sizeof(*t));
	t->cert_file = xstrdup(cert_file);
	t->key_file = xstrdup(key_file);
	mutex_init(&t->reload_lock, "http.tls");
	if (!tls_reload(t, err)) {
		tls_close(t);
		return false;
	}
	*out = t;
	return true;
}

void tls_close(struct tls *t)
{
	struct pair *p;

	if (t == NULL)
		return;
	p = atomic_load(&t->current);
	while (p != NULL) {
		struct pair *older = p->older;

		pair_free(p);
		p = older;
	}
	mutex_fini(&t->reload_lock);
	free(t->cert_file);
	free(t->key_file);
	free(t);
}

/* NOLINTNEXTLINE(readability-function-size): GnuTLS's parameters */
static int retrieve(gnutls_session_t session, const gnutls_datum_t *req_ca_rdn, int nreqs,
	const gnutls_pk_algorithm_t *pk_algos, int pk_algos_length, gnutls_pcert_st **pcert,
	unsigned int *pcert_length, gnutls_privkey_t *privkey)
{
	/* libmicrohttpd gives the session its connection. */
	struct MHD_Connection *c = gnutls_session_get_ptr(session);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	const struct conn *conn = info->socket_context;
	struct pair *p = atomic_load(&conn->server->tls->current);

	(void)req_ca_rdn;
	(void)nreqs;
	(void)pk_algos;
	(void)pk_algos_length;
	*pcert = p->chain;
	*pcert_length = p->chain_len;
	*privkey = p->key;
	return 0;
}

tls_retrieve_fn tls_retrieve(void)
{
	return retrieve;
}

ssize_t tls_send(void *session, const void *bytes, size_t len)
{
	size_t sent = 0;

	while (sent < len) {
		ssize_t n = gnutls_record_send(session, (const char *)bytes + sent, len - sent);

		if (n == GNUTLS_E_INTERRUPTED)
			continue;
		if (n <= 0)
			break;
		sent += (size_t)n;
	}
	return (ssize_t)sent;
}
