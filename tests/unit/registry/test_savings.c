/*
 * Random operations against a model: after each batch the sums of the database are those of the
 * model, and verify finds nothing. The sequence is fixed by its seed, which a failure names.
 */
#include "registry/history.h"
#include "registry/sharing.h"
#include "world.h"

#define REPOS  6
#define LAYERS 12
#define IMAGES 8 /* image k of a repository: config k, layers k + 1 and k + 2; tag k */
#define POOLS  2

static uint64_t seed_now;

static unsigned dice(unsigned sides)
{
	/* xorshift64*: the tests need the same numbers everywhere. */
	seed_now ^= seed_now >> 12;
	seed_now ^= seed_now << 25;
	seed_now ^= seed_now >> 27;
	return (unsigned)((seed_now * 0x2545f4914f6cdd1dULL) >> 33) % sides;
}

/* What must be true, without any of the rules' cleverness. */
struct model {
	bool live[REPOS], links[REPOS][LAYERS], images[REPOS][IMAGES];
};

static const char *repo_name(unsigned r)
{
	static const char *const names[REPOS] = { "a", "b", "c", "k/a", "k/b", "k/c" };
	return names[r];
}

static unsigned pool_of(unsigned r)
{
	return r / (REPOS / POOLS);
}

/* Layer l is l + 1 times the letter. */
static const char *layer_text(unsigned l)
{
	static char texts[LAYERS][LAYERS + 1];
	memset(texts[l], 'a' + (int)l, l + 1);
	return texts[l];
}

static struct str model_image(struct world *w, unsigned k)
{
	const char *layers[] = { layer_text(k + 1), layer_text(k + 2) };
	return image_text(w, layer_text(k), layers, 2, NULL);
}

static bool complete(const struct model *m, unsigned r, unsigned k)
{
	return m->links[r][k] && m->links[r][k + 1] && m->links[r][k + 2];
}

static void tag_name(unsigned k, char tag[8])
{
	snprintf(tag, 8, "t%u", k);
}

static void do_create(struct world *w, struct model *m, unsigned r)
{
	if (m->live[r])
		return;
	make_repo_of(w, repo_name(r), pool_of(r) ? ENC_KMS : ENC_AES256, "");
	m->live[r] = true;
}

static void do_delete(struct world *w, struct model *m, unsigned r)
{
	if (!m->live[r])
		return;
	delete_repo(w, repo_name(r));
	m->live[r] = false;
	memset(m->links[r], 0, sizeof(m->links[r]));
	memset(m->images[r], 0, sizeof(m->images[r]));
}

static void do_push(struct world *w, struct model *m, unsigned r, unsigned l)
{
	struct err err;
	struct upload_result out;
	bool done = try_push(w, repo_name(r), str_from(layer_text(l)), &out, &err);
	assert_int_equal(done, m->live[r]);
	if (done)
		assert_int_equal(out.was_there, m->links[r][l]);
	m->links[r][l] = m->live[r];
}

static void do_mount(struct world *w, struct model *m, unsigned r, unsigned l)
{
	if (!m->live[r])
		return;
	unsigned from = dice(REPOS);
	struct digest d = digest_of(str_from(layer_text(l)));
	bool in_pool = false;
	for (unsigned k = 0; k < REPOS; k++)
		in_pool = in_pool || (pool_of(k) == pool_of(r) && m->links[k][l]);
	struct mount_result out = mount(w, repo_name(r), dice(2) ? repo_name(from) : NULL, &d);
	bool done = out.outcome == MOUNT_MOUNTED || out.outcome == MOUNT_PRESENT;
	assert_int_equal(out.outcome == MOUNT_PRESENT, m->links[r][l]);
	assert_int_equal(done, in_pool); /* discovery finds it wherever it is */
	m->links[r][l] = done;
}

