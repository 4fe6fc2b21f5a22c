//! The sign-in name. Not an address: what others see of a person is found from it by the directory.

use std::{fmt, sync::Arc};

use precis_profiles::{UsernameCaseMapped, precis_core::profile::Profile};

/// Bytes of a login, before and after preparation.
pub const LOGIN_BYTES_MAX: usize = 1_023;

/// A sign-in name, prepared by the UsernameCaseMapped profile of RFC 8265 §3.3, so that `Ann` and
/// `ann` are one login for the directory and one count for the throttle.
///
/// RFC 5802 §5.1 asks for SASLprep, which keeps case; RFC 8265 took its place, and case is mapped
/// because the directories that accounts come from (LDAP) compare without it. The proof is not
/// touched by this: it covers the name as it was sent.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Login(Arc<str>);

/// Why a text cannot be a login.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoginFault {
    /// There is nothing in it.
    Empty,
    /// It is longer than [`LOGIN_BYTES_MAX`].
    TooLong,
    /// It holds a character that no login may hold, such as a space.
    Forbidden,
}

impl Login {
    /// Prepares a login.
    pub fn parse(text: &str) -> Result<Self, LoginFault> {
        if text.is_empty() {
            return Err(LoginFault::Empty);
        }
        if text.len() > LOGIN_BYTES_MAX {
            return Err(LoginFault::TooLong);
        }
        let prepared =
            UsernameCaseMapped::new().enforce(text).map_err(|_| LoginFault::Forbidden)?;
        match prepared.len() {
            0 => Err(LoginFault::Empty),
            len if len > LOGIN_BYTES_MAX => Err(LoginFault::TooLong),
            _ => Ok(Self(prepared.as_ref().into())),
        }
    }

    /// The prepared text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for LoginFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the login is empty",
            Self::TooLong => "the login is too long",
            Self::Forbidden => "the login holds a character that may not stand there",
        })
    }
}

impl std::error::Error for LoginFault {}
