-- Objects that are small stand here and in no file; they go with their blob.
CREATE TABLE small_object (
	blob_id INTEGER PRIMARY KEY REFERENCES blob (id),
	bytes BLOB NOT NULL
);
-- When the row last took bytes: of a small upload there is no file that would tell.
ALTER TABLE upload ADD COLUMN written_at_ms INTEGER NOT NULL DEFAULT 0;
