//! The keys, and what is done with them.

use std::{borrow::Cow, fmt, sync::Arc};

use aes_gcm_siv::{
    Aes256GcmSiv, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use ring::hmac;

/// First byte of a sealed value; a plain one is JSON and begins with another.
const SEALED: u8 = 1;
/// Bytes of a key's id, of a nonce, and of all before the ciphertext.
const ID: usize = 8;
const NONCE: usize = 12;
const HEAD: usize = 1 + ID + NONCE;
/// Bytes of a key.
const KEY: usize = 32;
/// Most keys of a ring: the one in use and those of earlier times.
const MOST_KEYS: usize = 16;

/// The key in use, and earlier ones that still open what they sealed. Cheap to clone; never
/// printed.
#[derive(Clone, Default)]
pub struct Keyring {
    keys: Arc<[Key]>,
    /// Whether the first key seals. Otherwise all keys only open, and what is written is plain.
    seals: bool,
}

/// Why a text is no keyring. Never shows any of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is no key in the text.
    #[error("there is no key; make one with `openssl rand -hex 32`")]
    Empty,
    /// One line is no key.
    #[error("line {line} is no key: write 64 hexadecimal digits, as of `openssl rand -hex 32`")]
    NoKey {
        /// The line, from 1.
        line: usize,
    },
    /// There are too many keys.
    #[error("there are more than {MOST_KEYS} keys; `lake rekey` makes the earlier ones needless")]
    TooMany,
}

/// Why a value cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsealError {
    /// It was sealed with a key that the ring does not have.
    #[error("sealed with the key {0}, which is not configured")]
    UnknownKey(String),
    /// It was changed, or moved here from another row.
    #[error("damaged, or not of this row")]
    Damaged,
}

/// A value that was opened.
#[derive(Debug, PartialEq, Eq)]
pub struct Opened<'v> {
    /// What was sealed.
    pub value: Cow<'v, [u8]>,
    /// Whether sealing it now gives the same bytes again: it needs no rewriting.
    pub is_current: bool,
}

struct Key {
    id: [u8; ID],
    cipher: Aes256GcmSiv,
    nonces: hmac::Key,
    rows: hmac::Key,
}

impl Key {
    /// Everything is derived, so that no two uses share a key.
    fn derived(master: &[u8; KEY]) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, master);
        let derive = |use_: &str| hmac::sign(&master, use_.as_bytes());
        let mut id = [0; ID];
        id.copy_from_slice(derive("id").as_ref().get(..ID).unwrap_or(&[0; ID]));
        let mut cipher = [0; KEY];
        cipher.copy_from_slice(derive("values").as_ref().get(..KEY).unwrap_or(&[0; KEY]));
        Self {
            id,
            cipher: Aes256GcmSiv::new(&cipher.into()),
            nonces: hmac::Key::new(hmac::HMAC_SHA256, derive("nonces").as_ref()),
            rows: hmac::Key::new(hmac::HMAC_SHA256, derive("row keys").as_ref()),
        }
    }

    fn id(&self) -> String {
        hex(&self.id)
    }
}

impl Keyring {
    /// No key: what is written is plain.
    #[must_use]
    pub fn plain() -> Self {
        Self::default()
    }

