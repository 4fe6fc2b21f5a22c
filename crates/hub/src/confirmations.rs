//! Messages that a rule asked to confirm: the sender says the same again within the time that their
//! policy gives, and means it. Bounded; the question that would end first is forgotten first.

use std::{
    collections::{BTreeMap, hash_map::RandomState},
    hash::{BuildHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
};

use model::{Submission, Timestamp};

/// Open questions of the whole house.
pub const QUESTIONS_MAX: usize = 10_000;

/// The questions that wait for an answer.
#[derive(Default)]
pub(crate) struct Confirmations {
    keys: RandomState,
    open: Mutex<BTreeMap<u64, Timestamp>>,
}

impl Confirmations {
    /// The sender was asked; until then the same words mean yes.
    pub(crate) fn ask(&self, submission: &Submission, until: Timestamp, now: Timestamp) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, until| now < *until);
        if open.len() >= QUESTIONS_MAX
            && let Some(first) = open.iter().min_by_key(|(_, until)| **until).map(|(key, _)| *key)
        {
            open.remove(&first);
        }
        open.insert(self.key(submission), until);
    }

    /// Whether the sender was asked about these very words to these very recipients.
    pub(crate) fn is_confirmed(&self, submission: &Submission, now: Timestamp) -> bool {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        !open.is_empty() && open.get(&self.key(submission)).is_some_and(|until| now < *until)
    }

    /// The answer was given; the next time the question is asked anew.
    pub(crate) fn close(&self, submission: &Submission) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if !open.is_empty() {
            open.remove(&self.key(submission));
        }
    }

    fn key(&self, submission: &Submission) -> u64 {
        let mut hasher = self.keys.build_hasher();
        submission.sender.hash(&mut hasher);
        for recipient in &submission.recipients {
            recipient.address.hash(&mut hasher);
        }
        submission.content.text.hash(&mut hasher);
        hasher.finish()
    }
}
