/* Pages: every item exactly once, whatever the limit, also while rows come and go. */
#include "world.h"

#define IMAGES   7
#define TAG_NAME 129

/* Image k has k % 4 tags; every 4th none. Returns the number of (image, tag) items. */
static size_t fill(struct world *w, struct digest d[IMAGES])
{
	size_t items = 0;
	make_repo(w, "r");
	for (size_t k = 0; k < IMAGES; k++) {
		char config[8], tag[16];
		snprintf(config, sizeof(config), "c%zu", k);
		push(w, "r", config);
		struct str text = image_text(w, config, NULL, 0, NULL);
		d[k] = put(w, "r", text, NULL);
		for (size_t t = 0; t < k % 4; t++) {
			/* Tags of different images interleave in byte order. */
			snprintf(tag, sizeof(tag), "t%zu-%zu", t, k);
			put(w, "r", text, tag);
		}
		items += k % 4 ? k % 4 : 1;
	}
	return items;
}

static struct image_page list(
	struct world *w, enum tag_filter filter, const struct image_cursor *from, unsigned limit)
{
	struct err err;
	struct image_page p;
	struct image_query q = { .repo = STR("r"), .tags = filter, .limit = limit };
	if (from)
		q.from = *from;
	ASSERT_DONE(image_list(w->core, &w->reg, &q, w->arena, &p, &err));
	assert_true(p.count <= limit);
	return p;
}

struct seen {
	unsigned pairs[IMAGES][4]; /* times; [k][3]: without tag */
	size_t total;
	int64_t last_id;
};

static size_t index_of(const struct digest d[IMAGES], const struct digest *wanted)
{
	size_t k = 0;
	while (k < IMAGES && !digest_eq(&d[k], wanted))
		k++;
	assert_true(k < IMAGES);
	return k;
}

static void see(struct seen *s, const struct digest d[IMAGES], const struct image_page *p)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct image *image = &p->items[i];
		size_t k = index_of(d, &image->digest);
		assert_true(image->id >= s->last_id);
		s->last_id = image->id;
		assert_true(image->tag_count <= 1);
		size_t t = image->tag_count ? (size_t)(image->tags[0].ptr[1] - '0') : 3;
		s->pairs[k][t]++;
		s->total++;
	}
}

static void each_image_and_tag_is_listed_once_at_any_limit(void **state)
{
	struct world *w = *state;
	struct digest d[IMAGES];
	size_t items = fill(w, d), untagged = 0;
	for (size_t k = 0; k < IMAGES; k++)
		untagged += k % 4 == 0;
	for (int filter = TAGS_ANY; filter <= TAGS_UNTAGGED; filter++) {
		size_t wanted = filter == TAGS_ANY      ? items
				: filter == TAGS_TAGGED ? items - untagged
							: untagged;
		for (unsigned limit = 1; limit <= items + 1; limit++) {
			struct seen s = { 0 };
			struct image_page p = { .more = true };
			for (unsigned pages = 0; p.more; pages++) {
				p = list(w, (enum tag_filter)filter, pages ? &p.next : NULL, limit);
				see(&s, d, &p);
				assert_true(pages <= items + 1);
			}
			assert_int_equal(s.total, wanted);
			for (size_t k = 0; k < IMAGES * 4; k++)
				assert_true(s.pairs[k / 4][k % 4] <= 1);
		}
	}
}

static void a_list_stands_rows_that_come_and_go(void **state)
{
	struct world *w = *state;
	struct err err;
	/* Between the first page of each limit and the rest: image k goes, or loses a tag, or gets
	 * one. What was there all the time is listed exactly once. */
	for (size_t victim = 0; victim < IMAGES; victim++) {
		for (int what = 0; what < 3; what++) {
			for (unsigned limit = 1; limit < 5; limit++) {
				struct digest d[IMAGES];
				struct seen s = { 0 };
				fill(w, d);
				struct image_page p = list(w, TAGS_ANY, NULL, limit);
				see(&s, d, &p);
				struct image_ref ref = by_digest_ref(d[victim]);
				char tag[16], config[8];
				snprintf(tag, sizeof(tag), "t0-%zu", victim);
				snprintf(config, sizeof(config), "c%zu", victim);
				if (what == 1)
					ref = by_tag(tag);
				if (what == 2)
					put(w, "r", image_text(w, config, NULL, 0, NULL), "t2-x");
				else if (what == 0 || victim % 4)
					ASSERT_DONE(image_delete(w->core, &w->reg,
						&(struct image_delete){
							.repo = STR("r"), .ref = &ref },
						w->arena, NULL, &err));
				while (p.more) {
					p = list(w, TAGS_ANY, &p.next, limit);
					see(&s, d, &p);
				}
				for (size_t k = 0; k < IMAGES; k++) {
					for (size_t t = 0; t < 4 && k != victim; t++)
						assert_int_equal(s.pairs[k][t],
							t < k % 4 || (t == 3 && k % 4 == 0));
					for (size_t t = 0; t < 4; t++)
						assert_true(s.pairs[k][t] <= 1 ||
							    (what == 2 && t == 2));
				}
				delete_repo(w, "r");
			}
		}
	}
	collect_all(w);
	assert_sound(w);
}

