-- A logged model lives in an experiment and is known by its id, m-{32 hex digits}; its files lie below LoggedModel/{id} of the artifact store.
CREATE TABLE logged_models (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace INTEGER NOT NULL,
    id TEXT NOT NULL,
    experiment INTEGER NOT NULL,
    name TEXT NOT NULL,
    type TEXT,
    source_run TEXT,
    status INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    UNIQUE (workspace, id)
);

CREATE INDEX logged_models_by_time ON logged_models (experiment, deleted, created DESC, id);

CREATE TABLE logged_model_tags (
    model INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, name)
) WITHOUT ROWID;

CREATE TABLE logged_model_params (
    model INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, name)
) WITHOUT ROWID;

-- The latest value of each metric by run and dataset; '' where no dataset is named.
CREATE TABLE logged_model_metrics (
    key INTEGER PRIMARY KEY,
    model INTEGER NOT NULL,
    metric INTEGER NOT NULL,
    run INTEGER NOT NULL,
    dataset_name TEXT NOT NULL,
    dataset_digest TEXT NOT NULL,
    step INTEGER NOT NULL,
    time INTEGER NOT NULL,
    nan INTEGER NOT NULL,
    value REAL NOT NULL,
    UNIQUE (model, metric, run, dataset_name, dataset_digest)
);

CREATE INDEX logged_model_metrics_by_run ON logged_model_metrics (run);

CREATE INDEX model_versions_by_logged_model ON model_versions (workspace, logged_model) WHERE logged_model IS NOT NULL;
