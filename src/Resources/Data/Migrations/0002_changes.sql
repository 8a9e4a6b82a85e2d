-- Lists in the order of the last change.
CREATE INDEX resources_by_change ON resources (parent, type, archived, modified_at, sequence);
