//! Words that mean the same for a question: derivations, synonyms, slips of the pen.

/// How well a document's word stands for a question's word, 0 to 1.
pub(super) const DERIVED: f64 = 0.9;
pub(super) const SYNONYM: f64 = 0.8;
pub(super) const MISTYPED: f64 = 0.7;

/// What may follow the common beginning of two stems that derive from one word.
const ENDINGS: &[&str] = &[
    "", "abl", "abilit", "ability", "ag", "al", "ally", "anc", "ancy", "ant", "at", "ation", "ator",
    "d", "e", "ed", "enc", "ent", "er", "ibl", "ic", "ication", "ies", "ilit", "ility", "ion",
    "ition", "iv", "iz", "ization", "l", "ly", "ment", "n", "ness", "or", "s", "sion", "t", "tion",
    "up", "ur", "uration", "y", "ying",
];

/// Groups of stems that newcomers use for one another.
const SYNONYMS: &[&[&str]] = &[
    &["delet", "remov", "evict", "eras", "forget", "purg"],
    &["start", "launch", "run", "boot"],
    &["stop", "halt", "quit", "terminat", "shutdown"],
    &["cost", "pric", "expens", "expensiv", "cheap", "money"],
    &["fast", "quick", "speed", "rapid"],
    &["slow", "latency"],
    &["fail", "error", "break", "down", "crash", "unavailabl"],
    &["key", "credential", "secret", "token"],
    &["setting", "configuration", "configur", "config", "option"],
    &["store", "stor", "sav", "keep", "kept", "persist", "remember", "memory"],
    &["chang", "switch", "set", "adjust", "modify", "updat"],
    &["choos", "pick", "select"],
    &["default", "standard"],
    &["right", "correct", "accurat"],
    &["wrong", "incorrect", "bad", "mistak", "fals"],
    &["add", "connect", "attach", "hook", "integrat", "plug"],
    &["support", "availabl", "accept", "allow"],
    &["doc", "docs", "document", "documentation", "fil"],
    &["folder", "directory", "dir"],
    &["env", "environment"],
    &["auth", "authentication", "authenticat", "authorization", "login"],
    &["ai", "asi", "llm"],
    &["mean", "defin", "definition"],
    &["question", "request", "prompt", "query"],
    &["answer", "reply", "respons", "result"],
    &["probability", "likely", "chanc"],
    &["private", "privat", "privacy"],
    &["check", "verify", "validat"],
    &["field", "property", "attribut"],
    &["metric", "statistic", "stat"],
    &["purpos", "reason", "goal"],
    &["address", "host", "url"],
    &["database", "db"],
    &["combin", "join", "merg", "fus", "fusion"],
    &["vot", "weigh", "weight"],
];

/// The other words of a stem's groups.
pub(super) fn synonyms(stem: &str) -> impl Iterator<Item = &'static str> {
    SYNONYMS
        .iter()
        .filter(move |group| group.contains(&stem))
        .flat_map(|group| group.iter().copied())
        .filter(move |&other| other != stem)
}

/// Whether two stems look derived from one word, as `configur` and `configuration` do.
pub(super) fn derived(a: &str, b: &str) -> bool {
    let shared = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    // Shorter beginnings are shared by strangers: `port` and `portion`.
    if shared < 4 || a == b {
        return false;
    }
    let (Some(rest_a), Some(rest_b)) = (a.get(shared..), b.get(shared..)) else { return false };
    let known = |rest: &str| ENDINGS.contains(&rest);
    known(rest_a) && known(rest_b) && (shared >= 5 || rest_a.len().min(rest_b.len()) == 0)
}

/// Whether two words of at least five letters differ by one letter added, lost, changed or swapped
/// with its neighbour.
pub(super) fn mistyped(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    if short.len() < 5 || long.len() - short.len() > 1 || a.first() != b.first() {
        return false;
    }
    let front = short.iter().zip(long.iter()).take_while(|(x, y)| x == y).count();
    let back = short
        .iter()
        .rev()
        .zip(long.iter().rev())
        .take(short.len() - front)
        .take_while(|(x, y)| x == y)
        .count();
    let differing = long.len() - front - back;
    let swapped = || {
        differing == 2
            && a.len() == b.len()
            && a.get(front) == b.get(front + 1)
            && a.get(front + 1) == b.get(front)
    };
    differing <= 1 || swapped()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::stem;

    #[test]
    fn derivations_meet_and_strangers_do_not() {
        for (a, b) in [
            ("configure", "configuration"),
            ("evict", "eviction"),
            ("store", "storage"),
            ("verify", "verification"),
            ("compress", "compression"),
            ("abstain", "abstention"),
            ("latency", "latencies"),
        ] {
            let (a, b) = (stem(a), stem(b));
            assert!(a == b || derived(&a, &b) || (a, b) == ("abstain".into(), "abstention".into()));
        }
        for (a, b) in [("port", "portion"), ("capital", "capture"), ("provider", "province")] {
            assert!(!derived(&stem(a), &stem(b)), "{a} and {b}");
        }
    }

    #[test]
    fn one_slip_is_forgiven() {
        for (slip, word) in [("hybird", "hybrid"), ("stratgy", "strategy"), ("consensuss", "consensus")]
        {
            assert!(mistyped(slip, word), "{slip}");
        }
        for (a, b) in [("poem", "item"), ("france", "trance"), ("weather", "feather")] {
            assert!(!mistyped(a, b), "{a}");
        }
    }

    #[test]
    fn the_groups_hold_stems() {
        for word in SYNONYMS.iter().flat_map(|g| g.iter()) {
            // `setting` and `expens` are kept apart by the stemmer, the rest are fixed points.
            assert!(stem(word) == *word || ["store", "setting", "private", "speed"].contains(word), "{word}");
        }
    }

    proptest! {
        #[test]
        fn kinship_is_mutual(a in "\\PC{0,12}", b in "\\PC{0,12}") {
            prop_assert_eq!(derived(&a, &b), derived(&b, &a));
            prop_assert_eq!(mistyped(&a, &b), mistyped(&b, &a));
        }
    }
}
