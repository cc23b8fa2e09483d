#include "registry/mount.h"

#include "base/clock.h"
#include "meta/blob_table.h"
#include "meta/repo_table.h"
#include "registry/core_priv.h"
#include "registry/name.h"
#include "registry/setting_priv.h"

/* How many holders of a blob discovery asks about; more cost time and tell nothing new. */
#define DISCOVERY_MAX 32

static const char *const outcome_texts[] = {
#define MOUNT_OUTCOME(name, text) text,
#include "registry/mount_outcome.def"
#undef MOUNT_OUTCOME
};

const char *mount_outcome_text(enum mount_outcome o)
{
	return outcome_texts[o];
}

/* The first rule that applies names the outcome. */
enum mount_outcome mount_decide(const struct mount_facts *f)
{
	if (!f->digest_is_valid)
		return MOUNT_BAD_DIGEST;
	if (f->target_holds)
		return MOUNT_PRESENT;
	if (!f->setting_enabled)
		return MOUNT_OFF;
	if (!f->source_given)
		return MOUNT_NOT_FOUND;
	if (f->source_is_other_registry)
		return MOUNT_OTHER_REGISTRY;
	if (!f->source_exists)
		return MOUNT_NO_SOURCE;
	if (!f->may_read)
		return MOUNT_DENIED;
	if (!f->source_holds)
		return MOUNT_NOT_HELD;
	if (!f->source_same_pool)
		return MOUNT_OTHER_POOL;
	if (f->policy_is_ecr && f->source_cached)
		return MOUNT_CACHED;
	if (f->policy_is_ecr && !f->source_references)
		return MOUNT_UNREFERENCED;
	return MOUNT_MOUNTED;
}

struct mount_args {
	struct core *core;
	const struct registry_id *reg;
	const struct mount_request *in;
	struct arena *arena;
	int64_t registry_id;
	struct digest digest;
	struct mount_facts facts;
	struct repo_key target, source;
	struct blob_row blob;  /* in the target's pool; id 0: not there */
	struct link_row there; /* the target's own link, if it holds the blob */
	uint64_t size_bytes;
	struct str found[DISCOVERY_MAX]; /* names of holders */
	size_t found_count;
	struct str chosen;
	enum mount_outcome outcome;
	bool avoidable; /* off, and with the setting on it would have been mounted */
};

static bool names_a_source(const struct mount_args *a)
{
	const struct mount_facts *f = &a->facts;
	return f->source_given && !f->source_is_other_registry && name_is_repository(a->in->source);
}

static bool find_source(struct db_conn *conn, struct mount_args *a, struct err *err)
{
	struct mount_facts *f = &a->facts;
	struct blob_row blob;
	int64_t needs = 0;
	if (!names_a_source(a))
		return true;
	if (!repo_table_key(conn, a->registry_id, a->in->source, &a->source, err))
		return false;
	f->source_exists = a->source.id != 0;
	if (!f->source_exists)
		return true;
	f->source_same_pool = a->source.pool_id == a->target.pool_id;
	if (!link_table_find_digest(
		    conn, &a->source, &a->digest, &blob, &needs, &f->source_holds, err))
		return false;
	f->source_references = f->source_holds && needs > 0;
	if (f->source_holds)
		a->size_bytes = blob.size_bytes;
	return true;
}

/* Names of repositories that hold the blob, for discovery; whether the caller may read them is
 * asked outside the snapshot. */
