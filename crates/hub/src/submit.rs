//! The one door. Every message of the house goes through `submit`, whoever wrote it and whatever
//! carried it: facts, judge, seal, store, deliver, in this order.

use std::sync::Arc;

use archive::{Note, Sealed};
use model::{
    Content, ContentKind, Format, Handling, Origin, PrivacyClass, Recipient, Submission, Timestamp,
};
use policy::{
    Admitted, Disposition, Fact, Facts, Judged, Profile, Reason, RecipientFacts, Refused, judge,
};
use store::{HeldRow, MailboxRow, Stored};

use crate::{
    Hub, clock,
    commit::{Decided, Job, Settle, Underway},
    deliver::{deliver, somebody_is_there},
    facts,
    fault::Denied,
    session::Session,
};

/// What came of a submission before the disk has it. A session hears later only if the disk did not
/// take it.
pub struct Receipt {
    /// What was submitted.
    pub submission: Arc<Submission>,
    /// The recipients to whom it does not go, and why.
    pub refused: Vec<Refused>,
    /// It did not get as far as the disk, or its refusal did not; then it goes to nobody.
    pub fault: Option<Denied>,
}

impl Hub {
    /// Submits a message. With a session, the session's count of what is not settled says when it
    /// is durable; see [`Session::settled`].
    pub async fn submit(&self, submission: Submission, from: Option<&Arc<Session>>) -> Receipt {
        let underway = from.map(Underway::new);
        let settle = underway.map_or(Settle::Nobody, Settle::Session);
        self.submit_and(submission, None, settle).await
    }

    pub(crate) async fn submit_and(
        &self,
        submission: Submission,
        decided: Option<Decided>,
        settle: Settle,
    ) -> Receipt {
        let now = clock::now();
        let facts = facts::gather(self, &submission, now).await;
        let Judged { submission, admitted, refused, notices } = judge(&facts, submission);
        let noted = self.note_refusal(&submission, &refused, &facts);
        let mut receipt = Receipt { submission, refused, fault: noted.err() };
        if receipt.fault.is_some() {
            settle.done();
            return receipt;
        }
        let Some(admitted) = admitted else {
            settle.done();
            return receipt;
        };
        if facts.confirmed {
            self.policies.confirmations.close(&receipt.submission);
        }
        receipt.fault = self.pass_on(admitted, decided, settle).err();
        for notice in notices {
            let text = format!("{} (rule: {})", notice.text, notice.rule);
            let submission = self.house_message(notice.to, &text, now);
            Box::pin(self.submit(submission, None)).await;
        }
        receipt
    }

    /// An admitted message goes to disk, or straight on where nothing is to be kept.
    fn pass_on(
        &self,
        admitted: Admitted,
        decided: Option<Decided>,
        settle: Settle,
    ) -> Result<(), Denied> {
        let submission = Arc::clone(admitted.submission());
        // What comes after something that still goes by the disk goes by the disk as well, or it
        // would overtake it.
        let is_next = settle.session().is_none_or(|session| session.unsettled() <= 1);
        let passes = !admitted.archive() && admitted.disposition() == Disposition::Deliver;
        if passes && is_next && decided.is_none() {
            let kept = admitted.sender_history() && self.exists(&submission.sender)
                || admitted.recipients().iter().any(|recipient| recipient.history);
            let there = |(recipient, _): (&Recipient, _)| {
                !submission.handling.wait || somebody_is_there(self, recipient, &submission)
            };
            if !kept && admitted.addressed().all(there) {
                return self.deliver_unrecorded(admitted, settle);
            }
        }
        let rows = rows(&admitted);
        let held = (admitted.disposition() == Disposition::Hold).then(|| HeldRow {
            rules: admitted.fired().iter().map(|fired| fired.rule.to_string()).collect(),
        });
        match self.queue.push(Job::Message { admitted, rows, held, decided, settle }) {
            Ok(()) => Ok(()),
            Err(job) => {
                job.abandon();
                Err(Denied::TryLater)
            }
        }
    }

