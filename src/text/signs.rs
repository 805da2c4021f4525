//! Signs that carry meaning: `C++` is not `C`, `-5` not `5`, `5!` not `5`, and `!x` not `&x`.

/// The signs of a text whose change changes what it says, sorted. Punctuation of sentences, hyphens
/// and emphasis are none.
#[must_use]
pub fn signs(text: &str) -> Vec<char> {
    let chars: Vec<char> = text.chars().collect();
    let mut found: Vec<char> =
        chars.iter().enumerate().filter(|&(at, _)| is_sign(&chars, at)).map(|(_, c)| *c).collect();
    found.sort_unstable();
    found
}

fn is_sign(chars: &[char], at: usize) -> bool {
    let get = |at: Option<usize>| at.and_then(|at| chars.get(at)).copied();
    let Some(c) = get(Some(at)) else { return false };
    let (before, after) = (get(at.checked_sub(1)), get(Some(at + 1)));
    let is_open = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || "([{\"'`,".contains(c));
    let digits =
        before.is_some_and(|c| c.is_ascii_digit()) && after.is_some_and(|c| c.is_ascii_digit());
    match c {
        '+' | '<' | '>' | '=' | '#' | '$' | '€' | '£' | '%' | '^' | '≤' | '≥' | '±' | '¬' | '≠' => {
            true
        }
        '-' => {
            after.is_some_and(|c| c.is_ascii_digit()) && !before.is_some_and(char::is_alphanumeric)
        }
        // Between numbers they calculate.
        '*' | '/' | '×' | '÷' if digits => true,
        '!' if follows_operand(&chars[..at]) => true,
        // The derivative `f'`, and not the apostrophe of `it's`.
        '\'' => !after.is_some_and(char::is_alphanumeric) && is_single_letter(&chars[..at]),
        '!' | '?' | '.' | '&' | '*' | '|' | '~' | '@' | '/' | ':' | ';' => {
            if "!&*~@".contains(c) && is_open(before) && after.is_some_and(char::is_alphanumeric) {
                // `!x` and `*p`, and not the emphasis of `*word*`.
                let word = chars.iter().skip(at + 1).take_while(|c| !c.is_whitespace());
                return c != '*' || !word.clone().any(|c| *c == '*');
            }
            stands_alone(chars, at)
        }
        _ => false,
    }
}

/// Longest run of marks, and of marks and blanks behind an operand, that is read: a longer one says
/// nothing more, and would be read anew from each of its marks.
pub(super) const MOST_MARKS: usize = 16;

/// Whether a sign belongs to a token of signs alone that is spoken of: one in quotes, or between
/// words, where punctuation with a space before it is told by the word that it follows.
fn stands_alone(chars: &[char], at: usize) -> bool {
    /// What a sign that is spoken of follows.
    const SPOKEN_OF: &[&str] = &[
        "a",
        "an",
        "and",
        "are",
        "between",
        "character",
        "do",
        "does",
        "is",
        "mark",
        "of",
        "operator",
        "or",
        "sign",
        "symbol",
        "than",
        "the",
        "use",
        "using",
        "versus",
        "vs",
        "with",
    ];
    let is_in_token = |c: &&char| "!?.&*|~@/:;<>=+-".contains(**c);
    let left = chars[..at].iter().rev().take(MOST_MARKS).take_while(is_in_token).count();
    let right = chars[at..].iter().take(MOST_MARKS).take_while(is_in_token).count();
    if left + right >= MOST_MARKS {
        return false;
    }
    let (before, after) = (&chars[..at - left], &chars[at + right..]);
    match (before.last(), after.first()) {
        (Some(open), Some(shut)) if "\"'`([{".contains(*open) && "\"'`)]}".contains(*shut) => true,
        (Some(open), Some(shut)) if open.is_whitespace() && shut.is_whitespace() => {
            let mut word: Vec<char> = before
                .iter()
                .rev()
                .skip_while(|c| c.is_whitespace())
                .take_while(|c| c.is_alphanumeric())
                .flat_map(|c| c.to_lowercase())
                .collect();
            word.reverse();
            let word: String = word.into_iter().collect();
            let means_itself = matches!(chars.get(at), Some('&' | '*' | '|' | '~' | '@'));
            let closes = after.iter().all(|c| c.is_whitespace());
            !closes && (means_itself || SPOKEN_OF.contains(&&*word))
        }
        _ => false,
    }
}

/// Whether a text ends in what a factorial is taken of: a number, a variable, something in brackets.
pub(super) fn follows_operand(before: &[char]) -> bool {
    let marks =
        before.iter().rev().take(MOST_MARKS).take_while(|c| **c == '!' || **c == ' ').count();
    let rest = before[..before.len() - marks].iter().rev();
    let spaced = before.last() == Some(&' ');
    let Some(last) = rest.clone().next() else { return false };
    last.is_ascii_digit()
        || !spaced
            && (matches!(last, ')' | ']') || {
                let bangs = before.iter().rev().take(MOST_MARKS).take_while(|c| **c == '!');
                is_single_letter(&before[..before.len() - bangs.count()])
            })
}

fn is_single_letter(before: &[char]) -> bool {
    match before {
        [.., apart, letter] => letter.is_alphabetic() && !apart.is_alphanumeric() && *apart != '\'',
        [letter] => letter.is_alphabetic(),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_calculates_and_what_stands_by_itself_is_a_sign_and_punctuation_is_none() {
        for (text, expected) in [
            ("what is 5!", "!"),
            ("what is n!?", "!"),
            ("what does ! mean in rust", "!"),
            ("what does '&' mean", "&"),
            ("what is !x", "!"),
            ("what is *p", "*"),
            ("is 5*3 more than 5/3", "*/"),
            ("the derivative f' of f", "'"),
            ("what does ? do in rust", "?"),
            ("is it *really* so?", ""),
            ("it's a state-of-the-art thing, isn't it?!", ""),
            ("Is this so ?", ""),
            ("Is this so ? why do you think", ""),
            ("run \"a b\" or `c.d()`. Then go on.", ""),
            ("wait ... what", ""),
            ("e.g. and/or", ""),
            ("is it James' book", ""),
            ("what is ???????????????????? in this", ""),
        ] {
            assert_eq!(signs(text).iter().collect::<String>(), expected, "{text}");
        }
    }
}
