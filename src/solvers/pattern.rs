//! Phrases as patterns, so that each grammar is a table that can be read.
//!
//! A pattern is matched against *all* tokens: nothing in the question is left unexplained.
//! `word` stands for itself, `a|b` for either, `[a|b]` for either or nothing, and `#` for one
//! token or more, which the solver must then account for.

use super::lexer::Token;

/// What stood in the holes, in order.
pub(super) type Holes<'h, 't> = &'h [&'t [Token<'t>]];

/// Longest question that phrases are tried on; keeps a pattern of several holes cheap.
pub(super) const MAX_PHRASE: usize = 80;

/// Tries every way in which the pattern covers the tokens, until `accept` takes one.
pub(super) fn find<'t, T>(
    pattern: &str,
    tokens: &'t [Token<'t>],
    accept: &mut dyn FnMut(Holes<'_, 't>) -> Option<T>,
) -> Option<T> {
    if tokens.len() > MAX_PHRASE {
        return None;
    }
    walk(pattern, tokens, &mut Vec::new(), accept)
}

/// Whether a pattern without holes covers the tokens.
pub(super) fn covers(pattern: &str, tokens: &[Token<'_>]) -> bool {
    find(pattern, tokens, &mut |_| Some(())).is_some()
}

fn walk<'t, T>(
    pattern: &str,
    tokens: &'t [Token<'t>],
    holes: &mut Vec<&'t [Token<'t>]>,
    accept: &mut dyn FnMut(Holes<'_, 't>) -> Option<T>,
) -> Option<T> {
    if pattern.is_empty() {
        return if tokens.is_empty() { accept(holes) } else { None };
    }
    let (element, rest) = pattern.split_once(' ').unwrap_or((pattern, ""));
    if element == "#" {
        // The last hole has one way only: to take what is left.
        let shortest = if rest.is_empty() { tokens.len().max(1) } else { 1 };
        for length in shortest..=tokens.len() {
            let (taken, left) = tokens.split_at_checked(length)?;
            holes.push(taken);
            let found = walk(rest, left, holes, accept);
            holes.pop();
            if found.is_some() {
                return found;
            }
        }
        return None;
    }
    let optional = element.strip_prefix('[').and_then(|e| e.strip_suffix(']'));
    let choices = optional.unwrap_or(element);
    if let Some((first, left)) = tokens.split_first()
        && choices.split('|').any(|choice| first.is(choice))
    {
        let found = walk(rest, left, holes, accept);
        if found.is_some() {
            return found;
        }
    }
    if optional.is_some() { walk(rest, tokens, holes, accept) } else { None }
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::*;

    fn holes(pattern: &str, text: &str) -> Option<Vec<String>> {
        let tokens = tokens(text).unwrap();
        find(pattern, &tokens, &mut |holes| {
            let text = |hole: &&[Token]| {
                hole.iter().map(|t| t.raw.to_owned()).collect::<Vec<_>>().join(" ")
            };
            Some(holes.iter().map(text).collect())
        })
    }

    #[test]
    fn every_token_must_be_accounted_for() {
        assert!(covers("how many [more] days|weeks", &tokens("How many weeks").unwrap()));
        assert!(!covers("how many days", &tokens("how many days left").unwrap()));
    }

    #[test]
    fn holes_take_what_lies_between() {
        assert_eq!(holes("add # to #", "add 2 + 3 to 4"), Some(vec!["2 + 3".into(), "4".into()]));
        assert_eq!(holes("add # to #", "add to 4"), None);
    }

    #[test]
    fn every_way_is_tried_until_one_is_accepted() {
        let tokens = tokens("5 in in in").unwrap();
        let mut seen = Vec::new();
        let none: Option<()> = find("# in #", &tokens, &mut |holes| {
            seen.push(holes[0].len());
            None
        });
        assert!(none.is_none());
        assert_eq!(seen, [1, 2]);
    }
}
