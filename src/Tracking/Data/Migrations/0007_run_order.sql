-- In which order the runs of an experiment sort by a param or a tag; long values by their beginning.
ALTER TABLE run_params ADD COLUMN experiment INTEGER NOT NULL DEFAULT 0;
UPDATE run_params SET experiment = (SELECT experiment FROM runs WHERE key = run);
CREATE INDEX run_params_by_value ON run_params (experiment, name, substr(value, 1, 120));

ALTER TABLE run_tags ADD COLUMN experiment INTEGER NOT NULL DEFAULT 0;
UPDATE run_tags SET experiment = (SELECT experiment FROM runs WHERE key = run);
CREATE INDEX run_tags_by_value ON run_tags (experiment, name, substr(value, 1, 120));

CREATE INDEX runs_by_name ON runs (experiment, deleted, name, start_time DESC, id COLLATE BINARY);
