/* scanning.c - which repositories are to be scanned, and when. The answers are configuration only.
 */
#include "registry/scanning.h"

#include "ecr/handlers.h"
#include "registry/repo.h"

static const char *frequency_name(enum scan_frequency f)
{
	switch (f) {
	case SCAN_MANUAL:
		return "MANUAL";
	case SCAN_ON_PUSH:
		return "SCAN_ON_PUSH";
	case SCAN_CONTINUOUS:
		return "CONTINUOUS_SCAN";
	}
	return "MANUAL";
}

bool ecr_put_image_scanning_configuration(
	struct ecr_call *call, struct json_out *out, struct err *err)
{
	const struct json *in = json_get(call->input, "imageScanningConfiguration");
	bool scan_on_push = json_bool(json_get(in, "scanOnPush"), false);
	if (!repo_set_scan_on_push(call->core, &call->reg, call->repo, scan_on_push, err))
		return false;
	ecr_put_place(call, out);
	jo_object(out, "imageScanningConfiguration");
	jo_bool(out, "scanOnPush", scan_on_push);
	jo_end(out, '}');
	return true;
}

/* --- the registry's rules --- */

static bool rule_parse(
	struct ecr_call *call, const struct json *in, struct scan_rule *out, struct err *err)
{
	struct str frequency = json_get_str(in, "scanFrequency");
	const struct json *list = json_get(in, "repositoryFilters");
	size_t n = json_len(list);
	struct str *filters = arena_alloc(call->arena, (n + 1) * sizeof(*filters));
	if (filters == NULL)
		return ecr_out_of_memory(call->arena, err);
	for (size_t i = 0; i < n; i++)
		filters[i] = json_get_str(json_at(list, i), "filter");
	enum scan_frequency f = SCAN_MANUAL;
	while (f < SCAN_CONTINUOUS && !str_eq_c(frequency, frequency_name(f)))
		f++;
	*out = (struct scan_rule){ f, filters, n };
	return true;
}

static void put_filters(struct json_out *out, const char *name, const struct scan_rule *rule,
	const struct str *only_repo)
{
	jo_array(out, name);
	for (size_t i = 0; rule != NULL && i < rule->filter_count; i++) {
		if (only_repo != NULL && !scanning_filter_matches(rule->filters[i], *only_repo))
			continue;
		jo_object(out, NULL);
		jo_str(out, "filter", rule->filters[i]);
		jo_c(out, "filterType", "WILDCARD");
		jo_end(out, '}');
	}
	jo_end(out, ']');
}

static void put_scanning(struct json_out *out, const char *name, const struct scanning *s)
{
	jo_object(out, name);
	jo_c(out, "scanType", s->type == SCAN_ENHANCED ? "ENHANCED" : "BASIC");
	jo_array(out, "rules");
	for (size_t i = 0; i < s->rule_count; i++) {
		jo_object(out, NULL);
		jo_c(out, "scanFrequency", frequency_name(s->rules[i].frequency));
		put_filters(out, "repositoryFilters", &s->rules[i], NULL);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	jo_end(out, '}');
}

/* What is not given stays as it is: the type; rules that are left out are none. */
bool ecr_put_registry_scanning_configuration(
	struct ecr_call *call, struct json_out *out, struct err *err)
{
	const struct json *rules = json_get(call->input, "rules");
	struct str type = json_get_str(call->input, "scanType");
	struct scanning was;
	if (!scanning_get(call->core, &call->reg, call->arena, &was, err))
		return false;
	struct scanning s = { .type = was.type };
	if (type.ptr != NULL)
		s.type = str_eq_c(type, "ENHANCED") ? SCAN_ENHANCED : SCAN_BASIC;
	size_t n = json_type(rules) == JSON_ARRAY ? json_len(rules) : 0;
	for (; s.rule_count < n && s.rule_count < SCAN_RULES_MAX; s.rule_count++) {
		if (!rule_parse(call, json_at(rules, s.rule_count), &s.rules[s.rule_count], err))
			return false;
	}
	if (!scanning_put(call->core, &call->reg, &s, err))
		return false;
	put_scanning(out, "registryScanningConfiguration", &s);
	return true;
}

bool ecr_get_registry_scanning_configuration(
	struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct scanning s;
	if (!scanning_get(call->core, &call->reg, call->arena, &s, err))
		return false;
	jo_c(out, "registryId", call->reg.account);
	put_scanning(out, "scanningConfiguration", &s);
	return true;
}

/* --- what applies to repositories --- */

/* Without a rule that matches, the repository's own flag counts. */
static bool put_applied(struct ecr_call *call, struct json_out *out, const struct scanning *s,
	const struct repo *r, struct err *err)
{
	const struct scan_rule *rule = scanning_rule(s, r->name);
	struct str arn = front_repo_arn(call->arena, &call->reg, r->name);
	enum scan_frequency frequency = r->scan_on_push ? SCAN_ON_PUSH : SCAN_MANUAL;
	if (arn.ptr == NULL)
		return ecr_out_of_memory(call->arena, err);
	if (rule != NULL)
		frequency = rule->frequency;
	jo_object(out, NULL);
	jo_str(out, "repositoryArn", arn);
	jo_str(out, "repositoryName", r->name);
	jo_bool(out, "scanOnPush", frequency != SCAN_MANUAL);
	jo_c(out, "scanFrequency", frequency_name(frequency));
	put_filters(out, "appliedScanFilters", rule, &r->name);
	jo_end(out, '}');
	return true;
}

static void put_failures(struct ecr_call *call, struct json_out *out, const struct str *names,
	const bool *is_missing, size_t count)
{
	jo_array(out, "failures");
	for (size_t i = 0; i < count; i++) {
		if (!is_missing[i])
			continue;
		struct str reason = arena_printf(call->arena,
			"The repository with name '" STR_FMT
			"' does not exist in the registry with id '%s'",
			STR_ARG(names[i]), call->reg.account);
		jo_object(out, NULL);
		jo_str(out, "repositoryName", names[i]);
		jo_c(out, "failureCode", "REPOSITORY_NOT_FOUND");
		jo_str(out, "failureReason", reason);
		jo_end(out, '}');
	}
	jo_end(out, ']');
}

bool ecr_batch_get_repository_scanning_configuration(
	struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct scanning s;
	struct str *names;
	size_t count;
	if (!ecr_strings(call, "repositoryNames", &names, &count, err) ||
		!scanning_get(call->core, &call->reg, call->arena, &s, err))
		return false;
	bool *is_missing = arena_alloc(call->arena, (count + 1) * sizeof(*is_missing));
	if (is_missing == NULL)
		return ecr_out_of_memory(call->arena, err);
	jo_array(out, "scanningConfigurations");
	for (size_t i = 0; i < count; i++) {
		struct repo r;
		struct err e;
		if (!ecr_allow(call, "ecr:BatchGetRepositoryScanningConfiguration", names[i], err))
			return false;
		if (repo_get(call->core, &call->reg, names[i], call->arena, &r, &e)) {
			if (!put_applied(call, out, &s, &r, err))
				return false;
		} else if (e.kind == ERR_REPO_UNKNOWN) {
			is_missing[i] = true;
		} else {
			*err = e;
			return false;
		}
	}
	jo_end(out, ']');
	put_failures(call, out, names, is_missing, count);
	return true;
}
