//! Phrases as patterns, so that each grammar is a table that can be read.
//!
//! A pattern is matched against *all* tokens: nothing in the question is left unexplained.
//! `word` stands for itself, `a|b` for either, `[a|b]` for either or nothing, and `#` for one
//! token or more, which the solver must then account for.

use rustc_hash::FxHashMap;

use super::lexer::{Kind, Token};

/// What stood in the holes, in order.
pub(super) type Holes<'h, 't> = &'h [&'t [Token<'t>]];

/// Longest question that phrases are tried on; keeps a pattern of several holes cheap.
const MAX_PHRASE: usize = 80;

/// How many tokens one grammar offers to its solver in all: bounds what a question can cost.
const MAX_OFFERED: usize = 1_500;

/// A table of patterns and what each means, with an index by the word that a pattern begins with.
pub(super) struct Grammar<M> {
    phrases: Vec<Phrase<M>>,
    by_first: FxHashMap<&'static str, Vec<usize>>,
    /// Those that begin with a hole.
    open: Vec<usize>,
}

struct Phrase<M> {
    elements: Vec<Element>,
    /// Of each word that must be there, the marks of what it may be.
    musts: Vec<Marks>,
    meaning: M,
}

impl<M> Phrase<M> {
    /// Whether the words that must be there may be among those with these marks. Most patterns are
    /// told by this, and never walked.
    fn may_fit(&self, marks: Marks) -> bool {
        self.musts.iter().all(|must| must & marks != 0)
    }
}

/// A set of words, a bit each; two words may have one bit (Bloom 1970, with one hash).
type Marks = u64;

/// A word's mark, by its first two bytes, its last and its length.
fn mark(word: &str) -> Marks {
    let bytes = word.as_bytes();
    let at = |at: usize| bytes.get(at).copied().map_or(0, u32::from);
    let last = at(bytes.len().saturating_sub(1));
    let mixed = at(0) | at(1) << 8 | last << 16 | (word.len() as u32) << 24;
    // Multiplicative hashing (Knuth): the upper bits are the good ones.
    1 << (mixed.wrapping_mul(0x9e37_79b1) >> 26)
}

fn mark_of(token: &Token<'_>) -> Marks {
    match &token.kind {
        Kind::Word(word) => mark(word),
        Kind::Symbol(symbol) => mark(symbol.encode_utf8(&mut [0; 4])),
        // No pattern names them.
        Kind::Number(_) | Kind::Quoted(_) => 0,
    }
}

/// One element of a pattern.
enum Element {
    Hole,
    Word { choices: Vec<&'static str>, optional: bool },
}

impl<M: Copy> Grammar<M> {
    /// Reads a table; where two patterns fit, the earlier is tried first.
    pub(super) fn new(table: &[(&'static str, M)]) -> Self {
        let mut grammar =
            Self { phrases: Vec::new(), by_first: FxHashMap::default(), open: Vec::new() };
        for (at, (pattern, meaning)) in table.iter().enumerate() {
            let elements: Vec<Element> = pattern.split(' ').map(element).collect();
            grammar.index(at, &elements);
            let musts = elements.iter().filter_map(Element::must).collect();
            grammar.phrases.push(Phrase { elements, musts, meaning: *meaning });
        }
        grammar
    }

    /// Tries every way in which a pattern covers the tokens, until `accept` takes one.
    pub(super) fn find<'t, T>(
        &self,
        tokens: &'t [Token<'t>],
        mut accept: impl FnMut(M, Holes<'_, 't>) -> Option<T>,
    ) -> Option<T> {
        if tokens.len() > MAX_PHRASE {
            return None;
        }
        let mut left = MAX_OFFERED;
        let mut offered = |meaning: M, holes: Holes<'_, 't>| {
            let cost = 1 + holes.iter().map(|hole| hole.len()).sum::<usize>();
            left = left.saturating_sub(cost);
            if left == 0 { None } else { accept(meaning, holes) }
        };
        let listed = tokens.first()?.text().and_then(|text| self.by_first.get(text.as_ref()));
        let marks = tokens.iter().fold(0, |all, token| all | mark_of(token));
        let mut holes = Vec::new();
        let (mut listed, mut open) =
            (listed.into_iter().flatten().peekable(), self.open.iter().peekable());
        // Both run upwards: merge them, so that the order of the table holds.
        loop {
            let at = match (listed.peek(), open.peek()) {
                (Some(a), Some(b)) if a <= b => listed.next(),
                (_, Some(_)) => open.next(),
                (Some(_), None) => listed.next(),
                (None, None) => return None,
            };
            let phrase = self.phrases.get(*at?)?;
            if !phrase.may_fit(marks) {
                continue;
            }
            holes.clear();
            let found = walk(&phrase.elements, tokens, &mut holes, &mut |holes| {
                offered(phrase.meaning, holes)
            });
            if found.is_some() {
                return found;
            }
        }
    }

    fn index(&mut self, at: usize, elements: &[Element]) {
        for element in elements {
            match element {
                Element::Hole => {
                    self.open.push(at);
                    return;
                }
                Element::Word { choices, optional } => {
                    for choice in choices {
                        let listed = self.by_first.entry(choice).or_default();
                        if listed.last() != Some(&at) {
                            listed.push(at);
                        }
                    }
                    if !optional {
                        return;
                    }
                }
            }
        }
    }
}

impl Element {
    /// The marks of the words that it may be, where it must be there.
    fn must(&self) -> Option<Marks> {
        match self {
            Self::Word { choices, optional: false } => {
                Some(choices.iter().fold(0, |all, choice| all | mark(choice)))
            }
            Self::Word { .. } | Self::Hole => None,
        }
    }
}

fn element(text: &'static str) -> Element {
    if text == "#" {
        return Element::Hole;
    }
    let optional = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let choices = optional.unwrap_or(text).split('|').collect();
    Element::Word { choices, optional: optional.is_some() }
}

fn walk<'t, T>(
    elements: &[Element],
    tokens: &'t [Token<'t>],
    holes: &mut Vec<&'t [Token<'t>]>,
    accept: &mut dyn FnMut(Holes<'_, 't>) -> Option<T>,
) -> Option<T> {
    let Some((element, rest)) = elements.split_first() else {
        return if tokens.is_empty() { accept(holes) } else { None };
    };
    match element {
        Element::Hole => {
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
            None
        }
        Element::Word { choices, optional } => {
            if let Some((first, left)) = tokens.split_first()
                && choices.iter().any(|choice| first.is(choice))
            {
                let found = walk(rest, left, holes, accept);
                if found.is_some() {
                    return found;
                }
            }
            if *optional { walk(rest, tokens, holes, accept) } else { None }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::lexer::tokens;
    use super::*;

    fn holes(pattern: &'static str, text: &str) -> Option<Vec<String>> {
        let tokens = tokens(text).unwrap();
        Grammar::new(&[(pattern, ())]).find(&tokens, |(), holes| {
            let text = |hole: &&[Token]| {
                hole.iter().map(|t| t.raw.to_owned()).collect::<Vec<_>>().join(" ")
            };
            Some(holes.iter().map(text).collect())
        })
    }

    #[test]
    fn every_token_must_be_accounted_for() {
        assert!(holes("how many [more] days|weeks", "How many weeks").is_some());
        assert!(holes("how many days", "how many days left").is_none());
    }

    proptest! {
        #[test]
        fn no_pattern_that_fits_is_left_out_for_its_words(
            elements in prop::collection::vec("[ab]{1,2}|=|#", 1..5),
            text in prop::collection::vec("[ab]{1,2}|=|7", 0..6)
        ) {
            let pattern: &'static str = elements.join(" ").leak();
            let text = text.join(" ");
            let tokens = tokens(&text).unwrap();
            let grammar = Grammar::new(&[(pattern, ())]);
            let phrase = &grammar.phrases[0];
            let walked = walk(&phrase.elements, &tokens, &mut Vec::new(), &mut |_| Some(()));
            prop_assert_eq!(grammar.find(&tokens, |(), _| Some(())), walked);
        }
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
        let none: Option<()> = Grammar::new(&[("# in #", ())]).find(&tokens, |(), holes| {
            seen.push(holes[0].len());
            None
        });
        assert!(none.is_none());
        assert_eq!(seen, [1, 2]);
    }

    #[test]
    fn the_order_of_the_table_holds_whatever_a_pattern_begins_with() {
        let grammar =
            Grammar::new(&[("x #", 0), ("# y", 1), ("[x] # z", 2), ("x|w y", 3), ("#", 4)]);
        let mut tried = Vec::new();
        let none: Option<()> = grammar.find(&tokens("x y").unwrap(), |meaning, _| {
            tried.push(meaning);
            None
        });
        assert!(none.is_none());
        assert_eq!(tried, [0, 1, 3, 4]);
    }
}