    fn deliver_unrecorded(&self, admitted: Admitted, settle: Settle) -> Result<(), Denied> {
        let id = self.queue.next_id(clock::now());
        let sealed = Sealed::unrecorded(admitted, id).map_err(|_| Denied::TryLater)?;
        let stored = Stored::unrecorded(sealed).map_err(|_| Denied::TryLater)?;
        deliver(self, &stored, settle.session());
        settle.done();
        Ok(())
    }

    /// Refusals are events of the archive like messages, with what was said (POL-03, MON-05). A
    /// refusal that cannot be recorded is not told, either: its sender tries again (ARC-31).
    fn note_refusal(
        &self,
        submission: &Arc<Submission>,
        refused: &[Refused],
        facts: &Facts,
    ) -> Result<(), Denied> {
        if refused.is_empty() {
            return Ok(());
        }
        if is_archived(facts) {
            let note = Note::refused(Arc::clone(submission), facts.policy_version, refused);
            self.queue.push_note(note).map_err(|_| Denied::TryLater)?;
        }
        if let Fact::Known(sender) = &facts.sender
            && refused.iter().any(|refused| refused.reason == Reason::Confirm)
        {
            let secs = i64::try_from(sender.confirm_secs).unwrap_or(i64::MAX);
            let until = facts.now.plus_secs(secs);
            self.policies.confirmations.ask(submission, until, facts.now);
        }
        Ok(())
    }

    /// A message of the house itself to one of its people.
    pub(crate) fn house_message(
        &self,
        to: model::Address,
        text: &str,
        accepted: Timestamp,
    ) -> Submission {
        let content = Content {
            format: Format::Plain,
            kind: ContentKind::Message,
            octets: Arc::from(text.as_bytes()),
            text: text.into(),
            client_id: None,
            refers_to: None,
        };
        let as_given = to.as_str().into();
        Submission {
            origin: Origin::House,
            sender: self.domain.clone(),
            session: None,
            recipients: vec![Recipient { address: to, session: None, as_given }],
            class: PrivacyClass::Private,
            content,
            handling: Handling { history: true, wait: true, copies: false, fallback: true },
            accepted,
        }
    }
}

/// Whether the sender's rules or those of any recipient archive what is said. What is not known does.
fn is_archived(facts: &Facts) -> bool {
    let archives = |profile: &Fact<Arc<Profile>>| match profile {
        Fact::Known(profile) => profile.archive,
        Fact::Unknown => true,
    };
    let is_here = |recipient: &&RecipientFacts| {
        recipient.local != Fact::Known(false) && recipient.exists != Fact::Known(false)
    };
    archives(&facts.sender)
        || facts.recipients.iter().filter(is_here).any(|recipient| archives(&recipient.profile))
}

/// The mailboxes that get a row: each recipient's, and the sender's own if it keeps a history.
fn rows(admitted: &Admitted) -> Vec<MailboxRow> {
    let submission = admitted.submission();
    let mut rows = Vec::with_capacity(2);
    if admitted.disposition() == Disposition::Hold {
        return rows;
    }
    for (recipient, pass) in admitted.addressed() {
        if pass.local && (pass.history || submission.handling.wait) {
            rows.push(MailboxRow {
                owner: recipient.address.clone(),
                peer: submission.sender.clone(),
                incoming: true,
                history: pass.history,
            });
        }
    }
    let to_oneself =
        admitted.addressed().any(|(recipient, _)| recipient.address == submission.sender);
    if admitted.sender_history()
        && submission.sender.local().is_some()
        && !to_oneself
        && let Some((first, _)) = admitted.addressed().next()
    {
        rows.push(MailboxRow {
            owner: submission.sender.clone(),
            peer: first.address.clone(),
            incoming: false,
            history: true,
        });
    }
    rows
}

#[cfg(test)]
mod tests;
