//! What the judge has to know, gathered before it is asked. All of it is in memory but for an
//! address that was not spoken to lately; what cannot be had in time is `Unknown`.

use std::{sync::Arc, time::Duration};

use model::{Address, Submission, Timestamp};
use policy::{Action, Book, Fact, Facts, RecipientFacts};

use crate::{Hub, person::Person};

/// Seconds that a fact may take. Then it is unknown, and the judge refuses what needs it.
pub const FACT_SECS_MAX: u64 = 5;

/// Gathers the facts of one submission.
pub(crate) async fn gather(hub: &Hub, submission: &Submission, now: Timestamp) -> Facts {
    let book = hub.policies.book();
    let sender = profile(hub, &book, &submission.sender, now).await;
    let mut recipients = Vec::with_capacity(submission.recipients.len());
    for recipient in &submission.recipients {
        let address = &recipient.address;
        recipients.push(of_recipient(hub, &book, submission, address, now).await);
    }
    Facts {
        now,
        policy_version: book.version(),
        confirmed: hub.policies.confirmations.is_confirmed(submission, now),
        released: submission.origin == model::Origin::Release,
        sender,
        recipients,
    }
}

async fn of_recipient(
    hub: &Hub,
    book: &Book,
    submission: &Submission,
    address: &Address,
    now: Timestamp,
) -> RecipientFacts {
    let sender = &submission.sender;
    let local = address.domain() == hub.domain.as_str();
    let exists = hub.exists(address);
    let access = Fact::Known(book.may(Action::Message, sender, address, now));
    let mut facts = RecipientFacts {
        local: Fact::Known(local),
        exists: Fact::Known(exists),
        access,
        blocked: Fact::Known(false),
        blocking: Fact::Known(false),
        profile: Fact::Unknown,
    };
    if let Some(writer) = hub.people.find(sender) {
        facts.blocking = Fact::Known(writer.lock().blocks(address, None));
    }
    if !local || !exists {
        return facts;
    }
    match person(hub, address).await {
        Some(person) => {
            let blocked = person.lock().blocks(sender, submission.session.as_ref());
            facts.blocked = Fact::Known(blocked);
            facts.profile = Fact::Known(person.profile(book, now));
        }
        None => facts.blocked = Fact::Unknown,
    }
    facts
}

async fn profile(
    hub: &Hub,
    book: &Book,
    address: &Address,
    now: Timestamp,
) -> Fact<Arc<policy::Profile>> {
    if !hub.exists(address) {
        return Fact::Known(Arc::new(book.profile(address, now)));
    }
    match person(hub, address).await {
        Some(person) => Fact::Known(person.profile(book, now)),
        None => Fact::Unknown,
    }
}

async fn person(hub: &Hub, address: &Address) -> Option<Arc<Person>> {
    if let Some(person) = hub.people.find(address) {
        return Some(person);
    }
    let loading = tokio::time::timeout(Duration::from_secs(FACT_SECS_MAX), hub.person(address));
    loading.await.ok()?.ok()
}
