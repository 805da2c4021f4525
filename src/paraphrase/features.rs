//! Cheap features of two questions. Symmetric: which of the two comes first never matters.

use super::{
    guard::Mismatch,
    lexicon::Lexicon,
    profile::{Profile, Word, starts},
    words::Kind,
};

/// Places for the features of a pair; the last one is for what a sentence model says.
pub(super) const FEATURES: usize = 64;
/// Features that are told of each side; each gives the lesser and the greater of the two.
const SIDED: usize = 20;
/// A word counts as met by another from this likeness on.
const MET: f32 = 0.6;

/// The place of the share of both sides' topic, by weight, that the other side has word for word.
pub(super) const SHARED_TOPIC: usize = FEATURES - 4;

/// The place of the cosine of both sides' points.
pub(super) const MEANING: usize = FEATURES - 1;

/// The place of the likeness of both sides' groups of four letters, across words.
pub(super) const SHARED_LETTERS: usize = 2 * SIDED + 3;

/// The features of a pair, in a fixed order that a trained model knows.
pub(super) type Features = [f32; FEATURES];

/// What labelled pairs say of the words of a pair. In training a part is held out, so that no pair
/// tells of itself.
pub(super) trait Evidence {
    /// Log-odds that the questions are the same, given that both have the word.
    fn shared(&self, word: &Word) -> Option<f32>;
    /// The same, given that one has it.
    fn lone(&self, word: &Word) -> Option<f32>;
    /// The same, given how the two begin.
    fn starts(&self, hash: u32) -> f32;
}

impl Evidence for Lexicon {
    fn shared(&self, word: &Word) -> Option<f32> {
        word.record.map(|record| record.shared)
    }

    fn lone(&self, word: &Word) -> Option<f32> {
        word.record.map(|record| record.lone)
    }

    fn starts(&self, hash: u32) -> f32 {
        self.starts.get(&hash).copied().unwrap_or_default()
    }
}

/// Which word of the other side meets each word, and how well (0 to 1), for both sides.
#[derive(Debug, Clone)]
pub(super) struct Alignment {
    pub(super) of: [Vec<(f32, Option<usize>)>; 2],
}

impl Alignment {
    pub(super) fn between(a: &Profile, b: &Profile) -> Self {
        let side =
            |words: &[Word], others: &[Word]| words.iter().map(|word| best(word, others)).collect();
        Self { of: [side(&a.words, &b.words), side(&b.words, &a.words)] }
    }
}

fn best(word: &Word, others: &[Word]) -> (f32, Option<usize>) {
    if let Some(at) = others.iter().position(|other| other.stem == word.stem) {
        return (1.0, Some(at));
    }
    let mut best = (0.0, None);
    for (at, other) in others.iter().enumerate() {
        if other.stop == word.stop && !word.number && !other.number {
            let likeness = dice(&word.threes, &other.threes).min(0.99);
            if likeness > best.0 {
                best = (likeness, Some(at));
            }
        }
    }
    best
}

/// The features of two questions.
pub(super) fn features(
    a: &Profile,
    b: &Profile,
    alignment: &Alignment,
    why: Option<Mismatch>,
    evidence: &impl Evidence,
) -> Features {
    let mut found = [0.0; FEATURES];
    let mut next = found.iter_mut();
    let mut put = |value: f32| {
        if let Some(place) = next.next() {
            *place = value;
        }
    };
    let sides = [side(a, b, &alignment.of[0]), side(b, a, &alignment.of[1])];
    for (one, other) in sides[0].iter().zip(&sides[1]) {
        put(one.min(*other));
        put(one.max(*other));
    }
    put((a.words.len() as f32 - b.words.len() as f32).abs());
    put((a.negations as f32 - b.negations as f32).abs());
    put(dice(&a.pairs, &b.pairs));
    put(dice(&a.fours, &b.fours));
    put(f32::from(u8::from(a.kind == b.kind)));
    put(kind(a.kind.min(b.kind)));
    put(kind(a.kind.max(b.kind)));
    let same = |pair: &(&Word, &Word)| pair.0.stem == pair.1.stem;
    put(a.words.iter().zip(&b.words).take_while(same).count() as f32);
    put(a.words.iter().rev().zip(b.words.iter().rev()).take_while(same).count() as f32);
    put((inversions(&alignment.of[0]) + inversions(&alignment.of[1])) / 2.0);
    let told = Told::of(a, b, alignment, evidence);
    put(told.lone_sum);
    put(told.lone_sum / told.lone.max(1.0));
    put(told.lone_least);
    put(told.lone_most);
    put(told.shared_sum);
    put(told.shared_sum / told.shared.max(1.0));
    put(told.shared_least);
    put(evidence.starts(starts(a, b)));
    put(a.length.min(b.length) as f32 / a.length.max(b.length).max(1) as f32);
    put(a.vector.cosine(&b.vector));
    put(sides[0][2] * sides[1][2]);
    put(why.map_or(0.0, |why| 1.0 + f32::from(why as u8)));
    put(f32::from(u8::from(a.numbers == b.numbers)));
    put(meaning(a, b));
    found
}

