//! Words that mean the same for a question: derivations, synonyms, slips of the pen.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::text::stem;

/// How well a document's word stands for a question's word, 0 to 1.
pub(super) const DERIVED: f64 = 0.9;
pub(super) const SYNONYM: f64 = 0.8;
pub(super) const MISTYPED: f64 = 0.7;

/// What may follow the common beginning of two stems that derive from one word.
const ENDINGS: &[&str] = &[
    "", "abl", "abilit", "ability", "ag", "al", "ally", "anc", "ancy", "ant", "at", "ation",
    "ator", "d", "e", "ed", "enc", "ent", "er", "est", "ibl", "ic", "ication", "ies", "ilit",
    "ility", "ion", "ition", "iv", "iz", "ization", "l", "ly", "ment", "n", "ness", "or", "r", "s",
    "sion", "st", "t", "tion", "up", "ur", "uration", "y", "ying",
];

/// Groups of words that newcomers use for one another.
const SYNONYMS: &[&[&str]] = &[
    &["abort", "cancel"],
    &["abstain", "abstention", "silent"],
    &["accept", "allow", "available", "permit", "support"],
    &["accepted", "allowed", "permitted"],
    &["accuracy", "quality"],
    &["add", "attach", "connect", "hook", "integrate", "plug", "put"],
    &["add", "upload"],
    &["address", "host", "url"],
    &["adjust", "alter", "change", "modify", "set", "switch", "update"],
    &["again", "repeat", "retry"],
    &["age", "expire", "ttl"],
    &["agree", "equal", "same"],
    &["ai", "asi", "llm"],
    &["alarm", "alert", "warning"],
    &["answer", "reply", "response", "result"],
    &["attribute", "field", "property"],
    &["auth", "authenticate", "authentication", "login"],
    &["author", "maker"],
    &["back", "revert", "undo"],
    &["belong", "own", "owner"],
    &["benchmark", "compare", "evaluate", "measure"],
    &["big", "huge", "large", "length", "long", "size"],
    &["biggest", "largest", "limit", "longest", "maximum", "most"],
    &["block", "wait"],
    &["boot", "launch", "run", "start"],
    &["bound", "cap", "limit", "restrict"],
    &["break", "crash", "down", "error", "fail", "failure", "outage", "unavailable"],
    &["broken", "cut", "interrupted", "truncated"],
    &["build", "compile", "install"],
    &["cache", "keep", "kept", "memory", "persist", "remember", "save", "store"],
    &["calibrated", "calibration"],
    &["caller", "client", "user"],
    &["certificate", "https", "ssl", "tls"],
    &["chance", "likely", "probability"],
    &["charge", "cheap", "cost", "expensive", "free", "money", "paid", "pay", "price"],
    &["chat", "conversation", "dialogue", "session"],
    &["check", "validate", "verify"],
    &["choose", "decide", "pick", "select"],
    &["citation", "cite", "quote"],
    &["combine", "fuse", "fusion", "join", "merge"],
    &["computer", "machine", "server"],
    &["concurrent", "parallel", "simultaneous"],
    &["config", "configuration", "configure", "option", "set", "setting", "setup"],
    &["container", "docker", "image"],
    &["correct", "right"],
    &["count", "many", "number"],
    &["crash", "power"],
    &["credential", "key", "secret", "token"],
    &["dashboard", "grafana"],
    &["database", "db"],
    &["deadline", "time", "timeout"],
    &["decline", "deny", "forbid", "refuse", "reject"],
    &["default", "standard"],
    &["define", "definition"],
    &["delete", "erase", "evict", "forget", "purge", "remove", "reset", "wipe"],
    &["detect", "monitor", "notice", "watch"],
    &["differ", "disagree", "dissent"],
    &["differently", "meaning", "rephrase", "reword"],
    &["dir", "directory", "folder"],
    &["disable", "hide", "off", "turn"],
    &["disconnect", "leave", "left"],
    &["disk", "drive", "storage"],
    &["doc", "document", "documentation", "file"],
    &["earlier", "old", "older", "previous"],
    &["enable", "turn"],
    &["env", "environment"],
    &["environment", "variable"],
    &["event", "message"],
    &["expose", "network", "reach"],
    &["fabricate", "hallucinate", "invent"],
    &["fast", "quick", "rapid", "speed"],
    &["find", "read", "see", "show", "view"],
    &["form", "format", "kind", "type"],
    &["format", "shape"],
    &["function", "tool"],
    &["guess", "invent"],
    &["halt", "quit", "shut", "shutdown", "stop", "switch", "terminate"],
    &["history", "ledger", "record"],
    &["image", "photo", "picture"],
    &["improve", "revise", "revision", "rewrite"],
    &["incorrect", "mistake", "wrong"],
    &["instance", "node", "replica"],
    &["instruction", "system"],
    &["keep", "kept", "retain", "retention"],
    &["latency", "slow"],
    &["least", "minimum"],
    &["level", "verbosity"],
    &["licence", "license"],
    &["llm", "model"],
    &["log", "logging"],
    &["message", "turn"],
    &["metric", "statistic", "stats"],
    &["mind", "tier"],
    &["path", "route"],
    &["privacy", "private"],
    &["prompt", "query", "question", "request"],
    &["provider", "vendor"],
    &["range", "scope"],
    &["reason", "why"],
    &["recover", "restore"],
    &["same", "simultaneous"],
    &["vote", "weigh", "weight"],
    &["write", "written"],
];

