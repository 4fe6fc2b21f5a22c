//! A signed-in client of a server, or of the floor; knows the sign-in and nothing that follows.

use crate::Outcome;
use crate::wire::Wire;
use auth::{ClientBinding, Mechanism, NONCE_BYTES, ScramClient};
use base64::{Engine, engine::general_purpose::STANDARD};
use model::Secret;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use std::sync::Arc;

/// The domain of every server here.
pub(crate) const DOMAIN: &str = "bench.example";

/// The password of every account here.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// What the peer speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dialect {
    /// RFC 6120.
    Xmpp,
    /// One line of names; after it bytes go where it says.
    Floor,
}

/// Where to connect, and how.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) dialect: Dialect,
    pub(crate) port: u16,
    pub(crate) tls: Arc<ClientConfig>,
}

/// Ends a stream (RFC 6120 §4.4).
pub(crate) const GOODBYE: &[u8] = b"</stream:stream>";

/// Bytes of the answers of a server that signs somebody in, so that the floor carries as many: about
/// stream features, challenge, success, features again, bind result.
const ANSWERS: [usize; 5] = [500, 150, 120, 400, 170];

/// The sign-in name of an account.
pub(crate) fn login(account: usize) -> String {
    format!("u{account:04}")
}

/// The address of an account.
pub(crate) fn address(account: usize) -> String {
    format!("{}@{DOMAIN}", login(account))
}

/// The name of a connection at the floor.
fn connection_name(account: usize, resource: &str) -> String {
    format!("{}/{resource}", login(account))
}

impl Target {
    /// Signs in. At the floor, what is sent afterwards goes to the first connections of `peers`, which
    /// must be there already; a server knows by itself where to send.
    pub(crate) async fn sign_in(
        &self,
        account: usize,
        resource: &str,
        peers: &[usize],
    ) -> Outcome<Wire> {
        let mut wire = Wire::connect(&self.tls, self.port, DOMAIN).await?;
        let done = match self.dialect {
            Dialect::Xmpp => xmpp(&mut wire, account, resource).await,
            Dialect::Floor => introduce(&mut wire, account, resource, peers).await,
        };
        done.map_err(|why| format!("{}: {} cannot sign in: {why}", self.name, login(account)))?;
        Ok(wire)
    }

    /// Signs in, says that it is there, and ends the answers of that.
    pub(crate) async fn appear(
        &self,
        account: usize,
        resource: &str,
        peers: &[usize],
    ) -> Outcome<Wire> {
        let mut wire = self.sign_in(account, resource, peers).await?;
        if self.dialect == Dialect::Xmpp {
            // A client asks for its roster first (RFC 6121 §2.2); only then it gets subscriptions.
            wire.send(b"<iq type='get' id='ro'><query xmlns='jabber:iq:roster'/></iq>").await?;
            wire.until(&["id='ro'", "id=\"ro\""]).await?;
            wire.send(b"<presence/>").await?;
        }
        Ok(wire)
    }

    /// Signs in with everything that costs, and leaves.
    pub(crate) async fn visit(&self, account: usize, resource: &str) -> Outcome<()> {
        let peers: &[usize] = if self.dialect == Dialect::Floor { &[account] } else { &[] };
        let mut wire = self.sign_in(account, resource, peers).await?;
        if self.dialect == Dialect::Floor {
            for bytes in ANSWERS {
                let mut line = "x".repeat(bytes - 1);
                line.push('\n');
                wire.send(line.as_bytes()).await?;
                wire.until(&["\n"]).await?;
            }
        }
        let goodbye = if self.dialect == Dialect::Xmpp { GOODBYE } else { b"" };
        wire.close(goodbye).await;
        Ok(())
    }
}

async fn introduce(
    wire: &mut Wire,
    account: usize,
    resource: &str,
    peers: &[usize],
) -> Outcome<()> {
    let mut line = connection_name(account, resource);
    for peer in peers {
        line.push(' ');
        line.push_str(&connection_name(*peer, resource));
    }
    line.push('\n');
    wire.send(line.as_bytes()).await?;
    wire.until(&["ok\n"]).await.map(drop)
}

/// RFC 6120 §9.1, with TLS from the first byte.
async fn xmpp(wire: &mut Wire, account: usize, resource: &str) -> Outcome<()> {
    open(wire).await?;
    let password = Secret::new(PASSWORD.as_bytes().to_vec());
    let mut nonce = [0_u8; NONCE_BYTES];
    let random = aws_lc_rs::default_provider().secure_random;
    random.fill(&mut nonce).map_err(|_| "no randomness".to_owned())?;
    let mechanism = Mechanism::ScramSha256;
    let binding = ClientBinding::Unsupported;
    let name = login(account);
    let (first, client) =
        ScramClient::start(mechanism, &name, None, &password, &binding, nonce).map_err(said)?;
    let first = format!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{}'>{}</auth>",
        mechanism.name(),
        STANDARD.encode(first)
    );
    wire.send(first.as_bytes()).await?;
    let challenge = wire.until(&["</challenge>", "</failure>"]).await?;
    let (last, awaiting) = client.server_first(&inside(&challenge)?).map_err(said)?;
    let last = format!(
        "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{}</response>",
        STANDARD.encode(last)
    );
    wire.send(last.as_bytes()).await?;
    let success = wire.until(&["</success>", "</failure>"]).await?;
    awaiting.server_final(&inside(&success)?).map_err(said)?;
    open(wire).await?;
    let bind = format!(
        "<iq type='set' id='bi'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
         <resource>{resource}</resource></bind></iq>"
    );
    wire.send(bind.as_bytes()).await?;
    let bound = wire.until(&["</iq>"]).await?;
    if bound.contains("<jid>") { Ok(()) } else { Err(format!("not bound: {bound}")) }
}

async fn open(wire: &mut Wire) -> Outcome<()> {
    let header = format!(
        "<?xml version='1.0'?><stream:stream to='{DOMAIN}' version='1.0' xmlns='jabber:client' \
         xmlns:stream='http://etherx.jabber.org/streams'>"
    );
    wire.send(header.as_bytes()).await?;
    wire.until(&["</stream:features>"]).await.map(drop)
}

/// The decoded text of a SASL element.
fn inside(element: &str) -> Outcome<Vec<u8>> {
    let refused = || format!("answered {element}");
    if element.contains("</failure>") {
        return Err(refused());
    }
    let before = element.rfind("</").ok_or_else(refused)?;
    let text = element[..before].rsplit('>').next().unwrap_or_default();
    STANDARD.decode(text).map_err(|_| refused())
}

fn said(fault: impl std::fmt::Display) -> String {
    fault.to_string()
}
