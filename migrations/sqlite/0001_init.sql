-- The first schema. Times are milliseconds since 1970. Digests are an algorithm byte (1 sha256, 2 sha512) and the hash.

CREATE TABLE server_value (
	name TEXT PRIMARY KEY,
	value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE access_key (
	id TEXT PRIMARY KEY,
	account TEXT NOT NULL,
	principal TEXT NOT NULL,
	secret BLOB NOT NULL,
	is_active INTEGER NOT NULL,
	created_at_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE registry (
	id INTEGER PRIMARY KEY,
	account TEXT NOT NULL,
	region TEXT NOT NULL,
	created_at_ms INTEGER NOT NULL,
	repositories INTEGER NOT NULL DEFAULT 0, -- live ones
	uploads INTEGER NOT NULL DEFAULT 0,
	UNIQUE (account, region)
);

CREATE TABLE setting (
	registry_id INTEGER NOT NULL REFERENCES registry (id),
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (registry_id, name)
) WITHOUT ROWID;

-- All storage of one registry under one encryption configuration. The sums are kept by every change of a link or blob.
CREATE TABLE pool (
	id INTEGER PRIMARY KEY,
	registry_id INTEGER NOT NULL REFERENCES registry (id),
	enc_type INTEGER NOT NULL,
	key_arn TEXT NOT NULL,
	blobs INTEGER NOT NULL DEFAULT 0,
	links INTEGER NOT NULL DEFAULT 0,
	logical_bytes INTEGER NOT NULL DEFAULT 0,
	stored_bytes INTEGER NOT NULL DEFAULT 0,
	waiting_bytes INTEGER NOT NULL DEFAULT 0, -- of blobs without a link
	images INTEGER NOT NULL DEFAULT 0,
	UNIQUE (registry_id, enc_type, key_arn)
);

-- state: 1 live, 2 deleted and being emptied.
CREATE TABLE repository (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	registry_id INTEGER NOT NULL REFERENCES registry (id),
	pool_id INTEGER NOT NULL REFERENCES pool (id),
	state INTEGER NOT NULL,
	name TEXT NOT NULL,
	created_at_ms INTEGER NOT NULL,
	mutability INTEGER NOT NULL,
	filters TEXT NOT NULL, -- exclusion filters, one a line
	scan_on_push INTEGER NOT NULL,
	images INTEGER NOT NULL DEFAULT 0,
	logical_bytes INTEGER NOT NULL DEFAULT 0,
	stored_bytes INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX repository_name ON repository (registry_id, name) WHERE state = 1;
CREATE INDEX repository_dying ON repository (id) WHERE state = 2;

CREATE TABLE repository_tag (
	repository_id INTEGER NOT NULL REFERENCES repository (id),
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (repository_id, key)
) WITHOUT ROWID;

-- store_key names the object that holds the bytes. payer: the repository that the stored bytes are accounted to.
CREATE TABLE blob (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	pool_id INTEGER NOT NULL REFERENCES pool (id),
	digest BLOB NOT NULL,
	size_bytes INTEGER NOT NULL,
	store_key BLOB NOT NULL UNIQUE,
	form INTEGER NOT NULL DEFAULT 0, -- of the object: 0 plain, else the version of the pool's data keys
	links INTEGER NOT NULL DEFAULT 0,
	payer INTEGER,
	created_at_ms INTEGER NOT NULL,
	UNIQUE (pool_id, digest)
);

-- origin: 1 uploaded, 2 mounted (source: from which repository). needs: images of the repository that name the blob.
CREATE TABLE layer_link (
	repository_id INTEGER NOT NULL REFERENCES repository (id),
	blob_id INTEGER NOT NULL REFERENCES blob (id),
	origin INTEGER NOT NULL,
	source TEXT,
	linked_at_ms INTEGER NOT NULL,
	needs INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (repository_id, blob_id)
) WITHOUT ROWID;
CREATE INDEX layer_link_blob ON layer_link (blob_id, repository_id);

-- kind: 1 image, 2 index, 3 other. tags, parents: how many tags and indexes name it.
CREATE TABLE image (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	repository_id INTEGER NOT NULL REFERENCES repository (id),
	digest BLOB NOT NULL,
	kind INTEGER NOT NULL,
	media_type TEXT NOT NULL,
	artifact_type TEXT NOT NULL,
	subject BLOB,
	manifest_bytes INTEGER NOT NULL,
	size_bytes INTEGER NOT NULL,
	pushed_at_ms INTEGER NOT NULL,
	tags INTEGER NOT NULL DEFAULT 0,
	parents INTEGER NOT NULL DEFAULT 0,
	form INTEGER NOT NULL DEFAULT 0, -- of manifest, as in blob
	manifest BLOB NOT NULL
);
CREATE UNIQUE INDEX image_digest ON image (repository_id, digest);
CREATE INDEX image_order ON image (repository_id, id);
CREATE INDEX image_untagged ON image (repository_id, id) WHERE tags = 0;
CREATE INDEX image_subject ON image (repository_id, subject, id) WHERE subject IS NOT NULL;

CREATE TABLE image_need (
	image_id INTEGER NOT NULL REFERENCES image (id),
	blob_id INTEGER NOT NULL,
	PRIMARY KEY (image_id, blob_id)
) WITHOUT ROWID;

CREATE TABLE image_child (
	parent_id INTEGER NOT NULL REFERENCES image (id),
	child_id INTEGER NOT NULL REFERENCES image (id),
	PRIMARY KEY (parent_id, child_id)
) WITHOUT ROWID;
CREATE INDEX image_child_child ON image_child (child_id, parent_id);

CREATE TABLE tag (
	repository_id INTEGER NOT NULL REFERENCES repository (id),
	name TEXT NOT NULL,
	image_id INTEGER NOT NULL REFERENCES image (id),
	tagged_at_ms INTEGER NOT NULL,
	PRIMARY KEY (repository_id, name)
) WITHOUT ROWID;
CREATE INDEX tag_image ON tag (image_id, name);

-- store_key: the object being written, and the session's id. short_at: where a part below the least size ended, or -1.
CREATE TABLE upload (
	store_key BLOB PRIMARY KEY,
	repository_id INTEGER NOT NULL REFERENCES repository (id),
	alg INTEGER NOT NULL,
	short_at INTEGER NOT NULL DEFAULT -1,
	form INTEGER NOT NULL DEFAULT 0, -- as in blob
	plain_bytes INTEGER NOT NULL DEFAULT 0, -- acknowledged, of a form that is not plain
	created_at_ms INTEGER NOT NULL,
	tail BLOB -- what of them does not fill a segment yet, sealed
) WITHOUT ROWID;
CREATE INDEX upload_repository ON upload (repository_id);
CREATE INDEX upload_created ON upload (created_at_ms);

-- What to look at, and when: a link (repository_id > 0) that no image may need, or a blob (repository_id = 0) without links.
CREATE TABLE candidate (
	review_at_ms INTEGER NOT NULL,
	blob_id INTEGER NOT NULL,
	repository_id INTEGER NOT NULL,
	PRIMARY KEY (review_at_ms, blob_id, repository_id)
) WITHOUT ROWID;

-- Objects that no row names any more and whose bytes are still to be removed.
CREATE TABLE trash (
	store_key BLOB PRIMARY KEY
) WITHOUT ROWID;

-- The data keys of a pool, wrapped. layer: 0 inner, 1 outer (KMS_DSSE only).
CREATE TABLE pool_key (
	pool_id INTEGER NOT NULL REFERENCES pool (id),
	layer INTEGER NOT NULL,
	version INTEGER NOT NULL,
	wrapped BLOB NOT NULL,
	created_at_ms INTEGER NOT NULL,
	PRIMARY KEY (pool_id, layer, version)
) WITHOUT ROWID;

-- Objects that re-encryption is writing, so that a crash leaves none that no row names.
CREATE TABLE making (
	store_key BLOB PRIMARY KEY,
	created_at_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE mount_log (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	registry_id INTEGER NOT NULL,
	at_ms INTEGER NOT NULL,
	target TEXT NOT NULL,
	source TEXT,
	digest TEXT NOT NULL,
	outcome TEXT NOT NULL,
	principal TEXT NOT NULL,
	size_bytes INTEGER NOT NULL
);
CREATE INDEX mount_log_registry ON mount_log (registry_id, id);
