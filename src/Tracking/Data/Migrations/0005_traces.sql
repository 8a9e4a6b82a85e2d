-- A trace is known by its id (tr-{32 hex digits}); instants and durations in milliseconds, spans in nanoseconds.
CREATE TABLE traces (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace INTEGER NOT NULL,
    id TEXT NOT NULL,
    experiment INTEGER NOT NULL,
    client_request_id TEXT,
    request_preview TEXT,
    response_preview TEXT,
    time INTEGER NOT NULL,
    duration INTEGER,
    state INTEGER NOT NULL,
    UNIQUE (workspace, id)
);

CREATE INDEX traces_by_time ON traces (experiment, time DESC, id);

CREATE TABLE trace_tags (
    trace INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (trace, name)
) WITHOUT ROWID;

CREATE TABLE trace_metadata (
    trace INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (trace, name)
) WITHOUT ROWID;

-- The runs a trace belongs to: the one it was made in, and those it was linked to.
CREATE TABLE trace_runs (
    trace INTEGER NOT NULL,
    run TEXT NOT NULL,
    PRIMARY KEY (trace, run)
) WITHOUT ROWID;

CREATE INDEX trace_runs_by_run ON trace_runs (run, trace);

-- document is the span as MLflow's wire has it; the other columns are what filters look at.
CREATE TABLE trace_spans (
    trace INTEGER NOT NULL,
    span TEXT NOT NULL,
    start INTEGER NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (trace, span)
) WITHOUT ROWID;

-- kind is feedback, expectation or issue; value is the JSON of the value, text without its quotes.
CREATE TABLE trace_assessments (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    trace INTEGER NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    valid INTEGER NOT NULL DEFAULT 1,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (trace, id)
);
