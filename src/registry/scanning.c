#include "registry/scanning.h"

#include "base/buf.h"
#include "meta/scanning_table.h"
#include "registry/core_priv.h"

#define RULES_TEXT_MAX ((size_t)SCAN_RULES_MAX * SCAN_FILTERS_MAX * 256 + 64)

struct scanning_args {
	int64_t registry_id;
	struct arena *arena;
	struct scanning_row row;
	bool found;
};

static bool corrupt(struct err *err)
{
	return err_sys(err, ERR_CORRUPT, 0, "a scanning configuration is malformed");
}

/* One line: frequency, then filters, with tabs between. */
static bool rule_parse(struct str line, struct arena *arena, struct scan_rule *out, struct err *err)
{
	struct str head;
	struct str rest;
	uint64_t frequency;
	(void)str_cut(line, '\t', &head, &rest);
	if (!str_to_u64(head, SCAN_CONTINUOUS, &frequency) || frequency < SCAN_MANUAL)
		return corrupt(err);
	struct str *filters = arena_alloc(arena, sizeof(*filters) * SCAN_FILTERS_MAX);
	if (!filters)
		return core_no_memory(arena, err);
	size_t count = 0;
	while (rest.len && count < SCAN_FILTERS_MAX)
		(void)str_cut(rest, '\t', &filters[count++], &rest);
	*out = (struct scan_rule){ (enum scan_frequency)frequency, filters, count };
	return true;
}

static bool from_row(
	const struct scanning_row *row, struct arena *arena, struct scanning *out, struct err *err)
{
	struct scanning s = { .type = (enum scan_type)row->scan_type };
	struct str rest = row->rules;
	struct str line;
	while (rest.len && s.rule_count < SCAN_RULES_MAX) {
		(void)str_cut(rest, '\n', &line, &rest);
		if (!rule_parse(line, arena, &s.rules[s.rule_count++], err))
			return false;
	}
	*out = s;
	return true;
}

static bool get_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct scanning_args *a = arg;
	return scanning_table_get(conn, a->registry_id, a->arena, &a->row, &a->found, err);
}

bool scanning_get(struct core *c, const struct registry_id *reg, struct arena *arena,
	struct scanning *out, struct err *err)
{
	struct scanning_args a = { .arena = arena };
	if (!core_registry(c, reg, false, &a.registry_id, err))
		return false;
	if (a.registry_id && !db_read(c->db, get_in, &a, err))
		return false;
	if (a.found)
		return from_row(&a.row, arena, out, err);
	*out = (struct scanning){ .type = SCAN_BASIC };
	return true;
}

static bool put_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct scanning_args *a = arg;
	return scanning_table_put(conn, a->registry_id, &a->row, err);
}

/* ECR: basic scanning knows SCAN_ON_PUSH and MANUAL, enhanced CONTINUOUS_SCAN too; a frequency has
 * one rule. */
static bool check(const struct scanning *in, struct err *err)
{
	for (size_t i = 0; i < in->rule_count; i++) {
		if (in->type == SCAN_BASIC && in->rules[i].frequency == SCAN_CONTINUOUS)
			return err_set(err, ERR_INVALID,
				"Invalid parameter at 'rules' failed to satisfy constraint: 'scanFrequency CONTINUOUS_SCAN is not supported when scanType is BASIC'");
		for (size_t k = 0; k < i; k++) {
			if (in->rules[k].frequency == in->rules[i].frequency)
				return err_set(err, ERR_INVALID,
					"Invalid parameter at 'rules' failed to satisfy constraint: 'rules must have different scanFrequency values'");
		}
	}
	return true;
}

bool scanning_put(
	struct core *c, const struct registry_id *reg, const struct scanning *in, struct err *err)
{
	struct scanning_args a = { .row.scan_type = (int)in->type };
	struct buf text CLEANUP(buf_fini) = { 0 };
	if (!check(in, err))
		return false;
	buf_init(&text, RULES_TEXT_MAX);
	for (size_t i = 0; i < in->rule_count; i++) {
		buf_addf(&text, "%s%d", i ? "\n" : "", (int)in->rules[i].frequency);
		for (size_t k = 0; k < in->rules[i].filter_count; k++) {
			buf_add_char(&text, '\t');
			buf_add_str(&text, in->rules[i].filters[k]);
		}
	}
	a.row.rules = str_from(buf_c(&text));
	if (buf_is_starved(&text))
		return err_sys(err, ERR_UNAVAILABLE, 0, "no memory for scanning rules");
	if (!buf_ok(&text))
		return err_set(err, ERR_TOO_LARGE, "The scanning rules are too long");
	return core_registry(c, reg, true, &a.registry_id, err) && db_write(c->db, put_in, &a, err);
}

static bool contains(struct str s, struct str part)
{
	for (size_t i = 0; i + part.len <= s.len; i++) {
		if (memcmp(s.ptr + i, part.ptr, part.len) == 0)
			return true;
	}
	return false;
}

bool scanning_filter_matches(struct str filter, struct str repo)
{
	return str_find_char(filter, '*') < filter.len ? str_glob(filter, repo)
						       : contains(repo, filter);
}

const struct scan_rule *scanning_rule(const struct scanning *s, struct str repo)
{
	const struct scan_rule *best = NULL;
	for (size_t i = 0; i < s->rule_count; i++) {
		const struct scan_rule *r = &s->rules[i];
		bool matches = false;
		for (size_t k = 0; k < r->filter_count && !matches; k++)
			matches = scanning_filter_matches(r->filters[k], repo);
		if (matches && (!best || r->frequency > best->frequency))
			best = r;
	}
	return best;
}