/// Each stem's synonyms, stemmed.
static BY_STEM: LazyLock<FxHashMap<String, Vec<String>>> = LazyLock::new(|| {
    let mut table: FxHashMap<String, Vec<String>> = FxHashMap::default();
    for group in SYNONYMS {
        let stems: Vec<String> = group.iter().map(|word| stem(word)).collect();
        for own in &stems {
            let others = stems.iter().filter(|s| *s != own).cloned();
            table.entry(own.clone()).or_default().extend(others);
        }
    }
    table
});

/// The stems that may be meant by a stem.
pub(super) fn synonyms(stem: &str) -> &'static [String] {
    BY_STEM.get(stem).map_or(&[], Vec::as_slice)
}

/// Whether two stems look derived from one word, as `configur` and `configuration` do.
pub(super) fn derived(a: &str, b: &str) -> bool {
    let shared = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    if shared < 4 || a == b {
        return false;
    }
    let (Some(rest_a), Some(rest_b)) = (a.get(shared..), b.get(shared..)) else { return false };
    let known = |rest: &str| ENDINGS.contains(&rest);
    // Short beginnings are shared by strangers: `port` and `portion`.
    let close = |a: &str, b: &str| a.is_empty() && ["abl", "ag", "er", "est", "y"].contains(&b);
    known(rest_a)
        && known(rest_b)
        && (shared >= 5 || close(rest_a, rest_b) || close(rest_b, rest_a))
}

/// Whether two words of at least five letters differ by one letter added, lost, changed or swapped
/// with its neighbour.
pub(super) fn mistyped(a: &str, b: &str) -> bool {
    // A question's unknown word is held against all words with its initial: no copies there.
    if a.is_ascii() && b.is_ascii() {
        return one_slip_apart(a.as_bytes(), b.as_bytes());
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    one_slip_apart(&a, &b)
}

fn one_slip_apart<L: PartialEq>(a: &[L], b: &[L]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
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

    #[test]
    fn derivations_meet_and_strangers_do_not() {
        for (a, b) in [
            ("configure", "configuration"),
            ("evict", "eviction"),
            ("store", "storage"),
            ("verify", "verification"),
            ("compress", "compression"),
            ("latency", "latencies"),
        ] {
            let (a, b) = (stem(a), stem(b));
            assert!(a == b || derived(&a, &b), "{a} and {b}");
        }
        for (a, b) in [("port", "portion"), ("capital", "capture"), ("provider", "province")] {
            assert!(!derived(&stem(a), &stem(b)), "{a} and {b}");
        }
    }

    #[test]
    fn one_slip_is_forgiven() {
        for (slip, word) in
            [("hybird", "hybrid"), ("stratgy", "strategy"), ("consensuss", "consensus")]
        {
            assert!(mistyped(slip, word), "{slip}");
        }
        for (a, b) in [("poem", "item"), ("france", "trance"), ("weather", "feather")] {
            assert!(!mistyped(a, b), "{a}");
        }
    }

    #[test]
    fn synonyms_are_mutual() {
        for (stem, others) in BY_STEM.iter() {
            for other in others {
                assert!(synonyms(other).contains(stem), "{stem} and {other}");
            }
        }
        assert!(synonyms("poem").is_empty());
    }

    proptest! {
        #[test]
        fn words_in_ascii_go_no_other_way(a in "h[a-c]{3,7}", b in "h[a-c]{3,7}") {
            let foreign = |word: &str| word.replacen('h', "ħ", 1);
            prop_assert_eq!(mistyped(&a, &b), mistyped(&foreign(&a), &foreign(&b)));
        }

        #[test]
        fn kinship_is_mutual(a in "\\PC{0,12}", b in "\\PC{0,12}") {
            prop_assert_eq!(derived(&a, &b), derived(&b, &a));
            prop_assert_eq!(mistyped(&a, &b), mistyped(&b, &a));
        }
    }
}
