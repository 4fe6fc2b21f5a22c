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

/// Where a fetch of what waits begins, and what was known to wait then.
#[derive(Clone, Copy)]
pub(crate) struct Fetch {
    /// After this message, or from the beginning of the mailbox.
    pub(crate) after: Option<MessageId>,
    newest: Option<MessageId>,
}

impl Transit {
    /// What the store knew.
    pub(crate) fn load(mark: Option<MessageId>) -> Self {
        Self { mark, last: mark, ..Self::default() }
    }

    /// The store may have messages above the mark that were announced to nobody.
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

    /// Whether a message of the mailbox is still to be taken: it is above the mark, and neither
    /// written nor on its way.
    pub(crate) fn is_untaken(&self, id: MessageId) -> bool {
        !self.above.contains(&id) && !self.open.contains_key(&id) && Some(id) > self.mark
    }

    /// Where to go on fetching, if something waits. To be asked for before the mailbox is read.
    pub(crate) fn fetch(&self) -> Option<Fetch> {
        let from = self.waiting_from?;
        Some(Fetch { after: MessageId::from_i64(from.to_i64() - 1), newest: self.untaken })
    }

    /// What was read for `fetch` has been handed on up to `through`; `complete` if that was all.
    /// What was announced or has come back meanwhile still waits. True if the mark has moved.
    pub(crate) fn fetched(
        &mut self,
        fetch: Fetch,
        through: Option<MessageId>,
        complete: bool,
    ) -> bool {
        let Some(from) = self.waiting_from else { return self.advance() };
        if Some(from) <= fetch.after {
            // Something before what was read has come back from a session that ended.
            return false;
        }
        // A message that was known to wait is committed, so a read that began later has it.
        let seen = if complete { through.max(fetch.newest) } else { through };
        self.waiting_from = if complete && self.untaken <= seen {
            None
        } else {
            let next = seen.and_then(|seen| MessageId::from_i64(seen.to_i64().saturating_add(1)));
            Some(next.map_or(from, |next| next.max(from)))
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
