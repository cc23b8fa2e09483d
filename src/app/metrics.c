#include "app/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "front/status.h"
#include "http/http.h"

#define OPS_MAX \
	(METRICS_OPS_MAX - 1) /* slots; a power of two, well above the number of operations */
#define STATUS_MIN 100
#define STATUS_MAX 600
#define BUCKETS    ARRAY_LEN(bucket_us)

static const int64_t bucket_us[] = { 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
	500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000 };

struct op_counts {
	_Atomic(const char *) name; /* NULL: the slot is free; set once */
	atomic_uint_fast64_t status[STATUS_MAX - STATUS_MIN];
	atomic_uint_fast64_t bucket[BUCKETS + 1]; /* not cumulated; the last: longer than all */
	atomic_uint_fast64_t sum_us;
};

struct metrics {
	atomic_uint_fast64_t bytes_in, bytes_out;
	struct op_counts ops[OPS_MAX];
	struct op_counts other; /* requests that no operation served */
};

struct metrics *metrics_new(void)
{
	struct metrics *m = xmalloc(sizeof(*m));
	atomic_store(&m->other.name, "none");
	return m;
}

void metrics_free(struct metrics *m)
{
	free(m);
}

/* The slot of an operation. By the text of its name, not by its address: two operations may have
 * the same name, and two samples may not. */
static struct op_counts *op_slot(struct metrics *m, const char *name)
{
	uint64_t hash = 14695981039346656037ULL; /* FNV-1a */
	for (const char *p = name; *p != '\0'; p++)
		hash = (hash ^ (uint8_t)*p) * 1099511628211ULL;
	for (size_t tries = 0; tries < OPS_MAX; tries++, hash++) {
		struct op_counts *op = &m->ops[hash % OPS_MAX];
		const char *there = atomic_load_explicit(&op->name, memory_order_acquire);
		if (there == NULL && atomic_compare_exchange_strong(&op->name, &there, name))
			return op;
		if (there == name || strcmp(there, name) == 0)
			return op;
	}
	return &m->other;
}

static void add(atomic_uint_fast64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t get(const atomic_uint_fast64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void metrics_count(struct metrics *m, const struct http_req *req, int64_t duration_us)
{
	struct op_counts *op = req->op == NULL ? &m->other : op_slot(m, req->op->name);
	size_t b = 0;
	while (b < BUCKETS && duration_us > bucket_us[b])
		b++;
	add(&op->bucket[b], 1);
	add(&op->sum_us, (uint64_t)duration_us);
	if (req->status >= STATUS_MIN && req->status < STATUS_MAX)
		add(&op->status[req->status - STATUS_MIN], 1);
	add(&m->bytes_in, req->bytes_in);
	add(&m->bytes_out, req->bytes_out);
}

/* The bound of the bucket that the share of all requests ends in; 0: there is none. */
static int64_t share_us(const uint64_t buckets[BUCKETS + 1], uint64_t count, unsigned percent)
{
	uint64_t sum = 0;
	for (size_t b = 0; b < BUCKETS && count != 0; b++) {
		sum += buckets[b];
		if (sum * 100 >= count * percent)
			return bucket_us[b];
	}
	return 0;
}

static void read_op(const struct op_counts *op, const char *name, struct status_op *out)
{
	uint64_t buckets[BUCKETS + 1];
	struct status_op r = { .name = name };
	for (size_t b = 0; b <= BUCKETS; b++) {
		buckets[b] = get(&op->bucket[b]);
		r.count += buckets[b];
	}
	for (int s = 400; s < STATUS_MAX; s++)
		*(s < 500 ? &r.rejected : &r.failed) += get(&op->status[s - STATUS_MIN]);
	r.p50_us = share_us(buckets, r.count, 50);
	r.p90_us = share_us(buckets, r.count, 90);
	r.p99_us = share_us(buckets, r.count, 99);
	*out = r;
}

size_t metrics_read_ops(const struct metrics *m, struct status_op *rows)
{
	size_t n = 0;
	for (size_t i = 0; i <= OPS_MAX; i++) {
		const struct op_counts *op = i < OPS_MAX ? &m->ops[i] : &m->other;
		const char *name = atomic_load_explicit(&op->name, memory_order_acquire);
		if (name == NULL)
			continue;
		read_op(op, name, &rows[n]);
		n += rows[n].count != 0;
	}
	return n;
}

void metrics_family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_single(
	struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	metrics_family(out, name, type, help);
	buf_addf(out, "%s %llu\n", name, (unsigned long long)value);
}

static void render_status(struct buf *out, const struct op_counts *op, const char *name)
{
	for (int s = STATUS_MIN; s < STATUS_MAX; s++) {
		uint64_t n = get(&op->status[s - STATUS_MIN]);
		if (n != 0)
			buf_addf(out, "berth_requests_total{operation=\"%s\",status=\"%d\"} %llu\n",
				name, s, (unsigned long long)n);
	}
}

static void render_durations(struct buf *out, const struct op_counts *op, const char *name)
{
	static const char metric[] = "berth_request_duration_seconds";
	unsigned long long sum = 0;
	for (size_t b = 0; b < BUCKETS; b++) {
		sum += get(&op->bucket[b]);
		buf_addf(out, "%s_bucket{operation=\"%s\",le=\"%g\"} %llu\n", metric, name,
			(double)bucket_us[b] / 1e6, sum);
	}
	sum += get(&op->bucket[BUCKETS]);
	buf_addf(out, "%s_bucket{operation=\"%s\",le=\"+Inf\"} %llu\n", metric, name, sum);
	buf_addf(out, "%s_sum{operation=\"%s\"} %.6f\n", metric, name,
		(double)get(&op->sum_us) / 1e6);
	buf_addf(out, "%s_count{operation=\"%s\"} %llu\n", metric, name, sum);
}

static void each_op(const struct metrics *m, struct buf *out,
	void (*render)(struct buf *out, const struct op_counts *op, const char *name))
{
	for (size_t i = 0; i < OPS_MAX; i++) {
		const char *name = atomic_load_explicit(&m->ops[i].name, memory_order_acquire);
		if (name != NULL)
			render(out, &m->ops[i], name);
	}
	render(out, &m->other, atomic_load(&m->other.name));
}

void metrics_render_requests(const struct metrics *m, struct buf *out)
{
	metrics_family(out, "berth_requests_total", "counter",
		"Requests answered, by operation and HTTP status.");
	each_op(m, out, render_status);
	metrics_family(out, "berth_request_duration_seconds", "histogram",
		"Time from the headers of a request to the end of its answer.");
	each_op(m, out, render_durations);
	metrics_single(out, "berth_received_bytes_total", "counter", "Bytes of request bodies.",
		get(&m->bytes_in));
	metrics_single(out, "berth_sent_bytes_total", "counter", "Bytes of answers' bodies.",
		get(&m->bytes_out));
}