static void do_put(struct world *w, struct model *m, unsigned r, unsigned k)
{
	struct err err;
	char tag[8];
	tag_name(k, tag);
	bool done = try_put(w, repo_name(r), model_image(w, k), tag, &err);
	assert_int_equal(done, m->live[r] && complete(m, r, k));
	if (done)
		m->images[r][k] = true;
}

static void do_delete_image(struct world *w, struct model *m, unsigned r, unsigned k)
{
	struct err err;
	char tag[8];
	tag_name(k, tag);
	struct image_ref ref = dice(2) ? by_tag(tag) : by_digest_ref(digest_of(model_image(w, k)));
	bool done = image_delete(w->core, &w->reg,
		&(struct image_delete){
			.repo = str_from(repo_name(r)), .ref = &ref, .also_last = true },
		w->arena, NULL, &err);
	assert_int_equal(done, m->live[r] && m->images[r][k]);
	if (done)
		m->images[r][k] = false;
}

static bool is_needed(const struct model *m, unsigned r, unsigned l)
{
	bool needed = false;
	for (unsigned k = 0; k < IMAGES; k++)
		needed = needed || (m->images[r][k] && k <= l && l <= k + 2);
	return needed;
}

static void do_unlink(struct world *w, struct model *m, unsigned r, unsigned l)
{
	struct err err;
	struct digest d = digest_of(str_from(layer_text(l)));
	bool done = blob_unlink(w->core, &w->reg, str_from(repo_name(r)), &d, &err);
	assert_int_equal(done, m->links[r][l] && !is_needed(m, r, l));
	if (done)
		m->links[r][l] = false;
}

static void do_collect(struct world *w, struct model *m)
{
	collect_all(w);
	for (unsigned r = 0; r < REPOS; r++) {
		for (unsigned l = 0; l < LAYERS; l++)
			m->links[r][l] = m->links[r][l] && is_needed(m, r, l);
	}
}

static void step(struct world *w, struct model *m)
{
	unsigned r = dice(REPOS), l = dice(LAYERS), k = dice(IMAGES), what = dice(100);
	if (what < 8)
		do_create(w, m, r);
	else if (what < 11)
		do_delete(w, m, r);
	else if (what < 40)
		do_push(w, m, r, l);
	else if (what < 65)
		do_mount(w, m, r, l);
	else if (what < 82)
		do_put(w, m, r, k);
	else if (what < 90)
		do_delete_image(w, m, r, k);
	else if (what < 97)
		do_unlink(w, m, r, l);
	else
		do_collect(w, m);
}

/* The sums of the model against those that the database keeps. emptied: nothing is left over of
 * deleted repositories. */
static void assert_sums(struct world *w, const struct model *m, bool emptied)
{
	uint64_t logical = 0, links = 0, images = 0, live = 0, paid = 0, stored = 0, blobs = 0;
	for (unsigned r = 0; r < REPOS; r++) {
		uint64_t own = 0, own_images = 0;
		for (unsigned l = 0; l < LAYERS; l++)
			own += m->links[r][l] ? l + 1 : 0;
		for (unsigned l = 0; l < LAYERS; l++)
			links += m->links[r][l];
		for (unsigned k = 0; k < IMAGES; k++)
			own_images += m->images[r][k];
		logical += own;
		images += own_images;
		if (!m->live[r])
			continue;
		struct repo repo = get_repo(w, repo_name(r));
		assert_int_equal(repo.logical_bytes, own);
		assert_int_equal(repo.image_count, own_images);
		assert_true(repo.stored_bytes <= repo.logical_bytes);
		paid += repo.stored_bytes;
		live++;
	}
	for (unsigned p = 0; p < POOLS; p++) {
		for (unsigned l = 0; l < LAYERS; l++) {
			bool held = false;
			for (unsigned r = 0; r < REPOS; r++)
				held = held || (pool_of(r) == p && m->links[r][l]);
			stored += held ? l + 1 : 0;
			blobs += held;
		}
	}
	struct savings_total t = total(w);
	assert_int_equal(t.repositories, live);
	if (!emptied)
		return;
	assert_int_equal(t.logical_bytes, logical);
	assert_int_equal(t.links, links);
	assert_int_equal(t.images, images);
	assert_int_equal(t.stored_bytes, stored);
	assert_int_equal(paid, stored);
	if (t.waiting_bytes == 0)
		assert_int_equal(t.blobs, blobs);
}

