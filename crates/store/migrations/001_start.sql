-- The first shape of the store. One statement ends with a semicolon at the end of a line; a line
-- that ends in `-- sqlite` or `-- postgres` is meant for that database only. Times are microseconds,
-- truth is 0 or 1, and every column named `body` or `address` is sealed by the vault.

-- What is counted in the same transaction as what it counts.
CREATE TABLE counter (
    id INTEGER PRIMARY KEY, -- sqlite
    id BIGINT PRIMARY KEY, -- postgres
    value BIGINT NOT NULL
);

-- A known plaintext under the key: tells a wrong key from damage.
CREATE TABLE seal_check (
    id INTEGER PRIMARY KEY, -- sqlite
    id BIGINT PRIMARY KEY, -- postgres
    body BLOB NOT NULL -- sqlite
    body BYTEA NOT NULL -- postgres
);

-- Addresses, once each. The digest is keyed, so that the table cannot be searched without the key.
CREATE TABLE party (
    id INTEGER PRIMARY KEY, -- sqlite
    id BIGINT PRIMARY KEY, -- postgres
    digest BLOB NOT NULL UNIQUE, -- sqlite
    digest BYTEA NOT NULL UNIQUE, -- postgres
    address BLOB NOT NULL -- sqlite
    address BYTEA NOT NULL -- postgres
);

-- The octets of a message, once, and how many mailbox rows refer to them.
CREATE TABLE message (
    id INTEGER PRIMARY KEY, -- sqlite
    id BIGINT PRIMARY KEY, -- postgres
    refs BIGINT NOT NULL,
    body BLOB NOT NULL -- sqlite
    body BYTEA NOT NULL -- postgres
);
CREATE INDEX message_unreferenced ON message (id) WHERE refs <= 0;

-- Who has which message in their history; what came in and lies above the mark also waits.
CREATE TABLE mailbox (
    owner BIGINT NOT NULL,
    id BIGINT NOT NULL,
    peer BIGINT NOT NULL,
    incoming BIGINT NOT NULL,
    PRIMARY KEY (owner, id)
) WITHOUT ROWID; -- sqlite
); -- postgres
CREATE INDEX mailbox_peer ON mailbox (owner, peer, id);

-- The newest rows of all mailboxes, some thousands at most, moved to their place in one go. A row put
-- straight into its place would write a page of its own for each of its two keys.
CREATE TABLE arrival (
    owner BIGINT NOT NULL,
    id BIGINT NOT NULL,
    peer BIGINT NOT NULL,
    incoming BIGINT NOT NULL,
    PRIMARY KEY (owner, id)
) WITHOUT ROWID; -- sqlite
); -- postgres

-- What only waits for its recipient and is gone once delivered.
CREATE TABLE passing (
    owner BIGINT NOT NULL,
    id BIGINT NOT NULL,
    peer BIGINT NOT NULL,
    PRIMARY KEY (owner, id)
) WITHOUT ROWID; -- sqlite
); -- postgres

-- Up to which message an owner has everything that waited.
CREATE TABLE delivered (
    owner INTEGER PRIMARY KEY, -- sqlite
    owner BIGINT PRIMARY KEY, -- postgres
    mark BIGINT NOT NULL
);

-- The last link of each conversation's chain of records.
CREATE TABLE conversation (
    digest BLOB PRIMARY KEY, -- sqlite
    digest BYTEA PRIMARY KEY, -- postgres
    sequence BIGINT NOT NULL,
    previous BLOB NOT NULL -- sqlite
    previous BYTEA NOT NULL -- postgres
) WITHOUT ROWID; -- sqlite
); -- postgres

-- Sealed records on their way into the log: one row holds those of one batch.
CREATE TABLE outbox (
    first INTEGER PRIMARY KEY, -- sqlite
    first BIGINT PRIMARY KEY, -- postgres
    count BIGINT NOT NULL,
    body BLOB NOT NULL -- sqlite
    body BYTEA NOT NULL -- postgres
);

-- Messages held for review.
CREATE TABLE held (
    id INTEGER PRIMARY KEY, -- sqlite
    id BIGINT PRIMARY KEY, -- postgres
    body BLOB NOT NULL -- sqlite
    body BYTEA NOT NULL -- postgres
);

-- Contact lists. A removed item stays as a mark, for those who were away (XEP-0237).
CREATE TABLE roster_head (
    owner INTEGER PRIMARY KEY, -- sqlite
    owner BIGINT PRIMARY KEY, -- postgres
    version BIGINT NOT NULL,
    forgotten BIGINT NOT NULL
);
CREATE TABLE roster (
    owner BIGINT NOT NULL,
    contact BIGINT NOT NULL,
    version BIGINT NOT NULL,
    body BLOB, -- sqlite
    body BYTEA, -- postgres
    PRIMARY KEY (owner, contact)
) WITHOUT ROWID; -- sqlite
); -- postgres

-- Subscription requests that wait for an answer, as they came.
CREATE TABLE request (
    owner BIGINT NOT NULL,
    contact BIGINT NOT NULL,
    body BLOB NOT NULL, -- sqlite
    body BYTEA NOT NULL, -- postgres
    PRIMARY KEY (owner, contact)
) WITHOUT ROWID; -- sqlite
); -- postgres

-- What else a person keeps with the house, by kind (card, private data, block list, last activity)
-- and keyed digest of its name.
CREATE TABLE keepsake (
    owner BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    name BLOB NOT NULL, -- sqlite
    name BYTEA NOT NULL, -- postgres
    body BLOB NOT NULL, -- sqlite
    body BYTEA NOT NULL, -- postgres
    PRIMARY KEY (owner, kind, name)
) WITHOUT ROWID; -- sqlite
); -- postgres
