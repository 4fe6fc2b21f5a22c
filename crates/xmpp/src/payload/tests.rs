//! Unit tests of the payloads.
