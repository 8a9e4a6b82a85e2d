CREATE TABLE operations (
    id      TEXT    NOT NULL PRIMARY KEY,
    target  TEXT    NOT NULL,
    status  TEXT    NOT NULL,
    result  TEXT,
    error   TEXT,
    started INTEGER NOT NULL,
    ended   INTEGER
) WITHOUT ROWID;
CREATE INDEX operations_by_start ON operations (started);
