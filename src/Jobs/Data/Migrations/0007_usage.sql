-- What a job used, once it ended. Seconds, bytes; null: not measured. The cost is that of the price table at that time.
CREATE TABLE job_usage (
    job      TEXT    NOT NULL PRIMARY KEY,
    wall     REAL    NOT NULL,
    slots    INTEGER NOT NULL,
    gpus     INTEGER NOT NULL,
    cpu      REAL,
    peak     INTEGER,
    read     INTEGER,
    written  INTEGER,
    cost     REAL,
    currency TEXT
) WITHOUT ROWID;
