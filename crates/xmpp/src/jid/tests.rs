//! Tests follow the module they stand beside.
