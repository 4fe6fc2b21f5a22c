//! The messages of RFC 5802 §7, read strictly and within limits. Knows the grammar only: no keys,
//! no accounts, no decision.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::verifier::{SALT_BYTES_MAX, parse_number};

/// Bytes of one SASL message, without its base64. Longer ones are refused before they are read.
pub const MESSAGE_BYTES_MAX: usize = 4_096;

/// Characters of a nonce, of one side.
pub const NONCE_BYTES_MAX: usize = 256;

/// Characters of the name of a channel binding.
const BINDING_NAME_BYTES_MAX: usize = 64;

/// Attributes that have a meaning of their own (RFC 5802 §5.1), so no extension may use them.
const RESERVED: &[u8] = b"anmrcsipve";

/// The text breaks the grammar or a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Malformed;

/// What the client says about channel binding (`gs2-cbind-flag`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BindingFlag<'a> {
    /// `n`: the client cannot.
    Unsupported,
    /// `y`: the client could, but believes that the server cannot.
    NotOffered,
    /// `p=`: the client binds, by the kind of this name.
    Used(&'a str),
}

/// `n,,n=user,r=nonce`
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ClientFirst<'a> {
    pub(crate) flag: BindingFlag<'a>,
    pub(crate) authzid: Option<Cow<'a, str>>,
    pub(crate) username: Cow<'a, str>,
    pub(crate) nonce: &'a str,
    /// The GS2 header as it came, with its last comma.
    pub(crate) gs2_header: &'a str,
    /// Everything after the GS2 header as it came: what the proof covers.
    pub(crate) bare: &'a str,
}

/// `r=nonce,s=salt,i=iterations`
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ServerFirst<'a> {
    pub(crate) nonce: &'a str,
    pub(crate) salt: Vec<u8>,
    pub(crate) iterations: u32,
}

/// `c=binding,r=nonce,p=proof`
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ClientFinal<'a> {
    /// The GS2 header and the binding's bytes.
    pub(crate) binding: Vec<u8>,
    pub(crate) nonce: &'a str,
    pub(crate) proof: Vec<u8>,
    /// Everything before `,p=` as it came: what the proof covers.
    pub(crate) without_proof: &'a str,
}

/// `v=signature` or `e=error`
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum ServerLast<'a> {
    Signature(Vec<u8>),
    Error(&'a str),
}

impl<'a> ClientFirst<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let text = read(bytes)?;
        let (flag, rest) = text.split_once(',').ok_or(Malformed)?;
        let (authzid, bare) = rest.split_once(',').ok_or(Malformed)?;
        let gs2_header = text.strip_suffix(bare).ok_or(Malformed)?;
        let flag = match flag {
            "n" => BindingFlag::Unsupported,
            "y" => BindingFlag::NotOffered,
            _ => BindingFlag::Used(binding_name(flag.strip_prefix("p=").ok_or(Malformed)?)?),
        };
        let authzid = match authzid {
            "" => None,
            _ => Some(unescape(authzid.strip_prefix("a=").ok_or(Malformed)?)?),
        };
        // `m=` may stand first; since no extension is known here, it ends the exchange. Asking for
        // `n=` first refuses it. RFC 5802 §5.1
        let mut attributes = bare.split(',');
        let username = unescape(attribute(&mut attributes, "n=")?)?;
        let nonce = nonce(attribute(&mut attributes, "r=")?, NONCE_BYTES_MAX)?;
        check_extensions(attributes)?;
        Ok(Self { flag, authzid, username, nonce, gs2_header, bare })
    }
}

impl<'a> ServerFirst<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut attributes = read(bytes)?.split(',');
        let nonce = nonce(attribute(&mut attributes, "r=")?, 2 * NONCE_BYTES_MAX)?;
        let salt = decode(attribute(&mut attributes, "s=")?)?;
        if salt.is_empty() || salt.len() > SALT_BYTES_MAX {
            return Err(Malformed);
        }
        let iterations = parse_number(attribute(&mut attributes, "i=")?).ok_or(Malformed)?;
        check_extensions(attributes)?;
        Ok(Self { nonce, salt, iterations })
    }
}