static void images_are_described_once_with_all_their_tags(void **state)
{
	struct world *w = *state;
	struct err err;
	struct digest d[IMAGES];
	fill(w, d);
	for (int filter = TAGS_ANY; filter <= TAGS_UNTAGGED; filter++) {
		for (unsigned limit = 1; limit <= IMAGES + 1; limit++) {
			unsigned times[IMAGES] = { 0 };
			struct image_cursor at = { 0 };
			struct image_page p;
			do {
				struct image_query q = { .repo = STR("r"),
					.tags = (enum tag_filter)filter,
					.from = at,
					.limit = limit };
				ASSERT_DONE(
					image_describe(w->core, &w->reg, &q, w->arena, &p, &err));
				at = p.next;
				for (size_t i = 0; i < p.count; i++) {
					size_t k = index_of(d, &p.items[i].digest);
					assert_int_equal(p.items[i].tag_count, k % 4);
					times[k]++;
				}
			} while (p.more);
			for (size_t k = 0; k < IMAGES; k++)
				assert_int_equal(
					times[k], filter == TAGS_ANY ||
							  (filter == TAGS_TAGGED) == (k % 4 > 0));
		}
	}
	struct image i;
	struct image_ref ref = by_tag("t2-3");
	ASSERT_DONE(image_describe_one(w->core, &w->reg, STR("r"), &ref, w->arena, &i, &err));
	assert_int_equal(i.tag_count, 3);
	ref = by_tag("none");
	ASSERT_FAILS(ERR_IMAGE_UNKNOWN,
		image_describe_one(w->core, &w->reg, STR("r"), &ref, w->arena, &i, &err));
	ASSERT_FAILS(ERR_REPO_UNKNOWN,
		image_describe_one(w->core, &w->reg, STR("none"), &ref, w->arena, &i, &err));
}

static void a_page_that_does_not_fit_ends_early(void **state)
{
	struct world *w = *state;
	struct err err;
	struct digest d[IMAGES];
	fill(w, d);
	size_t seen = 0;
	struct image_cursor at = { 0 };
	struct image_page p;
	do {
		struct arena *small = arena_new(7000);
		struct image_query q = { .repo = STR("r"), .from = at, .limit = IMAGES };
		ASSERT_DONE(image_describe(w->core, &w->reg, &q, small, &p, &err));
		at = p.next;
		seen += p.count;
		arena_free(small);
	} while (p.more);
	assert_int_equal(seen, IMAGES);
}

static void a_thousand_tagged_images_fit_the_promised_arena(void **state)
{
	struct world *w = *state;
	struct err err;
	struct image_page p;
	make_repo(w, "r");
	push(w, "r", "c");
	for (int i = 0; i < 10; i++) {
		struct digest subject = digest_of((struct str){ (const char *)&i, sizeof(i) });
		struct str text = image_text(w, "c", NULL, 0, &subject), tags[IMAGE_PUT_TAGS_MAX];
		char names[IMAGE_PUT_TAGS_MAX][TAG_NAME];
		for (int k = 0; k < IMAGE_PUT_TAGS_MAX; k++) {
			snprintf(names[k], TAG_NAME, "%0128d", i * IMAGE_PUT_TAGS_MAX + k);
			tags[k] = str_from(names[k]);
		}
		struct image_put_result r;
		struct image_put in = { .repo = STR("r"),
			.bytes = text,
			.tags = tags,
			.tag_count = IMAGE_PUT_TAGS_MAX };
		ASSERT_DONE(image_put(w->core, &w->reg, &in, w->arena, &r, &err));
	}
	struct arena *arena = arena_new(IMAGE_PAGE_ARENA_BYTES);
	struct image_query q = { .repo = STR("r"), .tags = TAGS_TAGGED, .limit = 1000 };
	ASSERT_DONE(image_list(w->core, &w->reg, &q, arena, &p, &err));
	assert_int_equal(p.count, 1000);
	assert_false(p.more);
	arena_free(arena);
}

