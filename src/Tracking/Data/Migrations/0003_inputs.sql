-- A dataset is known by name and digest within its experiment; runs name it as an input, in a context that is a tag of the input.
CREATE TABLE datasets (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    experiment INTEGER NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    source_type TEXT NOT NULL,
    source TEXT NOT NULL,
    schema TEXT,
    profile TEXT,
    UNIQUE (experiment, name, digest)
);

CREATE TABLE run_datasets (
    run INTEGER NOT NULL,
    dataset INTEGER NOT NULL,
    PRIMARY KEY (run, dataset)
) WITHOUT ROWID;

CREATE INDEX run_datasets_by_dataset ON run_datasets (dataset, run);

CREATE TABLE run_dataset_tags (
    run INTEGER NOT NULL,
    dataset INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, dataset, name)
) WITHOUT ROWID;

-- Logged models that a run reads (output = 0) or made (output = 1, at a step).
CREATE TABLE run_models (
    run INTEGER NOT NULL,
    output INTEGER NOT NULL,
    model TEXT NOT NULL,
    step INTEGER NOT NULL,
    PRIMARY KEY (run, output, model, step)
) WITHOUT ROWID;
