//! The tokens of a text: BERT's normal form, then the longest pieces that the vocabulary has
//! (Schuster and Nakajima 2012), as the release's `tokenizer.json` says.

use rustc_hash::FxHashMap;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Longer words are unknown.
const MOST_LETTERS: usize = 100;

/// The vocabulary.
#[derive(Debug)]
pub(super) struct WordPiece {
    pieces: FxHashMap<Box<str>, u32>,
    begin: u32,
    end: u32,
    unknown: u32,
}

impl WordPiece {
    /// A vocabulary of one piece a line; `None` where it is no text or lacks a token that every text
    /// needs.
    pub(super) fn read(file: &[u8]) -> Option<Self> {
        let lines = std::str::from_utf8(file).ok()?.lines();
        let pieces: FxHashMap<Box<str>, u32> =
            lines.zip(0..).map(|(piece, id)| (Box::from(piece), id)).collect();
        let token = |name: &str| pieces.get(name).copied();
        let (begin, end, unknown) = (token("[CLS]")?, token("[SEP]")?, token("[UNK]")?);
        Some(Self { pieces, begin, end, unknown })
    }

    /// The tokens of a text, the marks of its beginning and end included, `most` of them.
    pub(super) fn tokens(&self, text: &str, most: usize) -> Vec<u32> {
        let mut tokens = vec![self.begin];
        let mut word = String::new();
        // No word is longer than the text, so that more characters than these tell nothing.
        for letter in normal(text) {
            if tokens.len() + 1 >= most {
                break;
            }
            if letter.is_whitespace() || stands_alone(letter) {
                self.split(&word, &mut tokens);
                word.clear();
            }
            if stands_alone(letter) {
                self.split(letter.encode_utf8(&mut [0; 4]), &mut tokens);
            } else if !letter.is_whitespace() {
                word.push(letter);
            }
        }
        self.split(&word, &mut tokens);
        tokens.truncate(most.saturating_sub(1));
        tokens.push(self.end);
        tokens
    }

    /// Adds the pieces of a word, the longest first that fits.
    fn split(&self, word: &str, tokens: &mut Vec<u32>) {
        if word.is_empty() {
            return;
        }
        let before = tokens.len();
        if word.chars().count() > MOST_LETTERS {
            tokens.push(self.unknown);
            return;
        }
        let (mut rest, mut piece) = (word, String::new());
        while !rest.is_empty() {
            let ends = rest.char_indices().map(|(at, letter)| at + letter.len_utf8()).rev();
            let found =
                ends.filter_map(|end| rest.split_at_checked(end)).find_map(|(head, tail)| {
                    piece.clear();
                    if rest.len() < word.len() {
                        piece.push_str("##");
                    }
                    piece.push_str(head);
                    Some((*self.pieces.get(piece.as_str())?, tail))
                });
            let Some((id, tail)) = found else {
                tokens.truncate(before);
                tokens.push(self.unknown);
                return;
            };
            tokens.push(id);
            rest = tail;
        }
    }
}

/// Without control characters and accents, in lower case.
fn normal(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars()
        .filter(|c| !matches!(c, '\0' | '\u{fffd}') && !is_control(*c))
        .map(|c| if is_space(c) { ' ' } else { c })
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
}

fn is_space(c: char) -> bool {
    c.is_whitespace()
}

/// Controls and formats; tabs and line ends are spaces.
fn is_control(c: char) -> bool {
    !matches!(c, '\t' | '\n' | '\r')
        && (c.is_control()
            || matches!(c, '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'))
}

/// Punctuation, and the characters of Chinese: each is a word of its own.
fn stands_alone(c: char) -> bool {
    c.is_ascii_punctuation()
        || matches!(c,
            '\u{a1}' | '\u{a7}' | '\u{ab}' | '\u{b6}' | '\u{b7}' | '\u{bb}' | '\u{bf}'
            | '\u{37e}' | '\u{387}' | '\u{55a}'..='\u{55f}' | '\u{589}' | '\u{58a}' | '\u{5be}'
            | '\u{5c0}' | '\u{5c3}' | '\u{5f3}' | '\u{5f4}' | '\u{60c}' | '\u{60d}' | '\u{61b}'
            | '\u{61e}' | '\u{61f}' | '\u{66a}'..='\u{66d}' | '\u{6d4}' | '\u{964}' | '\u{965}'
            | '\u{970}' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{2043}'
            | '\u{2045}'..='\u{2051}' | '\u{2053}'..='\u{205e}' | '\u{207d}' | '\u{207e}'
            | '\u{208d}' | '\u{208e}' | '\u{2308}'..='\u{230b}' | '\u{2329}' | '\u{232a}'
            | '\u{2768}'..='\u{2775}' | '\u{27e6}'..='\u{27ef}' | '\u{2983}'..='\u{2998}'
            | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}'
            | '\u{3030}' | '\u{303d}' | '\u{30a0}' | '\u{30fb}' | '\u{fe10}'..='\u{fe19}'
            | '\u{fe30}'..='\u{fe52}' | '\u{fe54}'..='\u{fe61}' | '\u{fe63}' | '\u{fe68}'
            | '\u{fe6a}' | '\u{fe6b}' | '\u{ff01}'..='\u{ff03}' | '\u{ff05}'..='\u{ff0a}'
            | '\u{ff0c}'..='\u{ff0f}' | '\u{ff1a}' | '\u{ff1b}' | '\u{ff1f}' | '\u{ff20}'
            | '\u{ff3b}'..='\u{ff3d}' | '\u{ff3f}' | '\u{ff5b}' | '\u{ff5d}'
            | '\u{ff5f}'..='\u{ff65}'
            // CJK ideographs.
            | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{2a6df}' | '\u{2a700}'..='\u{2ceaf}' | '\u{2f800}'..='\u{2fa1f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> WordPiece {
        let pieces = "[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\nrunning\n?\ncafe\n京";
        WordPiece::read(pieces.as_bytes()).unwrap()
    }

    #[test]
    fn a_word_becomes_its_longest_pieces_and_an_unknown_one_becomes_one_token() {
        assert_eq!(words().tokens("UNaffable  running?", 16), [1, 3, 4, 5, 6, 7, 2]);
        assert_eq!(words().tokens("unaffxyz running", 16), [1, 0, 6, 2]);
        assert_eq!(words().tokens(&"un".repeat(51), 16), [1, 0, 2]);
    }

    #[test]
    fn accents_controls_and_chinese_are_as_the_release_has_them() {
        assert_eq!(words().tokens("Caf\u{e9}\u{200b}\u{0}", 16), [1, 8, 2]);
        assert_eq!(words().tokens("京京cafe", 16), [1, 9, 9, 8, 2]);
        assert_eq!(words().tokens("", 16), [1, 2]);
    }

    #[test]
    fn no_text_has_more_tokens_than_are_read() {
        assert_eq!(words().tokens(&"running ".repeat(1000), 5), [1, 6, 6, 6, 2]);
        assert_eq!(words().tokens("unaffable unaffable", 5), [1, 3, 4, 5, 2]);
    }

    #[test]
    fn a_file_that_is_no_vocabulary_is_refused() {
        assert!(WordPiece::read(b"[UNK]\n[CLS]").is_none());
        assert!(WordPiece::read(&[0xff, 0xfe]).is_none());
    }
}