static void tags_come_in_byte_order_behind_any_name(void **state)
{
	struct world *w = *state;
	static const char *const sorted[] = { "0", "A", "B", "_", "a", "a-1", "a.1", "a1", "b" };
	struct err err;
	struct tag_page p;
	struct tag_query q;
	make_repo(w, "r");
	push(w, "r", "c");
	struct str text = image_text(w, "c", NULL, 0, NULL);
	for (size_t i = ARRAY_LEN(sorted); i-- > 0;)
		put(w, "r", text, sorted[i]);
	for (unsigned limit = 1; limit <= ARRAY_LEN(sorted) + 1; limit++) {
		struct str last = STR("");
		size_t at = 0;
		do {
			q = (struct tag_query){ STR("r"), last, limit };
			ASSERT_DONE(image_tags(w->core, &w->reg, &q, w->arena, &p, &err));
			assert_true(p.count > 0 && p.count <= limit);
			for (size_t i = 0; i < p.count; i++)
				assert_true(str_eq_c(p.tags[i], sorted[at++]));
			last = p.tags[p.count - 1];
		} while (p.more);
		assert_int_equal(at, ARRAY_LEN(sorted));
	}
	q = (struct tag_query){ STR("r"), STR("a-"), 1 };
	ASSERT_DONE(image_tags(w->core, &w->reg, &q, w->arena, &p, &err));
	ASSERT_STR(p.tags[0], "a-1");
	q = (struct tag_query){ STR("r"), STR("zzz"), 5 };
	ASSERT_DONE(image_tags(w->core, &w->reg, &q, w->arena, &p, &err));
	assert_true(p.count == 0 && !p.more);
	q = (struct tag_query){ STR("r"), STR(""), 0 };
	ASSERT_DONE(image_tags(w->core, &w->reg, &q, w->arena, &p, &err));
	assert_true(p.count == 0 && !p.more);
	q = (struct tag_query){ STR("none"), STR(""), 5 };
	ASSERT_FAILS(ERR_REPO_UNKNOWN, image_tags(w->core, &w->reg, &q, w->arena, &p, &err));
}

/* An artifact of the type with annotations, about the subject. */
static struct digest put_referrer(
	struct world *w, const struct digest *subject, const char *type, int serial)
{
	char text[1024], hex[2][DIGEST_TEXT_MAX];
	struct digest c = digest_of(STR("c"));
	snprintf(text, sizeof(text),
		"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MANIFEST
		"\",\"artifactType\":\"%s\",\"config\":{\"digest\":\"%s\",\"size\":1},"
		"\"subject\":{\"digest\":\"%s\",\"size\":1},\"annotations\":{\"n\":\"%d\"}}",
		type, digest_text(&c, hex[0]), digest_text(subject, hex[1]), serial);
	return put(w, "r", str_from(text), NULL);
}

static void referrers_come_in_pages_and_by_type(void **state)
{
	struct world *w = *state;

	enum { N = 9 };
	struct err err;
	struct digest subject = digest_of(STR("subject")), other = digest_of(STR("other"));
	struct str types[] = { STR("x/b"), STR("x/c") };
	struct digest d[N];
	make_repo(w, "r");
	push(w, "r", "c");
	for (int i = 0; i < N; i++) {
		char type[4] = { 'x', '/', (char)('a' + i % 3), 0 };
		d[i] = put_referrer(w, &subject, type, i);
		put_referrer(w, &other, type, i);
	}
	for (size_t type_count = 0; type_count <= 2; type_count++) {
		for (unsigned limit = 1; limit <= N + 1; limit++) {
			struct referrer_query q = { .repo = STR("r"),
				.subject = subject,
				.types = types,
				.type_count = type_count,
				.limit = limit };
			struct image_page p;
			int at = 0;
			size_t n = 0;
			do {
				ASSERT_DONE(
					image_referrers(w->core, &w->reg, &q, w->arena, &p, &err));
				for (size_t i = 0; i < p.count; i++, n++) {
					char annotations[32];
					while (!digest_eq(&d[at], &p.items[i].digest))
						assert_true(++at < N);
					snprintf(annotations, sizeof(annotations), "{\"n\":\"%d\"}",
						at);
					assert_true(str_eq_c(p.items[i].annotations, annotations));
					assert_true(digest_eq(&p.items[i].subject, &subject));
				}
				q.after = p.next.image_id;
			} while (p.more);
			assert_int_equal(n, type_count ? type_count * N / 3 : N);
		}
	}
	/* An unknown repository has none, unless it has to exist. */
	struct referrer_query q = { .repo = STR("none"), .subject = subject, .limit = 5 };
	struct image_page p;
	ASSERT_DONE(image_referrers(w->core, &w->reg, &q, w->arena, &p, &err));
	assert_true(p.count == 0 && !p.more);
	q.repo_must_exist = true;
	ASSERT_FAILS(ERR_REPO_UNKNOWN, image_referrers(w->core, &w->reg, &q, w->arena, &p, &err));
	/* A small arena ends the page early, but not before the first. */
	size_t n = 0;
	q = (struct referrer_query){ .repo = STR("r"), .subject = subject, .limit = N };
	do {
		struct arena *small = arena_new(7000);
		ASSERT_DONE(image_referrers(w->core, &w->reg, &q, small, &p, &err));
		assert_true(p.count > 0);
		n += p.count;
		q.after = p.next.image_id;
		arena_free(small);
	} while (p.more);
	assert_int_equal(n, N);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(each_image_and_tag_is_listed_once_at_any_limit),
		WORLD_TEST(a_list_stands_rows_that_come_and_go),
		WORLD_TEST(images_are_described_once_with_all_their_tags),
		WORLD_TEST(a_page_that_does_not_fit_ends_early),
		WORLD_TEST(a_thousand_tagged_images_fit_the_promised_arena),
		WORLD_TEST(tags_come_in_byte_order_behind_any_name),
		WORLD_TEST(referrers_come_in_pages_and_by_type),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
