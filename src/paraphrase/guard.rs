//! What no likeness of words can outweigh: where one of these differs, two questions ask different
//! things, whatever else they share.

use super::{
    features::Alignment,
    profile::{Profile, Word},
    words::Kind,
};

/// Why two questions cannot be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mismatch {
    /// Other numbers, or in another order.
    Number,
    /// Another unit or currency.
    Unit,
    /// One denies what the other does not.
    Negation,
    /// Another name, or another word that nothing is known of.
    Name,
    /// The opposite of a word: more and less, before and after.
    Opposite,
    /// What stands where is exchanged: from A to B, from B to A.
    Direction,
    /// Another day, month or season.
    Time,
    /// One asks who, the other when.
    Kind,
    /// Signs such as those of `C++` and `-5`.
    Sign,
    /// Too long to be compared as a whole.
    Length,
}

/// A word of this rarity or more that nothing meets is a topic of its own.
const RARE: f32 = 7.5;
/// Likeness from which on a name may be another spelling.
const SPELLED_ALIKE: f32 = 0.5;
/// Words of topic that may differ where otherwise hardly anything was changed, and those beside a
/// name: where more was said in other words, the score judges.
const FEW: usize = 2;
const FEW_NAMES: usize = 5;
/// Words of a short text.
const SHORT: usize = 16;
/// Words after a preposition among which its object is looked for.
const REACH: usize = 3;
/// Where one of these stands between two things, their order says nothing.
const SYMMETRIC: &[&str] = &[
    "and",
    "or",
    "vs",
    "versus",
    "between",
    "compare",
    "compared",
    "difference",
    "differences",
    "same",
    "both",
    "by",
    "either",
    "with",
    "each",
    "together",
];

/// The first reason for which two questions differ; `None` when nothing forbids that they ask the
/// same. Symmetric.
pub(super) fn mismatch(a: &Profile, b: &Profile, alignment: &Alignment) -> Option<Mismatch> {
    let found = |differs: bool, why: Mismatch| differs.then_some(why);
    let [met_a, met_b] = &alignment.of;
    let (lone_a, lone_b) = (Lone::of(a, met_a), Lone::of(b, met_b));
    let hardly_changed = lone_a.words <= FEW && lone_b.words <= FEW;
    // In a long text that says much in other words, a denial may be one of them.
    let is_short = a.words.len().min(b.words.len()) <= SHORT;
    let denies_alone = (a.negations > 0) != (b.negations > 0);
    let is_told = a.kind == Kind::Other && b.kind == Kind::Other;
    found(have_other_numbers(a, b), Mismatch::Number)
        .or_else(|| found(a.truncated || b.truncated, Mismatch::Length))
        .or_else(|| found(denies_alone && (hardly_changed || is_short), Mismatch::Negation))
        .or_else(|| found(of_words(a, Word::unit) != of_words(b, Word::unit), Mismatch::Unit))
        .or_else(|| found(set_of(a, Word::time) != set_of(b, Word::time), Mismatch::Time))
        .or_else(|| found(a.signs != b.signs, Mismatch::Sign))
        .or_else(|| found(a.kind.excludes(b.kind), Mismatch::Kind))
        .or_else(|| found(are_opposed(a, b), Mismatch::Opposite))
        .or_else(|| found(have_other_names(&lone_a, &lone_b, is_told), Mismatch::Name))
        .or_else(|| found(hardly_changed && are_exchanged(a, b), Mismatch::Direction))
        .or_else(|| found(is_reordered(a, b), Mismatch::Direction))
}

/// Other numbers in digits, or in another order; other numbers in words, where both have some.
fn have_other_numbers(a: &Profile, b: &Profile) -> bool {
    let plain = |profile: &Profile| profile.numbers.iter().all(|(_, spelled)| *spelled);
    let values = |profile: &Profile, spelled: bool| {
        let of = profile.numbers.iter().filter(|(_, s)| spelled || !s);
        of.map(|(value, _)| value.clone()).collect::<Vec<_>>()
    };
    let (all_a, all_b) = (values(a, true), values(b, true));
    if all_a == all_b {
        return false;
    }
    // A number in words alone, such as that of "two ways to", may be left out.
    let spelled = plain(a) && all_b.is_empty() || plain(b) && all_a.is_empty();
    !spelled && (values(a, false) != values(b, false) || plain(a) && plain(b))
}

