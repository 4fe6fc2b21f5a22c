//! The demonstration: that the screen is one screen, and that what it is filled with is possible.

use super::*;
use crate::commands::demo_content;

fn passwords() -> Passwords {
    let accounts = demo_content::PEOPLE.iter().map(|_| "amber-falcon-99".to_owned()).collect();
    Passwords { accounts, passphrase: "amber-falcon-99-merry-marten-99".to_owned() }
}

#[test]
fn the_screen_is_one_screen() {
    let text = page(Path::new("chancery-demo"), &passwords(), &[5224, 5225]);
    // The line that says that it serves comes below.
    assert!(text.lines().count() < 40, "{} lines", text.lines().count());
    let program = program();
    for line in text.lines().filter(|line| !line.contains(&program)) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn passwords_are_read_as_they_were_written() {
    let dir = std::env::temp_dir().join(format!("chancery-demo-test-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("a folder");
    write_passwords(&dir, &passwords()).expect("written");
    let read = read_passwords(&dir).expect("read");
    fs::remove_dir_all(&dir).expect("removed");
    assert_eq!(read.passphrase, passwords().passphrase);
    assert_eq!(read.accounts, passwords().accounts);
}
