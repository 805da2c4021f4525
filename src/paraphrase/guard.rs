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
    /// What ought to be, and what can be.
    Modal,
    /// What is, and what was.
    Tense,
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
const SYMMETRIC: &[&str] = &["and", "or", "vs", "versus", "nor"];
/// The same where two things are compared or put together.
const COMPARING_WITH: &[&str] = &["with", "to", "against", "from"];
/// What says that they are.
const COMPARING: &[&str] = &[
    "between",
    "both",
    "combine",
    "compare",
    "compared",
    "comparing",
    "comparison",
    "difference",
    "differences",
    "differ",
    "different",
    "each",
    "either",
    "mix",
    "same",
    "similar",
    "together",
];
/// Prepositions that lead to a thing, and those that lead away from it.
const TOWARDS: &[&str] = &["into", "to", "toward", "towards", "until"];
const AWAY: &[&str] = &["from", "since"];
/// Words with which a question for yes or no begins, by what they ask: what ought to be, what can or
/// may be, what has to be.
const MODALS: &[&[&str]] =
    &[&["should", "shall", "ought"], &["can", "could", "may", "might"], &["must"]];

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
        .or_else(|| found(have_other_signs(a, b), Mismatch::Sign))
        .or_else(|| found(a.kind.excludes(b.kind), Mismatch::Kind))
        .or_else(|| found(are_opposed(a, b), Mismatch::Opposite))
        .or_else(|| found(have_other_names(&lone_a, &lone_b, is_told), Mismatch::Name))
        .or_else(|| found(hardly_changed && are_exchanged(a, b), Mismatch::Direction))
        .or_else(|| {
            found(hardly_changed && is_turned(a, b) || is_reordered(a, b), Mismatch::Direction)
        })
        .or_else(|| found(have_other_modals(a, b), Mismatch::Modal))
        .or_else(|| found(have_other_tenses(a, b), Mismatch::Tense))
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

/// What one leads to, the other leads away from: flights to Berlin, flights from Berlin.
fn is_turned(a: &Profile, b: &Profile) -> bool {
    let (of_a, of_b) = (objects(a), objects(b));
    let leads = |profile: &Profile, object: &Object| {
        let word = profile.words.get(object.at).map(|word| &*word.text).unwrap_or_default();
        (TOWARDS.contains(&word) || AWAY.contains(&word)).then(|| TOWARDS.contains(&word))
    };
    let ways = |profile: &Profile, objects: &[Object], stem: u32| {
        let of_it = objects.iter().filter(|object| object.stem == stem);
        of_it.filter_map(|object| leads(profile, object)).collect::<Vec<_>>()
    };
    of_a.iter().any(|object| {
        leads(a, object).is_some_and(|way| {
            let theirs = ways(b, &of_b, object.stem);
            theirs.contains(&!way)
                && !theirs.contains(&way)
                && !ways(a, &of_a, object.stem).contains(&!way)
        })
    })
}

/// Other signs, where `&` is none that the other side writes as a word.
fn have_other_signs(a: &Profile, b: &Profile) -> bool {
    let ands = |profile: &Profile| {
        profile.words.iter().filter(|word| &*word.text == "and").count()
            + profile.signs.iter().filter(|sign| **sign == '&').count()
    };
    let others = |profile: &Profile| {
        profile.signs.iter().copied().filter(|sign| *sign != '&').collect::<Vec<_>>()
    };
    a.signs != b.signs && (others(a) != others(b) || ands(a) != ands(b))
}

/// One asks what ought to be, the other what can be.
fn have_other_modals(a: &Profile, b: &Profile) -> bool {
    let modal = |profile: &Profile| {
        let of = |word: &Word| MODALS.iter().position(|words| words.contains(&&*word.text));
        let first = profile.words.first()?;
        // "How can I" and "what should I do" ask for advice in either way.
        let asks_which = ["which", "who", "whom", "when"].contains(&&*first.text);
        if asks_which { profile.words.iter().find_map(of) } else { of(first) }
    };
    modal(a).zip(modal(b)).is_some_and(|(a, b)| a != b)
}

