-- Storage classes, pull times, lifecycle policies and their previews.

-- Of images that were ever pulled, archived or restored; any other is active and was never pulled.
-- status: 1 active, 2 archived, 3 on its way back, which ends at due_at_ms. Times are 0 where the thing never happened.
CREATE TABLE image_state (
	image_id INTEGER PRIMARY KEY REFERENCES image (id),
	status INTEGER NOT NULL DEFAULT 1,
	pulled_at_ms INTEGER NOT NULL DEFAULT 0,
	archived_at_ms INTEGER NOT NULL DEFAULT 0,
	activated_at_ms INTEGER NOT NULL DEFAULT 0,
	due_at_ms INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX image_state_returning ON image_state (due_at_ms, image_id) WHERE status = 3;

-- How many images that are not active need a layer of a repository; only where there are some.
CREATE TABLE layer_archived (
	repository_id INTEGER NOT NULL REFERENCES repository (id),
	blob_id INTEGER NOT NULL,
	images INTEGER NOT NULL,
	PRIMARY KEY (repository_id, blob_id)
) WITHOUT ROWID;

-- Referrers that are to follow what happened to their subject. action: 1 expire, 2 archive, 3 restore.
CREATE TABLE referrer_follow (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	repository_id INTEGER NOT NULL,
	subject BLOB NOT NULL,
	action INTEGER NOT NULL,
	due_at_ms INTEGER NOT NULL,
	UNIQUE (repository_id, subject)
);
CREATE INDEX referrer_follow_due ON referrer_follow (due_at_ms, id);

-- due_at_ms: when to evaluate next, NULL: not before something changes. changes: counts what changed in the repository,
-- so that an evaluation knows whether it was overtaken. version: of the policy.
CREATE TABLE lifecycle_policy (
	repository_id INTEGER PRIMARY KEY REFERENCES repository (id),
	version INTEGER NOT NULL DEFAULT 1,
	changes INTEGER NOT NULL DEFAULT 0,
	evaluated_at_ms INTEGER NOT NULL DEFAULT 0,
	due_at_ms INTEGER,
	policy TEXT NOT NULL
);
CREATE INDEX lifecycle_policy_due ON lifecycle_policy (due_at_ms) WHERE due_at_ms IS NOT NULL;

-- status: 0 being removed, 1 in progress, 2 complete, 3 expired, 4 failed. One a repository, but for those being removed.
CREATE TABLE lifecycle_preview (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	repository_id INTEGER NOT NULL,
	status INTEGER NOT NULL,
	at_ms INTEGER NOT NULL, -- started, or done
	expiring INTEGER NOT NULL DEFAULT 0,
	moving INTEGER NOT NULL DEFAULT 0,
	policy TEXT NOT NULL
);
CREATE UNIQUE INDEX lifecycle_preview_repository ON lifecycle_preview (repository_id) WHERE status <> 0;
CREATE INDEX lifecycle_preview_status ON lifecycle_preview (status, at_ms);

-- action: 1 expire, 2 to the archive.
CREATE TABLE lifecycle_preview_image (
	preview_id INTEGER NOT NULL,
	image_id INTEGER NOT NULL,
	priority INTEGER NOT NULL,
	action INTEGER NOT NULL,
	PRIMARY KEY (preview_id, image_id)
) WITHOUT ROWID;

-- Principals whose pulls are not recorded.
CREATE TABLE pull_exclusion (
	registry_id INTEGER NOT NULL REFERENCES registry (id),
	principal TEXT NOT NULL,
	created_at_ms INTEGER NOT NULL,
	PRIMARY KEY (registry_id, principal)
) WITHOUT ROWID;