fn of_words<T>(profile: &Profile, of: impl Fn(&Word) -> Option<T>) -> Vec<T> {
    profile.words.iter().filter_map(of).collect()
}

fn set_of<T: Ord>(profile: &Profile, of: impl Fn(&Word) -> Option<T>) -> Vec<T> {
    let mut found = of_words(profile, of);
    found.sort_unstable();
    found.dedup();
    found
}

/// One side has a word whose opposite the other has, and neither has both; or a word and the same
/// word denied by its prefix.
fn are_opposed(a: &Profile, b: &Profile) -> bool {
    let (poles_a, poles_b) = (set_of(a, Word::pole), set_of(b, Word::pole));
    let lacks = |poles: &[(u8, bool)], pole: (u8, bool)| poles.binary_search(&pole).is_err();
    let opposed = poles_a.iter().any(|&(pair, side)| {
        lacks(&poles_b, (pair, side))
            && !lacks(&poles_b, (pair, !side))
            && lacks(&poles_a, (pair, !side))
    });
    opposed || is_denied(a, b) || is_denied(b, a)
}

fn is_denied(plain: &Profile, denied: &Profile) -> bool {
    const PREFIXES: &[&str] = &["un", "in", "im", "il", "ir", "dis", "non", "mis", "de", "anti"];
    let has = |profile: &Profile, text: &str| profile.words.iter().any(|word| &*word.text == text);
    denied.words.iter().any(|word| {
        PREFIXES.iter().filter_map(|prefix| word.text.strip_prefix(prefix)).any(|rest| {
            rest.len() >= 3 && has(plain, rest) && !has(denied, rest) && !has(plain, &word.text)
        })
    })
}

/// Words of topic that only one side has, and whether a name or a rare word is among them.
#[derive(Default)]
struct Lone {
    words: usize,
    named: bool,
    rare: bool,
}

impl Lone {
    fn of(profile: &Profile, met: &[(f32, Option<usize>)]) -> Self {
        let mut lone = Self::default();
        for (word, (likeness, _)) in profile.words.iter().zip(met) {
            if word.is_content() && *likeness < SPELLED_ALIKE {
                lone.words += 1;
                lone.named |= word.name;
                lone.rare |= word.weight >= RARE;
            } else if word.name && *likeness < 0.8 {
                // Names that differ in a few letters may be two names: Austria and Australia.
                lone.words += 1;
                lone.named = true;
            }
        }
        lone
    }
}

/// Each side has something that the other lacks, and on both it is a name, or, in questions, rare
/// where hardly anything else was changed.
fn have_other_names(a: &Lone, b: &Lone, is_told: bool) -> bool {
    let special = |lone: &Lone| {
        lone.named && lone.words <= FEW_NAMES || lone.rare && lone.words <= FEW && !is_told
    };
    special(a) && special(b)
}

/// What stands in a place of one side stands in another place of the other: the same preposition
/// has another object, and what is its object on one side stands before it on the other, on both
/// sides (A to B, B to A).
fn are_exchanged(a: &Profile, b: &Profile) -> bool {
    let (of_a, of_b) = (objects(a), objects(b));
    let stands_before = |profile: &Profile, at: usize, stem: u32| {
        profile.words.iter().take(at).any(|word| word.stem == stem)
    };
    let has = |objects: &[Object], role: u8, stem: u32| {
        objects.iter().any(|object| object.role == role && object.stem == stem)
    };
    of_a.iter().any(|ours| {
        of_b.iter().any(|theirs| {
            ours.role == theirs.role
                && ours.stem != theirs.stem
                && stands_before(b, theirs.at, ours.stem)
                && stands_before(a, ours.at, theirs.stem)
                && !has(&of_b, ours.role, ours.stem)
                && !has(&of_a, theirs.role, theirs.stem)
        })
    })
}

/// A preposition's object.
struct Object {
    role: u8,
    /// Where the preposition stands, in words.
    at: usize,
    stem: u32,
}

