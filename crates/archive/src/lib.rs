//! The sealed archive: what every message leaves behind, readable by custodians only, in a log
//! that anybody can check. Reading order: what is sealed (`record`), how (`segment`, `seal`,
//! `entry`), where it lies (`tile`, `journal`, `log`, `checkpoint`), how an outsider checks it
//! (`merkle`, `verify`), and what custodians do with it (`key`, `custodian`, `search`, `export`).
//!
//! The server knows public keys and the segment key of the hour; nothing here reads records back
//! without a custodian's private key. No protocol and no SQL is known here.

mod checkpoint;
mod complete;
mod custodian;
mod entry;
mod export;
mod field;
mod history;
mod journal;
mod key;
mod log;
mod merkle;
mod record;
mod seal;
mod search;
mod segment;
mod tile;
mod verify;

pub use checkpoint::{CHECKPOINT_BYTES_MAX, Checkpoint, CheckpointFault};
pub use complete::{Completeness, GAPS_NAMED_MAX, Gap, GapKind};
pub use custodian::{Custodian, Found, Opened, ReadFault, claimed_checkpoint};
pub use entry::{
    BODY_BYTES_MAX, ENTRY_BYTES, Entry, EntryFault, Kind, NO_SALT, Record, SALT_BYTES, SegmentId,
    salt_commitment,
};
pub use export::{ExportFault, Exported, Format, MANIFEST_FILE, PROOFS_FILE, Request};
pub use history::HISTORY_FILE;
pub use key::{
    ArchivePrivateKey, ArchivePublicKey, KeyFault, KeyId, PASSPHRASE_BYTES_MIN, PASSPHRASE_ROUNDS,
    PASSPHRASE_ROUNDS_MAX, SigningKey, VerifyingKey,
};
pub use log::{CHECKPOINT_FILE, JOURNAL_BYTES_MAX, LOCK_FILE, Log, LogFault};
pub use merkle::{
    Digest, Nodes, consistency_holds, consistency_proof, empty_root, inclusion_holds,
    inclusion_proof, leaf_hash, node_hash, range_hash,
};
pub use record::{
    Decision, Deed, Link, MessageRecord, Note, NoteRecord, Plain, RECORD_BLOCK_BYTES,
    RecipientRecord, RecordFault, RuleRecord, Verdict, conversation, member_hash,
};
pub use seal::{
    Mark, SEGMENT_AGE_SECS, SEGMENT_BYTES, SealFault, Sealed, SealedNote, Sealer, SegmentLimits,
};
pub use search::{QUERY_BYTES_MAX, Query, QueryFault, Tally};
pub use segment::{Capsule, OpenFault, Opening};
pub use tile::{
    SALTS_PER_FILE, TILE_WIDTH, TileNodes, bodies_path, entries_path, salts_path, tile_path,
};
pub use verify::{DAMAGES_NAMED_MAX, Damage, DamageKind, Expected, Progress, Report, verify};

#[cfg(test)]
mod tests;
