-- What the sharing API tells without looking at everything: orders as indexes, sums of the past, what happened to tags.

ALTER TABLE pool ADD COLUMN repositories INTEGER NOT NULL DEFAULT 0; -- live ones
UPDATE pool SET repositories = (SELECT count(*) FROM repository r WHERE r.pool_id = pool.id AND r.state = 1);

CREATE INDEX repository_logical ON repository (registry_id, logical_bytes, id) WHERE state = 1;
CREATE INDEX repository_stored ON repository (registry_id, stored_bytes, id) WHERE state = 1;
CREATE INDEX repository_saved ON repository (registry_id, (logical_bytes - stored_bytes), id) WHERE state = 1;
CREATE INDEX repository_created ON repository (registry_id, created_at_ms, id) WHERE state = 1;
CREATE INDEX blob_saved ON blob (pool_id, ((links - 1) * size_bytes), id) WHERE links > 1;

-- The sums over time, of a pool or (pool_id 0) of the registry. step: length of the slot: 1 five minutes, 2 an hour, 3 a day;
-- a slot holds the last that was seen in it. stored_bytes: without those that wait.
CREATE TABLE sharing_history (
	registry_id INTEGER NOT NULL,
	pool_id INTEGER NOT NULL,
	step INTEGER NOT NULL,
	slot_ms INTEGER NOT NULL,
	at_ms INTEGER NOT NULL,
	repositories INTEGER NOT NULL,
	images INTEGER NOT NULL,
	blobs INTEGER NOT NULL,
	links INTEGER NOT NULL,
	logical_bytes INTEGER NOT NULL,
	stored_bytes INTEGER NOT NULL,
	PRIMARY KEY (registry_id, pool_id, step, slot_ms)
) WITHOUT ROWID;
CREATE INDEX sharing_history_age ON sharing_history (step, slot_ms);

-- The mount log summed up by days (since 1970). avoidable: would have been mounted, had the setting been on.
CREATE TABLE mount_day (
	registry_id INTEGER NOT NULL,
	day INTEGER NOT NULL,
	outcome TEXT NOT NULL,
	mounts INTEGER NOT NULL,
	bytes INTEGER NOT NULL,
	avoidable_mounts INTEGER NOT NULL,
	avoidable_bytes INTEGER NOT NULL,
	PRIMARY KEY (registry_id, day, outcome)
) WITHOUT ROWID;
CREATE INDEX mount_day_age ON mount_day (day);

-- Only avoidable ones, by the repository that was pushed to.
CREATE TABLE mount_day_target (
	registry_id INTEGER NOT NULL,
	day INTEGER NOT NULL,
	target TEXT NOT NULL,
	mounts INTEGER NOT NULL,
	bytes INTEGER NOT NULL,
	PRIMARY KEY (registry_id, day, target)
) WITHOUT ROWID;
CREATE INDEX mount_day_target_age ON mount_day_target (day);

-- What happened to tags. seq counts in the repository, nth in the tag. action: 1 set, 2 removed. digest: where it points since,
-- or pointed until then; previous: where it pointed before it was set.
CREATE TABLE tag_event (
	repository_id INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	name TEXT NOT NULL,
	nth INTEGER NOT NULL,
	at_ms INTEGER NOT NULL,
	action INTEGER NOT NULL,
	digest BLOB NOT NULL,
	previous BLOB,
	PRIMARY KEY (repository_id, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX tag_event_tag ON tag_event (repository_id, name, nth);

-- Links into the console that wait to be used. hash: SHA-256 of what stands in the link.
CREATE TABLE console_link (
	hash BLOB PRIMARY KEY,
	account TEXT NOT NULL,
	ends_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX console_link_end ON console_link (ends_at_ms);