/// Cosine of what a sentence model takes both sides to mean; 0 where it was not asked.
pub(super) fn meaning(a: &Profile, b: &Profile) -> f32 {
    a.point.as_deref().zip(b.point.as_deref()).map_or(0.0, |(a, b)| a.cosine(b))
}

fn kind(kind: Kind) -> f32 {
    f32::from(kind as u8)
}

/// What one side's words have on the other.
fn side(x: &Profile, y: &Profile, met: &[(f32, Option<usize>)]) -> [f32; SIDED] {
    let (mut total, mut exact, mut soft) = (0.0, 0.0, 0.0);
    let (mut topic, mut topic_exact, mut topic_soft) = (0.0, 0.0, 0.0);
    let (mut lone, mut missing, mut worst, mut second) = (0.0, 0.0, 0.0_f32, 0.0_f32);
    let (mut names, mut lone_names, mut stops, mut stops_met) = (0.0, 0.0, 0.0_f32, 0.0);
    let (mut lone_numbers, mut least_met) = (0.0, 1.0_f32);
    for (word, &(likeness, _)) in x.words.iter().zip(met) {
        let is_met = likeness == 1.0;
        let hit = f32::from(u8::from(is_met));
        total += word.weight;
        exact += word.weight * hit;
        soft += word.weight * likeness;
        if word.stop {
            stops += 1.0;
            stops_met += hit;
        } else {
            topic += word.weight;
            topic_exact += word.weight * hit;
            topic_soft += word.weight * likeness;
            if !is_met {
                lone += 1.0;
                let miss = word.weight * (1.0 - likeness);
                missing += miss;
                second = second.max(worst.min(miss));
                worst = worst.max(miss);
                least_met = least_met.min(likeness);
            }
        }
        if word.name {
            names += 1.0;
            lone_names += 1.0 - hit;
        }
        if word.number {
            lone_numbers += 1.0 - hit;
        }
    }
    let share = |part: f32, whole: f32| part / whole.max(1e-6);
    [
        share(exact, total),
        share(soft, total),
        share(topic_exact, topic),
        share(topic_soft, topic),
        lone,
        missing,
        worst,
        names,
        lone_names,
        stops_met / stops.max(1.0),
        lone_numbers,
        least_met,
        x.words.len() as f32,
        x.negations as f32,
        second,
        topic,
        f32::from(u8::from(y.words.len() >= x.words.len())),
        topic_exact,
        lone / (x.words.len() as f32 - stops).max(1.0),
        names - lone_names,
    ]
}

/// What labelled pairs tell of the words.
#[derive(Default)]
struct Told {
    lone: f32,
    lone_sum: f32,
    lone_least: f32,
    lone_most: f32,
    shared: f32,
    shared_sum: f32,
    shared_least: f32,
}