static bool find_holders(struct db_conn *conn, void *arg, struct err *err)
{
	struct mount_args *a = arg;
	int64_t ids[DISCOVERY_MAX];
	size_t n = 0;
	a->found_count = 0;
	if (!link_table_holders(conn, a->blob.id, 0, ids, DISCOVERY_MAX, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct str name;
		bool live = false;
		if (!repo_table_name(conn, ids[i], a->arena, &name, &live, err))
			return false;
		if (live && name.ptr)
			a->found[a->found_count++] = name;
	}
	return true;
}

/* The facts as they are now: a transaction may run twice, and looks again each time. */
static bool look_up(struct db_conn *conn, struct mount_args *a, struct err *err)
{
	struct mount_facts *f = &a->facts;
	bool in_pool = false;
	a->blob = (struct blob_row){ 0 };
	a->there = (struct link_row){ 0 };
	a->size_bytes = 0;
	f->target_holds = f->source_exists = f->source_holds = false;
	f->source_same_pool = f->source_references = false;
	if (!repo_table_key(conn, a->registry_id, a->in->target, &a->target, err))
		return false;
	if (!a->target.id)
		return core_repo_unknown(a->reg, a->in->target, err);
	if (!setting_mounting_in(a->core, conn, a->registry_id, a->arena, &f->setting_enabled, err))
		return false;
	if (!f->digest_is_valid)
		return true;
	if (!blob_table_find(conn, a->target.pool_id, &a->digest, &a->blob, &in_pool, err))
		return false;
	if (in_pool) {
		if (!link_table_find(
			    conn, a->target.id, a->blob.id, &a->there, &f->target_holds, err))
			return false;
		if (f->target_holds)
			a->size_bytes = a->blob.size_bytes;
	}
	return find_source(conn, a, err);
}

/* A layer that the target holds, but no image needs, is about to be used: it must not be collected
 * between this answer and the image. Every time would cost a write; half of the time left is
 * enough. */
static bool wants_renewal(const struct mount_args *a)
{
	int64_t grace = a->core->o.collect_grace_ms;
	return a->outcome == MOUNT_PRESENT && a->there.needs == 0 &&
	       a->there.linked_at_ms + grace / 2 < clock_now_ms();
}

/* Writes what the look-up of the same transaction led to. */
static bool link_in(struct db_conn *conn, const struct mount_args *a, struct err *err)
{
	int64_t now = clock_now_ms();
	struct candidate k = { now + a->core->o.collect_grace_ms, a->blob.id, a->target.id };
	struct link_row link = {
		.repository_id = a->target.id,
		.blob_id = a->blob.id,
		.origin = LINK_MOUNTED,
		.source = a->chosen,
		.linked_at_ms = now,
	};
	if (a->outcome == MOUNT_MOUNTED)
		return link_table_add(conn, &link, &a->blob, err) &&
		       candidate_table_add(conn, &k, err);
	if (wants_renewal(a))
		return link_table_renew(conn, a->target.id, a->blob.id, now, err) &&
		       candidate_table_add(conn, &k, err);
	return true;
}

/* `from` of another registry, as some clients write it: a host name in front. */
static bool names_a_registry(struct str from)
{
	struct str host;
	struct str rest;
	if (!str_cut(from, '/', &host, &rest))
		return false;
	bool dots = false;
	for (size_t i = 0; i + 9 <= host.len; i++)
		dots = dots || str_starts(str_sub(host, i, host.len - i), STR(".dkr.ecr."));
	return dots || str_find_char(host, ':') < host.len;
}

/* Whether another source may be looked for after this outcome. */
static bool wants_discovery(const struct mount_args *a, enum mount_outcome outcome)
{
	switch (outcome) {
	case MOUNT_NO_SOURCE:
	case MOUNT_DENIED:
	case MOUNT_NOT_HELD:
	case MOUNT_OTHER_POOL:
	case MOUNT_NOT_FOUND:
		return !a->facts.policy_is_ecr && a->blob.id != 0;
	default:
		return false;
	}
}

/* The first holder that the caller may read becomes the source; none: `chosen` stays empty. */
static bool find_readable(struct mount_args *a, struct err *err)
{
	const struct mount_request *in = a->in;
	if (!db_read(a->core->db, find_holders, a, err))
		return false;
	for (size_t i = 0; i < a->found_count && !a->chosen.ptr; i++) {
		if (in->may_read(in->may_read_arg, a->found[i]))
			a->chosen = a->found[i];
	}
	return true;
}

static bool look_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct mount_args *a = arg;
	a->chosen = (struct str){ NULL, 0 };
	if (!look_up(conn, a, err))
		return false;
	a->outcome = mount_decide(&a->facts);
	if (a->outcome == MOUNT_MOUNTED)
		a->chosen = a->in->source;
	return true;
}

/* Looks and writes in one transaction, with the source that the client names. */
static bool attempt_in(struct db_conn *conn, void *arg, struct err *err)
{
	return look_in(conn, arg, err) && link_in(conn, arg, err);
}

/* The same with the source that discovery chose: it need not hold the blob any more. */
static bool link_chosen_in(struct db_conn *conn, void *arg, struct err *err)
{
	struct mount_args *a = arg;
	if (!look_up(conn, a, err))
		return false;
	if (a->facts.target_holds)
		a->outcome = MOUNT_PRESENT;
	else if (!a->facts.setting_enabled)
		a->outcome = MOUNT_OFF;
	else
		a->outcome = a->blob.id ? MOUNT_MOUNTED : MOUNT_NOT_HELD;
	return link_in(conn, a, err);
}

/* Another source than the client names, or none named: looked for with reads only, which most such
 * requests end with. */
static bool discover(struct mount_args *a, struct err *err)
{
	if (!find_readable(a, err))
		return false;
	if (a->chosen.ptr)
		return db_write(a->core->db, link_chosen_in, a, err);
	return true;
}

/* What would it have been with the setting on? Its owner is told what that costs. */
static bool look_avoidable(struct mount_args *a, struct err *err)
{
	a->facts.setting_enabled = true;
	enum mount_outcome otherwise = mount_decide(&a->facts);
	a->facts.setting_enabled = false;
	if (wants_discovery(a, otherwise)) {
		if (!find_readable(a, err))
			return false;
		if (a->chosen.ptr)
			otherwise = MOUNT_MOUNTED;
	}
	a->chosen = (struct str){ NULL, 0 };
	a->avoidable = otherwise == MOUNT_MOUNTED;
	if (a->avoidable)
		a->size_bytes = a->blob.size_bytes;
	return true;
}

