//! `<presence/>`: who is here, and the words of a subscription (RFC 6121 §3, §4).

use hub::{Denied, PresenceKind};
use model::Resource;
use xmpp::{
    encode::PresenceType,
    fault::{StanzaCondition, StanzaError},
    session::PresenceAsk,
};

use crate::{drive::Connection, xmpp::denied_error};

impl Connection {
    /// Tells the hub what a client says of itself.
    pub(crate) async fn presence(&mut self, ask: PresenceAsk) {
        let Some(session) = self.bound.clone() else { return };
        let Some(to) = &ask.to else {
            match ask.kind {
                PresenceType::Available => {
                    self.hub().show(&session, ask.priority, ask.octets.clone());
                }
                PresenceType::Unavailable => self.hub().hide(&session, &ask.octets),
                // RFC 6121 §4.3, §3: without an address these say nothing.
                PresenceType::Subscribe
                | PresenceType::Subscribed
                | PresenceType::Unsubscribe
                | PresenceType::Unsubscribed
                | PresenceType::Probe
                | PresenceType::Error => {}
            }
            return;
        };
        let (address, resource): (_, Option<&Resource>) = (&to.address, to.resource.as_ref());
        if address.domain() != self.hub().domain().as_str() {
            return self.refuse_presence(&ask, &StanzaCondition::RemoteServerNotFound.error());
        }
        let kind = match ask.kind {
            PresenceType::Available => PresenceKind::Available,
            PresenceType::Unavailable => PresenceKind::Unavailable,
            PresenceType::Subscribe => PresenceKind::Subscribe,
            PresenceType::Subscribed => PresenceKind::Subscribed,
            PresenceType::Unsubscribe => PresenceKind::Unsubscribe,
            PresenceType::Unsubscribed => PresenceKind::Unsubscribed,
            PresenceType::Probe => {
                if let Err(denied) = self.hub().probe(&session, address).await {
                    self.refuse_presence(&ask, &denied_error(&denied));
                }
                return;
            }
            PresenceType::Error => return,
        };
        match kind {
            PresenceKind::Available | PresenceKind::Unavailable => {
                self.hub().show_to(&session, address, resource, kind, &ask.octets);
            }
            PresenceKind::Subscribe
            | PresenceKind::Subscribed
            | PresenceKind::Unsubscribe
            | PresenceKind::Unsubscribed => {
                let said = self.hub().subscription(&session, kind, address, &ask.octets).await;
                match said {
                    Ok(()) => {}
                    Err(Denied::Elsewhere) => {
                        let error = StanzaCondition::RemoteServerNotFound.error();
                        self.refuse_presence(&ask, &error);
                    }
                    Err(denied) => self.refuse_presence(&ask, &denied_error(&denied)),
                }
            }
        }
    }

    fn refuse_presence(&mut self, ask: &PresenceAsk, error: &StanzaError) {
        let Some(own) = self.protocol.jid().map(ToString::to_string) else { return };
        let from = ask.to.as_ref().map(ToString::to_string);
        let (id, from) = (ask.id.as_deref(), from.as_deref());
        xmpp::encode::presence_error(&mut self.out, id, from, &own, error);
    }
}
