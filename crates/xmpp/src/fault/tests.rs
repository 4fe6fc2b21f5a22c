//! Faults as they stand on the wire.

use super::{ErrorType, StanzaCondition, StanzaError, StreamCondition};
use crate::{element::Element, limits::Limits, namespace};

/// RFC 6120 §4.9.2.
#[test]
fn a_stream_fault_says_its_condition_and_why() {
    let mut out = Vec::new();
    StreamCondition::NotWellFormed.because("a < b").write(&mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "<stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
         <text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>a &lt; b</text>\
         </stream:error>"
    );
    let mut out = Vec::new();
    let elsewhere = StreamCondition::SeeOtherHost("[2001:db8::1]:9222".into());
    super::StreamFault::from(elsewhere).write(&mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>\
         [2001:db8::1]:9222</see-other-host></stream:error>"
    );
}

/// RFC 6120 §8.3.2.
#[test]
fn a_stanza_error_says_what_to_do() {
    let error = StanzaError::new(StanzaCondition::PolicyViolation)
        .with_type(ErrorType::Cancel)
        .with_text_in("de", "Nicht & nie")
        .with_application(Element::new("held", "urn:x:y").attr("by", "rule 'a'"));
    let mut out = Vec::new();
    error.write(&mut out);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(
        text,
        "<error type='cancel'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='de'>Nicht &amp; nie</text>\
         <held xmlns='urn:x:y' by='rule &apos;a&apos;'/></error>"
    );
    let read = Element::parse(&text, Limits::BEFORE_LOGIN).unwrap();
    let said = read.get(namespace::STANZA_ERRORS, "text").unwrap();
    assert_eq!(said.text_content(), "Nicht & nie");
    assert_eq!(error.to_string(), "the stanza fails with policy-violation: Nicht & nie");
}

/// RFC 6120 §8.3.3.5, §8.3.3.14.
#[test]
fn gone_and_redirect_say_where_to() {
    let mut out = Vec::new();
    StanzaCondition::Gone(Some("xmpp:b@c.example".into())).error().write(&mut out);
    StanzaCondition::Redirect(None).error().write(&mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>\
         xmpp:b@c.example</gone></error>\
         <error type='modify'><redirect xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    );
}
