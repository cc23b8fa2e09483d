-- Events that tell others of changes, written by the change's own transaction and kept until they are delivered.

-- Where events go, and which: repository is a pattern of names (empty: all), kind as in event_outbox (0: all). waiting: rows
-- of it in event_outbox.
CREATE TABLE webhook (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	url TEXT NOT NULL UNIQUE,
	repository TEXT NOT NULL,
	kind INTEGER NOT NULL,
	waiting INTEGER NOT NULL DEFAULT 0
);

-- One row an event and webhook, until it is delivered or given up. due_at_ms: NULL while an earlier event of the same
-- repository waits, since those arrive in order. kind: 1 image, 2 referrer. action: 1 push, 2 delete, 3 to the archive,
-- 4 back from it. Names are those of the time of the change: the repository may be gone since.
CREATE TABLE event_outbox (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	webhook_id INTEGER NOT NULL REFERENCES webhook (id),
	repository_id INTEGER NOT NULL,
	due_at_ms INTEGER,
	tries INTEGER NOT NULL DEFAULT 0,
	event_id BLOB NOT NULL,
	at_ms INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	action INTEGER NOT NULL,
	account TEXT NOT NULL,
	region TEXT NOT NULL,
	repository TEXT NOT NULL,
	digest BLOB NOT NULL,
	tag TEXT NOT NULL, -- empty: none
	media_type TEXT NOT NULL,
	artifact_type TEXT NOT NULL
);
CREATE INDEX event_outbox_order ON event_outbox (webhook_id, repository_id, id);
CREATE INDEX event_outbox_due ON event_outbox (webhook_id, due_at_ms, id) WHERE due_at_ms IS NOT NULL;
