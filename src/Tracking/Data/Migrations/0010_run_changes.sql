-- In which order things came: the number of the unit that wrote a row. A reader of live events goes on after the last number it saw. 0 is what was there before.
ALTER TABLE run_metrics ADD COLUMN arrived INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run_params ADD COLUMN arrived INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run_tags ADD COLUMN arrived INTEGER NOT NULL DEFAULT 0;

-- The last arrival among the points of a bucket: what is new of a long series lies between the times of few buckets.
ALTER TABLE run_metric_buckets ADD COLUMN arrived INTEGER NOT NULL DEFAULT 0;

CREATE TABLE run_tags_gone (
    run INTEGER NOT NULL,
    name TEXT NOT NULL,
    arrived INTEGER NOT NULL,
    PRIMARY KEY (run, name)
) WITHOUT ROWID;

-- Every state a run was in.
CREATE TABLE run_states (
    run INTEGER NOT NULL,
    arrived INTEGER NOT NULL,
    status INTEGER NOT NULL,
    time INTEGER NOT NULL,
    error_code TEXT,
    error_message TEXT,
    PRIMARY KEY (run, arrived, status)
) WITHOUT ROWID;

INSERT INTO run_states (run, arrived, status, time, error_code, error_message)
SELECT key, 0, status, coalesce(ended, started, created), error_code, error_message FROM runs;

-- About when a run changed last: the run changed after this number by at most 65,536 numbers more, so that most changes need not write it.
ALTER TABLE runs ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX runs_by_change ON runs (experiment, changed);