/// Each preposition with the word that it is about.
fn objects(profile: &Profile) -> Vec<Object> {
    let found = profile.words.iter().enumerate().filter_map(|(at, word)| {
        let role = word.role()?;
        let object = profile.words.iter().skip(at + 1).take(REACH);
        let object = object.take_while(|w| w.role().is_none());
        let object = object.clone().find(|word| !word.stop || word.name)?;
        Some(Object { role, at, stem: object.stem })
    });
    found.collect()
}

/// The very same words with those of topic in another order, and nothing that would make it the
/// same thing.
fn is_reordered(a: &Profile, b: &Profile) -> bool {
    let stems = |profile: &Profile, stops: bool| {
        let words = profile.words.iter().filter(|word| stops || !word.stop);
        words.map(|word| word.stem).collect::<Vec<_>>()
    };
    if a.words.len() != b.words.len() || stems(a, false) == stems(b, false) {
        return false;
    }
    let symmetric =
        |profile: &Profile| profile.words.iter().any(|word| SYMMETRIC.contains(&&*word.text));
    let (mut all_a, mut all_b) = (stems(a, true), stems(b, true));
    all_a.sort_unstable();
    all_b.sort_unstable();
    all_a == all_b && !symmetric(a) && !symmetric(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paraphrase::lexicon::Lexicon;

    fn between(a: &str, b: &str) -> Option<Mismatch> {
        let lexicon = Lexicon::empty();
        let (a, b) = (Profile::of(a, &lexicon), Profile::of(b, &lexicon));
        let there = mismatch(&a, &b, &Alignment::between(&a, &b));
        let back = mismatch(&b, &a, &Alignment::between(&b, &a));
        assert_eq!(there.is_some(), back.is_some(), "{a:?} {b:?}");
        there
    }

    #[test]
    fn what_turns_the_answer_around_is_a_mismatch() {
        for (a, b, why) in [
            (
                "how many apples has John with 12",
                "how many apples has John with 13",
                Mismatch::Number,
            ),
            ("is the service up", "is the service not up", Mismatch::Negation),
            ("is it safe without a helmet", "is it safe with a helmet", Mismatch::Opposite),
            ("convert 5 miles to km", "convert 5 km to miles", Mismatch::Unit),
            ("who is the CEO of Google", "who is the CEO of Microsoft", Mismatch::Name),
            (
                "What is the capital of Austria?",
                "What is the capital of Australia?",
                Mismatch::Name,
            ),
            ("what happens before the war", "what happens after the war", Mismatch::Opposite),
            ("is it legal to park here", "is it illegal to park here", Mismatch::Opposite),
            (
                "how is Ronaldo better than Messi",
                "how is Messi better than Ronaldo",
                Mismatch::Direction,
            ),
            (
                "how do I move from Windows to Linux",
                "how do I move from Linux to Windows",
                Mismatch::Direction,
            ),
            ("does A beat B", "does B beat A", Mismatch::Direction),
            (
                "turn a list into a tuple in Python",
                "make a tuple into a list in Python",
                Mismatch::Direction,
            ),
            ("can I eat with asthma", "can I avoid eating with asthma", Mismatch::Negation),
            ("is it open on Monday", "is it open on Tuesday", Mismatch::Time),
            ("who wrote Hamlet", "when was Hamlet written", Mismatch::Kind),
            ("how do I learn C++", "how do I learn C", Mismatch::Sign),
        ] {
            assert_eq!(between(a, b), Some(why), "{a} / {b}");
        }
    }

    #[test]
    fn what_is_said_in_other_words_is_none() {
        for (a, b) in [
            ("What is the best way to learn Python?", "How can I learn Python best?"),
            (
                "What is the difference between an API and a library?",
                "What is the difference between a library and an API?",
            ),
            ("version 2.10.0 does not have it", "it is not in v2.10.0"),
            (
                "the column method selects a column by its name or index",
                "a column is selected by the column method by its name or index",
            ),
            ("why is the sky blue", "what is the reason that the sky is blue"),
        ] {
            assert_eq!(between(a, b), None, "{a} / {b}");
        }
        // Without a word list, "get" and "travel" are as rare as names: a miss, never a false hit.
        let (a, b) =
            ("How do I get from Paris to London?", "How can I travel to London from Paris?");
        assert_eq!(between(a, b), Some(Mismatch::Name));
    }
}
