//! What may go wrong with a stream or with one stanza, and how it is said (RFC 6120 §4.9, §8.3).
//! Decides nothing: whoever finds the fault names it.

use std::{borrow::Cow, fmt};

use crate::{element::Element, escape, namespace};

/// Why a stream ends (RFC 6120 §4.9.3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StreamCondition {
    /// XML that cannot be processed (§4.9.3.1).
    BadFormat,
    /// A prefix that is not supported, or none where one must be (§4.9.3.2).
    BadNamespacePrefix,
    /// A new stream took the place of this one (§4.9.3.3).
    Conflict,
    /// The peer does not answer any more (§4.9.3.4).
    ConnectionTimeout,
    /// The domain is not served any more (§4.9.3.5).
    HostGone,
    /// The domain is not served (§4.9.3.6).
    HostUnknown,
    /// A stanza between servers lacks an address (§4.9.3.7).
    ImproperAddressing,
    /// The server failed (§4.9.3.8).
    InternalServerError,
    /// The sender's address is not what was negotiated (§4.9.3.9).
    InvalidFrom,
    /// The namespace of the stream or its content is not supported (§4.9.3.10).
    InvalidNamespace,
    /// XML that breaks the schema (§4.9.3.11).
    InvalidXml,
    /// Sent before signing in (§4.9.3.12).
    NotAuthorized,
    /// Not well-formed, be it by XML or by XML namespaces (§4.9.3.13).
    NotWellFormed,
    /// A limit or rule of the house (§4.9.3.14).
    PolicyViolation,
    /// The remote server cannot be reached (§4.9.3.15).
    RemoteConnectionFailed,
    /// The server wants the stream negotiated anew (§4.9.3.16).
    Reset,
    /// Too busy (§4.9.3.17).
    ResourceConstraint,
    /// Comments, processing instructions, DTDs, entities (§4.9.3.18, §11.1).
    RestrictedXml,
    /// The stream is served elsewhere; the host, with port if that is not 5222 (§4.9.3.19).
    SeeOtherHost(Box<str>),
    /// The server stops (§4.9.3.20).
    SystemShutdown,
    /// Something that the application says (§4.9.3.21).
    UndefinedCondition,
    /// Not UTF-8 (§4.9.3.22).
    UnsupportedEncoding,
    /// A mandatory feature is not supported (§4.9.3.23).
    UnsupportedFeature,
    /// A top-level element that is no stanza (§4.9.3.24).
    UnsupportedStanzaType,
    /// Not XMPP 1.0 (§4.9.3.25).
    UnsupportedVersion,
}

/// Why a stream ends, with a sentence for whoever reads the peer's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamFault {
    /// The defined condition.
    pub condition: StreamCondition,
    /// One English sentence; never holds what the peer sent. May be empty.
    pub text: &'static str,
}

/// Why a stanza is answered with an error (RFC 6120 §8.3.3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StanzaCondition {
    /// Breaks the schema or cannot be processed (§8.3.3.1).
    BadRequest,
    /// A name or address is taken (§8.3.3.2).
    Conflict,
    /// Not implemented (§8.3.3.3).
    FeatureNotImplemented,
    /// Not allowed to this sender (§8.3.3.4).
    Forbidden,
    /// The recipient moved for good; where to, if known, as a URI (§8.3.3.5).
    Gone(Option<Box<str>>),
    /// The server failed (§8.3.3.6).
    InternalServerError,
    /// Does not exist (§8.3.3.7).
    ItemNotFound,
    /// Not an address (§8.3.3.8).
    JidMalformed,
    /// Against the rules of the recipient or the house (§8.3.3.9).
    NotAcceptable,
    /// Allowed to nobody (§8.3.3.10).
    NotAllowed,
    /// The sender must sign in (§8.3.3.11).
    NotAuthorized,
    /// Against a policy of the house (§8.3.3.12).
    PolicyViolation,
    /// The recipient is not there now (§8.3.3.13).
    RecipientUnavailable,
    /// The recipient is elsewhere for now; where, if known, as a URI (§8.3.3.14).
    Redirect(Option<Box<str>>),
    /// The sender must register (§8.3.3.15).
    RegistrationRequired,
    /// The remote domain does not exist (§8.3.3.16).
    RemoteServerNotFound,
    /// The remote domain does not answer (§8.3.3.17).
    RemoteServerTimeout,
    /// Too busy (§8.3.3.18).
    ResourceConstraint,
    /// The service is not there (§8.3.3.19).
    ServiceUnavailable,
    /// The sender must subscribe (§8.3.3.20).
    SubscriptionRequired,
    /// Something that the application says (§8.3.3.21).
    UndefinedCondition,
    /// Came out of order (§8.3.3.22).
    UnexpectedRequest,
}

