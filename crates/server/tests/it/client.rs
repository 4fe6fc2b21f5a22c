//! A small XMPP client for precise conversations: it sends exactly what it is told and gives what
//! comes stanza by stanza, with a time limit on everything. Signs in with the house's own SCRAM.

use std::{
    fmt::Write as _,
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    sync::Arc,
    time::Duration,
};

use auth::{
    BindingKind, CertificateHash, ClientBinding, Mechanism, NONCE_BYTES, ScramClient,
    TLS_EXPORTER_BYTES, TLS_EXPORTER_LABEL,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use model::Secret;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

use crate::{
    house::{DOMAIN, House, eventually},
    xml,
};

/// Seconds after which something that should have come is missed.
const PATIENCE_SECS: u64 = 20;

/// One stream to a house.
pub(crate) struct Client {
    stream: Stream,
    /// What has come and was not looked at.
    pending: Vec<u8>,
    /// The full address, once there is one.
    pub(crate) jid: String,
    ids: u32,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// All that one needs to sign in, apart from the house.
#[derive(Clone)]
pub(crate) struct Reach {
    starttls: u16,
    direct: u16,
    tls: Arc<ClientConfig>,
    login: String,
    password: String,
}

/// How a client gets to TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    StartTls,
    Direct,
}

/// Why nothing more comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Silence {
    /// The stream has ended.
    End,
    /// It is open, and nothing came in time.
    Late,
}

/// TLS as a careful client has it: only the house's own authority is trusted.
pub(crate) fn tls(
    house: &House,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(house.authority()).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions);
    Arc::new(config.unwrap().with_root_certificates(roots).with_no_client_auth())
}

/// A connection of the transport alone.
pub(crate) fn dial(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(PATIENCE_SECS)))?;
    stream.set_write_timeout(Some(Duration::from_secs(PATIENCE_SECS)))?;
    Ok(stream)
}

impl Reach {
    /// Of somebody of the house; nobody has an empty name.
    pub(crate) fn of(house: &House, name: &str) -> Self {
        Self {
            starttls: house.starttls,
            direct: house.direct,
            tls: tls(house, rustls::ALL_VERSIONS),
            login: if name.is_empty() { String::new() } else { house.login(name).to_owned() },
            password: house.password(name),
        }
    }

    /// A connection with TLS and no stream yet.
    pub(crate) fn dial(&self, way: Way) -> io::Result<Client> {
        let mut client = match way {
            Way::Direct => Client::plain(self.direct)?,
            Way::StartTls => Client::plain(self.starttls)?,
        };
        match way {
            Way::Direct => client.secure(&self.tls)?,
            Way::StartTls => {
                client.open()?;
                client.start_tls(&self.tls)?;
            }
        }
        Ok(client)
    }

    /// Signed in, if the server is there.
    pub(crate) fn try_silent(&self, resource: &str) -> io::Result<Client> {
        let mut client = self.dial(Way::Direct)?;
        client.open()?;
        let (mechanism, binding) = (Mechanism::ScramSha256, ClientBinding::Unsupported);
        let signed_in = client.sign_in(mechanism, &self.login, &self.password, &binding);
        signed_in?.map_err(io::Error::other)?;
        client.open()?;
        client.bind(Some(resource))?;
        Ok(client)
    }
}

impl Client {
    /// Signed in with a resource of its own, and present.
    pub(crate) fn present(house: &House, name: &str, resource: &str) -> Self {
        let mut client = Self::silent(house, name, resource);
        client.send("<presence/>");
        // Its own presence comes back when it is in force (RFC 6121 §4.2.2).
        let own = client.jid.clone();
        client.wait(|stanza| is_from(stanza, "presence", &own));
        client
    }

    /// Signed in, and not present.
    pub(crate) fn silent(house: &House, name: &str, resource: &str) -> Self {
        let reach = Reach::of(house, name);
        reach.try_silent(resource).unwrap_or_else(|why| panic!("{name}: {why}"))
    }

    /// A connection with TLS and no stream yet.
    pub(crate) fn dial(house: &House, way: Way) -> io::Result<Self> {
        Reach::of(house, "").dial(way)
    }

