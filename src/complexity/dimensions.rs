//! What is measured of a request, and how much each measure says.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::{
    domain::{Elp, Request},
    text,
};

/// One named dimension: how to measure it (0 to 1) and its weight in log-odds.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) weight: f64,
    pub(super) measure: fn(&Features) -> f64,
}

/// In the order of the documentation. Only `directness` speaks for simple; everything else is
/// evidence of demand.
pub(super) const RULES: &[Rule] = &[
    Rule { name: "length", weight: 1.2, measure: |f| share(f.words, 150) },
    Rule { name: "quantities", weight: 0.8, measure: |f| share(f.numbers.saturating_sub(2), 6) },
    Rule { name: "steps", weight: 1.2, measure: |f| share(f.step_words, 6) },
    Rule { name: "reasoning", weight: 1.4, measure: |f| share(f.reasoning_words, 2) },
    Rule { name: "creation", weight: 1.0, measure: |f| f64::from(u8::from(f.asks_to_create())) },
    Rule { name: "code", weight: 0.9, measure: |f| share(f.code_marks, 4) },
    Rule { name: "constraints", weight: 0.8, measure: |f| share(f.constraint_words, 4) },
    Rule { name: "choices", weight: 0.5, measure: |f| share(f.choices, 4) },
    Rule { name: "specialism", weight: 0.7, measure: |f| share(f.long_words, 6) },
    Rule { name: "questions", weight: 0.6, measure: |f| share(f.questions.saturating_sub(1), 2) },
    Rule { name: "context", weight: 0.6, measure: |f| share(f.context_words, 500) },
    Rule { name: "directness", weight: -1.6, measure: Features::directness },
];

#[expect(clippy::cast_precision_loss, reason = "counts of words are small")]
fn share(count: usize, full: usize) -> f64 {
    (count as f64 / full as f64).min(1.0)
}

/// Counts over the folded words of a request.
pub(super) struct Features {
    words: usize,
    numbers: usize,
    step_words: usize,
    reasoning_words: usize,
    constraint_words: usize,
    code_marks: usize,
    choices: usize,
    long_words: usize,
    questions: usize,
    context_words: usize,
    first_words: [Option<String>; 2],
    creative: bool,
    /// How the text speaks, where its words tell that on the way.
    pub(super) elp: Option<Elp>,
}

/// Characters of a word that speaks of a special field.
const LONG_WORD: usize = 11;

/// The lists in which a word stands, as bits; one look-up tells of all of them.
static KINDS: LazyLock<FxHashMap<&'static str, u8>> = LazyLock::new(|| {
    let lists = [
        (STEP_WORDS, STEP),
        (REASONING_WORDS, REASONING),
        (CONSTRAINT_WORDS, CONSTRAINT),
        (CREATION_WORDS, CREATION),
    ];
    let mut kinds = FxHashMap::default();
    for (list, kind) in lists {
        for word in list {
            *kinds.entry(*word).or_default() |= kind;
        }
    }
    kinds
});
const STEP: u8 = 1;
const REASONING: u8 = 2;
const CONSTRAINT: u8 = 4;
const CREATION: u8 = 8;

const STEP_WORDS: &[&str] = &[
    "after",
    "afterwards",
    "altogether",
    "before",
    "both",
    "but",
    "each",
    "every",
    "finally",
    "first",
    "half",
    "left",
    "next",
    "per",
    "remaining",
    "rest",
    "second",
    "then",
    "third",
    "total",
    "twice",
    "until",
    "while",
];

const REASONING_WORDS: &[&str] = &[
    "analyse",
    "analyze",
    "argue",
    "assess",
    "compare",
    "conclude",
    "contrast",
    "counterexample",
    "critique",
    "deduce",
    "derive",
    "design",
    "diagnose",
    "evaluate",
    "explain",
    "explore",
    "imply",
    "infer",
    "justify",
    "plan",
    "proof",
    "prove",
    "reason",
    "refute",
    "solve",
    "strategy",
    "tradeoff",
    "why",
];

const CONSTRAINT_WORDS: &[&str] = &[
    "always",
    "at",
    "constraint",
    "ensure",
    "except",
    "exactly",
    "given",
    "if",
    "least",
    "most",
    "must",
    "never",
    "only",
    "require",
    "requires",
    "satisfies",
    "subject",
    "suppose",
    "unless",
    "without",
];

