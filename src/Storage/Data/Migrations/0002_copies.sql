-- What is said of the copy that made a blob: id, source and time, one line each; empty when none did.
ALTER TABLE blobs ADD COLUMN copy TEXT NOT NULL DEFAULT '';
