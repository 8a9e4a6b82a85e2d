CREATE TABLE endpoint_auth (
    endpoint_id   TEXT PRIMARY KEY,                    -- resource id as written
    name          TEXT NOT NULL COLLATE NOCASE UNIQUE, -- unique on the server, as in an Azure region
    epoch         TEXT NOT NULL,                       -- tokens of a deleted endpoint of the same name end with it
    primary_key   TEXT NOT NULL,                       -- sealed
    secondary_key TEXT NOT NULL                        -- sealed
);

CREATE TABLE deployment (
    row_key        TEXT PRIMARY KEY,                   -- one for each creation: a deleted one may still drain while its name is used again
    deployment_id  TEXT NOT NULL COLLATE NOCASE,       -- resource id as written
    endpoint_id    TEXT NOT NULL COLLATE NOCASE,
    state          TEXT NOT NULL,                      -- Creating, Updating, Succeeded, Failed, Deleting
    error          TEXT,                               -- code, message, line as JSON
    wanted         INTEGER NOT NULL,                   -- generation that the document asks for
    live           INTEGER,                            -- generation that serves
    document       TEXT NOT NULL,                      -- of the wanted generation
    live_document  TEXT,                               -- of the live generation: instances that die are started again from it
    operation      TEXT                                -- the running long-running operation
);
CREATE UNIQUE INDEX deployment_present ON deployment (deployment_id) WHERE state <> 'Deleting';
CREATE INDEX deployment_of_endpoint ON deployment (endpoint_id);

CREATE TABLE deployment_worker (
    worker_id  TEXT PRIMARY KEY,                       -- name of its task and of its socket folder
    row_key    TEXT NOT NULL,
    generation INTEGER NOT NULL,
    slot       INTEGER NOT NULL,
    ready      INTEGER NOT NULL
);
CREATE INDEX worker_of_deployment ON deployment_worker (row_key);

CREATE TABLE serving_secret (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL                                -- sealed
);
