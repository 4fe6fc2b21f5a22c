//! How refusals of the house are said in XMPP. The one place from a reason to a condition.

use hub::{Denied, EndReason, Reason, Refused};
use xmpp::{
    element::Element,
    fault::{ErrorType, StanzaCondition, StanzaError, StreamCondition, StreamFault},
    payload::ns,
};

/// What a sender is told of a recipient to whom a message does not go.
///
/// Who is blocked, who does not exist and who is not there get one and the same answer (XEP-0191
/// §3.2, RFC 6121 §8.5.1).
pub(crate) fn refused_error(refused: &Refused) -> StanzaError {
    let says = |condition: StanzaCondition| condition.error().with_text(refused.public.to_string());
    match refused.reason {
        Reason::Blocked | Reason::NoSuchRecipient => StanzaCondition::ServiceUnavailable.error(),
        Reason::Blocking => {
            let blocked = Element::new("blocked", ns::BLOCKING_ERRORS);
            StanzaCondition::NotAcceptable
                .error()
                .with_type(ErrorType::Cancel)
                .with_application(blocked)
        }
        Reason::Unavailable => says(StanzaCondition::ResourceConstraint),
        Reason::Forbidden => says(StanzaCondition::Forbidden),
        Reason::Closed => says(StanzaCondition::NotAllowed),
        Reason::TooLarge | Reason::Class | Reason::Confirm | Reason::Lexicon => {
            says(StanzaCondition::PolicyViolation)
        }
    }
}

/// What somebody is told whose request was not done.
pub(crate) fn denied_error(denied: &Denied) -> StanzaError {
    match denied {
        Denied::NoSuchItem => StanzaCondition::ItemNotFound.error(),
        Denied::TooMany => {
            StanzaCondition::ResourceConstraint.error().with_text("There are too many of these.")
        }
        Denied::Elsewhere => StanzaCondition::RemoteServerNotFound.error(),
        Denied::Forbidden(sentence) => {
            StanzaCondition::PolicyViolation.error().with_text(sentence.clone())
        }
        Denied::TryLater => not_recorded("This cannot be stored now. Try again later."),
        Denied::Damaged => StanzaCondition::InternalServerError.error(),
    }
}

/// The disk does not take it: wait and try again.
pub(crate) fn not_recorded(sentence: &'static str) -> StanzaError {
    StanzaCondition::ResourceConstraint.error().with_type(ErrorType::Wait).with_text(sentence)
}

/// Why the stream ends when the house ends it (RFC 6120 §4.9.3).
pub(crate) fn end_fault(reason: EndReason) -> StreamFault {
    match reason {
        EndReason::Replaced => StreamCondition::Conflict.because("Replaced by a new session."),
        EndReason::SignedOut => StreamCondition::NotAuthorized.because("Signed out."),
        EndReason::TooSlow => {
            StreamCondition::PolicyViolation.because("What was sent was not read.")
        }
        EndReason::Trouble => StreamCondition::InternalServerError.into(),
        EndReason::Shutdown => StreamCondition::SystemShutdown.into(),
    }
}
