-- What run history calls properties: texts that a client or a job attached to a run.
CREATE TABLE run_properties (
    run   INTEGER NOT NULL,
    name  TEXT    NOT NULL,
    value TEXT    NOT NULL,
    PRIMARY KEY (run, name)
) WITHOUT ROWID;
