//! Limits that hold for every protocol. Protocol crates have their own beside these.

/// Bytes of a localpart or a resource after preparation (RFC 7622 §3.3, §3.4).
pub const ADDRESS_PART_BYTES_MAX: usize = 1_023;

/// Bytes of a domain after preparation (RFC 7622 §3.2 allows 1,023; the DNS has 253).
pub const DOMAIN_BYTES_MAX: usize = 253;
