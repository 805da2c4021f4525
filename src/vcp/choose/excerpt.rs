//! The sentences of a text that matter, when there is no room for all of it.

use crate::text::{Sentence, estimated_tokens, sentences};

/// What stands where sentences were left out.
pub(super) const GAP: &str = "[…]";

/// The text itself when it has at most so many tokens; else its sentences, best first, as far as
/// they fit, in their order and word for word, with a mark where others were left out. Where no
/// sentence fits, the beginning of the best one does.
pub(super) fn excerpt(text: &str, worth: impl Fn(&str) -> f64, most_tokens: usize) -> String {
    if estimated_tokens(text) <= most_tokens {
        return text.to_owned();
    }
    let all = sentences(text);
    let mut ranked: Vec<(usize, f64)> = all
        .iter()
        .enumerate()
        // The first sentence says what the text is about.
        .map(|(at, sentence)| (at, worth(sentence.text) + if at == 0 { 0.05 } else { 0.0 }))
        .filter(|(_, worth)| *worth > 0.0)
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut kept: Vec<usize> = Vec::new();
    for (at, _) in &ranked {
        let place = kept.partition_point(|other| other < at);
        kept.insert(place, *at);
        if estimated_tokens(&joined(text, &all, &kept)) > most_tokens {
            kept.remove(place);
        }
    }
    if !kept.is_empty() {
        return joined(text, &all, &kept);
    }
    let best = ranked.first().and_then(|(at, _)| all.get(*at)).map_or(text, |best| best.text);
    beginning(best, most_tokens)
}

/// These sentences as they stand in the text, neighbours with what is between them.
fn joined(text: &str, all: &[Sentence<'_>], kept: &[usize]) -> String {
    let mut parts = Vec::new();
    let mut expected = 0;
    for run in kept.chunk_by(|a, b| a + 1 == *b) {
        let (Some(&first), Some(&last)) = (run.first(), run.last()) else { continue };
        if first != expected {
            parts.push(GAP);
        }
        let (Some(from), Some(to)) = (all.get(first), all.get(last)) else { continue };
        parts.push(&text[from.start..to.start + to.text.len()]);
        expected = last + 1;
    }
    if expected < all.len() {
        parts.push(GAP);
    }
    parts.join(" ")
}

fn beginning(text: &str, most_tokens: usize) -> String {
    let fits = |end: usize| estimated_tokens(&format!("{} {GAP}", &text[..end])) <= most_tokens;
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    // Tokens never grow fewer with the text, so the longest beginning can be searched for.
    let count = ends.partition_point(|&end| fits(end));
    match count.checked_sub(1).and_then(|last| ends.get(last)) {
        Some(&end) if end > 0 => format!("{} {GAP}", text[..end].trim_end()),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_sentences_that_matter_stay_in_their_order() {
        let text = "It began in May. The weather was bad. The code is 77. Nobody came. All went.";
        let kept = excerpt(text, |s| if s.contains("77") { 1.0 } else { 0.0 }, 12);
        assert_eq!(kept, "It began in May. […] The code is 77. […]");
    }

    #[test]
    fn a_sentence_that_is_too_long_is_cut() {
        let text = "word ".repeat(100);
        let kept = excerpt(&text, |_| 1.0, 10);
        assert!(kept.starts_with("word word") && kept.ends_with(GAP), "{kept}");
    }

    proptest! {
        #[test]
        fn an_excerpt_never_has_too_many_tokens(text in "\\PC{0,200}|([a-z ]{1,20}[.!?] ){0,12}", most in 0usize..40) {
            let kept = excerpt(&text, |s| s.len() as f64, most);
            prop_assert!(estimated_tokens(&kept) <= most, "{kept:?}");
        }

        #[test]
        fn what_an_excerpt_keeps_stands_in_the_text(text in "([a-z]{1,9}[.!?] ){0,12}", most in 0usize..20) {
            for part in excerpt(&text, |s| s.len() as f64, most).split(GAP) {
                for word in part.split_whitespace() {
                    prop_assert!(text.contains(word), "{word:?}");
                }
            }
        }
    }
}
