-- Charts of long series: of each 64, 4,096 and 262,144 steps (level 6, 12, 18: bucket = step >> level) the least and the greatest value, the first NaN,
-- and between which times its points lie.
CREATE TABLE run_metric_buckets (
    run INTEGER NOT NULL,
    metric INTEGER NOT NULL,
    level INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    first_time INTEGER NOT NULL,
    last_time INTEGER NOT NULL,
    low REAL,
    low_step INTEGER,
    low_time INTEGER,
    high REAL,
    high_step INTEGER,
    high_time INTEGER,
    nan_step INTEGER,
    nan_time INTEGER,
    PRIMARY KEY (run, metric, level, bucket)
) WITHOUT ROWID;

-- Points that were there before: of a group with one min() or max() SQLite takes the other columns from the row that has it.
CREATE TEMP TABLE levels (level INTEGER);
INSERT INTO levels VALUES (6), (12), (18);
INSERT INTO run_metric_buckets
SELECT a.run, a.metric, a.level, a.bucket, a.first_time, a.last_time, l.value, l.step, l.time, h.value, h.step, h.time, n.step, n.time
FROM (SELECT run, metric, level, step >> level AS bucket, min(time) AS first_time, max(time) AS last_time FROM run_metrics, levels GROUP BY 1, 2, 3, 4) a
LEFT JOIN (SELECT run, metric, level, step >> level AS bucket, min(value) AS value, step, time FROM run_metrics, levels WHERE nan = 0 GROUP BY 1, 2, 3, 4) l USING (run, metric, level, bucket)
LEFT JOIN (SELECT run, metric, level, step >> level AS bucket, max(value) AS value, step, time FROM run_metrics, levels WHERE nan = 0 GROUP BY 1, 2, 3, 4) h USING (run, metric, level, bucket)
LEFT JOIN (SELECT run, metric, level, step >> level AS bucket, min(step) AS step, time FROM run_metrics, levels WHERE nan = 1 GROUP BY 1, 2, 3, 4) n USING (run, metric, level, bucket);
DROP TABLE levels;
