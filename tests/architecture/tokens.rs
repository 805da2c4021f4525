//! Just enough of Rust's lexer to tell code from comments, strings and lifetimes.

/// A name or one character of punctuation.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
}

impl Token {
    pub(super) fn is_name(&self) -> bool {
        self.text.starts_with(|c: char| c == '_' || c.is_alphabetic())
    }
}

/// The tokens of a source text, without comments, strings and lifetimes.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut found = Vec::new();
    let mut i = 0;
    let mut line = 1;
    while i < chars.len() {
        let start = i;
        match at(i) {
            '/' if at(i + 1) == '/' => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
            }
            '/' if at(i + 1) == '*' => i = after_block_comment(&chars, i),
            '"' => i = after_string(&chars, i + 1),
            '\'' => i = after_quote(&chars, i),
            c if c == '_' || c.is_alphabetic() => {
                while at(i) == '_' || at(i).is_alphanumeric() {
                    i += 1;
                }
                let name: String = chars.get(start..i).unwrap_or_default().iter().collect();
                let hashes = (0..).take_while(|k| at(i + k) == '#').count();
                let raw = matches!(name.as_str(), "r" | "br" | "cr");
                if raw && at(i + hashes) == '"' {
                    i = after_raw_string(&chars, i + hashes + 1, hashes);
                } else if name == "r" && hashes == 1 {
                    // A raw name: `r#type` reads as `type`.
                    i += 1;
                } else {
                    found.push(Token { text: name, line });
                }
            }
            c if c.is_whitespace() => i += 1,
            c => {
                found.push(Token { text: c.to_string(), line });
                i += 1;
            }
        }
        line += chars.get(start..i).unwrap_or_default().iter().filter(|c| **c == '\n').count();
    }
    found
}

/// Block comments nest.
fn after_block_comment(chars: &[char], mut i: usize) -> usize {
    let mut depth = 0_usize;
    while i < chars.len() {
        match (chars.get(i), chars.get(i + 1)) {
            (Some('/'), Some('*')) => {
                depth += 1;
                i += 2;
            }
            (Some('*'), Some('/')) => {
                depth -= 1;
                i += 2;
            }
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

fn after_string(chars: &[char], mut i: usize) -> usize {
    while let Some(c) = chars.get(i) {
        match c {
            '"' => return i + 1,
            '\\' => i += 2,
            _ => i += 1,
        }
    }
    i
}

fn after_raw_string(chars: &[char], mut i: usize, hashes: usize) -> usize {
    while i < chars.len() {
        let closes =
            chars.get(i) == Some(&'"') && (1..=hashes).all(|k| chars.get(i + k) == Some(&'#'));
        i += 1;
        if closes {
            return i + hashes;
        }
    }
    i
}

/// A character literal is left out whole; of a lifetime only the quote is.
fn after_quote(chars: &[char], i: usize) -> usize {
    match (chars.get(i + 1), chars.get(i + 2)) {
        (Some('\\'), _) => {
            let closing = chars.iter().skip(i + 3).position(|c| *c == '\'');
            closing.map_or(chars.len(), |offset| i + 3 + offset + 1)
        }
        (Some(_), Some('\'')) => i + 3,
        _ => i + 1,
    }
}
