//! Unit tests of what leaves.