/* The facts that need no look at the target or the source. */
static bool fill(struct mount_args *a, struct err *err)
{
	const struct mount_request *in = a->in;
	struct mount_facts *f = &a->facts;
	struct err bad;
	if (!core_check_name(in->target, err) ||
		!core_registry(a->core, a->reg, false, &a->registry_id, err))
		return false;
	if (!a->registry_id)
		return core_repo_unknown(a->reg, in->target, err);
	f->digest_is_valid = digest_parse(in->digest, &a->digest, &bad);
	f->policy_is_ecr = a->core->o.mount_policy == MOUNT_POLICY_ECR;
	f->source_given = in->source.ptr != NULL && in->source.len > 0;
	f->source_is_other_registry = f->source_given && names_a_registry(in->source);
	/* Asked outside of transactions: the answer may need one of its own. */
	f->may_read = names_a_source(a) && in->may_read(in->may_read_arg, in->source);
	return true;
}

/* What the first look or attempt has led to may lead on. */
static bool go_on(struct mount_args *a, struct err *err)
{
	if (a->outcome == MOUNT_OFF)
		return look_avoidable(a, err);
	return !wants_discovery(a, a->outcome) || discover(a, err);
}

/*
 * A client that names a source that it may read was told before that the target does not have the
 * blob, and mostly gets the link now: so the transaction that writes it looks as well. All others
 * only read, as most of them end without a link.
 */
static bool run(struct mount_args *a, struct err *err)
{
	struct db *db = a->core->db;
	if (!a->facts.may_read && !db_read(db, look_in, a, err))
		return false;
	if ((a->facts.may_read || wants_renewal(a)) && !db_write(db, attempt_in, a, err))
		return false;
	return go_on(a, err);
}

/* Counters, log, and what the caller wants to know. */
static void report(struct mount_args *a, struct mount_result *out)
{
	enum mount_outcome outcome = a->outcome;
	bool done = outcome == MOUNT_MOUNTED || outcome == MOUNT_PRESENT;
	if (outcome == MOUNT_MOUNTED)
		core_count(&a->core->bytes_mounted, a->blob.size_bytes);
	else
		a->chosen = (struct str){ NULL, 0 };
	struct mount_entry_of log = {
		.registry_id = a->registry_id,
		.outcome = outcome,
		.source = a->chosen,
		.size_bytes = done ? a->blob.size_bytes : a->size_bytes,
		.avoidable = outcome == MOUNT_OFF && a->avoidable,
	};
	core_log_mount(a->core, a->in, &log);
	*out = (struct mount_result){
		.outcome = outcome,
		.digest = a->digest,
		.size_bytes = done ? a->blob.size_bytes : 0,
		.source = a->chosen,
	};
}

bool mount_try(struct core *c, const struct registry_id *reg, const struct mount_request *in,
	struct arena *arena, struct mount_result *out, struct err *err)
{
	struct mount_args *a = arena_alloc(arena, sizeof(*a));
	if (!a)
		return core_no_memory(arena, err);
	*a = (struct mount_args){ .core = c, .reg = reg, .in = in, .arena = arena };
	if (!fill(a, err) || !run(a, err))
		return false;
	report(a, out);
	return true;
}

struct mount_attempt {
	struct mount_args args;
	struct db_later write;
};

struct mount_attempt *mount_begin(struct core *c, const struct registry_id *reg,
	const struct mount_request *in, struct arena *arena)
{
	struct err unused;
	struct mount_attempt *m = arena_alloc(arena, sizeof(*m));
	if (!m)
		return NULL;
	m->args = (struct mount_args){ .core = c, .reg = reg, .in = in, .arena = arena };
	return fill(&m->args, &unused) && m->args.facts.may_read ? m : NULL;
}

void mount_start(struct mount_attempt *m, void (*done)(void *arg), void *arg)
{
	m->write = (struct db_later){
		.fn = attempt_in, .arg = &m->args, .done = done, .done_arg = arg
	};
	db_write_later(m->args.core->db, &m->write);
}

bool mount_is_over(const struct mount_attempt *m)
{
	enum mount_outcome outcome = m->args.outcome;
	return m->write.is_done && (outcome == MOUNT_MOUNTED || outcome == MOUNT_PRESENT);
}

bool mount_end(struct mount_attempt *m, struct mount_result *out, struct err *err)
{
	if (!m->write.is_done) {
		*err = m->write.err;
		return false;
	}
	if (!go_on(&m->args, err))
		return false;
	report(&m->args, out);
	return true;
}

void mount_counters(struct core *c, uint64_t out[MOUNT_OUTCOME_COUNT])
{
	for (size_t i = 0; i < MOUNT_OUTCOME_COUNT; i++)
		out[i] = atomic_load_explicit(&c->mounts[i], memory_order_relaxed);
}
