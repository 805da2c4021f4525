//! The known name that a mistyped one was probably meant to be.

/// Longest name that is compared; longer ones are nobody's typing mistake.
const LONGEST: usize = 64;

/// The candidate nearest to `given`, if it is near enough to be worth a suggestion: at most a third
/// of the letters differ. Case is ignored.
#[must_use]
pub(super) fn nearest<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let given: Vec<char> = given.chars().take(LONGEST + 1).flat_map(char::to_lowercase).collect();
    if given.is_empty() || given.len() > LONGEST {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| {
            let letters: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
            let length = given.len().max(letters.len());
            (distance(&given, &letters), length, candidate)
        })
        .filter(|&(distance, length, _)| distance * 3 <= length)
        .min_by_key(|&(distance, ..)| distance)
        .map(|(.., candidate)| candidate)
}

/// Insertions, deletions and replacements that lead from `a` to `b` (Levenshtein 1966).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut left = i + 1;
        let mut diagonal = i;
        for (cell, to) in row.iter_mut().skip(1).zip(b) {
            let here = (diagonal + usize::from(from != to)).min(left + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, here);
            left = here;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn a_typing_mistake_finds_its_name_and_another_word_finds_none() {
        let known = ["input", "context", "deadline_ms", "max_cost_usd"];
        assert_eq!(nearest("imput", known), Some("input"));
        assert_eq!(nearest("deadlineMs", known), Some("deadline_ms"));
        assert_eq!(nearest("prompt", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest(&"x".repeat(1_000_000), known), None);
    }

    #[test]
    fn agrees_with_known_distances() {
        for (a, b, known) in [("kitten", "sitting", 3), ("flaw", "lawn", 2), ("", "abc", 3)] {
            assert_eq!(distance(&chars(a), &chars(b)), known, "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn distance_is_a_metric(a in "[ab]{0,8}", b in "[ab]{0,8}", c in "[ab]{0,8}") {
            let (a, b, c) = (chars(&a), chars(&b), chars(&c));
            prop_assert_eq!(distance(&a, &b), distance(&b, &a));
            prop_assert_eq!(distance(&a, &b) == 0, a == b);
            prop_assert!(distance(&a, &c) <= distance(&a, &b) + distance(&b, &c));
        }
    }
}