    /// A connection in the clear.
    pub(crate) fn plain(port: u16) -> io::Result<Self> {
        let stream = Stream::Plain(dial(port)?);
        Ok(Self { stream, pending: Vec::new(), jid: String::new(), ids: 0 })
    }

    /// Asks for TLS on a stream in the clear, and takes it.
    pub(crate) fn start_tls(&mut self, config: &Arc<ClientConfig>) -> io::Result<()> {
        self.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
        let said = self.next()?;
        assert!(said.starts_with("<proceed"), "{said}");
        assert!(self.pending.is_empty(), "something in the clear after <proceed/>");
        self.secure(config)
    }

    /// Makes TLS of what was clear.
    pub(crate) fn secure(&mut self, config: &Arc<ClientConfig>) -> io::Result<()> {
        let Stream::Plain(tcp) = &self.stream else { panic!("TLS twice") };
        let tcp = tcp.try_clone()?;
        let name = ServerName::try_from(DOMAIN).unwrap();
        let connection =
            ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, tcp);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        self.stream = Stream::Tls(Box::new(stream));
        Ok(())
    }

    /// Opens a stream and gives the features.
    pub(crate) fn open(&mut self) -> io::Result<String> {
        self.pending.clear();
        self.try_send(&format!(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='{DOMAIN}'>"
        ))?;
        let header = self.next()?;
        if !header.starts_with("<stream:stream") {
            return Err(io::Error::other(header));
        }
        self.next()
    }

    /// What this connection can be bound by.
    pub(crate) fn binding(&self, kind: BindingKind) -> ClientBinding {
        let Stream::Tls(stream) = &self.stream else { panic!("no TLS to bind to") };
        let bytes = match kind {
            BindingKind::TlsExporter => {
                let mut bytes = [0; TLS_EXPORTER_BYTES];
                let exported =
                    stream.conn.export_keying_material(&mut bytes, TLS_EXPORTER_LABEL, Some(&[]));
                exported.unwrap().to_vec()
            }
            BindingKind::TlsServerEndPoint => {
                let shown = stream.conn.peer_certificates().unwrap();
                CertificateHash::Sha256.end_point(&shown[0])
            }
        };
        ClientBinding::Used(kind, bytes)
    }

    /// Signs in; the inner error is the condition that the server named.
    pub(crate) fn sign_in(
        &mut self,
        mechanism: Mechanism,
        login: &str,
        password: &str,
        binding: &ClientBinding,
    ) -> io::Result<Result<(), String>> {
        let password = Secret::new(password.as_bytes().to_vec());
        let mut nonce = [0; NONCE_BYTES];
        aws_lc_rs::rand::fill(&mut nonce).unwrap();
        let (first, client) =
            ScramClient::start(mechanism, login, None, &password, binding, nonce).unwrap();
        let sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
        let (name, first) = (mechanism.name(), BASE64.encode(first));
        self.try_send(&format!("<auth {sasl} mechanism='{name}'>{first}</auth>"))?;
        let said = self.next()?;
        let Some(challenge) = decoded(&said, "challenge") else { return Ok(Err(said)) };
        let (last, server) = client.server_first(&challenge).map_err(io::Error::other)?;
        self.try_send(&format!("<response {sasl}>{}</response>", BASE64.encode(last)))?;
        let said = self.next()?;
        let Some(proof) = decoded(&said, "success") else { return Ok(Err(said)) };
        server.server_final(&proof).map_err(io::Error::other)?;
        Ok(Ok(()))
    }

    /// Binds a resource, after the features.
    pub(crate) fn bind(&mut self, resource: Option<&str>) -> io::Result<()> {
        let wanted =
            resource.map(|name| format!("<resource>{name}</resource>")).unwrap_or_default();
        self.try_send(&format!(
            "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{wanted}\
             </bind></iq>"
        ))?;
        let said = self.next()?;
        match xml::text(&said, "jid") {
            Some(jid) => {
                self.jid = jid;
                Ok(())
            }
            None => Err(io::Error::other(said)),
        }
    }

    pub(crate) fn try_send(&mut self, text: &str) -> io::Result<()> {
        self.try_send_bytes(text.as_bytes())
    }

    pub(crate) fn try_send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes),
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    #[track_caller]
    pub(crate) fn send(&mut self, text: &str) {
        self.try_send(text).unwrap();
    }

    /// Sends a chat message with a body.
    #[track_caller]
    pub(crate) fn say(&mut self, to: &str, id: &str, body: &str) {
        let body = body.replace('&', "&amp;").replace('<', "&lt;");
        self.send(&format!(
            "<message to='{to}' type='chat' id='{id}'><body>{body}</body></message>"
        ));
    }

    /// The next whole thing of the stream.
    pub(crate) fn next(&mut self) -> io::Result<String> {
        loop {
            let blank = self.pending.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            self.pending.drain(..blank);
            if let Some(end) = xml::end_of_first(&self.pending).filter(|_| !self.pending.is_empty())
            {
                let thing: Vec<u8> = self.pending.drain(..end).collect();
                let thing = String::from_utf8(thing).expect("UTF-8");
                if thing.starts_with("<?xml") {
                    continue;
                }
                return Ok(thing);
            }
            self.read()?;
        }
    }

    /// Reads once more; the end of the stream is an error.
    fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; 32 * 1_024];
        let count = match &mut self.stream {
            Stream::Plain(stream) => stream.read(&mut buffer)?,
            Stream::Tls(stream) => stream.read(&mut buffer)?,
        };
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.pending.extend_from_slice(&buffer[..count]);
        Ok(())
    }

    /// The next thing, or why there is none.
    pub(crate) fn next_or(&mut self) -> Result<String, Silence> {
        self.next().map_err(|why| {
            let late = matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
            if late { Silence::Late } else { Silence::End }
        })
    }

    /// Limits how long the next reads wait.
    pub(crate) fn patience(&self, millis: u64) {
        let tcp = match &self.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => &stream.sock,
        };
        tcp.set_read_timeout(Some(Duration::from_millis(millis))).unwrap();
    }

    /// Reads until a stanza is the one; gives it with those before it.
    #[track_caller]
    pub(crate) fn until(&mut self, wanted: impl Fn(&str) -> bool) -> (Vec<String>, String) {
        let mut before = Vec::new();
        loop {
            match self.next() {
                Ok(stanza) if wanted(&stanza) => return (before, stanza),
                Ok(stanza) => before.push(stanza),
                Err(why) => {
                    let own = &self.jid;
                    panic!("{own}: {why}; came before:\n{}", before.join("\n"));
                }
            }
        }
    }

    /// Reads until a stanza is the one and lets go of those before it.
    #[track_caller]
    pub(crate) fn wait(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        self.until(wanted).1
    }

    /// Waits for all of these, in whatever order they come.
    #[track_caller]
    pub(crate) fn wait_all(&mut self, wanted: &[&dyn Fn(&str) -> bool]) {
        let mut open: Vec<_> = wanted.iter().collect();
        while !open.is_empty() {
            let stanza = self.wait(|stanza| open.iter().any(|wanted| wanted(stanza)));
            let found = open.iter().position(|wanted| wanted(&stanza)).unwrap();
            let _ = open.remove(found);
        }
    }

    /// Waits until its own history has so many messages: then they are on the disk.
    pub(crate) fn kept(&mut self, count: usize) {
        eventually("messages are kept", PATIENCE_SECS, || {
            self.history(&[], "<max>250</max>").0.len() >= count
        });
    }

    /// Waits for a message with this body.
    #[track_caller]
    pub(crate) fn hear(&mut self, body: &str) -> String {
        self.wait(|stanza| {
            xml::name(stanza) == "message" && xml::text(stanza, "body").as_deref() == Some(body)
        })
    }

    /// Waits for the error that answers the stanza with this id.
    #[track_caller]
    pub(crate) fn refused(&mut self, id: &str) -> String {
        self.wait(|stanza| {
            xml::attribute(stanza, "type") == Some("error")
                && xml::attribute(stanza, "id") == Some(id)
        })
    }

    /// Asks and waits for the answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, kind: &str, to: Option<&str>, payload: &str) -> String {
        self.ask_with(kind, to, payload).1
    }

    /// Asks; gives what came before the answer, and the answer.
    #[track_caller]
    pub(crate) fn ask_with(
        &mut self,
        kind: &str,
        to: Option<&str>,
        payload: &str,
    ) -> (Vec<String>, String) {
        let answered = self.try_ask(kind, to, payload);
        answered
            .unwrap_or_else(|why| panic!("{}: {why} instead of an answer to {payload}", self.jid))
    }

    /// Asks a server that may die over it.
    pub(crate) fn try_ask(
        &mut self,
        kind: &str,
        to: Option<&str>,
        payload: &str,
    ) -> io::Result<(Vec<String>, String)> {
        self.ids += 1;
        let id = format!("ask-{}", self.ids);
        let to = to.map(|to| format!(" to='{to}'")).unwrap_or_default();
        self.try_send(&format!("<iq type='{kind}' id='{id}'{to}>{payload}</iq>"))?;
        let mut before = Vec::new();
        loop {
            let stanza = self.next()?;
            if xml::name(&stanza) == "iq"
                && xml::attribute(&stanza, "id") == Some(&id)
                && matches!(xml::attribute(&stanza, "type"), Some("result" | "error"))
            {
                return Ok((before, stanza));
            }
            before.push(stanza);
        }
    }

    /// What had come by the time that the server has answered all that was sent before.
    #[track_caller]
    pub(crate) fn settle(&mut self) -> Vec<String> {
        self.try_settle().unwrap_or_else(|why| panic!("{}: {why}", self.jid))
    }

    /// The same of a server that may die over it.
    pub(crate) fn try_settle(&mut self) -> io::Result<Vec<String>> {
        Ok(self.try_ask("get", Some(DOMAIN), "<ping xmlns='urn:xmpp:ping'/>")?.0)
    }

    /// A page of one's own history: the results, and the answer with its end.
    #[track_caller]
    pub(crate) fn history(&mut self, form: &[(&str, &str)], page: &str) -> (Vec<String>, String) {
        self.try_history(form, page).unwrap_or_else(|why| panic!("{}: {why}", self.jid))
    }

    /// The same of a server that may die over it.
    pub(crate) fn try_history(
        &mut self,
        form: &[(&str, &str)],
        page: &str,
    ) -> io::Result<(Vec<String>, String)> {
        let mut payload = "<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'>\
                           <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>"
            .to_owned();
        for (name, value) in form {
            write!(payload, "<field var='{name}'><value>{value}</value></field>").unwrap();
        }
        write!(payload, "</x><set xmlns='http://jabber.org/protocol/rsm'>{page}</set></query>")
            .unwrap();
        let (mut results, end) = self.try_ask("set", None, &payload)?;
        results.retain(|stanza| stanza.contains("<result") && stanza.contains("urn:xmpp:mam:2"));
        Ok((results, end))
    }

    /// Ends the stream as a polite client does.
    pub(crate) fn leave(mut self) {
        if self.try_send("</stream:stream>").is_ok() {
            while self.next().is_ok_and(|said| !said.starts_with("</stream")) {}
        }
    }

    /// Cuts the connection.
    pub(crate) fn cut(self) {
        let tcp = match self.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream.sock,
        };
        drop(tcp.shutdown(Shutdown::Both));
    }
}

/// What stands in an element of a SASL exchange.
fn decoded(said: &str, name: &str) -> Option<Vec<u8>> {
    BASE64.decode(xml::text(said, name)?).ok()
}

/// Whether a stanza is of this name and from there.
pub(crate) fn is_from(stanza: &str, name: &str, from: &str) -> bool {
    xml::name(stanza) == name && xml::attribute(stanza, "from") == Some(from)
}

/// The condition of an error stanza, and its text.
pub(crate) fn condition(stanza: &str) -> (String, String) {
    let error = xml::element(stanza, "error").unwrap_or_else(|| panic!("no error: {stanza}"));
    let start = error.find('>').unwrap() + 1;
    let kind = xml::attribute(error, "type").unwrap_or_default();
    let name = xml::name(&error[start..]);
    (format!("{kind}/{name}"), xml::text(error, "text").unwrap_or_default())
}
