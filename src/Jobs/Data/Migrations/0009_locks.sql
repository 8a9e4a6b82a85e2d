-- What environments were made of when jobs began in them: once for each content, by the SHA-256 of the document. Locks stay when their jobs are deleted:
-- jobs that repeat them are held to them.
CREATE TABLE environment_locks (
    digest   TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL
) WITHOUT ROWID;

-- The lock of the environment that the job began in, known from its start on.
ALTER TABLE jobs ADD COLUMN environment_lock TEXT;
