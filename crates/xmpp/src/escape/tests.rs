//! What is written is what is read.

use proptest::prelude::*;

use super::{attribute, line_ends, text, unescape_attribute, unescape_text};

fn written(write: fn(&mut Vec<u8>, &str), value: &str) -> String {
    let mut out = Vec::new();
    write(&mut out, value);
    String::from_utf8(out).unwrap()
}

#[test]
fn what_means_something_in_xml_is_escaped() {
    assert_eq!(written(text, "a<b>&c]]>\"'\n\t\r"), "a&lt;b&gt;&amp;c]]&gt;\"'\n\t&#xD;");
    assert_eq!(written(attribute, "a<b>&\"'\n\t\r"), "a&lt;b&gt;&amp;&quot;&apos;&#xA;&#x9;&#xD;");
    // XML §2.2: what XML cannot carry is not passed on.
    assert_eq!(
        written(text, "a\u{0}\u{1b}\u{fffe}\u{ffff}b\u{fffd}"),
        "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}b\u{fffd}"
    );
}

/// XML §2.11, §3.3.3, §4.1, §4.6.
#[test]
fn references_and_line_ends_are_read() {
    assert_eq!(unescape_text("a&lt;&gt;&amp;&quot;&apos;&#65;&#x42;b"), "a<>&\"'ABb");
    assert_eq!(unescape_text("&amp;lt;"), "&lt;");
    assert_eq!(unescape_text("a\r\nb\rc\nd&#xD;"), "a\nb\nc\nd\r");
    assert_eq!(unescape_attribute("a\r\nb\tc\nd&#xA;&#9;"), "a b c d\n\t");
    assert_eq!(line_ends("a\r\nb\r&amp;"), "a\nb\n&amp;");
    // Nothing unchecked is lost.
    assert_eq!(unescape_text("a&nbsp;b&#0;c&"), "a&nbsp;b&#0;c&");
}

proptest! {
    #[test]
    fn what_is_written_is_read(value in "[^\u{0}-\u{8}\u{b}\u{c}\u{e}-\u{1f}\u{fffe}\u{ffff}]*") {
        let (as_text, as_value) = (written(text, &value), written(attribute, &value));
        prop_assert_eq!(unescape_text(&as_text), value.as_str());
        prop_assert_eq!(unescape_attribute(&as_value), value.as_str());
    }
}
