//! The cut between code, comments and strings, and the finding of functions, on awkward sources.

use super::{Function, cut, functions, words};

fn check(source: &str, code: &str) {
    let cut = cut(source);
    assert_eq!(cut.code, code, "{source}");
    assert_eq!(cut.code.lines().count(), cut.comments.lines().count());
}

#[test]
fn comments_and_strings_are_not_code() {
    check("a // b\nc", "a     \nc");
    check("a /* x /* y */ z */ b", "a                   b");
    check(r#"f("{ // \" ") + 1"#, &format!("f({}) + 1", quotes(10)));
    check(r##"r#"fn "x" "# y"##, &format!("{} y", quotes(12)));
    check(r#"b"\x22{" y"#, &format!("{} y", quotes(8)));
}

fn quotes(count: usize) -> String {
    "\"".repeat(count)
}

#[test]
fn lifetimes_are_code_and_characters_are_not() {
    let cut = cut("fn f<'a>(c: &'a str) { let q = '{'; let e = '\\''; let u = '\\u{7d}'; }");
    assert_eq!(cut.code.matches('{').count(), 1);
    assert_eq!(cut.code.matches('}').count(), 1);
    assert!(cut.code.contains("<'a>"));
}

#[test]
fn functions_are_found_with_their_length() {
    let source = "fn a() {\n    // free\n\n    b([\n\"a\",\n\"b\",]);\n}\ntrait T { fn d(&self); }\ntype F = fn(u8) -> u8;\n\
                  fn c(x: [u8; 2]) -> u8 where F: Sized { x }\n";
    let found = functions(&cut(source).code);
    let a = Function { name: "a".into(), line: 1, end: 7, code_lines: 2 };
    let c = Function { name: "c".into(), line: 10, end: 10, code_lines: 1 };
    assert_eq!(found, [a, c]);
}

#[test]
fn words_have_places() {
    assert_eq!(words("a+b_1").collect::<Vec<_>>(), [(0, "a"), (2, "b_1")]);
}