impl Told {
    /// A word that both sides have counts as one half on either: where a side repeats it, the
    /// sides count differently, and which of them comes first must not matter.
    fn of(a: &Profile, b: &Profile, alignment: &Alignment, evidence: &impl Evidence) -> Self {
        let mut told = Self::default();
        for (side, met) in [(a, &alignment.of[0]), (b, &alignment.of[1])] {
            for (word, &(likeness, _)) in side.words.iter().zip(met) {
                if likeness < 1.0 {
                    if let Some(odds) = evidence.lone(word) {
                        told.lone += 1.0;
                        told.lone_sum += odds;
                        told.lone_least = told.lone_least.min(odds);
                        told.lone_most = told.lone_most.max(odds);
                    }
                } else if let Some(odds) = evidence.shared(word) {
                    told.shared += 0.5;
                    told.shared_sum += odds / 2.0;
                    told.shared_least = told.shared_least.min(odds);
                }
            }
        }
        told
    }
}

/// Share of the pairs of met words that stand in another order on the other side.
fn inversions(met: &[(f32, Option<usize>)]) -> f32 {
    let places: Vec<usize> =
        met.iter().filter(|(likeness, _)| *likeness > MET).filter_map(|(_, at)| *at).collect();
    let mut turned = 0_usize;
    for (at, place) in places.iter().enumerate() {
        turned += places.iter().skip(at + 1).filter(|later| *later < place).count();
    }
    let pairs = places.len() * places.len().saturating_sub(1) / 2;
    turned as f32 / pairs.max(1) as f32
}

/// Dice's coefficient of two sorted lists.
pub(super) fn dice(a: &[u32], b: &[u32]) -> f32 {
    let (mut rest, mut common) = (b, 0_usize);
    for hash in a {
        while let [first, others @ ..] = rest {
            if first > hash {
                break;
            }
            rest = others;
            if first == hash {
                common += 1;
                break;
            }
        }
    }
    2.0 * common as f32 / (a.len() + b.len()).max(1) as f32
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, test_runner::TestCaseError};

    use super::*;
    use crate::paraphrase::guard::mismatch;

    fn profile(text: &str) -> Profile {
        Profile::of(text, &Lexicon::empty())
    }

    fn of(a: &str, b: &str) -> Features {
        let lexicon = Lexicon::empty();
        let (a, b) = (profile(a), profile(b));
        let alignment = Alignment::between(&a, &b);
        features(&a, &b, &alignment, mismatch(&a, &b, &alignment), &lexicon)
    }

    #[test]
    fn the_last_features_have_their_places() {
        let (same, other) =
            (of("seven apples", "seven apples"), of("seven apples", "eight apples"));
        assert_eq!((same[FEATURES - 2], other[FEATURES - 2]), (1.0, 0.0), "the numbers");
        assert_eq!(same[SHARED_TOPIC], 1.0);
        assert!(other[SHARED_TOPIC] < 1.0);
        assert_eq!(same[SHARED_LETTERS], 1.0);
        let letters = dice(&profile("seven apples").fours, &profile("eight apples").fours);
        assert_eq!(other[SHARED_LETTERS], letters);
        let cosine = SHARED_TOPIC - 1;
        assert!((same[cosine] - 1.0).abs() < 0.02 && other[cosine] < same[cosine]);
        assert_eq!(same[FEATURES - 1], 0.0, "no sentence model was asked");
    }

    fn finite_and_symmetric(a: &str, b: &str) -> Result<(), TestCaseError> {
        let there = of(a, b);
        prop_assert!(there.iter().all(|value| value.is_finite()));
        let back = of(b, a);
        for (at, (x, y)) in there.iter().zip(&back).enumerate() {
            prop_assert!((x - y).abs() < 1e-3, "feature {} is {} and {}", at, x, y);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn features_are_finite_and_symmetric(
            a in "[a-zA-Z0-9 ?']{0,60}", b in "[a-zA-Z0-9 ?']{0,60}"
        ) {
            finite_and_symmetric(&a, &b)?;
        }

        #[test]
        fn repeated_words_leave_the_features_symmetric(
            a in "((cat|cats|dog|not|7|is) ){0,8}", b in "((cat|cats|dog|not|7|is) ){0,8}"
        ) {
            finite_and_symmetric(&a, &b)?;
        }
    }
}
