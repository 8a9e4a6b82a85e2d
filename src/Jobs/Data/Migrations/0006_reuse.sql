-- Why a step ran or was reused, decided before it began. reuse_key is null when the step's outputs are not to be reused; facts is what the key was made of.
-- node is the step's place in its pipeline, component the component's resource key: by these the nearest earlier run is found.
CREATE TABLE job_decisions (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    job         TEXT    NOT NULL UNIQUE,
    node        TEXT    NOT NULL,
    component   TEXT,
    reuse_key   TEXT,
    reason      TEXT    NOT NULL,
    compared    TEXT,
    differences TEXT,
    facts       TEXT,
    decided     INTEGER NOT NULL
);

CREATE INDEX job_decisions_key ON job_decisions (reuse_key, seq) WHERE reuse_key IS NOT NULL;
CREATE INDEX job_decisions_node ON job_decisions (node, seq);
CREATE INDEX job_decisions_component ON job_decisions (component, seq) WHERE component IS NOT NULL;

-- Where the outputs of reused steps lie: what was planned, and the place of the original. root is the key of the pipeline at the root of the tree.
CREATE TABLE job_moves (
    root    TEXT NOT NULL,
    planned TEXT NOT NULL,
    place   TEXT NOT NULL,
    PRIMARY KEY (root, planned)
) WITHOUT ROWID;

-- The key of the job whose outputs a reused step has.
ALTER TABLE jobs ADD COLUMN reused_from TEXT;

CREATE INDEX jobs_undecided ON jobs (parent) WHERE status = 'NotStarted' AND waits = 0;
