-- No write unit has a number above the bound; after a restart numbers go on from there.
CREATE TABLE unit_numbers (
    bound INTEGER NOT NULL
);

INSERT INTO unit_numbers (bound) VALUES (0);
