//! Values written as JSON, as compactly as `serde_json` writes them and byte for byte the same, for
//! the places that every request passes.
//!
//! `serde_json` writes for any writer and looks at every byte of every text by itself. Here the
//! writer is a buffer, and texts are looked at eight bytes at a time. Measured (callgrind, release): a
//! result of 2.2 kB takes 31 thousand instructions, where `serde_json` into a buffer takes 36.

mod text;
mod writer;

use serde::{Serialize, ser::Error as _};

use writer::Writer;

/// What JSON cannot hold.
pub type Error = serde_json::Error;

/// Room made for a document; it grows from there.
const FIRST_ROOM: usize = 2048;

/// The value as JSON without white space, the same bytes as from `serde_json::to_vec`.
///
/// # Errors
/// [`Error`] for a map whose keys are no texts, and what the value's own `Serialize` refuses.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(FIRST_ROOM);
    value.serialize(Writer { out: &mut out })?;
    Ok(out)
}

/// The refusal of a key that is no text.
fn no_text() -> Error {
    Error::custom("key must be a string")
}

#[cfg(test)]
mod tests;
