//! The form in which a client's stanza leaves its session: `from` and `to` as the server knows
//! them, and without marks that only the server may set. Also what a person could read in it.

use std::{borrow::Cow, sync::Arc};

use super::config::SessionConfig;
use crate::{
    element::{Element, Node},
    jid::Jid,
    namespace,
    payload::ns,
    stanza::{ElementRef, Stamp, Stanza},
};

/// Direct invitations (XEP-0249), whose reason is an attribute that clients show.
const INVITATION: &str = "jabber:x:conference";

/// The canonical octets.
pub(super) fn canonical(
    stanza: &Stanza,
    from: &str,
    to: Option<&Jid>,
    lang: Option<&str>,
    config: &SessionConfig,
) -> Arc<[u8]> {
    let to = to.map(Jid::to_string);
    let stamp =
        Stamp { namespace: Some(namespace::CLIENT), from: Some(from), to: to.as_deref(), lang };
    stanza.canonical(&stamp, |child| is_forged(child, config)).into()
}

/// Whether an element says something in the server's name.
fn is_forged(child: ElementRef<'_>, config: &SessionConfig) -> bool {
    let ours = |jid: &Jid| config.serves(jid.address.domain());
    match (child.name(), &*child.namespace()) {
        // XEP-0359 §4: ids by the archives and rooms served here are given by the server alone.
        // What names nobody, or nobody that could be told from us, goes too.
        ("stanza-id", ns::STANZA_ID) => match child.attribute("by").map(|by| Jid::parse(&by)) {
            Some(Ok(by)) => ours(&by),
            Some(Err(_)) | None => true,
        },
        // XEP-0203 §4: a time that the server vouches for.
        ("delay", ns::DELAY) => match child.attribute("from").map(|from| Jid::parse(&from)) {
            Some(Ok(from)) => from.address.local().is_none() && ours(&from),
            Some(Err(_)) => true,
            None => false,
        },
        _ => false,
    }
}

/// Everything that a person could read in the payload; see [`super::MessageAsk::text`].
pub(super) fn readable_text(stanza: &Stanza) -> Box<str> {
    let mut text = String::new();
    let inside: usize = stanza.children().map(|child| child.as_str().len()).sum();
    if inside == stanza.payload().len() {
        for child in stanza.children() {
            if is_for_machines(&child.namespace(), child.name()) {
                continue;
            }
            if child.inner().contains('<') || &*child.namespace() == INVITATION {
                read_tree(&child.to_element(), &mut text);
            } else {
                add(&mut text, &child.text());
            }
        }
        return text.into();
    }
    // Character data beside the children; rare, and in its place all the same.
    for node in stanza.to_element().nodes() {
        match node {
            Node::Text(data) => add(&mut text, data),
            Node::Element(child) if is_for_machines(child.namespace(), child.name()) => {}
            Node::Element(child) => read_tree(child, &mut text),
        }
    }
    text.into()
}

/// Direct children whose character data is a name or a keyword: RFC 6121 §5.2.5 keeps threads from
/// people.
fn is_for_machines(namespace: &str, name: &str) -> bool {
    matches!((namespace, name), (namespace::CLIENT, "thread") | (ns::CLASS, "class"))
}

/// The depth of trees is bounded where they are read, and with it the recursion.
fn read_tree(element: &Element, text: &mut String) {
    if element.namespace() == INVITATION {
        add(text, element.attribute("reason").unwrap_or_default());
    }
    for node in element.nodes() {
        match node {
            Node::Text(data) => add(text, data),
            Node::Element(child) => read_tree(child, text),
        }
    }
}

fn add(text: &mut String, data: &str) {
    if data.trim().is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(data);
}

/// A value of the head as an owned text; none if it is empty.
pub(super) fn owned(value: Option<Cow<'_, str>>) -> Option<Box<str>> {
    value.filter(|value| !value.is_empty()).map(|value| Box::from(&*value))
}
