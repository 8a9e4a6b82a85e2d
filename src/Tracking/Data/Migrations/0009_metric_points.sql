-- How many points a series has: short ones have no rows in run_metric_buckets. NULL for series of before, which have all of them.
ALTER TABLE run_latest ADD COLUMN points INTEGER;
