-- What runs say (id, name, tags, params), in lower case, for search by any part of a text. Runs that changed wait in run_text_pending until their row is written anew:
-- by the server in the background, and by a search before it looks, so that it misses nothing. Runs themselves are noted here, tags and params by who writes them.
CREATE VIRTUAL TABLE run_text USING fts5(text, tokenize = 'trigram case_sensitive 1', detail = none, columnsize = 0);
CREATE TABLE run_text_pending (run INTEGER PRIMARY KEY);

CREATE TRIGGER run_text_of_runs AFTER INSERT ON runs BEGIN INSERT OR IGNORE INTO run_text_pending VALUES (new.key); END;
CREATE TRIGGER run_text_of_names AFTER UPDATE OF name ON runs BEGIN INSERT OR IGNORE INTO run_text_pending VALUES (new.key); END;
CREATE TRIGGER run_text_of_gone_runs AFTER DELETE ON runs BEGIN INSERT OR IGNORE INTO run_text_pending VALUES (old.key); END;

INSERT INTO run_text_pending SELECT key FROM runs;
