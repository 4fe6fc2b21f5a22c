//! After the commit: who gets the message now. Takes only what is [`Stored`]; whoever is not there
//! finds it in the mailbox later.

use std::sync::Arc;

use model::{Address, Recipient, Submission};
use store::Stored;

use crate::{
    Hub,
    notice::{Letter, Notice},
    person::{Person, State},
    session::{Interest, Session, same},
};

/// Announces a stored message to every session that is to see it.
pub(crate) fn deliver(hub: &Hub, stored: &Stored, from: Option<&Arc<Session>>) {
    let submission = stored.admitted().submission();
    let letter = Arc::new(Letter {
        id: stored.id(),
        format: submission.content.format,
        octets: Arc::clone(&submission.content.octets),
        sender: submission.sender.clone(),
    });
    for (recipient, _) in stored.admitted().addressed() {
        if let Some(person) = hub.people.find(&recipient.address) {
            deliver_to(&person, stored, &letter, recipient);
        }
    }
    if submission.handling.copies
        && let Some(sender) = hub.people.find(&submission.sender)
    {
        copy_to_sender(&sender, stored, &letter, from);
    }
}

/// Hands the message to the sessions that are to have it and keeps count, so that what nobody took
/// waits.
fn deliver_to(person: &Person, stored: &Stored, letter: &Arc<Letter>, recipient: &Recipient) {
    let submission = stored.admitted().submission();
    let row = stored.rows().iter().find(|row| row.incoming && row.owner == person.address);
    let kept = row.is_some_and(|row| row.history);
    let mut state = person.lock();
    let notice = Notice::Message { letter: Arc::clone(letter), kept, waited_since: None };
    let mut took = Vec::new();
    let targets = targets(&state, recipient, submission);
    // A session that is still fetching what waited gets this one in its turn, from the mailbox;
    // unless another session takes it now, for then it waits no more.
    let all_pull = row.is_some() && targets.iter().all(|session| session.is_pulling());
    let in_turn = targets.first().filter(|_| all_pull && targets.len() == 1).map(|it| it.number);
    for session in targets {
        if !all_pull && session.push(notice.clone()) {
            took.push(session.number);
        }
    }
    if row.is_some() {
        let count = u32::try_from(took.len()).unwrap_or(u32::MAX);
        if submission.handling.wait || count > 0 {
            state.transit.announced(letter.id, count);
        } else {
            state.transit.passed(letter.id);
        }
    }
    // XEP-0280 §6: the other sessions that asked get a copy, not those that have the message itself.
    if submission.handling.copies {
        for bound in &state.bound {
            let session = &bound.session;
            let has_it = took.contains(&session.number) || in_turn == Some(session.number);
            if session.wants(Interest::Copies) && !has_it {
                session.push(Notice::Copy { letter: Arc::clone(letter), kept, sent: false });
            }
        }
    }
}

/// The sessions that get the message itself (RFC 6121 §8.5.2, §8.5.3).
fn targets<'a>(
    state: &'a State,
    recipient: &Recipient,
    submission: &Submission,
) -> Vec<&'a Arc<Session>> {
    if let Some(resource) = &recipient.session {
        if let Some(bound) = state.session(resource) {
            return vec![&bound.session];
        }
        if !submission.handling.fallback {
            return Vec::new();
        }
    }
    state.open_sessions().map(|bound| &bound.session).collect()
}

fn copy_to_sender(
    person: &Person,
    stored: &Stored,
    letter: &Arc<Letter>,
    from: Option<&Arc<Session>>,
) {
    let kept = stored.rows().iter().any(|row| row.owner == person.address && row.history);
    let state = person.lock();
    let is_recipient = |address: &Address| {
        stored.admitted().addressed().any(|(recipient, _)| recipient.address == *address)
    };
    if is_recipient(&person.address) {
        return;
    }
    for bound in &state.bound {
        let session = &bound.session;
        if session.wants(Interest::Copies) && !from.is_some_and(|from| same(from, session)) {
            session.push(Notice::Copy { letter: Arc::clone(letter), kept, sent: true });
        }
    }
}

/// Whether the recipient has a session now that would take the message before any other.
pub(crate) fn somebody_is_there(hub: &Hub, recipient: &Recipient, submission: &Submission) -> bool {
    hub.people.find(&recipient.address).is_some_and(|person| {
        let state = person.lock();
        !state.transit.is_waiting() && !targets(&state, recipient, submission).is_empty()
    })
}
