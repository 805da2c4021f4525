//! Identifiers. Their types keep a tenant from being mistaken for a session.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is no identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Identifiers are 1 to 128 characters.
    #[error("an id has 1 to 128 characters, this one has {0}")]
    Length(usize),
    /// Only letters, digits and `-_.:@` are taken, so that an id is safe in a key, a log and a path.
    #[error("an id has letters, digits and - _ . : @ only")]
    Character,
    /// A response id is `resp_` and a UUID.
    #[error("a response id is `resp_` followed by a UUID, as returned by `process`")]
    NotAResponseId,
}

fn checked(text: &str) -> Result<Arc<str>, IdError> {
    let length = text.chars().count();
    if !(1..=128).contains(&length) {
        return Err(IdError::Length(length));
    }
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:@".contains(c)) {
        return Err(IdError::Character);
    }
    Ok(Arc::from(text))
}

macro_rules! text_id {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(Arc<str>);

        impl $type {
            /// Checks and takes an id.
            ///
            /// # Errors
            /// [`IdError`] when it is empty, longer than 128 characters or has other characters
            /// than letters, digits and `-_.:@`.
            pub fn new(text: &str) -> Result<Self, IdError> {
                checked(text).map(Self)
            }

            /// The text of the id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(&text)
            }
        }

        impl From<$type> for String {
            fn from(id: $type) -> Self {
                id.0.to_string()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// Whose data this is. Nothing is stored or recalled without one.
    TenantId
}

text_id! {
    /// One conversation of one tenant.
    SessionId
}

text_id! {
    /// One document that a tenant has added.
    DocumentId
}

impl DocumentId {
    /// A new id.
    #[must_use]
    pub fn generate() -> Self {
        Self(Arc::from(format!("doc_{}", Uuid::now_v7().as_simple())))
    }
}

impl Default for TenantId {
    /// The tenant of a service without keys.
    fn default() -> Self {
        Self(Arc::from("default"))
    }
}

/// Names one response; feedback refers to it. Ordered by time (UUID version 7, RFC 9562).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResponseId(Uuid);

impl ResponseId {
    const PREFIX: &'static str = "resp_";

    /// A new id for this moment.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// Reads an id as [`fmt::Display`] writes it.
    ///
    /// # Errors
    /// [`IdError::NotAResponseId`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let uuid = text.strip_prefix(Self::PREFIX).ok_or(IdError::NotAResponseId)?;
        Uuid::try_parse(uuid).map(Self).map_err(|_| IdError::NotAResponseId)
    }

    /// When it was generated, in seconds since 1970.
    #[must_use]
    pub fn unix_seconds(&self) -> u64 {
        self.0.get_timestamp().map_or(0, |moment| moment.to_unix().0)
    }

    /// The 16 bytes, for keys in a store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for ResponseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.0.as_simple())
    }
}

impl TryFrom<String> for ResponseId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ResponseId> for String {
    fn from(id: ResponseId) -> Self {
        id.to_string()
    }
}