    /// Reads keys, one a line: the first seals, all open. Empty lines and lines after `#` are
    /// passed over. A first line `plain` seals nothing: what the other keys sealed is written
    /// plain again.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let lines = (1..).zip(text.lines()).map(|(n, line)| (n, line.trim()));
        let mut lines = lines.filter(|(_, l)| !l.is_empty() && !l.starts_with('#')).peekable();
        let seals = lines.next_if(|(_, line)| *line == "plain").is_none();
        let mut keys = Vec::new();
        for (line, text) in lines {
            let key = unhex(text).ok_or(KeyringError::NoKey { line })?;
            keys.push(Key::derived(&key));
        }
        if keys.is_empty() && seals {
            return Err(KeyringError::Empty);
        }
        if keys.len() > MOST_KEYS {
            return Err(KeyringError::TooMany);
        }
        Ok(Self { keys: keys.into(), seals })
    }

    /// Whether what is written is sealed.
    #[must_use]
    pub fn is_sealing(&self) -> bool {
        self.current().is_some()
    }

    /// The id of the key in use; it says nothing of the key.
    #[must_use]
    pub fn current_id(&self) -> Option<String> {
        self.current().map(Key::id)
    }

    /// Whether what this key sealed can be opened.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        self.keys.iter().any(|key| key.id() == id)
    }

    /// What stands for a text in a row's key: the text itself, or with a key a keyed hash of it
    /// (HMAC-SHA-256), which is the same for the same text and gives nothing of it away.
    #[must_use]
    pub fn row_key<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        match self.current() {
            Some(key) => Cow::Owned(hmac::sign(&key.rows, text).as_ref().to_vec()),
            None => Cow::Borrowed(text),
        }
    }

    /// Seals the value of a row. The same value in the same row gives the same bytes, which
    /// compare-and-set needs: the nonce is a keyed hash of table, row and value. So whoever sees the
    /// file twice learns whether a row holds the same as before, and nothing else.
    #[must_use]
    pub fn seal(&self, table: &str, row: &[u8], value: Vec<u8>) -> Vec<u8> {
        let Some(key) = self.current() else { return value };
        let bound = bound_to(table, row);
        let mut context = hmac::Context::with_key(&key.nonces);
        context.update(&bound);
        context.update(&value);
        let tag = context.sign();
        let nonce = tag.as_ref().get(..NONCE).unwrap_or(&[0; NONCE]);
        let payload = Payload { msg: &value, aad: &bound };
        // It fails only for values of more than 64 GiB.
        let sealed = key.cipher.encrypt(Nonce::from_slice(nonce), payload).unwrap_or_default();
        let mut whole = Vec::with_capacity(HEAD + sealed.len());
        whole.push(SEALED);
        whole.extend_from_slice(&key.id);
        whole.extend_from_slice(nonce);
        whole.extend_from_slice(&sealed);
        whole
    }

    /// Opens the value of a row.
    ///
    /// # Errors
    /// [`UnsealError`]. A value that was never sealed is no error: it is given as it is.
    pub fn open<'v>(
        &self,
        table: &str,
        row: &[u8],
        value: &'v [u8],
    ) -> Result<Opened<'v>, UnsealError> {
        let Some((&SEALED, rest)) = value.split_first() else {
            return Ok(Opened { value: Cow::Borrowed(value), is_current: !self.is_sealing() });
        };
        let (id, rest) = rest.split_at_checked(ID).ok_or(UnsealError::Damaged)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE).ok_or(UnsealError::Damaged)?;
        let key = self.keys.iter().find(|key| key.id == id);
        let key = key.ok_or_else(|| UnsealError::UnknownKey(hex(id)))?;
        let payload = Payload { msg: sealed, aad: &bound_to(table, row) };
        let opened = key.cipher.decrypt(Nonce::from_slice(nonce), payload);
        let opened = opened.map_err(|_| UnsealError::Damaged)?;
        let is_current = self.current().is_some_and(|current| current.id == id);
        Ok(Opened { value: Cow::Owned(opened), is_current })
    }

    fn current(&self) -> Option<&Key> {
        self.keys.first().filter(|_| self.seals)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[keys]")
    }
}

