#include "app/webhooks.h"

#include "net/fetch.h"

static bool bad(const struct config *c, const char *what, struct err *err)
{
	char where[CONFIG_WHERE_MAX];
	const struct config_key *key = config_key_at(offsetof(struct config, event_webhook));
	return err_set(err, ERR_CONFIG, "%s: %s", config_where(c, key, where), what);
}

static bool read_filter(
	const struct config *c, struct str text, struct event_webhook *out, struct err *err)
{
	struct str name;
	struct str value;
	(void)str_cut(text, '=', &name, &value);
	if (str_eq_c(name, "repository") && value.len != 0) {
		out->repository = value;
		return true;
	}
	if (str_eq_c(name, "type") && str_eq_c(value, "image")) {
		out->kind = EVENT_IMAGE;
		return true;
	}
	if (str_eq_c(name, "type") && str_eq_c(value, "referrer")) {
		out->kind = EVENT_REFERRER;
		return true;
	}
	return bad(
		c, "behind the URL stands |repository=PATTERN, |type=image or |type=referrer", err);
}

static bool read_one(
	const struct config *c, struct str text, struct event_webhook *out, struct err *err)
{
	struct event_webhook w = { .repository = STR("") };
	struct str rest;
	struct str part;
	struct str authority;
	bool is_https;
	(void)str_cut(text, '|', &w.url, &rest);
	if (!fetch_authority(w.url, &is_https, &authority))
		return bad(c, "give a URL, https://HOST/PATH or http://HOST/PATH, without a user",
			err);
	while (rest.len != 0) {
		(void)str_cut(rest, '|', &part, &rest);
		if (!read_filter(c, part, &w, err))
			return false;
	}
	*out = w;
	return true;
}

bool webhooks_read(const struct config *c, struct webhooks *out, struct err *err)
{
	const struct config_list *list = &c->event_webhook;
	struct webhooks w = { .count = list->count };
	if (list->count > EVENT_WEBHOOKS_MAX)
		return bad(c, "there are at most 16 webhooks", err);
	for (size_t i = 0; i < list->count; i++) {
		if (!read_one(c, str_from(list->items[i]), &w.items[i], err))
			return false;
		for (size_t k = 0; k < i; k++) {
			if (str_eq(w.items[k].url, w.items[i].url))
				return bad(c, "a webhook's URL is given twice", err);
		}
	}
	*out = w;
	return true;
}
