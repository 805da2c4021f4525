//! How alike two words are.

use std::collections::HashSet;

/// Likeness of two folded words, 0 to 1: Dice's coefficient of their character trigrams, with the
/// ends of the words marked. 1 when they are equal; misspelt and differently inflected forms of one
/// word come out at 0.5 and above, strangers near 0.
#[must_use]
pub fn word_likeness(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let (a, b) = (trigrams(a), trigrams(b));
    let common = a.intersection(&b).count();
    #[expect(clippy::cast_precision_loss, reason = "letters of two words")]
    {
        2.0 * common as f64 / (a.len() + b.len()).max(1) as f64
    }
}

fn trigrams(word: &str) -> HashSet<[char; 3]> {
    let mut found = HashSet::new();
    let mut last = ['^', '^'];
    for c in word.chars().chain(['$']) {
        found.insert([last[0], last[1], c]);
        last = [last[1], c];
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn misspellings_are_alike_and_strangers_are_not() {
        for (a, b) in [("colour", "color"), ("barcelona", "barcellona"), ("invoice", "invoicing")] {
            assert!(word_likeness(a, b) >= 0.5, "{a} and {b}: {}", word_likeness(a, b));
        }
        for (a, b) in [("price", "prison"), ("dog", "cat"), ("server", "river")] {
            assert!(word_likeness(a, b) < 0.5, "{a} and {b}: {}", word_likeness(a, b));
        }
    }

    proptest! {
        #[test]
        fn likeness_is_symmetric_and_within_bounds(a in "\\PC{0,12}", b in "\\PC{0,12}") {
            let likeness = word_likeness(&a, &b);
            prop_assert!((0.0..=1.0).contains(&likeness));
            prop_assert!((likeness - word_likeness(&b, &a)).abs() < 1e-9);
            prop_assert!((word_likeness(&a, &a) - 1.0).abs() < 1e-9);
        }
    }
}
