//! An address with or without one of its sessions (RFC 7622). Knows nothing of who exists.

use std::fmt;

use model::{Address, AddressFault, Resource};

/// `local@domain/resource`, `domain/resource`, or either without the resource.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Jid {
    /// The bare address.
    pub address: Address,
    /// The session of that address.
    pub resource: Option<Resource>,
}

impl Jid {
    /// Prepares the parts. The resource begins after the first `/`, whatever follows, and the
    /// localpart ends at the first `@` before it (RFC 7622 §3.2).
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        let (bare, resource) = match text.split_once('/') {
            Some((bare, resource)) => (bare, Some(Resource::parse(resource)?)),
            None => (text, None),
        };
        Ok(Self { address: Address::parse(bare)?, resource })
    }

    /// The address without a session.
    #[must_use]
    pub fn bare(address: Address) -> Self {
        Self { address, resource: None }
    }

    /// One session of an address.
    #[must_use]
    pub fn full(address: Address, resource: Resource) -> Self {
        Self { address, resource: Some(resource) }
    }

    /// Whether no session is named.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.resource.is_none()
    }

    /// The same address without its session.
    #[must_use]
    pub fn to_bare(&self) -> Self {
        Self::bare(self.address.clone())
    }
}

impl From<Address> for Jid {
    fn from(address: Address) -> Self {
        Self::bare(address)
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            Some(resource) => write!(f, "{}/{resource}", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

impl fmt::Debug for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests;
