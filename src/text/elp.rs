//! How a text speaks: ethos, logos, pathos.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::domain::Elp;

use super::{fold, words::words_of_folded};

/// Longest text, in bytes, that is profiled; what follows is taken to speak like what came before.
const LONGEST: usize = 16 * 1024;

/// Words of authority, norms and sources.
const ETHOS: &str = "according accountable accredited agency approved article audit author authority certified \
     citation cite cited code commission committee compliance compliant conduct confirmed court \
     credible doctor duty ethic ethical ethics evidence experienced expert experts fair guideline \
     guidelines honest honestly journal judge just law lawful legal legitimate liable moral \
     morally must norm norms oath obligation official ought peer permitted policy principle \
     professional professor published reference regulation reliable reputable research \
     researchers responsibility responsible review right rights rule rules scientist scientists \
     section shall should source sources standard standards statute studies study survey \
     testimony trust trusted trustworthy university verified wrong";

/// Words of reasoning, comparison and quantity.
const LOGOS: &str = "add all although amount analyse analysis analyze any average because between both calculate \
     cause caused causes compare compute conclude conclusion condition consequently contradiction \
     count data deduce define derive difference divide divided each either else equal equals \
     equation estimate every exactly except explain fewer follows fraction from function given \
     half hence how however if implies invalid least less logic logical many mean measure minus \
     more most much multiply neither number only otherwise percent percentage plus premise \
     probability proof prove ratio reason result since solve step steps subtract sum than then \
     therefore thus times total twice unless valid value whereas whether why";

/// Words of feeling, urgency, praise and blame.
const PATHOS: &str = "abandoned absolutely afraid agony alarming alone amazing angry anxious ashamed awesome awful \
     beautiful beg beloved betrayed brave brilliant calm catastrophe cherish confused cruel cry \
     danger dangerous dear delighted desperate desperately devastated disappointed disaster \
     disgusting dreadful dream emergency enjoy evil excited exciting fantastic fear feel feeling \
     feelings feels frustrated frustrating furious glad glorious grateful great grief guilty \
     happy hate heart heartbreaking helpless hope hopeful hopeless horrible horrified hurt \
     immediately incredible insane joy joyful lonely lost love lovely mad miserable miss nervous \
     nightmare outrage outrageous overwhelmed pain painful panic passion pathetic perfect please \
     pleased proud regret relieved sad scared scary shame shocked shocking sorry stupid suffer \
     suffering tears terrible terrified terrifying thank thanks thrilled tragedy tragic ugly \
     unacceptable upset urgent urgently victim wish wonderful worried worry worst";

/// A word's mark in each lexicon, as bits; one look-up tells all three.
static LEXICON: LazyLock<FxHashMap<&'static str, u8>> = LazyLock::new(|| {
    let mut lexicon = FxHashMap::default();
    for (words, mark) in [(ETHOS, IN_ETHOS), (LOGOS, IN_LOGOS), (PATHOS, IN_PATHOS)] {
        for word in words.split_whitespace() {
            *lexicon.entry(word).or_default() |= mark;
        }
    }
    lexicon
});
const IN_ETHOS: u8 = 1;
const IN_LOGOS: u8 = 2;
const IN_PATHOS: u8 = 4;

/// The ethos, logos and pathos of a text, each 0 to 9, by the share of its words that a lexicon
/// knows and by its structure: citations and quotations for ethos; numbers, operators and
/// conditions for logos; exclamation and capitals for pathos. A text without words is neutral.
///
/// Each value is `9 · (1 − e^(−d/s))` of the density d of marks per word, where s is the density
/// at which a text speaks clearly that way; so length alone changes nothing, and a single mark in
/// a short text does not fill the scale.
#[must_use]
pub fn elp(text: &str) -> Elp {
    let text = &text[..text.floor_char_boundary(LONGEST)];
    let folded = fold(text);
    profile(text, &folded, words_of_folded(&folded))
}

/// [`elp`] for whoever has folded the text and taken its words apart already; `None` where it is so
/// long that only its beginning is profiled.
pub fn elp_of_words<'a>(
    text: &str,
    folded: &str,
    words: impl Iterator<Item = &'a str>,
) -> Option<Elp> {
    (text.len() <= LONGEST).then(|| profile(text, folded, words))
}