/* Each pool by itself: logical less saved is stored, the pools add up to the registry, and so do
 * the layers, as every list tells them. */
static void assert_pools(struct world *w, const struct model *m, bool emptied)
{
	struct sharing_summary s;
	struct sharing_layers layers;
	struct sharing_layer_query q = { .from = SHARING_START, .limit = 1000 };
	struct savings_total sum = { 0 };
	struct err err;
	ASSERT_DONE(sharing_summary(w->core, &w->reg, w->arena, &s, &err));
	for (size_t i = 0; i < s.pool_count; i++) {
		const struct savings_total *t = &s.pools[i].sums;
		unsigned p = s.pools[i].name.enc_type == ENC_KMS;
		uint64_t logical = 0, stored = 0, shared = 0, live = 0;
		int64_t saved = 0;
		q.pool = s.pools[i].name;
		ASSERT_DONE(sharing_layers(w->core, &w->reg, &q, w->arena, &layers, &err));
		for (size_t k = 0; k < layers.count; k++) {
			saved += layers.items[k].saved_bytes;
			assert_true(layers.items[k].holders > 1);
			assert_true(k == 0 ||
				    layers.items[k].saved_bytes <= layers.items[k - 1].saved_bytes);
		}
		assert_int_equal(t->logical_bytes - (uint64_t)saved, t->stored_bytes);
		for (unsigned l = 0; l < LAYERS; l++) {
			uint64_t holders = 0;
			for (unsigned r = 0; r < REPOS; r++)
				holders += pool_of(r) == p && m->links[r][l];
			logical += holders * (l + 1);
			stored += holders ? l + 1 : 0;
			shared += holders > 1 ? (holders - 1) * (l + 1) : 0;
		}
		for (unsigned r = 0; r < REPOS; r++)
			live += pool_of(r) == p && m->live[r];
		assert_int_equal(t->repositories, live);
		sum.logical_bytes += t->logical_bytes;
		sum.stored_bytes += t->stored_bytes;
		sum.repositories += t->repositories;
		if (!emptied)
			continue;
		assert_int_equal(t->logical_bytes, logical);
		assert_int_equal(t->stored_bytes, stored);
		assert_int_equal((uint64_t)saved, shared);
	}
	assert_int_equal(sum.logical_bytes, s.sums.logical_bytes);
	assert_int_equal(sum.stored_bytes, s.sums.stored_bytes);
	assert_int_equal(sum.repositories, s.sums.repositories);
}

/* In every order each live repository is told once, and in that order. */
static void assert_orders(struct world *w, const struct model *m)
{
	for (unsigned o = SHARING_BY_LOGICAL; o <= SHARING_BY_CREATED; o++) {
		struct sharing_repo_query q = {
			.order = (enum sharing_order)o, .from = SHARING_START, .limit = 1 + dice(3)
		};
		struct sharing_repos page = { .more = true };
		uint64_t live = 0, told = 0, last = UINT64_MAX;
		struct err err;
		while (page.more) {
			ASSERT_DONE(
				sharing_repositories(w->core, &w->reg, &q, w->arena, &page, &err));
			q.from = page.next;
			for (size_t i = 0; i < page.count; i++, told++) {
				const struct repo *r = &page.items[i];
				uint64_t key[] = { r->logical_bytes, r->stored_bytes,
					r->logical_bytes - r->stored_bytes,
					(uint64_t)r->created_at_ms };
				assert_true(key[o] <= last);
				last = key[o];
			}
		}
		for (unsigned r = 0; r < REPOS; r++)
			live += m->live[r];
		assert_int_equal(told, live);
	}
}

