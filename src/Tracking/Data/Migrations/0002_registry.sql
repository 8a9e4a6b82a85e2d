-- An index over the model resources (models/ and prompts/ of a workspace) for MLflow's registry: the documents are the truth, these
-- rows follow them in the same transaction. Keys are the resources' own: key = sequence, id = key of the resource, model = its parent.
CREATE TABLE registered_models (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    workspace TEXT NOT NULL,
    name TEXT NOT NULL COLLATE NOCASE,
    description TEXT,
    archived INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    user TEXT NOT NULL,
    UNIQUE (workspace, name)
);

CREATE TABLE registered_model_tags (
    model INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, name)
) WITHOUT ROWID;

CREATE INDEX registered_model_tags_by_name ON registered_model_tags (name, substr(value, 1, 100));

-- number is NULL for versions that are no number; source is what MLflow's client gave, uri the document's modelUri.
CREATE TABLE model_versions (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    workspace TEXT NOT NULL,
    model TEXT NOT NULL,
    version TEXT NOT NULL,
    number INTEGER,
    stage TEXT NOT NULL,
    source TEXT NOT NULL,
    uri TEXT NOT NULL,
    run TEXT NOT NULL,
    run_link TEXT NOT NULL DEFAULT '',
    logged_model TEXT,
    description TEXT,
    archived INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    user TEXT NOT NULL
);

CREATE INDEX model_versions_by_stage ON model_versions (model, stage, number DESC, key DESC);
CREATE INDEX model_versions_by_time ON model_versions (workspace, updated DESC);
CREATE INDEX model_versions_by_run ON model_versions (workspace, run);

CREATE TABLE model_version_tags (
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (version, name)
) WITHOUT ROWID;

CREATE TABLE model_aliases (
    model TEXT NOT NULL,
    alias TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (model, alias)
) WITHOUT ROWID;

CREATE INDEX model_aliases_by_version ON model_aliases (model, version);

-- Models that were there before this index. The last segment of an id is what follows its last slash.
INSERT INTO registered_models (key, id, workspace, name, description, archived, created, updated, user)
SELECT sequence, key, parent, substr(id, length(rtrim(id, replace(id, '/', ''))) + 1), json_extract(document, '$.properties.description'), archived, created_at, modified_at, created_by
FROM resources WHERE type = 'models' AND json_extract(document, '$.anonymousOnly') IS NULL;

INSERT INTO registered_model_tags (model, name, value)
SELECT r.sequence, t.key, coalesce(t.value, '') FROM resources r, json_each(r.document, '$.properties.tags') t
WHERE r.sequence IN (SELECT key FROM registered_models);

INSERT INTO model_versions (key, id, workspace, model, version, number, stage, source, uri, run, description, archived, created, updated, user)
SELECT v.sequence, v.key, m.workspace, v.parent,
    substr(v.id, length(rtrim(v.id, replace(v.id, '/', ''))) + 1),
    CASE WHEN v.key GLOB '*/[0-9]*' AND substr(v.key, length(rtrim(v.key, '0123456789')), 1) = '/' THEN CAST(substr(v.key, length(rtrim(v.key, '0123456789')) + 1) AS INTEGER) END,
    coalesce(json_extract(v.document, '$.properties.stage'), 'None'),
    coalesce(json_extract(v.document, '$.properties.modelUri'), ''), coalesce(json_extract(v.document, '$.properties.modelUri'), ''),
    coalesce(json_extract(v.document, '$.properties.jobName'), ''),
    json_extract(v.document, '$.properties.description'), v.archived, v.created_at, v.modified_at, v.created_by
FROM resources v JOIN registered_models m ON m.id = v.parent
WHERE v.type = 'versions' AND coalesce(json_extract(v.document, '$.properties.isAnonymous'), 0) = 0;

INSERT INTO model_version_tags (version, name, value)
SELECT r.sequence, t.key, coalesce(t.value, '') FROM resources r, json_each(r.document, '$.properties.tags') t
WHERE r.sequence IN (SELECT key FROM model_versions);
