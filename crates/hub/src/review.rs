//! Messages that a rule holds until a supervisor decides (MON-05). What is let go comes through the
//! one door again, as what it is: a release.

use std::{
    collections::BTreeSet,
    sync::{MutexGuard, PoisonError},
};

use archive::{Decision, Deed, Note};
use model::{MessageId, Origin, Submission};
use store::{Change, Held};
use tokio::sync::oneshot;

use crate::{
    Hub, clock,
    commit::{Decided, Job, Settle},
    fault::Denied,
};

/// Held messages listed at once.
pub const HELD_LIST_MAX: usize = 1_000;

impl Hub {
    /// The messages that wait for a decision, the oldest first.
    pub async fn held(&self) -> Result<Vec<Held>, Denied> {
        self.read(|reader| reader.held(None, HELD_LIST_MAX)).await
    }

    /// The words of a held message, for the supervisor who decides. That they were read is a record
    /// of the archive, made before they are shown.
    pub async fn read_held(
        &self,
        id: MessageId,
        reviewer: &str,
        reason: &str,
    ) -> Result<String, Denied> {
        let held = self.held_message(id).await?;
        let (caller, settled) = oneshot::channel();
        let note = Note::Access {
            deed: Deed::Shown,
            who: reviewer.to_owned(),
            query: format!("held message {id}"),
            reason: reason.to_owned(),
            hits: 1,
            size: 0,
        };
        self.queue
            .push(Job::Note { note, settle: Settle::Caller(caller) })
            .map_err(|_| Denied::TryLater)?;
        settled.await.map_err(|_| Denied::TryLater)?.map_err(Denied::from)?;
        Ok(held.submission.content.text.into())
    }

    /// Lets a held message go on. It is judged again, and only the hold is lifted.
    pub async fn release(&self, id: MessageId, reviewer: &str, reason: &str) -> Result<(), Denied> {
        let _claim = self.claim(id)?;
        let held = self.held_message(id).await?;
        let submission = Submission { origin: Origin::Release, ..held.submission };
        let (caller, settled) = oneshot::channel();
        let note = review(id, Decision::Released, reviewer, reason);
        let decided = Some(Decided { held: id, note });
        let receipt = self.submit_and(submission, decided, Settle::Caller(caller)).await;
        if let Some(fault) = receipt.fault {
            return Err(fault);
        }
        if let Some(refused) = receipt.refused.first() {
            return Err(Denied::Forbidden(refused.private.clone()));
        }
        Ok(settled.await.map_err(|_| Denied::TryLater)??)
    }

    /// Keeps a held message from going on, for good. Its sender is told.
    pub async fn reject(&self, id: MessageId, reviewer: &str, reason: &str) -> Result<(), Denied> {
        let claim = self.claim(id)?;
        let held = self.held_message(id).await?;
        let (caller, noted) = oneshot::channel();
        let note = review(id, Decision::Rejected, reviewer, reason);
        self.queue
            .push(Job::Note { note, settle: Settle::Caller(caller) })
            .map_err(|_| Denied::TryLater)?;
        let removed = self.begin(vec![Change::HeldRemove { id }])?;
        noted.await.map_err(|_| Denied::TryLater)??;
        removed.finish().await?;
        drop(claim);
        let text = "A message of yours was held for review and will not be sent.";
        let notice = self.house_message(held.submission.sender, text, clock::now());
        let receipt = self.submit(notice, None).await;
        receipt.fault.map_or(Ok(()), Err)
    }

    async fn held_message(&self, id: MessageId) -> Result<Held, Denied> {
        self.read(move |reader| reader.held_message(id)).await?.ok_or(Denied::NoSuchItem)
    }

    /// Nobody else decides on this message meanwhile: two who release it at once would send it
    /// twice.
    fn claim(&self, id: MessageId) -> Result<Claim<'_>, Denied> {
        if self.deciding().insert(id) { Ok(Claim { hub: self, id }) } else { Err(Denied::TryLater) }
    }

    fn deciding(&self) -> MutexGuard<'_, BTreeSet<MessageId>> {
        self.policies.deciding.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to decide on one held message.
struct Claim<'a> {
    hub: &'a Hub,
    id: MessageId,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.hub.deciding().remove(&self.id);
    }
}

fn review(message: MessageId, decision: Decision, reviewer: &str, reason: &str) -> Note {
    let (reviewer, reason) = (Some(reviewer.to_owned()), reason.to_owned());
    Note::Review { message, decision, reviewer, reason }
}
