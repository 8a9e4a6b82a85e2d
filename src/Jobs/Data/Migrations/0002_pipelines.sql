-- A pipeline is a job of kind Pipeline; its steps are jobs with a parent, which is a key. A step waits for as many steps as waits says;
-- document is what answers show of a step, which has no resource of its own.
ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT 'Command';
ALTER TABLE jobs ADD COLUMN parent TEXT;
ALTER TABLE jobs ADD COLUMN step TEXT;
ALTER TABLE jobs ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN document TEXT;

CREATE INDEX jobs_steps ON jobs (parent, seq) WHERE parent IS NOT NULL;
CREATE INDEX jobs_open_steps ON jobs (parent) WHERE parent IS NOT NULL AND status NOT IN ('Completed', 'Failed', 'Canceled');

-- A step that is needed, and one that waits for it. Both have the same parent.
CREATE TABLE job_needs (
    needs TEXT NOT NULL,
    job   TEXT NOT NULL,
    PRIMARY KEY (needs, job)
) WITHOUT ROWID;

-- What happened to the steps of a pipeline, for people: its log.
CREATE TABLE job_lines (
    seq  INTEGER PRIMARY KEY AUTOINCREMENT,
    job  TEXT NOT NULL,
    line TEXT NOT NULL
);

CREATE INDEX job_lines_of ON job_lines (job, seq);
