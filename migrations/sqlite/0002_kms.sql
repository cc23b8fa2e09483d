-- Keys of the KMS. A key belongs to one (account, Region); uuid is its id.

-- manager: 1 Berth (alias/aws/...), 2 the account. state: 1 enabled, 2 disabled, 3 waiting for its deletion (delete_at_ms).
-- version: of the newest material. rotation_days: 0 when there is no automatic rotation. demanded: rotations asked for.
CREATE TABLE kms_key (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	uuid BLOB NOT NULL UNIQUE,
	account TEXT NOT NULL,
	region TEXT NOT NULL,
	manager INTEGER NOT NULL,
	state INTEGER NOT NULL,
	description TEXT NOT NULL,
	created_at_ms INTEGER NOT NULL,
	delete_at_ms INTEGER,
	version INTEGER NOT NULL,
	rotation_days INTEGER NOT NULL DEFAULT 0,
	rotate_at_ms INTEGER,
	demanded INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX kms_key_place ON kms_key (account, region, uuid);
CREATE INDEX kms_key_delete ON kms_key (delete_at_ms) WHERE delete_at_ms IS NOT NULL;
CREATE INDEX kms_key_rotate ON kms_key (rotate_at_ms) WHERE rotate_at_ms IS NOT NULL AND state = 1;

-- material: the key's bytes, wrapped. Old versions stay, for what they encrypted.
CREATE TABLE kms_key_version (
	key_id INTEGER NOT NULL REFERENCES kms_key (id),
	version INTEGER NOT NULL,
	material BLOB NOT NULL,
	is_demanded INTEGER NOT NULL,
	created_at_ms INTEGER NOT NULL,
	PRIMARY KEY (key_id, version)
) WITHOUT ROWID;

-- name: with its "alias/".
CREATE TABLE kms_alias (
	account TEXT NOT NULL,
	region TEXT NOT NULL,
	name TEXT NOT NULL,
	key_id INTEGER NOT NULL REFERENCES kms_key (id),
	created_at_ms INTEGER NOT NULL,
	updated_at_ms INTEGER NOT NULL,
	PRIMARY KEY (account, region, name)
) WITHOUT ROWID;
CREATE INDEX kms_alias_key ON kms_alias (key_id, name);

CREATE TABLE kms_tag (
	key_id INTEGER NOT NULL REFERENCES kms_key (id),
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (key_id, name)
) WITHOUT ROWID;