/// What the sender of a failed stanza may do (RFC 6120 §8.3.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorType {
    /// Sign in or ask for a right, then try again.
    Auth,
    /// Nothing.
    Cancel,
    /// Nothing: it was a warning.
    Continue,
    /// Change what was sent, then try again.
    Modify,
    /// Wait, then try again.
    Wait,
}

/// The error that answers one stanza (RFC 6120 §8.3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StanzaError {
    /// The defined condition.
    pub condition: StanzaCondition,
    /// What the sender may do; at first what RFC 6120 §8.3.3 recommends.
    pub kind: ErrorType,
    /// What a person is told, with its language (RFC 5646).
    pub text: Option<(Cow<'static, str>, Cow<'static, str>)>,
    /// A condition of the application, in its own namespace.
    pub application: Option<Element>,
}

impl StreamCondition {
    /// The element that says it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::BadFormat => "bad-format",
            Self::BadNamespacePrefix => "bad-namespace-prefix",
            Self::Conflict => "conflict",
            Self::ConnectionTimeout => "connection-timeout",
            Self::HostGone => "host-gone",
            Self::HostUnknown => "host-unknown",
            Self::ImproperAddressing => "improper-addressing",
            Self::InternalServerError => "internal-server-error",
            Self::InvalidFrom => "invalid-from",
            Self::InvalidNamespace => "invalid-namespace",
            Self::InvalidXml => "invalid-xml",
            Self::NotAuthorized => "not-authorized",
            Self::NotWellFormed => "not-well-formed",
            Self::PolicyViolation => "policy-violation",
            Self::RemoteConnectionFailed => "remote-connection-failed",
            Self::Reset => "reset",
            Self::ResourceConstraint => "resource-constraint",
            Self::RestrictedXml => "restricted-xml",
            Self::SeeOtherHost(_) => "see-other-host",
            Self::SystemShutdown => "system-shutdown",
            Self::UndefinedCondition => "undefined-condition",
            Self::UnsupportedEncoding => "unsupported-encoding",
            Self::UnsupportedFeature => "unsupported-feature",
            Self::UnsupportedStanzaType => "unsupported-stanza-type",
            Self::UnsupportedVersion => "unsupported-version",
        }
    }

    /// The condition with a sentence for whoever reads the peer's log.
    #[must_use]
    pub fn because(self, text: &'static str) -> StreamFault {
        StreamFault { condition: self, text }
    }
}

impl From<StreamCondition> for StreamFault {
    fn from(condition: StreamCondition) -> Self {
        Self { condition, text: "" }
    }
}

impl StreamFault {
    /// Appends the `<stream:error/>` (RFC 6120 §4.9.2). The stream's header must be out already,
    /// and its end tag must follow.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<stream:error>");
        let inside =
            if let StreamCondition::SeeOtherHost(host) = &self.condition { host } else { "" };
        write_condition(out, self.condition.name(), namespace::STREAM_ERRORS, inside);
        if !self.text.is_empty() {
            write_text(out, self.text, "en", namespace::STREAM_ERRORS);
        }
        out.extend_from_slice(b"</stream:error>");
    }
}

