CREATE TABLE storage_accounts (
  name TEXT NOT NULL PRIMARY KEY,
  scope TEXT NOT NULL,
  key1 TEXT NOT NULL,
  key2 TEXT NOT NULL,
  created INTEGER NOT NULL
) WITHOUT ROWID;

-- What a folder cannot keep of a container; the folder decides whether it exists.
CREATE TABLE storage_containers (
  account TEXT NOT NULL,
  name TEXT NOT NULL,
  metadata TEXT NOT NULL,
  modified INTEGER NOT NULL,
  PRIMARY KEY (account, name)
) WITHOUT ROWID;

-- What a file cannot keep of a blob; void unless inode, size and mtime (nanoseconds) are the file's.
CREATE TABLE blobs (
  account TEXT NOT NULL,
  container TEXT NOT NULL,
  name TEXT NOT NULL,
  inode INTEGER NOT NULL,
  size INTEGER NOT NULL,
  mtime INTEGER NOT NULL,
  created INTEGER NOT NULL,
  type TEXT NOT NULL,
  md5 BLOB,
  headers TEXT NOT NULL,
  metadata TEXT NOT NULL,
  PRIMARY KEY (account, container, name)
) WITHOUT ROWID;

-- The committed blocks of a blob that was put as a block list, in order: JSON [[id, size], ...]; void as its row is.
CREATE TABLE blob_blocks (
  account TEXT NOT NULL,
  container TEXT NOT NULL,
  name TEXT NOT NULL,
  blocks TEXT NOT NULL,
  PRIMARY KEY (account, container, name)
) WITHOUT ROWID;
