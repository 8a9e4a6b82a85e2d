-- Runs are known by an integer key inside the store: it is short in every row below, and ascends in creation order.
CREATE TABLE run_workspaces (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    subscription TEXT NOT NULL,
    resource_group TEXT NOT NULL,
    name TEXT NOT NULL
);

-- The experiment with fallback = 1 is the workspace's Default, id 0 on the wire; the others are known by their key.
CREATE TABLE experiments (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace INTEGER NOT NULL,
    name TEXT NOT NULL,
    fallback INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    UNIQUE (workspace, name)
);

CREATE TABLE experiment_tags (
    experiment INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (experiment, name)
) WITHOUT ROWID;

-- start_time is what MLflow sorts and shows: the creation until work begins. type is NULL for a run that no job made.
CREATE TABLE runs (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace INTEGER NOT NULL,
    id TEXT NOT NULL COLLATE NOCASE,
    experiment INTEGER NOT NULL,
    name TEXT NOT NULL,
    parent TEXT COLLATE NOCASE,
    type TEXT,
    status INTEGER NOT NULL,
    user TEXT NOT NULL,
    target TEXT,
    created INTEGER NOT NULL,
    start_time INTEGER NOT NULL,
    started INTEGER,
    ended INTEGER,
    error_code TEXT,
    error_message TEXT,
    deleted INTEGER NOT NULL DEFAULT 0,
    UNIQUE (workspace, id)
);

CREATE INDEX runs_by_start ON runs (experiment, deleted, start_time DESC, id COLLATE BINARY);
CREATE INDEX runs_by_parent ON runs (workspace, parent, key) WHERE parent IS NOT NULL;

CREATE TABLE run_tags (
    run INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, name)
) WITHOUT ROWID;

CREATE TABLE run_params (
    run INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, name)
) WITHOUT ROWID;

CREATE TABLE run_outputs (
    run INTEGER PRIMARY KEY,
    document TEXT NOT NULL
);

CREATE TABLE metric_names (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- Append only. The whole point is the primary key: a point logged twice is one row, and a history page is one range scan
-- in the order that get-history promises. SQLite keeps no NaN: nan = 1 with value 0.
CREATE TABLE run_metrics (
    run INTEGER NOT NULL,
    metric INTEGER NOT NULL,
    time INTEGER NOT NULL,
    step INTEGER NOT NULL,
    nan INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (run, metric, time, step, nan, value)
) WITHOUT ROWID;

-- The greatest (step, time, nan, value) of each metric of each run, and the order in which runs of an experiment sort by it.
CREATE TABLE run_latest (
    run INTEGER NOT NULL,
    metric INTEGER NOT NULL,
    experiment INTEGER NOT NULL,
    step INTEGER NOT NULL,
    time INTEGER NOT NULL,
    nan INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (run, metric)
) WITHOUT ROWID;

CREATE INDEX run_latest_by_value ON run_latest (experiment, metric, nan, value);
