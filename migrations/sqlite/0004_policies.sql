-- Resource policies, repository creation templates, scanning configuration.

-- repository_id: 0 for the registry's own policy. version: grows with every change in the registry, also over a removal.
CREATE TABLE resource_policy (
	registry_id INTEGER NOT NULL REFERENCES registry (id),
	repository_id INTEGER NOT NULL,
	version INTEGER NOT NULL,
	document TEXT NOT NULL,
	PRIMARY KEY (registry_id, repository_id)
) WITHOUT ROWID;
CREATE TABLE resource_policy_version (
	registry_id INTEGER PRIMARY KEY REFERENCES registry (id),
	version INTEGER NOT NULL
);

-- prefix_key: the prefix without a slash at its end, or ROOT. applied_for: a sum of 1 replication, 2 pull-through cache,
-- 4 create on push. filters, tags: as in repository and its tags, one a line, key and value each a line.
CREATE TABLE repository_template (
	registry_id INTEGER NOT NULL REFERENCES registry (id),
	prefix_key TEXT NOT NULL,
	prefix TEXT NOT NULL,
	description TEXT NOT NULL,
	enc_type INTEGER NOT NULL,
	kms_key TEXT NOT NULL,
	mutability INTEGER NOT NULL,
	filters TEXT NOT NULL,
	tags TEXT NOT NULL,
	repository_policy TEXT NOT NULL,
	lifecycle_policy TEXT NOT NULL,
	applied_for INTEGER NOT NULL,
	role_arn TEXT NOT NULL,
	created_at_ms INTEGER NOT NULL,
	updated_at_ms INTEGER NOT NULL,
	PRIMARY KEY (registry_id, prefix_key)
) WITHOUT ROWID;

-- scan_type: 1 basic, 2 enhanced. rules: one a line, its frequency and then its filters, with tabs between.
CREATE TABLE scanning_configuration (
	registry_id INTEGER PRIMARY KEY REFERENCES registry (id),
	scan_type INTEGER NOT NULL,
	rules TEXT NOT NULL
);
