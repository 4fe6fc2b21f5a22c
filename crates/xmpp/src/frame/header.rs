//! The start tag of a stream: what it says and what it declares for all stanzas (RFC 6120 §4.7,
//! §4.8).

use super::{ContentNamespace, Declared, NamespaceAt, Scanner, Scope, Span, Start, StreamHeader};
use crate::{
    escape,
    fault::{StreamCondition, StreamFault},
};

/// Reads the header that the scanner has just found.
pub(super) fn read(
    bytes: &[u8],
    scanner: &Scanner,
    start: &Start,
) -> Result<(StreamHeader, Scope), StreamFault> {
    let tag = bytes.get(..scanner.at()).unwrap_or_default();
    let text = std::str::from_utf8(tag).unwrap_or_default();
    if start.namespace != NamespaceAt::Streams {
        // RFC 6120 §4.9.3.10.
        return Err(StreamCondition::InvalidNamespace.because("this is not a stream of XMPP"));
    }
    if start.inner_default == NamespaceAt::Streams {
        // RFC 6120 §4.8.5: the stream needs its prefix, the default is that of the content.
        return Err(StreamCondition::BadNamespacePrefix.because("the stream has no prefix"));
    }
    if start.name.of(text) != "stream" || start.empty {
        return Err(StreamCondition::BadFormat.because("this is not the start of a stream"));
    }
    let content = match start.inner_default {
        NamespaceAt::Client => Some(ContentNamespace::Client),
        NamespaceAt::Server => Some(ContentNamespace::Server),
        NamespaceAt::None => None,
        // RFC 6120 §4.8.2.
        NamespaceAt::Streams | NamespaceAt::Xml | NamespaceAt::Here(_) | NamespaceAt::Header(_) => {
            return Err(StreamCondition::InvalidNamespace.because("the content is not supported"));
        }
    };
    let value = |namespace: NamespaceAt, name: &str| {
        let mut all = scanner.attributes().iter();
        let found = all.find(|a| a.namespace == namespace && a.name.local.of(text) == name);
        found.map(|a| escape::unescape_attribute(a.value.of(text)).into())
    };
    let header = StreamHeader {
        to: value(NamespaceAt::None, "to"),
        from: value(NamespaceAt::None, "from"),
        id: value(NamespaceAt::None, "id"),
        lang: value(NamespaceAt::Xml, "lang"),
        version: version(value(NamespaceAt::None, "version").as_deref())?,
        content,
    };
    Ok((header, scope(text, scanner, start.inner_default)))
}

/// RFC 6120 §4.7.5: two numbers with a dot. Without the attribute it is older than XMPP 1.0.
fn version(text: Option<&str>) -> Result<(u32, u32), StreamFault> {
    let number = |digits: &str| {
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u32>().ok())?
    };
    let parts = text.and_then(|text| text.split_once('.'));
    match parts.and_then(|(major, minor)| Some((number(major)?, number(minor)?))) {
        Some(version @ (1.., _)) => Ok(version),
        Some((0, _)) | None => {
            Err(StreamCondition::UnsupportedVersion.because("XMPP 1.0 is needed"))
        }
    }
}

fn scope(text: &str, scanner: &Scanner, default: NamespaceAt) -> Scope {
    let spelled = |prefix: Span, namespace: NamespaceAt| Declared {
        prefix: prefix.of(text).into(),
        namespace: namespace.resolve(text, scanner.scope()).into(),
    };
    let declared = scanner.bindings().iter().map(|b| spelled(b.prefix, b.namespace)).collect();
    Scope { default, declared: Some(declared) }
}
