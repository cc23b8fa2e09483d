#include "auth/policy_priv.h"

enum policy_kind policy_kind_of(const struct policy *p)
{
	return p->kind;
}

static bool statement_reads(const struct statement *s, struct str prefix)
{
	for (size_t i = 0; i < s->resource_count; i++) {
		if (pattern_reads(&s->resources[i], prefix))
			return true;
	}
	for (size_t i = 0; i < s->condition_count; i++) {
		const struct condition *c = &s->conditions[i];
		if (str_starts(c->key, prefix))
			return true;
		for (size_t j = 0; condition_has_text(c) && j < c->value_count; j++) {
			if (pattern_reads(&c->values[j].text, prefix))
				return true;
		}
	}
	return false;
}

bool policy_reads(const struct policy *p, struct str prefix)
{
	for (size_t i = 0; i < p->statement_count; i++) {
		if (statement_reads(&p->statements[i], prefix))
			return true;
	}
	return false;
}

struct teller {
	policy_principal_fn fn;
	void *arg;
};

static bool tell(const struct teller *t, const char *type, const struct str *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!t->fn(t->arg, str_from(type), list[i]))
			return false;
	}
	return true;
}

bool policy_each_principal(const struct policy *p, policy_principal_fn fn, void *arg)
{
	const struct teller t = { fn, arg };
	const struct str everyone = STR("*");
	for (size_t i = 0; i < p->statement_count; i++) {
		const struct principals *who = &p->statements[i].principals;
		if (!tell(&t, "AWS", &everyone, who->has_everyone ? 1 : 0) ||
			!tell(&t, "AWS", who->accounts, who->account_count) ||
			!tell(&t, "AWS", who->arns, who->arn_count) ||
			!tell(&t, "Service", who->services, who->service_count) ||
			!tell(&t, "Federated", who->federated, who->federated_count) ||
			!tell(&t, "CanonicalUser", who->canonical, who->canonical_count))
			return false;
	}
	return true;
}
