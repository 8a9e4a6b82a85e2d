CREATE TABLE resources (
    sequence         INTEGER PRIMARY KEY AUTOINCREMENT,
    key              TEXT    NOT NULL UNIQUE,
    id               TEXT    NOT NULL,
    parent           TEXT    NOT NULL,
    type             TEXT    NOT NULL,
    document         TEXT    NOT NULL,
    archived         INTEGER NOT NULL,
    revision         INTEGER NOT NULL,
    created_by       TEXT    NOT NULL,
    created_by_type  TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    modified_by      TEXT    NOT NULL,
    modified_by_type TEXT    NOT NULL,
    modified_at      INTEGER NOT NULL
);
CREATE INDEX resources_by_parent ON resources (parent, type, archived, sequence);