impl<'a> ClientFinal<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let text = read(bytes)?;
        // The proof is the last attribute and covers everything before it. RFC 5802 §7
        let (without_proof, proof) = text.rsplit_once(',').ok_or(Malformed)?;
        let proof = decode(proof.strip_prefix("p=").ok_or(Malformed)?)?;
        let mut attributes = without_proof.split(',');
        let binding = decode(attribute(&mut attributes, "c=")?)?;
        let nonce = nonce(attribute(&mut attributes, "r=")?, 2 * NONCE_BYTES_MAX)?;
        check_extensions(attributes)?;
        Ok(Self { binding, nonce, proof, without_proof })
    }
}

impl<'a> ServerLast<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut attributes = read(bytes)?.split(',');
        let first = attributes.next().ok_or(Malformed)?;
        check_extensions(attributes)?;
        match (first.strip_prefix("v="), first.strip_prefix("e=")) {
            (Some(signature), _) => Ok(Self::Signature(decode(signature)?)),
            (None, Some(error)) if !error.is_empty() => Ok(Self::Error(error)),
            (None, _) => Err(Malformed),
        }
    }
}

/// Writes a name as `saslname`: a comma and an equals sign are escaped (RFC 5802 §5.1).
pub(crate) fn escape(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

/// Base64 with padding and without line breaks, the only form of RFC 5802 §7.
pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn decode(text: &str) -> Result<Vec<u8>, Malformed> {
    STANDARD.decode(text).map_err(|_| Malformed)
}

/// Bounds the message and makes it text. NUL may stand nowhere (RFC 5802 §7, `value-safe-char`).
fn read(bytes: &[u8]) -> Result<&str, Malformed> {
    if bytes.len() > MESSAGE_BYTES_MAX || bytes.contains(&0) {
        return Err(Malformed);
    }
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}

/// The value of the next attribute, which must be this one.
fn attribute<'a>(
    attributes: &mut impl Iterator<Item = &'a str>,
    name: &str,
) -> Result<&'a str, Malformed> {
    attributes.next().and_then(|attribute| attribute.strip_prefix(name)).ok_or(Malformed)
}

/// Unknown extensions are ignored, but they must be well formed and none that has a meaning
/// elsewhere (RFC 5802 §5.1).
fn check_extensions<'a>(attributes: impl Iterator<Item = &'a str>) -> Result<(), Malformed> {
    for attribute in attributes {
        match attribute.as_bytes() {
            [name, b'=', _, ..] if name.is_ascii_alphabetic() && !RESERVED.contains(name) => {}
            _ => return Err(Malformed),
        }
    }
    Ok(())
}

/// Printable ASCII but for the comma, which ends it (RFC 5802 §7, `printable`).
fn nonce(text: &str, bytes_max: usize) -> Result<&str, Malformed> {
    let fits = !text.is_empty()
        && text.len() <= bytes_max
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    if fits { Ok(text) } else { Err(Malformed) }
}

fn binding_name(text: &str) -> Result<&str, Malformed> {
    let fits = !text.is_empty()
        && text.len() <= BINDING_NAME_BYTES_MAX
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    if fits { Ok(text) } else { Err(Malformed) }
}

/// Reads a `saslname`: `=2C` is a comma, `=3D` an equals sign, any other `=` is a fault.
fn unescape(text: &str) -> Result<Cow<'_, str>, Malformed> {
    if text.is_empty() {
        return Err(Malformed);
    }
    let mut parts = text.split('=');
    let first = parts.next().ok_or(Malformed)?;
    if first.len() == text.len() {
        return Ok(Cow::Borrowed(text));
    }
    let mut name = String::with_capacity(text.len());
    name.push_str(first);
    for part in parts {
        let (character, rest) = match (part.strip_prefix("2C"), part.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (None, Some(rest)) => ('=', rest),
            (None, None) => return Err(Malformed),
        };
        name.push(character);
        name.push_str(rest);
    }
    Ok(Cow::Owned(name))
}
