-- IAM: users, groups, roles, customer managed policies, OIDC providers. It belongs to accounts and knows no Region.

-- kind: 1 user, 2 group, 3 role, 4 policy, 5 OIDC provider (name: its URL without the scheme).
-- name_key: the name in lower case, because names differ in more than case. document: a role's trust policy.
-- version: a policy's default version; last_version: the newest number ever given to one of its versions.
CREATE TABLE iam_entity (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	account TEXT NOT NULL,
	kind INTEGER NOT NULL,
	name_key TEXT NOT NULL,
	name TEXT NOT NULL,
	path TEXT NOT NULL,
	uid TEXT NOT NULL UNIQUE,
	description TEXT NOT NULL DEFAULT '',
	document TEXT NOT NULL DEFAULT '',
	boundary TEXT NOT NULL DEFAULT '',
	max_session_s INTEGER NOT NULL DEFAULT 0,
	version INTEGER NOT NULL DEFAULT 0,
	last_version INTEGER NOT NULL DEFAULT 0,
	created_at_ms INTEGER NOT NULL,
	updated_at_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX iam_entity_name ON iam_entity (account, kind, name_key);
CREATE INDEX iam_entity_boundary ON iam_entity (boundary, account, id) WHERE boundary <> '';

-- What an entity has several of. kind: 1 tag (value), 2 inline policy (value: its document), 3 attached managed policy (name: its
-- ARN), 4 version of a policy (name: its number, value: its document), 5 client id, 6 thumbprint.
CREATE TABLE iam_item (
	id INTEGER PRIMARY KEY,
	entity_id INTEGER NOT NULL REFERENCES iam_entity (id),
	kind INTEGER NOT NULL,
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	at_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX iam_item_name ON iam_item (entity_id, kind, name);
CREATE INDEX iam_item_attached ON iam_item (name, entity_id) WHERE kind = 3;

CREATE TABLE iam_member (
	group_id INTEGER NOT NULL REFERENCES iam_entity (id),
	user_id INTEGER NOT NULL REFERENCES iam_entity (id),
	PRIMARY KEY (group_id, user_id)
) WITHOUT ROWID;
CREATE INDEX iam_member_user ON iam_member (user_id, group_id);

-- user_id: NULL for a key of the account's root, whose ARN is in principal.
ALTER TABLE access_key ADD COLUMN user_id INTEGER REFERENCES iam_entity (id);
ALTER TABLE access_key ADD COLUMN used_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE access_key ADD COLUMN used_service TEXT NOT NULL DEFAULT '';
ALTER TABLE access_key ADD COLUMN used_region TEXT NOT NULL DEFAULT '';
CREATE INDEX access_key_owner ON access_key (account, user_id, id);
CREATE INDEX access_key_user ON access_key (user_id) WHERE user_id IS NOT NULL;