fn profile<'a>(text: &str, folded: &str, words: impl Iterator<Item = &'a str>) -> Elp {
    let (mut ethos, mut logos, mut pathos) = (0.0, 0.0, 0.0);
    let mut found = 0;
    for word in words {
        found += 1;
        let marks = LEXICON.get(word).copied().unwrap_or(0);
        let known = |lexicon: u8| if marks & lexicon == 0 { 0.0 } else { 1.0 };
        ethos += known(IN_ETHOS);
        pathos += known(IN_PATHOS);
        let number = word.starts_with(|c: char| c.is_ascii_digit());
        logos += if number { 0.75 } else { known(IN_LOGOS) };
    }
    if found == 0 {
        return Elp::default();
    }
    let (mut cites, mut quotes, mut operators) = (0, 0, 0);
    for (at, byte) in folded.bytes().enumerate() {
        let begins = |with: &str| {
            folded.as_bytes().get(at..).is_some_and(|rest| rest.starts_with(with.as_bytes()))
        };
        // What names a source, found by its first byte; none of it overlaps with another.
        match byte {
            b'"' => quotes += 1,
            b'=' | b'+' | b'*' | b'/' | b'<' | b'>' | b'%' => operators += 1,
            b'!' => pathos += 1.0,
            b'a' => cites += usize::from(begins("according to")),
            b'e' => cites += usize::from(begins("et al")),
            b'h' => cites += usize::from(begins("http://") || begins("https://")),
            b'[' => cites += usize::from(begins("[1]")),
            0xC2 => cites += usize::from(begins("§")),
            0xC3 => operators += usize::from(begins("×") || begins("÷")),
            _ => {}
        }
    }
    ethos += tally(cites);
    ethos += 0.5 * tally(quotes / 2);
    logos += 0.5 * tally(operators);
    pathos += tally(shouted(text));
    // A few words of padding keep one mark in three words from counting as a third of a speech.
    let length = tally(found) + 4.0;
    let scale = |marks: f64, clear: f64| 9.0 * (1.0 - (-(marks / length) / clear).exp());
    Elp::clamped(scale(ethos, 0.08), scale(logos, 0.20), scale(pathos, 0.08))
}

#[expect(clippy::cast_precision_loss, reason = "counts within one bounded text")]
fn tally(count: usize) -> f64 {
    count as f64
}

/// Words in capitals; acronyms of two or three letters are none.
fn shouted(text: &str) -> usize {
    if text.is_ascii() {
        return shouted_in_ascii(text.as_bytes());
    }
    text.split_whitespace()
        .filter(|word| {
            let letters = || word.chars().filter(|c| c.is_alphabetic());
            letters().count() > 3 && letters().all(char::is_uppercase)
        })
        .count()
}

/// The same of plain ASCII: most texts are.
fn shouted_in_ascii(text: &[u8]) -> usize {
    if text.iter().filter(|byte| byte.is_ascii_uppercase()).count() < 4 {
        return 0;
    }
    let (mut found, mut capitals, mut whispers) = (0, 0_usize, false);
    for byte in text {
        if byte.is_ascii_lowercase() {
            whispers = true;
        } else if byte.is_ascii_uppercase() {
            capitals += 1;
        // The white space of `char::is_whitespace`.
        } else if matches!(byte, b' ' | b'\t'..=b'\r') {
            found += usize::from(capitals > 3 && !whispers);
            (capitals, whispers) = (0, false);
        }
    }
    found + usize::from(capitals > 3 && !whispers)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_way_of_speaking_leads_where_it_should() {
        let norm = elp(
            "According to the guidelines of the committee, experts should cite published sources.",
        );
        let sums = elp(
            "If each of the 12 boxes holds 8 pens, how many pens are there in total? 12 * 8 = 96",
        );
        let plea = elp(
            "Please help me, I am so scared and worried! This is a terrible, terrible nightmare!",
        );
        assert!(norm.ethos > norm.logos && norm.ethos > norm.pathos, "{norm:?}");
        assert!(sums.logos > sums.ethos && sums.logos > sums.pathos, "{sums:?}");
        assert!(plea.pathos > plea.ethos && plea.pathos > plea.logos, "{plea:?}");
    }

    #[test]
    fn a_text_without_words_is_neutral() {
        assert_eq!(elp(" ?! "), Elp::default());
    }

    #[test]
    fn saying_it_twice_hardly_changes_the_profile() {
        let once =
            "Since each of the 12 boxes holds 8 pens, there must be 96 pens in all, experts say.";
        let twice = format!("{once} {once}");
        assert!(elp(once).drift(&elp(&twice)) < 0.1);
    }

    proptest! {
        #[test]
        fn the_short_ways_see_what_the_long_ones_see(text in "[A-Za-z0-9 '.,!\"+\t\n-]{0,200}") {
            let long = text.split_whitespace().filter(|word| {
                let letters = || word.chars().filter(|c| c.is_alphabetic());
                letters().count() > 3 && letters().all(char::is_uppercase)
            });
            prop_assert_eq!(shouted(&text), long.count());
            let folded = fold(&text);
            let words: Vec<&str> = words_of_folded(&folded).collect();
            prop_assert_eq!(elp_of_words(&text, &folded, words.into_iter()), Some(elp(&text)));
            prop_assert_eq!(elp(text.trim()), elp(&text), "white space around it says nothing");
        }

        #[test]
        fn every_text_is_on_the_scale(text in "\\PC{0,200}") {
            let profile = elp(&text);
            for value in [profile.ethos, profile.logos, profile.pathos] {
                prop_assert!((0.0..=9.0).contains(&value));
            }
        }
    }
}
