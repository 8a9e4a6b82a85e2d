-- What a job should know of its run although it did not fail for it: a JSON list of sentences; null: nothing.
ALTER TABLE jobs ADD COLUMN warnings TEXT;
