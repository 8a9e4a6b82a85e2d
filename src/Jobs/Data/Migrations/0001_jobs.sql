-- One row per job: where it stands, and the plan that was made when it was accepted. Times are unix milliseconds.
CREATE TABLE jobs (
    seq              INTEGER PRIMARY KEY AUTOINCREMENT,
    key              TEXT    NOT NULL UNIQUE,
    id               TEXT    NOT NULL,
    task             TEXT    NOT NULL,
    attempt          INTEGER NOT NULL DEFAULT 1,
    compute          TEXT    NOT NULL,
    priority         INTEGER NOT NULL,
    status           TEXT    NOT NULL,
    plan             TEXT    NOT NULL,
    created          INTEGER NOT NULL,
    started          INTEGER,
    ended            INTEGER,
    stop             TEXT,
    stop_by          TEXT,
    cancel_operation TEXT,
    exit_code        INTEGER,
    error_code       TEXT,
    error_message    TEXT,
    notes            TEXT
);

CREATE INDEX jobs_queued ON jobs (compute, priority DESC, seq) WHERE status = 'Queued';
CREATE INDEX jobs_live ON jobs (seq) WHERE status NOT IN ('Completed', 'Failed', 'Canceled');

-- Where the outputs of a job lie; the digest is there once the job ended well.
CREATE TABLE job_outputs (
    job       TEXT NOT NULL,
    name      TEXT NOT NULL,
    type      TEXT NOT NULL,
    uri       TEXT NOT NULL,
    asset_key TEXT NOT NULL,
    asset     TEXT,
    sha256    TEXT,
    files     INTEGER,
    bytes     INTEGER,
    PRIMARY KEY (job, name)
) WITHOUT ROWID;

CREATE INDEX job_outputs_asset ON job_outputs (asset_key);
