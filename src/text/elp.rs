//! How a text speaks: ethos, logos, pathos.

use std::sync::LazyLock;

use regex::Regex;
use rustc_hash::FxHashSet;

use crate::domain::Elp;

use super::{fold, words::words_of_folded};

/// Longest text, in bytes, that is profiled; what follows is taken to speak like what came before.
const LONGEST: usize = 16 * 1024;

type Lexicon = LazyLock<FxHashSet<&'static str>>;

fn lexicon(words: &'static str) -> FxHashSet<&'static str> {
    words.split_whitespace().collect()
}

/// Words of authority, norms and sources.
static ETHOS: Lexicon = LazyLock::new(|| {
    lexicon(
        "according accountable accredited agency approved article audit author authority certified \
     citation cite cited code commission committee compliance compliant conduct confirmed court \
     credible doctor duty ethic ethical ethics evidence experienced expert experts fair guideline \
     guidelines honest honestly journal judge just law lawful legal legitimate liable moral \
     morally must norm norms oath obligation official ought peer permitted policy principle \
     professional professor published reference regulation reliable reputable research \
     researchers responsibility responsible review right rights rule rules scientist scientists \
     section shall should source sources standard standards statute studies study survey \
     testimony trust trusted trustworthy university verified wrong",
    )
});

/// Words of reasoning, comparison and quantity.
static LOGOS: Lexicon = LazyLock::new(|| {
    lexicon(
        "add all although amount analyse analysis analyze any average because between both calculate \
     cause caused causes compare compute conclude conclusion condition consequently contradiction \
     count data deduce define derive difference divide divided each either else equal equals \
     equation estimate every exactly except explain fewer follows fraction from function given \
     half hence how however if implies invalid least less logic logical many mean measure minus \
     more most much multiply neither number only otherwise percent percentage plus premise \
     probability proof prove ratio reason result since solve step steps subtract sum than then \
     therefore thus times total twice unless valid value whereas whether why",
    )
});

/// Words of feeling, urgency, praise and blame.
static PATHOS: Lexicon = LazyLock::new(|| {
    lexicon(
        "abandoned absolutely afraid agony alarming alone amazing angry anxious ashamed awesome awful \
     beautiful beg beloved betrayed brave brilliant calm catastrophe cherish confused cruel cry \
     danger dangerous dear delighted desperate desperately devastated disappointed disaster \
     disgusting dreadful dream emergency enjoy evil excited exciting fantastic fear feel feeling \
     feelings feels frustrated frustrating furious glad glorious grateful great grief guilty \
     happy hate heart heartbreaking helpless hope hopeful hopeless horrible horrified hurt \
     immediately incredible insane joy joyful lonely lost love lovely mad miserable miss nervous \
     nightmare outrage outrageous overwhelmed pain painful panic passion pathetic perfect please \
     pleased proud regret relieved sad scared scary shame shocked shocking sorry stupid suffer \
     suffering tears terrible terrified terrifying thank thanks thrilled tragedy tragic ugly \
     unacceptable upset urgent urgently victim wish wonderful worried worry worst",
    )
});

/// What names a source.
#[expect(clippy::expect_used, reason = "the pattern is a constant, and tests run it")]
static CITES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"et al|https?://|\[1\]|according to|§").expect("a constant pattern compiles")
});

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
    let (mut ethos, mut logos, mut pathos) = (0.0, 0.0, 0.0);
    let mut found = 0;
    for word in words_of_folded(&folded) {
        found += 1;
        let known = |lexicon: &FxHashSet<&str>| lexicon.contains(word);
        ethos += if known(&ETHOS) { 1.0 } else { 0.0 };
        pathos += if known(&PATHOS) { 1.0 } else { 0.0 };
        logos += if word.starts_with(|c: char| c.is_ascii_digit()) {
            0.75
        } else if known(&LOGOS) {
            1.0
        } else {
            0.0
        };
    }
    if found == 0 {
        return Elp::default();
    }
    ethos += tally(CITES.find_iter(&folded).count());
    let (mut quotes, mut operators) = (0, 0);
    for c in folded.chars() {
        match c {
            '"' => quotes += 1,
            '=' | '+' | '*' | '/' | '<' | '>' | '%' | '×' | '÷' => operators += 1,
            '!' => pathos += 1.0,
            _ => {}
        }
    }
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
    text.split_whitespace()
        .filter(|word| {
            let letters = || word.chars().filter(|c| c.is_alphabetic());
            letters().count() > 3 && letters().all(char::is_uppercase)
        })
        .count()
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
        fn every_text_is_on_the_scale(text in "\\PC{0,200}") {
            let profile = elp(&text);
            for value in [profile.ethos, profile.logos, profile.pathos] {
                prop_assert!((0.0..=9.0).contains(&value));
            }
        }
    }
}