const CREATION_WORDS: &[&str] = &[
    "brainstorm",
    "code",
    "compose",
    "create",
    "debug",
    "draft",
    "essay",
    "generate",
    "implement",
    "improve",
    "outline",
    "paraphrase",
    "poem",
    "program",
    "proofread",
    "refactor",
    "rephrase",
    "rewrite",
    "story",
    "summarise",
    "summarize",
    "translate",
    "write",
];

const DIRECT_OPENINGS: &[&str] = &[
    "add",
    "calculate",
    "compute",
    "convert",
    "count",
    "define",
    "how",
    "is",
    "multiply",
    "what",
    "what's",
    "when",
    "where",
    "which",
    "who",
];

impl Features {
    pub(super) fn of(request: &Request) -> Self {
        let input = text::without_appeals(&request.input);
        let folded = text::fold(input);
        let mut words: Vec<&str> = Vec::with_capacity(folded.len() / 5 + 1);
        words.extend(text::words_of_folded(&folded));
        let kinds: Vec<u8> =
            words.iter().map(|word| KINDS.get(word).copied().unwrap_or(0)).collect();
        let among = |kind: u8| kinds.iter().filter(|kinds| **kinds & kind != 0).count();
        Self {
            words: words.len(),
            numbers: words.iter().filter(|w| w.starts_with(|c: char| c.is_ascii_digit())).count(),
            step_words: among(STEP),
            reasoning_words: among(REASONING),
            constraint_words: among(CONSTRAINT),
            code_marks: code_marks(input),
            choices: input.lines().filter(|line| offers_a_choice(line)).count(),
            long_words: words
                .iter()
                .filter(|w| w.len() >= LONG_WORD && w.chars().count() >= LONG_WORD)
                .count(),
            questions: input.matches('?').count(),
            context_words: request.context.iter().map(|p| p.text.split_whitespace().count()).sum(),
            first_words: [0, 1].map(|at| words.get(at).map(|&word| word.to_owned())),
            creative: kinds.iter().take(4).any(|kinds| kinds & CREATION != 0),
            // Where no appeal was left out, these are the words of the whole text.
            elp: (input.len() == request.input.trim().len())
                .then(|| text::elp_of_words(input, &folded, words.iter().copied()))
                .flatten(),
        }
    }

    /// Whether the request opens by asking for a text to be made or changed.
    pub(super) fn asks_to_create(&self) -> bool {
        self.creative
            && !matches!(self.first_words[0].as_deref(), Some("what" | "who" | "when" | "is"))
    }

    /// A short question that opens like one with a short answer. Fades from 9 to 18 words.
    fn directness(&self) -> f64 {
        let opens = self.first_words[0].as_deref().is_some_and(|w| DIRECT_OPENINGS.contains(&w));
        let open_how = self.first_words[0].as_deref() == Some("how")
            && !matches!(
                self.first_words[1].as_deref(),
                Some("many" | "much" | "long" | "far" | "old" | "tall" | "big" | "high")
            );
        if !opens || open_how || self.creative || self.words < 2 {
            return 0.0;
        }
        1.0 - share(self.words.saturating_sub(9), 9)
    }
}

/// Signs of program text, each with a byte that is rare elsewhere.
const CODE: &[(&str, u8)] = &[
    ("```", b'`'),
    ("();", b';'),
    ("{", b'{'),
    ("=>", b'>'),
    ("fn ", b'f'),
    ("def ", b'f'),
    ("SELECT ", b'S'),
    ("#include", b'#'),
];

/// How many signs of program text occur. Most texts do not even have their bytes.
fn code_marks(input: &str) -> usize {
    let mut occurs = [false; 256];
    for byte in input.bytes() {
        occurs[usize::from(byte)] = true;
    }
    CODE.iter().filter(|(mark, byte)| occurs[usize::from(*byte)] && input.contains(mark)).count()
}

/// `A. …`, `(b) …`, `C) …`
fn offers_a_choice(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches('(');
    let mut chars = line.chars();
    let letter = chars.next().is_some_and(|c| c.is_ascii_alphabetic());
    let mark = chars.next().is_some_and(|c| matches!(c, '.' | ')' | ':'));
    letter && mark && chars.next().is_some_and(char::is_whitespace)
}
