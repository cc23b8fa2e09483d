#include "app/listen.h"

#include <arpa/inet.h>
#include <stdio.h>

static bool take_prefix(struct str *s, struct str prefix)
{
	if (!str_starts(*s, prefix))
		return false;
	*s = str_sub(*s, prefix.len, s->len);
	return true;
}

/* Cuts "[::1]:5000" and "127.0.0.1:5000" at the colon before the port. */
static bool split_port(struct str text, struct str *host, struct str *port)
{
	size_t colon = text.len;
	while (colon > 0 && text.ptr[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return false;
	*host = str_sub(text, 0, colon - 1);
	*port = str_sub(text, colon, text.len);
	return true;
}

static bool v6_is_loopback(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

/* False: no address. */
static bool host_judge(struct str host, bool *is_loopback)
{
	char text[LISTEN_ADDRESS_MAX];
	struct in_addr v4;
	struct in6_addr v6;
	if (host.len == 0) {
		*is_loopback = false;
		return true;
	}
	if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') {
		if (!str_to_c(str_sub(host, 1, host.len - 2), text, sizeof(text)) ||
			inet_pton(AF_INET6, text, &v6) != 1)
			return false;
		*is_loopback = v6_is_loopback(&v6);
		return true;
	}
	if (!str_to_c(host, text, sizeof(text)) || inet_pton(AF_INET, text, &v4) != 1)
		return false;
	*is_loopback = ntohl(v4.s_addr) >> 24 == 127;
	return true;
}

bool listen_parse(struct str text, bool has_certificate, struct listen *out, struct err *err)
{
	struct listen l = { .tls = has_certificate };
	struct str host;
	struct str port;
	uint64_t number;
	if (take_prefix(&text, STR("http://"))) {
		l.tls = false;
	} else if (take_prefix(&text, STR("https://"))) {
		if (!has_certificate)
			return err_set(err, ERR_CONFIG, "https needs --tls-cert and --tls-key");
		l.tls = true;
	}
	if (!split_port(text, &host, &port) || !str_to_u64(port, 65535, &number))
		return err_set(
			err, ERR_CONFIG, "give an address and a port, such as 127.0.0.1:5000");
	if (str_eq_c(host, "localhost"))
		host = STR("127.0.0.1");
	if (!host_judge(host, &l.is_loopback))
		return err_set(err, ERR_CONFIG,
			"the host must be an IPv4 address, an IPv6 address in brackets, or empty");
	snprintf(l.address, sizeof(l.address), STR_FMT ":%u", STR_ARG(host), (unsigned)number);
	*out = l;
	return true;
}

static bool judge(const struct config *c, const struct listen *l, const char *where,
	const char *text, struct err *err)
{
	if (!l->tls && !l->is_loopback && !c->allow_plain_http)
		return err_set(err, ERR_CONFIG,
			"%s %s: plain HTTP is only served on loopback addresses; give --tls-cert and "
			"--tls-key, or --allow-plain-http",
			where, text);
	if (c->no_auth && !l->is_loopback)
		return err_set(err, ERR_CONFIG,
			"%s %s: --no-auth is only for loopback addresses, since every caller may do "
			"everything",
			where, text);
	return true;
}

bool listen_all(const struct config *c, struct listen *out, size_t *out_count, struct err *err)
{
	char where[CONFIG_WHERE_MAX];
	config_where(c, config_key_at(offsetof(struct config, listen)), where);
	if (c->listen.count > LISTEN_MAX)
		return err_set(err, ERR_CONFIG, "%s: more than %d addresses", where, LISTEN_MAX);
	for (size_t i = 0; i < c->listen.count; i++) {
		const char *text = c->listen.items[i];
		struct err why;
		if (!listen_parse(str_from(text), c->tls_cert != NULL, &out[i], &why))
			return err_set(err, ERR_CONFIG, "%s %.80s: %s", where, text, why.msg);
		if (!judge(c, &out[i], where, text, err))
			return false;
	}
	*out_count = c->listen.count;
	return true;
}

const char *listen_url(const struct listen *l, unsigned port, char out[LISTEN_URL_MAX])
{
	struct str host = STR("");
	struct str rest;
	(void)split_port(str_from(l->address), &host, &rest);
	if (host.len == 0 || str_eq_c(host, "0.0.0.0"))
		host = STR("127.0.0.1");
	else if (str_eq_c(host, "[::]"))
		host = STR("[::1]");
	snprintf(out, LISTEN_URL_MAX, "%s://" STR_FMT ":%u", l->tls ? "https" : "http",
		STR_ARG(host), port);
	return out;
}
