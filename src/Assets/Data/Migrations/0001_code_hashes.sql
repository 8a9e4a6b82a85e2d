-- Which code has which content: clients ask by hash, across all names, before they upload.
CREATE TABLE code_hashes (
    key       TEXT NOT NULL PRIMARY KEY,
    workspace TEXT NOT NULL,
    hash      TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX code_hashes_by_hash ON code_hashes (workspace, hash);
-- The workspace is what comes before /codes/{name}.
INSERT INTO code_hashes (key, workspace, hash)
    SELECT key, substr(names, 1, length(names) - length('/codes/')), hash FROM (
        SELECT key, rtrim(parent, replace(parent, '/', '')) AS names, json_extract(document, '$.properties.properties.hash_sha256') AS hash
        FROM resources WHERE type = 'versions')
    WHERE names LIKE '%/codes/' AND typeof(hash) = 'text';
