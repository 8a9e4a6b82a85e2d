-- In which order the runs of an experiment sort by their attributes.
CREATE INDEX runs_by_status ON runs (experiment, deleted, status, start_time DESC, id COLLATE BINARY);
CREATE INDEX runs_by_user ON runs (experiment, deleted, user, start_time DESC, id COLLATE BINARY);
CREATE INDEX runs_by_end ON runs (experiment, deleted, ended, start_time DESC, id COLLATE BINARY);
CREATE INDEX runs_by_id ON runs (experiment, deleted, id COLLATE BINARY);
