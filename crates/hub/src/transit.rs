//! Which messages of one address have reached a session. The mailbox in the store holds every
//! message; what is above the delivered mark waits. The mark is raised here, after a session has
//! written a message to its peer, and reaches the disk with a later commit: a crash between may show
//! a message twice under one id, and never loses it.

use std::collections::{BTreeMap, BTreeSet};

use model::MessageId;

/// The delivery state of one address.
#[derive(Default)]
pub(crate) struct Transit {
    /// Everything up to here is delivered.
    mark: Option<MessageId>,
    /// The greatest id announced so far.
    last: Option<MessageId>,
    /// The first id that no session took; everything from here on may have to be fetched.
    waiting_from: Option<MessageId>,
    /// The newest id that no session took.
    untaken: Option<MessageId>,
    /// Handed to this many sessions, written by none yet.
    open: BTreeMap<MessageId, u32>,
    /// Written, but something below is not.
    above: BTreeSet<MessageId>,
}

impl Transit {
    /// What the store knew.
    pub(crate) fn load(mark: Option<MessageId>) -> Self {
        Self { mark, last: mark, ..Self::default() }
    }

    /// The store has messages above the mark that were stored before this address was in memory.
    pub(crate) fn found_waiting(&mut self) {
        let first = self.mark.map_or(0, |mark| mark.to_i64().saturating_add(1));
        self.waiting_from = MessageId::from_i64(first);
    }

    /// A durable message was handed to so many sessions.
    pub(crate) fn announced(&mut self, id: MessageId, sessions: u32) {
        self.last = self.last.max(Some(id));
        if sessions > 0 {
            self.open.insert(id, sessions);
        } else {
            self.wait(id);
        }
    }

    fn wait(&mut self, id: MessageId) {
        self.untaken = self.untaken.max(Some(id));
        if self.waiting_from.is_none_or(|from| id < from) {
            self.waiting_from = Some(id);
        }
    }

    /// A durable message that nobody took and that does not wait: it stays in the history only.
    pub(crate) fn passed(&mut self, id: MessageId) {
        self.last = self.last.max(Some(id));
        self.above.insert(id);
        self.advance();
    }

    /// A session has written this message to its peer. True if the mark has moved.
    pub(crate) fn written(&mut self, id: MessageId) -> bool {
        if self.open.remove(&id).is_none() {
            return false;
        }
        self.above.insert(id);
        self.advance()
    }

    /// A session ended before it wrote this message.
    pub(crate) fn dropped(&mut self, id: MessageId) {
        let Some(sessions) = self.open.get_mut(&id) else { return };
        *sessions -= 1;
        if *sessions == 0 {
            self.open.remove(&id);
            self.wait(id);
        }
    }

    fn advance(&mut self) -> bool {
        let blocked = match (self.waiting_from, self.open.first_key_value()) {
            (Some(waiting), Some((open, _))) => Some(waiting.min(*open)),
            (Some(waiting), None) => Some(waiting),
            (None, Some((open, _))) => Some(*open),
            (None, None) => None,
        };
        let mark = match blocked {
            Some(id) => MessageId::from_i64(id.to_i64() - 1),
            None => self.last,
        };
        if mark <= self.mark {
            return false;
        }
        self.mark = mark;
        self.above = match blocked {
            Some(id) => self.above.split_off(&id),
            None => BTreeSet::new(),
        };
        true
    }

    /// Something waits for a session.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting_from.is_some()
    }

    /// A session takes what waits: everything above the mark that is neither written nor on its way.
    pub(crate) fn takes(&mut self, id: MessageId) -> bool {
        if self.above.contains(&id) || self.open.contains_key(&id) || Some(id) <= self.mark {
            return false;
        }
        self.announced(id, 1);
        true
    }

    /// Where to go on fetching: after this message, or from the beginning of the mailbox.
    pub(crate) fn waiting_after(&self) -> Option<MessageId> {
        self.waiting_from.and_then(|from| MessageId::from_i64(from.to_i64() - 1))
    }

    /// A page up to `through` was handed on, and there is more.
    pub(crate) fn flushed_to(&mut self, through: Option<MessageId>) -> bool {
        if let (Some(_), Some(through)) = (self.waiting_from, through) {
            self.waiting_from = MessageId::from_i64(through.to_i64() + 1);
        }
        self.advance()
    }

    /// The last page, up to `through`, was handed on. What was announced since then still waits.
    pub(crate) fn flushed(&mut self, through: Option<MessageId>) -> bool {
        let through = through.max(self.waiting_after());
        self.waiting_from = match self.untaken {
            Some(newest) if Some(newest) > through => self.waiting_from,
            Some(_) | None => None,
        };
        self.advance()
    }

    pub(crate) fn mark(&self) -> Option<MessageId> {
        self.mark
    }

    /// Nothing is on its way, so that the state can be read again from the store.
    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_empty() && self.above.is_empty()
    }
}

#[cfg(test)]
mod tests;
