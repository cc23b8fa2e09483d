/*
 * core.h - the object that holds the rules' shared state: database, store, options, counters. One a
 * process.
 *
 * registry/ knows no HTTP, no wire JSON and no principals. Functions of its modules take the core,
 * the registry that is meant and plain values, and allocate what they return from the caller's
 * arena. Names and digests are validated here, so that fronts may pass text from outside (bounded
 * in length). Errors that all of them share: INTERNAL, UNAVAILABLE, STORAGE_FULL, CORRUPT; a name
 * that breaks the grammar is NAME_INVALID, a repository that is not there REPO_UNKNOWN, with ECR's
 * sentences as messages ("The repository with name 'r' does not exist in the registry with id
 * 'a'").
 *
 * Threads: everything is safe unless it says otherwise. Functions that change something return
 * after the change is durable.
 */
#ifndef BERTH_REGISTRY_CORE_H
#define BERTH_REGISTRY_CORE_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"

struct db;
struct blobstore;
struct kms;
struct secret;
struct core;

/* A registry is one (account, Region); it exists as soon as it is used. */
struct registry_id {
	char account[13]; /* twelve digits */
	char region[26];  /* [0-9a-z-]{2,25} */
};

/* False when account or region break their grammar (facts: ^[0-9]{12}$ and [0-9a-z-]{2,25}). */
bool registry_id_make(struct str account, struct str region, struct registry_id *out);

enum mount_policy { MOUNT_POLICY_OCI, MOUNT_POLICY_ECR };

/* The most that small_object_max may be: a row is read and written as a whole. */
#define SMALL_OBJECT_MAX (64 * KIB)

struct core_options {
	struct db *db;           /* borrowed */
	struct blobstore *store; /* borrowed */
	/* Encryption at rest. managed_key: wraps the data keys that Berth itself manages; NULL:
	 * nothing is encrypted (tests). */
	const struct secret *managed_key; /* borrowed */
	struct kms *kms;                  /* borrowed; for pools of KMS types */
	bool disk_is_encrypted; /* new bytes are stored as they are; what is sealed stays readable
				 */
	enum mount_policy mount_policy;
	bool mounting_by_default;   /* what BLOB_MOUNTING is in a registry that never set it */
	int64_t collect_grace_ms;   /* how long a layer that no image needs is kept; 0: collected at
				       the next run */
	int64_t lifecycle_delay_ms; /* how long after a change a lifecycle policy is carried out */
	int64_t restore_delay_ms;   /* how long the way back from the archive takes */
	int64_t upload_life_ms;     /* idle time after which an upload expires */
	unsigned uploads_max;       /* unfinished uploads a registry; 0: 10,000 */
	uint64_t layer_max_bytes;   /* 0: 52,000 MiB, ECR's quota */
	unsigned small_object_max;  /* bytes of an object, as it is stored, up to which it goes
				       into the database; 0: all go into the store */
	unsigned mount_log_keep;    /* rows kept a registry; 0: 100,000 */
	unsigned repositories_max;  /* in a registry; 0: 100,000, ECR's quota */
	unsigned layer_parts_max;   /* of one upload by the ECR API; 0: 4,200, ECR's quota */
	unsigned images_max;        /* in a repository; 0: 100,000, ECR's quota */
	unsigned image_tags_max;    /* of an image; 0: 1,000, ECR's quota */
};

MUST_CHECK bool core_open(const struct core_options *o, struct core **out, struct err *err);
/* Waits for nothing: the caller has stopped requests and jobs before. Accepts NULL. */
void core_close(struct core *c);

/* Counters since start, for metrics; gauges are read from the database's own accounting. */
struct core_counters {
	uint64_t blobs_pushed, bytes_pushed; /* blobs whose bytes were taken and kept */
	uint64_t bytes_duplicate;            /* uploaded although the pool had them: dropped */
	uint64_t bytes_mounted;              /* not uploaded because of a mount */
	uint64_t images_pushed, images_deleted;
	uint64_t links_collected, blobs_collected, bytes_collected, uploads_expired;
	uint64_t collect_runs, collect_errors;
	unsigned uploads_open; /* sessions being written now */
	unsigned db_queue;
};

void core_counters(struct core *c, struct core_counters *out);

#endif
