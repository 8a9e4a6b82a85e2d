CREATE TABLE workspaces (
    sequence     INTEGER PRIMARY KEY AUTOINCREMENT,
    key          TEXT NOT NULL UNIQUE,
    id           TEXT NOT NULL,
    workspace_id TEXT NOT NULL UNIQUE,
    location     TEXT NOT NULL,
    account      TEXT NOT NULL UNIQUE
);
CREATE TABLE datastore_secrets (
    key    TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL
);
