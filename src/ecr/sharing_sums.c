/* sharing_sums.c - the sharing API's sums: of the registry, of repositories, over time, in pairs.
 */
#include "base/clock.h"
#include "ecr/repo_options.h"
#include "ecr/sharing.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

static void put_sums(struct json_out *out, const struct savings_total *t)
{
	jo_int(out, "repositories", (int64_t)t->repositories);
	jo_int(out, "images", (int64_t)t->images);
	jo_int(out, "layers", (int64_t)t->blobs);
	jo_int(out, "links", (int64_t)t->links);
	sharing_put_bytes(out, (int64_t)t->logical_bytes, (int64_t)t->stored_bytes);
	jo_int(out, "waitingBytes", (int64_t)t->waiting_bytes);
}

static const char *encrypted_by_name(enum encrypted_by by)
{
	switch (by) {
	case ENCRYPTED_BY_BERTH:
		return "berth";
	case ENCRYPTED_BY_KMS:
		return "kms";
	case ENCRYPTED_BY_DISK:
		return "disk";
	case ENCRYPTED_BY_NOBODY:
		break;
	}
	return "none";
}

bool ecr_get_sharing_summary(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct sharing_summary s;
	if (!sharing_summary(call->core, &call->reg, call->arena, &s, err))
		return false;
	jo_c(out, "registryId", call->reg.account);
	jo_c(out, "region", call->reg.region);
	jo_c(out, "blobMounting", s.mounting_enabled ? "ENABLED" : "DISABLED");
	jo_c(out, "mountPolicy", s.policy == MOUNT_POLICY_ECR ? "ecr" : "oci");
	put_sums(out, &s.sums);
	jo_array(out, "pools");
	for (size_t i = 0; i < s.pool_count; i++) {
		const struct sharing_pool *p = &s.pools[i];
		jo_object(out, NULL);
		sharing_put_pool(out, &p->name);
		jo_c(out, "encryptedBy", encrypted_by_name(p->by));
		put_sums(out, &p->sums);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	if (s.more_pools)
		jo_bool(out, "morePools", true);
	return true;
}

/* --- repositories --- */

/* Sizes of a repository, as every list of them tells. */
static void put_sizes(struct json_out *out, const struct repo *r)
{
	struct pool_name pool = { r->enc_type, r->kms_key };
	sharing_put_pool(out, &pool);
	jo_int(out, "images", (int64_t)r->image_count);
	sharing_put_bytes(out, (int64_t)r->logical_bytes, (int64_t)r->stored_bytes);
}

static bool put_repositories(struct ecr_call *call, struct json_out *out,
	const struct sharing_repos *page, struct err *err)
{
	jo_array(out, "repositories");
	for (size_t i = 0; i < page->count; i++) {
		const struct repo *r = &page->items[i];
		struct str arn = front_repo_arn(call->arena, &call->reg, r->name);
		if (arn.ptr == NULL)
			return ecr_out_of_memory(call->arena, err);
		jo_object(out, NULL);
		jo_str(out, "repositoryName", r->name);
		jo_str(out, "repositoryArn", arn);
		jo_time(out, "createdAt", r->created_at_ms);
		mutability_put(out, r->mutability, r->filters, r->filter_count);
		put_sizes(out, r);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	return true;
}

/* False: by name. */
static bool read_order(struct str sort_by, enum sharing_order *out)
{
	static const char *const names[] = {
		[SHARING_BY_LOGICAL] = "LOGICAL_BYTES",
		[SHARING_BY_STORED] = "STORED_BYTES",
		[SHARING_BY_SAVED] = "SAVED_BYTES",
		[SHARING_BY_CREATED] = "CREATED_AT",
	};
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (str_eq_c(sort_by, names[i])) {
			*out = (enum sharing_order)i;
			return true;
		}
	}
	return false;
}

bool ecr_list_repository_sharing(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct str sort_by = json_get_str(call->input, "sortBy");
	struct sharing_repo_query q = {
		.contains = json_get_str(call->input, "nameContains"),
		.from = SHARING_START,
		.limit = ecr_max_results(call, 100),
	};
	struct sharing_repos page;
	if (read_order(sort_by, &q.order)) {
		if (!sharing_open_cursor(call, sort_by, &q.from, err) ||
			!sharing_repositories(
				call->core, &call->reg, &q, call->arena, &page, err) ||
			!put_repositories(call, out, &page, err))
			return false;
		return !page.more || sharing_put_cursor(call, out, sort_by, &page.next, err);
	}
	if (!sharing_open_page(call, STR("NAME"), &q.after, err) ||
		!sharing_repositories_by_name(
			call->core, &call->reg, &q, call->arena, &page, err) ||
		!put_repositories(call, out, &page, err))
		return false;
	return !page.more || sharing_put_page(call, out, STR("NAME"), page.last, err);
}

/* --- over time --- */

bool ecr_get_sharing_history(struct ecr_call *call, struct json_out *out, struct err *err)
{
	int64_t now = clock_now_ms();
	struct history_query q = {
		.until_ms = sharing_input_ms(call, "endTime", now),
		.points_max = (unsigned)json_int(json_get(call->input, "maxPoints"), 200),
	};
	struct history h;
	q.from_ms = sharing_input_ms(call, "startTime", q.until_ms - 30 * DAY_MS);
	if (q.from_ms > q.until_ms)
		return ecr_bad_parameter(err, "startTime", "startTime must not be after endTime");
	if (!sharing_input_pool(call, &q.pool, err) ||
		!history_read(call->core, &call->reg, &q, now, call->arena, &h, err))
		return false;
	jo_array(out, "points");
	for (size_t i = 0; i < h.count; i++) {
		const struct history_point *p = &h.points[i];
		jo_object(out, NULL);
		jo_time(out, "at", p->at_ms);
		jo_int(out, "repositories", p->repositories);
		jo_int(out, "images", p->images);
		jo_int(out, "layers", p->layers);
		jo_int(out, "links", p->links);
		sharing_put_bytes(out, p->logical_bytes, p->stored_bytes);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	return true;
}

/* --- who shares with whom --- */

bool ecr_list_sharing_pairs(struct ecr_call *call, struct json_out *out, struct err *err)
{
	struct sharing_pairs pairs;
	if (!sharing_find_pairs(call->core, &call->reg, call->repo, ecr_max_results(call, 100),
		    call->arena, &pairs, err))
		return false;
	bool *named = arena_alloc(call->arena, pairs.repo_count + 1);
	if (named == NULL)
		return ecr_out_of_memory(call->arena, err);
	jo_array(out, "pairs");
	for (size_t i = 0; i < pairs.count; i++) {
		const struct sharing_pair *p = &pairs.items[i];
		named[p->a] = named[p->b] = true;
		jo_object(out, NULL);
		jo_array(out, "repositoryNames");
		jo_str(out, NULL, pairs.repos[p->a].name);
		jo_str(out, NULL, pairs.repos[p->b].name);
		jo_end(out, ']');
		jo_int(out, "sharedBytes", (int64_t)p->bytes);
		jo_int(out, "sharedLayers", (int64_t)p->layers);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	jo_array(out, "repositories");
	for (size_t i = 0; i < pairs.repo_count; i++) {
		if (!named[i])
			continue;
		jo_object(out, NULL);
		jo_str(out, "repositoryName", pairs.repos[i].name);
		put_sizes(out, &pairs.repos[i]);
		jo_end(out, '}');
	}
	jo_end(out, ']');
	jo_bool(out, "isPartial", pairs.is_partial);
	jo_int(out, "layersExamined", (int64_t)pairs.layers);
	return true;
}
