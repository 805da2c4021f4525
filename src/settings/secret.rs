//! Text that must never be printed.

use std::{fmt, sync::Arc};

/// A key or a token. It has no `Display` and no `Serialize`, and its `Debug` is `[secret]`, so that
/// it cannot reach a log, an error or a response by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Takes a text into custody.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Arc::from(text))
    }

    /// The text itself, for the one header that carries it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(
            format!("{:?} {:#?}", Secret::new("sk-1"), Some(Secret::new("sk-2"))),
            "[secret] Some(\n    [secret],\n)"
        );
    }
}
