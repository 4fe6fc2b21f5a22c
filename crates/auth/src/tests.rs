//! Tests of what the public API promises.