/// One asks what is so, the other what was: of questions for yes or no, for somebody and for a time.
/// "What is the significance of" a battle asks what it was.
fn have_other_tenses(a: &Profile, b: &Profile) -> bool {
    let is_past = |profile: &Profile| {
        let word = |at: usize| profile.words.get(at).map_or("", |word| &*word.text);
        let verb = if ["who", "when"].contains(&word(0)) { word(1) } else { word(0) };
        match verb {
            "is" | "are" | "does" | "do" => Some(false),
            "was" | "were" | "did" => Some(true),
            _ => None,
        }
    };
    is_past(a).zip(is_past(b)).is_some_and(|(a, b)| a != b)
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

/// The very same words with those of topic in another order, unless two things have changed places
/// between which a word stands that makes them equals.
fn is_reordered(a: &Profile, b: &Profile) -> bool {
    if a.words.len() != b.words.len() {
        return false;
    }
    let (of_a, of_b) = (Order::of(a), Order::of(b));
    if of_a.topic == of_b.topic {
        return false;
    }
    let stems = |profile: &Profile| {
        let mut all: Vec<_> = profile.words.iter().map(|word| word.stem).collect();
        all.sort_unstable();
        all
    };
    stems(a) == stems(b) && !of_a.is_equal_but_for_equals(&of_b)
}

/// The words of topic in their order, and before which of them a symmetric word stands.
struct Order {
    topic: Vec<u32>,
    symmetric: Vec<usize>,
}

impl Order {
    fn of(profile: &Profile) -> Self {
        let compares = profile.words.iter().any(|word| COMPARING.contains(&&*word.text));
        let (mut topic, mut symmetric) = (Vec::new(), Vec::new());
        for word in &profile.words {
            let text = &*word.text;
            if SYMMETRIC.contains(&text) || compares && COMPARING_WITH.contains(&text) {
                symmetric.push(topic.len());
            } else if !word.stop && !COMPARING.contains(&text) {
                topic.push(word.stem);
            }
        }
        Self { topic, symmetric }
    }

    /// Whether the two things beside one symmetric word have changed places, and all else is where it
    /// was.
    fn is_equal_but_for_equals(&self, other: &Self) -> bool {
        let (a, b) = (&self.topic, &other.topic);
        if a.len() != b.len() {
            return false;
        }
        // Of as many words each: what is more on one side may be the verb of the sentence.
        self.symmetric.iter().filter(|at| other.symmetric.contains(at)).any(|&at| {
            (1..=at.min(a.len() - at)).any(|long| {
                let parts = |words: &[u32]| {
                    let (before, rest) = words.split_at(at - long);
                    let (left, rest) = rest.split_at(long);
                    let (right, after) = rest.split_at(long);
                    [before, left, right, after].map(<[u32]>::to_vec)
                };
                let ([before, left, right, after], theirs) = (parts(a), parts(b));
                theirs == [before, right, left, after]
            })
        })
    }
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
            ("what does ! mean in rust", "what does & mean in rust", Mismatch::Sign),
            ("what is the value of 5!", "what is the value of 5", Mismatch::Sign),
            ("cheap flights to Berlin", "cheap flights from Berlin", Mismatch::Direction),
            ("the train from the old town", "the train to the old town", Mismatch::Direction),
            ("Can Tom with a key beat Ann", "Can Ann with a key beat Tom", Mismatch::Direction),
            (
                "does Tom or Bob beat Ann and Joe",
                "does Ann or Bob beat Tom and Joe",
                Mismatch::Direction,
            ),
            ("does Tom beat Ann and Joe", "does Joe and Tom beat Ann", Mismatch::Direction),
            ("replace tabs with spaces", "replace spaces with tabs", Mismatch::Direction),
            ("divide a mile by b", "divide b by a mile", Mismatch::Direction),
            ("should I buy a house", "could I buy a house", Mismatch::Modal),
            ("which pill should I take", "which pill can I take", Mismatch::Modal),
            ("is the pool open at 8", "was the pool open at 8", Mismatch::Tense),
            ("who is the manager in Berlin", "who was the manager in Berlin", Mismatch::Tense),
            ("when does the lease start", "when did the lease start", Mismatch::Tense),
            ("must a driver stop here", "may a driver stop here", Mismatch::Modal),
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
            ("compare Rust with Python", "compare Python with Rust"),
            ("is red wine or white beer healthier", "is white beer or red wine healthier"),
            ("who sang rock & roll", "who sang rock and roll"),
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
