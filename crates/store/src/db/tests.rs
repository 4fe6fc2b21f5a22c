//! The texts that the facade makes.

use super::{
    migrate::of_backend,
    postgres::{numbered, of_many_rows},
};

#[test]
fn one_text_is_numbered_for_both() {
    assert_eq!(numbered("a = ?1 AND b = ?12"), "a = $1 AND b = $12");
}

#[test]
fn one_row_becomes_many() {
    let one = "INSERT INTO t (a, b) VALUES (?1, ?2) ON CONFLICT (a) DO NOTHING";
    let two = "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT (a) DO NOTHING";
    assert_eq!(of_many_rows(one, 2, 2), two);
}

#[test]
fn a_step_has_lines_for_each_database() {
    let step =
        "CREATE TABLE t (\n    a INTEGER, -- sqlite\n    a BIGINT, -- postgres\n    b BIGINT\n);";
    assert_eq!(of_backend(step, false), "CREATE TABLE t (\n    a INTEGER, \n    b BIGINT\n);\n");
    assert_eq!(of_backend(step, true), "CREATE TABLE t (\n    a BIGINT, \n    b BIGINT\n);\n");
}
