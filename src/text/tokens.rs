//! How long a text is for a language model.

/// Characters of plain ASCII that make a token, on average, in English and in code.
const ASCII_PER_TOKEN: usize = 4;
/// Letters with accents, Greek, Cyrillic, Hebrew and Arabic: about two to a token.
const TWO_BYTES_PER_TOKEN: usize = 2;

/// About how many tokens a text has for a language model: four ASCII characters each, two of the
/// other alphabets, one of everything beyond them (Chinese, Japanese, Korean, emoji).
#[must_use]
pub fn estimated_tokens(text: &str) -> usize {
    let (mut ascii, mut two_bytes, mut others) = (0usize, 0usize, 0usize);
    for byte in text.bytes() {
        match byte {
            0..=0x7F => ascii += 1,
            0xC0..=0xDF => two_bytes += 1,
            0xE0..=0xFF => others += 1,
            // The rest of a character whose first byte was counted.
            0x80..=0xBF => {}
        }
    }
    ascii.div_ceil(ASCII_PER_TOKEN) + two_bytes.div_ceil(TWO_BYTES_PER_TOKEN) + others
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scripts_differ_in_what_a_token_holds() {
        assert_eq!(estimated_tokens(""), 0);
        assert_eq!(estimated_tokens("four"), 1);
        assert_eq!(estimated_tokens("hello"), 2);
        assert_eq!(estimated_tokens("привет"), 3);
        assert_eq!(estimated_tokens("你好"), 2);
    }

    proptest! {
        #[test]
        fn a_longer_text_is_never_cheaper(a in "\\PC{0,60}", b in "\\PC{0,60}") {
            let both = estimated_tokens(&format!("{a}{b}"));
            prop_assert!(both >= estimated_tokens(&a).max(estimated_tokens(&b)));
            prop_assert!(both <= estimated_tokens(&a) + estimated_tokens(&b));
        }
    }
}
