//! `<message/>`: from a client to the one door.

use hub::{Receipt, clock};
use model::{Content, ContentKind, Format, Handling, Origin, PrivacyClass, Recipient, Submission};
use xmpp::{
    encode,
    fault::{StanzaCondition, StanzaError},
    session::{MessageAsk, MessageType},
};

use crate::{
    drive::Connection,
    xmpp::{denied_error, fault::refused_error},
};

impl Connection {
    /// Submits a message, or passes a typing notice on.
    pub(crate) async fn message(&mut self, ask: MessageAsk) {
        let Some(session) = self.bound.clone() else { return };
        // RFC 6121 §8.1.1.1: a message without an address is for one's own account.
        let (address, resource) = match &ask.to {
            Some(to) => (to.address.clone(), to.resource.clone()),
            None => (session.address.clone(), None),
        };
        if address == *self.hub().domain() {
            // RFC 6121 §8.1: the domain itself reads no messages.
            return self.refuse_message(&ask, &StanzaCondition::ServiceUnavailable.error());
        }
        if ask.kind == MessageType::Groupchat {
            // RFC 6121 §8.5.2.1.1: a person is no room.
            return self.refuse_message(&ask, &StanzaCondition::ServiceUnavailable.error());
        }
        if ask.only_chat_state {
            let signal = self.hub().signal(&session, &address, resource.as_ref(), &ask.octets);
            if let Err(hub::Denied::Elsewhere) = signal.await {
                self.refuse_message(&ask, &StanzaCondition::RemoteServerNotFound.error());
            }
            return;
        }
        let class = match ask.class {
            Some(class) => class,
            None => self.usual_class(&session.address).await,
        };
        let as_given =
            if ask.as_given.is_empty() { address.as_str().into() } else { ask.as_given.clone() };
        let submission = Submission {
            origin: Origin::Chat,
            sender: session.address.clone(),
            session: Some(session.resource.clone()),
            recipients: vec![Recipient { address, session: resource, as_given }],
            class,
            handling: handling(&ask),
            content: Content {
                format: Format::Stanza,
                kind: ask.content,
                octets: ask.octets.clone(),
                text: ask.text.clone(),
                client_id: ask.id.clone(),
                refers_to: ask.refers_to.clone(),
            },
            accepted: clock::now(),
        };
        let receipt = self.hub().submit(submission, Some(&session)).await;
        self.answer_message(&ask, &receipt);
    }

    fn answer_message(&mut self, ask: &MessageAsk, receipt: &Receipt) {
        if let Some(fault) = &receipt.fault {
            return self.refuse_message(ask, &denied_error(fault));
        }
        let elsewhere =
            ask.to.as_ref().is_some_and(|to| to.address.domain() != self.hub().domain().as_str());
        for refused in &receipt.refused {
            self.refuse_message(ask, &refused_error(refused));
        }
        if elsewhere && receipt.refused.is_empty() {
            self.refuse_message(ask, &StanzaCondition::RemoteServerNotFound.error());
        }
    }

    /// RFC 6120 §8.3.1: an error is never answered with an error.
    fn refuse_message(&mut self, ask: &MessageAsk, error: &StanzaError) {
        if ask.kind == MessageType::Error {
            return;
        }
        let Some(own) = self.protocol.jid().map(ToString::to_string) else { return };
        let from = ask.to.as_ref().map(ToString::to_string);
        encode::message_error(&mut self.out, ask.id.as_deref(), from.as_deref(), &own, error);
    }

    async fn usual_class(&self, address: &model::Address) -> PrivacyClass {
        let profile = self.hub().profile(address, clock::now()).await;
        profile.map_or(PrivacyClass::Private, |profile| profile.class)
    }
}

/// What RFC 6121 §8.5.2, XEP-0160 §3, XEP-0280 §6 and XEP-0334 say of a message's stay.
fn handling(ask: &MessageAsk) -> Handling {
    let talk = matches!(ask.kind, MessageType::Chat | MessageType::Normal);
    let lasting = ask.content != ContentKind::Bounce && (!ask.text.is_empty() || ask.hints.store)
        || matches!(
            ask.content,
            ContentKind::Edit
                | ContentKind::Retraction
                | ContentKind::Reaction
                | ContentKind::Receipt
        );
    let no_store = ask.hints.no_store;
    Handling {
        history: talk && lasting && !no_store && !ask.hints.no_permanent_store,
        wait: talk && lasting && !no_store,
        copies: talk && !ask.private_copy && !ask.hints.no_copy,
        fallback: talk,
    }
}