impl StanzaCondition {
    /// The element that says it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::Conflict => "conflict",
            Self::FeatureNotImplemented => "feature-not-implemented",
            Self::Forbidden => "forbidden",
            Self::Gone(_) => "gone",
            Self::InternalServerError => "internal-server-error",
            Self::ItemNotFound => "item-not-found",
            Self::JidMalformed => "jid-malformed",
            Self::NotAcceptable => "not-acceptable",
            Self::NotAllowed => "not-allowed",
            Self::NotAuthorized => "not-authorized",
            Self::PolicyViolation => "policy-violation",
            Self::RecipientUnavailable => "recipient-unavailable",
            Self::Redirect(_) => "redirect",
            Self::RegistrationRequired => "registration-required",
            Self::RemoteServerNotFound => "remote-server-not-found",
            Self::RemoteServerTimeout => "remote-server-timeout",
            Self::ResourceConstraint => "resource-constraint",
            Self::ServiceUnavailable => "service-unavailable",
            Self::SubscriptionRequired => "subscription-required",
            Self::UndefinedCondition => "undefined-condition",
            Self::UnexpectedRequest => "unexpected-request",
        }
    }

    /// The type that RFC 6120 §8.3.3 recommends; where it leaves a choice, the likelier one.
    #[must_use]
    pub fn recommended_type(&self) -> ErrorType {
        match self {
            Self::Forbidden
            | Self::NotAuthorized
            | Self::RegistrationRequired
            | Self::SubscriptionRequired => ErrorType::Auth,
            Self::Conflict
            | Self::FeatureNotImplemented
            | Self::Gone(_)
            | Self::InternalServerError
            | Self::ItemNotFound
            | Self::NotAllowed
            | Self::RemoteServerNotFound
            | Self::ServiceUnavailable
            | Self::UndefinedCondition => ErrorType::Cancel,
            Self::BadRequest
            | Self::JidMalformed
            | Self::NotAcceptable
            | Self::PolicyViolation
            | Self::Redirect(_) => ErrorType::Modify,
            Self::RecipientUnavailable
            | Self::RemoteServerTimeout
            | Self::ResourceConstraint
            | Self::UnexpectedRequest => ErrorType::Wait,
        }
    }

    /// The error of that condition and its recommended type, without text.
    #[must_use]
    pub fn error(self) -> StanzaError {
        StanzaError::new(self)
    }
}

impl ErrorType {
    /// The value of the attribute.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Cancel => "cancel",
            Self::Continue => "continue",
            Self::Modify => "modify",
            Self::Wait => "wait",
        }
    }
}

impl StanzaError {
    /// The error of that condition and its recommended type, without text.
    #[must_use]
    pub fn new(condition: StanzaCondition) -> Self {
        let kind = condition.recommended_type();
        Self { condition, kind, text: None, application: None }
    }

    /// With another type than the recommended one.
    #[must_use]
    pub fn with_type(self, kind: ErrorType) -> Self {
        Self { kind, ..self }
    }

    /// With an English text for a person.
    #[must_use]
    pub fn with_text(self, text: impl Into<Cow<'static, str>>) -> Self {
        self.with_text_in("en", text)
    }

    /// With a text for a person in the given language (RFC 5646).
    #[must_use]
    pub fn with_text_in(
        self,
        lang: impl Into<Cow<'static, str>>,
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { text: Some((text.into(), lang.into())), ..self }
    }

    /// With a condition of the application.
    #[must_use]
    pub fn with_application(self, condition: Element) -> Self {
        Self { application: Some(condition), ..self }
    }

    /// Appends the `<error/>` (RFC 6120 §8.3.2), for a place whose default namespace is that of the
    /// stanza.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<error type='");
        out.extend_from_slice(self.kind.name().as_bytes());
        out.extend_from_slice(b"'>");
        let inside = if let StanzaCondition::Gone(Some(uri))
        | StanzaCondition::Redirect(Some(uri)) = &self.condition
        {
            uri
        } else {
            ""
        };
        write_condition(out, self.condition.name(), namespace::STANZA_ERRORS, inside);
        if let Some((text, lang)) = &self.text {
            write_text(out, text, lang, namespace::STANZA_ERRORS);
        }
        if let Some(application) = &self.application {
            application.write(out);
        }
        out.extend_from_slice(b"</error>");
    }
}

fn write_condition(out: &mut Vec<u8>, name: &str, namespace: &str, inside: &str) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b" xmlns='");
    out.extend_from_slice(namespace.as_bytes());
    if inside.is_empty() {
        out.extend_from_slice(b"'/>");
        return;
    }
    out.extend_from_slice(b"'>");
    escape::text(out, inside);
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

fn write_text(out: &mut Vec<u8>, text: &str, lang: &str, namespace: &str) {
    out.extend_from_slice(b"<text xmlns='");
    out.extend_from_slice(namespace.as_bytes());
    out.extend_from_slice(b"' xml:lang='");
    escape::attribute(out, lang);
    out.extend_from_slice(b"'>");
    escape::text(out, text);
    out.extend_from_slice(b"</text>");
}

impl fmt::Display for StreamFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text {
            "" => write!(f, "the stream fails with {}", self.condition.name()),
            text => write!(f, "the stream fails with {}: {text}", self.condition.name()),
        }
    }
}

impl std::error::Error for StreamFault {}

impl fmt::Display for StanzaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the stanza fails with {}", self.condition.name())?;
        match &self.text {
            Some((text, _)) => write!(f, ": {text}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for StanzaError {}

#[cfg(test)]
mod tests;