/* The last point of the past is what is now, once it was looked at. */
static void assert_history(struct world *w)
{
	struct history_query q = { .until_ms = clock_now_ms() - 1, .points_max = 100 };
	struct history h;
	struct err err;
	ASSERT_DONE(history_tick(w->core, clock_now_ms() - 1, &err));
	ASSERT_DONE(history_read(w->core, &w->reg, &q, clock_now_ms(), w->arena, &h, &err));
	assert_true(h.count > 0);
	assert_int_equal(h.points[h.count - 1].logical_bytes, total(w).logical_bytes);
	assert_int_equal(h.points[h.count - 1].stored_bytes, total(w).stored_bytes);
	assert_int_equal(h.points[h.count - 1].links, total(w).links);
}

static void run(struct world *w, uint64_t seed, unsigned batches, unsigned steps)
{
	struct model m = { 0 };
	print_message("seed %llu\n", (unsigned long long)seed);
	seed_now = seed;
	for (unsigned b = 0; b < batches; b++) {
		for (unsigned i = 0; i < steps; i++)
			step(w, &m);
		assert_sound(w);
		assert_sums(w, &m, false);
		assert_pools(w, &m, false);
		assert_history(w);
		if (b % 2) {
			collect_at(w, clock_now_ms()); /* empties what is deleted, nothing else */
			assert_sums(w, &m, true);
		} else {
			do_collect(w, &m);
			assert_sums(w, &m, true);
			assert_int_equal(total(w).waiting_bytes, 0);
			assert_int_equal(objects(w), total(w).blobs);
		}
		assert_pools(w, &m, true);
		assert_orders(w, &m);
		assert_sound(w);
	}
}

static void sums_hold_after_any_history(void **state)
{
	run(*state, 1, 30, 100);
}

static void sums_hold_after_any_history_without_grace(void **state)
{
	struct world *w = *state;
	w->o.collect_grace_ms = 0;
	world_restart(w);
	/* Without grace "now" collects all: do it in the model too. */
	struct model m = { 0 };
	seed_now = 2;
	for (unsigned b = 0; b < 10; b++) {
		for (unsigned i = 0; i < 100; i++)
			step(w, &m);
		do_collect(w, &m);
		assert_sums(w, &m, true);
		assert_sound(w);
	}
}

struct told {
	unsigned registries;
	uint64_t repositories;
};

static bool tell(void *arg, const struct registry_id *reg UNUSED, const struct savings_total *t)
{
	struct told *told = arg;
	told->registries++;
	told->repositories += t->repositories;
	return true;
}

static void every_registry_with_repositories_is_told(void **state)
{
	struct world *w = *state;
	struct err err;
	struct told told = { 0 };
	struct registry_id home = w->reg;
	make_repo(w, "a");
	make_repo_of(w, "b", ENC_KMS, "");
	assert_true(registry_id_make(STR("000000000001"), STR("eu-west-1"), &w->reg));
	make_repo(w, "a");
	assert_true(registry_id_make(STR("000000000002"), STR("eu-west-1"), &w->reg));
	ASSERT_DONE(setting_put(w->core, &w->reg, STR("BLOB_MOUNTING"), STR("ENABLED"), &err));
	ASSERT_DONE(savings_registries(w->core, tell, &told, &err));
	assert_int_equal(told.registries, 2);
	assert_int_equal(told.repositories, 3);
	assert_true(registry_id_make(STR("000000000003"), STR("eu-west-1"), &w->reg));
	assert_int_equal(total(w).blobs, 0);
	w->reg = home;
	assert_int_equal(total(w).repositories, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(sums_hold_after_any_history),
		WORLD_TEST(sums_hold_after_any_history_without_grace),
		WORLD_TEST(every_registry_with_repositories_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
