ALTER TABLE workspaces ADD COLUMN kind TEXT NOT NULL DEFAULT 'Default';
-- The key of a project's hub.
ALTER TABLE workspaces ADD COLUMN hub TEXT;
CREATE INDEX workspaces_hub ON workspaces (hub) WHERE hub IS NOT NULL;
ALTER TABLE datastore_secrets RENAME TO resource_secrets;