/// Table and row as one text that no other pair shares.
fn bound_to(table: &str, row: &[u8]) -> Vec<u8> {
    let mut bound = Vec::with_capacity(table.len() + 1 + row.len());
    bound.extend_from_slice(table.as_bytes());
    bound.push(0);
    bound.extend_from_slice(row);
    bound
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; KEY]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * KEY || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut key = [0; KEY];
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(n: u8) -> String {
        hex(&[n; KEY])
    }

    fn ring(keys: &[u8]) -> Keyring {
        Keyring::parse(&keys.iter().map(|n| key(*n)).collect::<Vec<_>>().join("\n")).unwrap()
    }

    #[test]
    fn a_value_opens_only_in_its_own_row_and_with_its_own_key() {
        let sealed = ring(&[1]).seal("lake", b"a", b"{secret}".to_vec());
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        let opened = ring(&[1]).open("lake", b"a", &sealed).unwrap();
        assert_eq!((&*opened.value, opened.is_current), (&b"{secret}"[..], true));
        for (table, row) in [("lake", &b"b"[..]), ("sessions", b"a"), ("lak", b"e\0a")] {
            assert_eq!(ring(&[1]).open(table, row, &sealed), Err(UnsealError::Damaged), "{table}");
        }
        let Err(UnsealError::UnknownKey(id)) = ring(&[2]).open("lake", b"a", &sealed) else {
            panic!("opened with a wrong key")
        };
        assert_eq!(Some(id), ring(&[1]).current_id());
        assert!(Keyring::plain().open("lake", b"a", &sealed).is_err());
    }

    #[test]
    fn an_earlier_key_opens_and_the_first_one_seals() {
        let old = ring(&[1]).seal("lake", b"a", b"x".to_vec());
        let rotated = ring(&[2, 1]);
        let opened = rotated.open("lake", b"a", &old).unwrap();
        assert_eq!((&*opened.value, opened.is_current), (&b"x"[..], false));
        let new = rotated.seal("lake", b"a", opened.value.into_owned());
        assert!(ring(&[2]).open("lake", b"a", &new).unwrap().is_current);
        assert_ne!(ring(&[1]).row_key(b"why"), rotated.row_key(b"why"));
    }

    #[test]
    fn the_way_back_to_plain_values_is_open() {
        let sealed = ring(&[1]).seal("lake", b"a", b"{}".to_vec());
        let back = Keyring::parse(&format!("plain\n{}", key(1))).unwrap();
        assert!(!back.is_sealing() && back.current_id().is_none());
        let opened = back.open("lake", b"a", &sealed).unwrap();
        assert_eq!((&*opened.value, opened.is_current), (&b"{}"[..], false));
        assert_eq!(back.seal("lake", b"a", b"{}".to_vec()), b"{}");
        assert_eq!(&*back.row_key(b"why"), b"why");
    }

    #[test]
    fn a_text_that_is_no_key_is_refused_without_being_shown() {
        let short = &key(7)[1..];
        for (text, error) in [
            ("", KeyringError::Empty),
            ("# nothing\n\n", KeyringError::Empty),
            (short, KeyringError::NoKey { line: 1 }),
            (&format!("{}\n\nhunter2", key(1)), KeyringError::NoKey { line: 3 }),
            (&format!("{}\n", key(1)).repeat(17), KeyringError::TooMany),
        ] {
            let found = Keyring::parse(text).err();
            assert_eq!(found, Some(error));
            assert!(!format!("{found:?} {error}").contains("hunter2"));
        }
        assert_eq!(format!("{:?}", ring(&[1, 2])), "[keys]");
    }

    proptest! {
        #[test]
        fn sealing_is_undone_by_opening_and_the_same_each_time(
            value in proptest::collection::vec(any::<u8>(), 0..200), row in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let ring = ring(&[3]);
            let sealed = ring.seal("lake", &row, value.clone());
            prop_assert_eq!(&sealed, &ring.seal("lake", &row, value.clone()));
            prop_assert_eq!(&*ring.open("lake", &row, &sealed).unwrap().value, &value[..]);
        }

        #[test]
        fn a_changed_bit_is_found(bit in 0..(HEAD + 9 + 16) * 8) {
            let ring = ring(&[3]);
            let mut sealed = ring.seal("lake", b"row", b"an answer".to_vec().to_vec());
            sealed[bit / 8] ^= 1 << (bit % 8);
            let opened = ring.open("lake", b"row", &sealed);
            // A first byte that is no longer that of a sealed value makes a plain one, which no
            // reader takes for a record.
            prop_assert!(bit < 8 || opened.is_err());
        }

        #[test]
        fn any_bytes_are_no_panic(value in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = ring(&[3]).open("lake", b"row", &value);
        }
    }
}
