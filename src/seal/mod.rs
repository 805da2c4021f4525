//! Encryption at rest of what people wrote: remembered answers, conversations, and the
//! documents that tenants add.
//!
//! A [`Keyring`] turns the value of a row into a sealed one and back (AES-256-GCM-SIV, RFC 8452),
//! bound to its table and its key, so that no value can be moved to another row or tenant. It also
//! hides what a row's key would give away. Without a key it leaves everything as it is, so that
//! there is one path. [`admit`] compares the keys with those that the store was written with, and
//! refuses to go on without one that is needed.

mod keyring;
mod note;

pub use keyring::{Keyring, KeyringError, Opened, UnsealError};
pub use note::{SealError, admit, settle};
