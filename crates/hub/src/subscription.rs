//! The states of a subscription between two addresses and what each word does to them
//! (RFC 6121 §3 and appendix A). Pure: five facts in, five facts and an action out.

/// What one side knows of its relation to one contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Relation {
    /// This side sees the contact's presence.
    pub(crate) to: bool,
    /// The contact sees this side's presence.
    pub(crate) from: bool,
    /// This side has asked and has no answer.
    pub(crate) asked: bool,
    /// The contact has asked and has no answer.
    pub(crate) asking: bool,
    /// This side will say yes when the contact asks (RFC 6121 §3.4).
    pub(crate) approved: bool,
}

/// The four words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Word {
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
}

/// What is to be done with a word that came in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Inbound {
    /// Show it to the person.
    Deliver,
    /// Answer «subscribed» on the person's behalf and show nothing.
    Approve,
    /// It changes nothing and is shown to nobody.
    Ignore,
}

impl Relation {
    /// This side says a word to its contact. True if the word goes out (RFC 6121 appendix A.2).
    pub(crate) fn say(&mut self, word: Word) -> bool {
        match word {
            Word::Subscribe => {
                self.asked = self.asked || !self.to;
                true
            }
            Word::Unsubscribe => {
                self.to = false;
                self.asked = false;
                true
            }
            Word::Subscribed if self.asking => {
                self.asking = false;
                self.from = true;
                true
            }
            Word::Subscribed => {
                // RFC 6121 §3.4.2: an approval beforehand stays here.
                self.approved = self.approved || !self.from;
                false
            }
            Word::Unsubscribed => {
                let goes_out = self.from || self.asking;
                self.from = false;
                self.asking = false;
                self.approved = false;
                goes_out
            }
        }
    }

    /// The contact's word arrives (RFC 6121 appendix A.3).
    pub(crate) fn hear(&mut self, word: Word) -> Inbound {
        match word {
            Word::Subscribe if self.from => Inbound::Approve,
            Word::Subscribe if self.approved => {
                self.from = true;
                self.asking = false;
                Inbound::Approve
            }
            Word::Subscribe if self.asking => Inbound::Ignore,
            Word::Subscribe => {
                self.asking = true;
                Inbound::Deliver
            }
            Word::Unsubscribe if self.from || self.asking => {
                self.from = false;
                self.asking = false;
                Inbound::Deliver
            }
            Word::Subscribed if self.asked => {
                self.asked = false;
                self.to = true;
                Inbound::Deliver
            }
            Word::Unsubscribed if self.to || self.asked => {
                self.to = false;
                self.asked = false;
                Inbound::Deliver
            }
            Word::Unsubscribe | Word::Subscribed | Word::Unsubscribed => Inbound::Ignore,
        }
    }
}

#[cfg(test)]
mod tests;
