-- What lists of jobs are filtered by: a row for the type of each job, for each tag and property, and for each of their values. Sequence and archived are
-- those of the job's resource. The character between a name and its value is U+001F.
CREATE TABLE job_facets (
    parent   TEXT    NOT NULL,
    facet    TEXT    NOT NULL,
    sequence INTEGER NOT NULL,
    archived INTEGER NOT NULL,
    PRIMARY KEY (parent, facet, sequence)
) WITHOUT ROWID;

CREATE INDEX job_facets_of ON job_facets (sequence);

INSERT OR IGNORE INTO job_facets
    SELECT resources.parent, 'type=' || lower(json_extract(document, '$.properties.jobType')), sequence, archived FROM resources
    WHERE type = 'jobs' AND json_extract(document, '$.properties.jobType') IS NOT NULL;
INSERT OR IGNORE INTO job_facets
    SELECT resources.parent, 'tag?' || entry.key, sequence, archived FROM resources, json_each(document, '$.properties.tags') AS entry WHERE resources.type = 'jobs';
INSERT OR IGNORE INTO job_facets
    SELECT resources.parent, 'tag=' || entry.key || char(31) || entry.value, sequence, archived FROM resources, json_each(document, '$.properties.tags') AS entry
    WHERE resources.type = 'jobs' AND entry.value IS NOT NULL;
INSERT OR IGNORE INTO job_facets
    SELECT resources.parent, 'property?' || entry.key, sequence, archived FROM resources, json_each(document, '$.properties.properties') AS entry WHERE resources.type = 'jobs';
INSERT OR IGNORE INTO job_facets
    SELECT resources.parent, 'property=' || entry.key || char(31) || entry.value, sequence, archived FROM resources, json_each(document, '$.properties.properties') AS entry
    WHERE resources.type = 'jobs' AND entry.value IS NOT NULL;
