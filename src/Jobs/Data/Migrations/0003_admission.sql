-- What the queue needs to know of a job without its plan: whose it is, how many places it takes, and, after a failed try, when the next one is due.
ALTER TABLE jobs ADD COLUMN experiment TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN slots INTEGER NOT NULL DEFAULT 1;
ALTER TABLE jobs ADD COLUMN due INTEGER;

UPDATE jobs SET experiment = COALESCE(json_extract(plan, '$.experiment'), '') WHERE status NOT IN ('Completed', 'Failed', 'Canceled');

DROP INDEX jobs_queued;
CREATE INDEX jobs_queued ON jobs (compute, priority DESC, experiment, seq, status, due) WHERE status = 'Queued' AND due IS NULL;
CREATE INDEX jobs_due ON jobs (due) WHERE status = 'Queued' AND due IS NOT NULL;

DROP INDEX jobs_live;
CREATE INDEX jobs_active ON jobs (seq) WHERE status IN ('Preparing', 'Running', 'Finalizing', 'CancelRequested');
