-- What an output holds that is a value and steers a pipeline; known when its job has ended.
ALTER TABLE job_outputs ADD COLUMN value TEXT;
