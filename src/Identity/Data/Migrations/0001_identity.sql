-- Who may come in: the service principals, what they may do where, and the tokens of running jobs.
CREATE TABLE identity_home (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    tenant_id TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    owner_object_id TEXT NOT NULL
);

CREATE TABLE principals (
    object_id TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    secret_salt TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE role_assignments (
    scope_key TEXT NOT NULL,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    role_id TEXT NOT NULL,
    principal_id TEXT NOT NULL,
    principal_type TEXT NOT NULL,
    description TEXT,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (scope_key, name),
    UNIQUE (scope_key, role_id, principal_id)
);

CREATE INDEX role_assignments_principal ON role_assignments (principal_id);

CREATE TABLE job_tokens (
    job_key TEXT NOT NULL PRIMARY KEY,
    token_id TEXT NOT NULL,
    issued_at INTEGER NOT NULL
);
