//! Messages that a rule holds until a supervisor decides (MON-05). What is let go comes through the
//! one door again, as what it is: a release.

use archive::{Decision, Note};
use model::{MessageId, Origin, Submission};
use store::{Change, Held};

use crate::{
    Hub, clock,
    commit::{Job, Settle},
    fault::Denied,
};

/// Held messages listed at once.
pub const HELD_LIST_MAX: usize = 1_000;

impl Hub {
    /// The messages that wait for a decision, the oldest first.
    pub async fn held(&self) -> Result<Vec<Held>, Denied> {
        self.read(|reader| reader.held(None, HELD_LIST_MAX)).await
    }

    /// Lets a held message go on. It is judged again, and only the hold is lifted.
    pub async fn release(&self, id: MessageId, reviewer: &str, reason: &str) -> Result<(), Denied> {
        let held = self.held_message(id).await?;
        let submission = Submission { origin: Origin::Release, ..held.submission };
        let (caller, settled) = tokio::sync::oneshot::channel();
        let receipt = self.submit_and(submission, Settle::Caller(caller)).await;
        if let Some(fault) = receipt.fault {
            return Err(fault);
        }
        if let Some(refused) = receipt.refused.first() {
            return Err(Denied::Forbidden(refused.private.clone()));
        }
        settled.await.map_err(|_| Denied::TryLater)?.map_err(Denied::from)?;
        self.decide(id, Decision::Released, reviewer, reason).await
    }

    /// Keeps a held message from going on, for good. Its sender is told.
    pub async fn reject(&self, id: MessageId, reviewer: &str, reason: &str) -> Result<(), Denied> {
        let held = self.held_message(id).await?;
        self.decide(id, Decision::Rejected, reviewer, reason).await?;
        let text = "A message of yours was held for review and will not be sent.";
        let notice = self.house_message(held.submission.sender, text, clock::now());
        let receipt = self.submit(notice, None).await;
        receipt.fault.map_or(Ok(()), Err)
    }

    async fn held_message(&self, id: MessageId) -> Result<Held, Denied> {
        self.read(move |reader| reader.held_message(id)).await?.ok_or(Denied::NoSuchItem)
    }

    async fn decide(
        &self,
        message: MessageId,
        decision: Decision,
        reviewer: &str,
        reason: &str,
    ) -> Result<(), Denied> {
        let note = Note::Review {
            message,
            decision,
            reviewer: Some(reviewer.to_owned()),
            reason: reason.to_owned(),
        };
        self.queue
            .push(Job::Note { note, settle: Settle::Nobody })
            .map_err(|_| Denied::TryLater)?;
        self.change(vec![Change::HeldRemove { id: message }]).await
    }
}
