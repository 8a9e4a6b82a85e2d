CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    time     INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    digest   TEXT    NOT NULL,
    payload  TEXT    NOT NULL
);
CREATE INDEX events_by_subject ON events (subject, sequence);
