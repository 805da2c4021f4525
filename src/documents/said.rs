//! What a sentence says that a question may want: a reason, somebody, a place, a time, a number.

use super::{
    corpus::Sentence,
    quantities::{MASSES, MONEY, TIME_UNITS, WARMTH, is_of, is_unit, numbers, timely, value_of},
};
use crate::text::is_stop_word;

/// What is counted, and how a sentence covers the question.
pub(super) struct Counted<'q> {
    /// The numbers of the question's words that name it.
    pub named: &'q [usize],
    /// Which of the question's words a word of the sentence stands for.
    pub stands_for: &'q dyn Fn(&str) -> Vec<usize>,
}

/// A sentence in its words.
pub(super) struct Said<'s> {
    pub text: &'s str,
    /// As they are written.
    pub raw: Vec<&'s str>,
    /// Folded.
    pub words: Vec<String>,
    time: bool,
}

impl<'s> Said<'s> {
    pub(super) fn of(sentence: &'s Sentence) -> Self {
        let raw: Vec<&str> = crate::text::words_of(&sentence.text).collect();
        let words = raw.iter().map(|word| crate::text::fold(word)).collect();
        Self { text: &sentence.text, raw, words, time: sentence.form.time }
    }

    fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    /// Whether it has any of these words, in the singular or the plural.
    pub(super) fn has(&self, list: &[&str]) -> bool {
        self.words.iter().any(|word| is_of(list, word))
    }

    fn has_any(&self, list: &[&str]) -> bool {
        self.words.iter().any(|word| list.contains(&word.as_str()))
    }

    fn has_number(&self) -> bool {
        self.words.iter().any(|word| value_of(word).is_some() || word == "a" || word == "an")
    }

    /// Whether a number stands there that is no price, weight or the like.
    pub(super) fn has_span(&self) -> bool {
        let other = |word: &str| {
            is_of(MONEY, word) || is_of(MASSES, word) || is_of(WARMTH, word) || word == "percent"
        };
        (0..self.words.len())
            .any(|at| value_of(self.word(at)).is_some() && !other(self.word(at + 1)))
            && !self.text.contains(['$', '€', '£', '¥'])
    }

    pub(super) fn has_figure(&self) -> bool {
        self.words.iter().any(|word| value_of(word).is_some())
    }

    pub(super) fn gives_a_reason(&self) -> bool {
        const CAUSES: &[&str] = &[
            "as",
            "because",
            "cause",
            "causes",
            "due",
            "hence",
            "otherwise",
            "reason",
            "since",
            "so",
            "therefore",
            "thus",
            "avoid",
            "avoids",
            "prevent",
            "prevents",
            "protect",
            "protects",
            "ensure",
            "ensures",
            "lest",
            "else",
            "instead",
            "saves",
            "if",
            "when",
            "without",
            "where",
        ];
        // "after a fire" is a reason, "after 14 days" none.
        let after = self.words.windows(2).any(
            |pair| matches!(pair, [after, next] if after == "after" && value_of(next).is_none()),
        );
        // "before 9 am to the leader": a purpose is a verb behind "to", and opens or closes with it.
        let purpose = self
            .words
            .windows(2)
            .any(|pair| matches!(pair, [order, to] if order == "order" && to == "to"));
        after || purpose || self.has_any(CAUSES)
    }

    pub(super) fn names_somebody(&self, counted: &Counted<'_>) -> bool {
        const PEOPLE: &[&str] = &[
            "people",
            "person",
            "team",
            "staff",
            "manager",
            "leader",
            "director",
            "boss",
            "admin",
            "administrator",
            "operator",
            "owner",
            "user",
            "client",
            "customer",
            "caller",
            "tenant",
            "company",
            "department",
            "office",
            "employee",
            "employer",
            "worker",
            "member",
            "guest",
            "visitor",
            "parent",
            "child",
            "children",
            "adult",
            "student",
            "teacher",
            "doctor",
            "nurse",
            "driver",
            "everybody",
            "everyone",
            "anybody",
            "anyone",
            "nobody",
            "somebody",
            "someone",
            "you",
            "we",
            "they",
            "he",
            "she",
            "i",
            "man",
            "woman",
            "men",
            "women",
            "engineer",
            "developer",
            "vendor",
            "supplier",
            "police",
            "government",
            "board",
            "committee",
            "maker",
            "author",
            "architect",
            "principal",
            "maintainer",
            // Trades and roles.
            "accountant",
            "adviser",
            "advisor",
            "agent",
            "agency",
            "analyst",
            "applicant",
            "assistant",
            "attorney",
            "auditor",
            "authority",
            "borrower",
            "broker",
            "buyer",
            "candidate",
            "captain",
            "caretaker",
            "chairman",
            "chef",
            "citizen",
            "cleaner",
            "clerk",
            "coach",
            "consultant",
            "contractor",
            "cook",
            "council",
            "court",
            "crew",
            "dentist",
            "designer",
            "distributor",
            "editor",
            "electrician",
            "family",
            "farmer",
            "father",
            "friend",
            "guardian",
            "holder",
            "husband",
            "inspector",
            "instructor",
            "insurer",
            "intern",
            "janitor",
            "judge",
            "landlady",
            "landlord",
            "lawyer",
            "lender",
            "lessee",
            "lessor",
            "lifeguard",
            "management",
            "manufacturer",
            "mayor",
            "mechanic",
            "ministry",
            "mother",
            "neighbor",
            "neighbour",
            "officer",
            "partner",
            "passenger",
            "patient",
            "pharmacist",
            "physician",
            "pilot",
            "plumber",
            "president",
            "professor",
            "pupil",
            "receptionist",
            "recipient",
            "resident",
            "researcher",
            "retailer",
            "scientist",
            "secretary",
            "seller",
            "shareholder",
            "sponsor",
            "spouse",
            "subscriber",
            "supervisor",
            "surgeon",
            "technician",
            "therapist",
            "trainer",
            "treasurer",
            "tutor",
            "volunteer",
            "wife",
        ];
        const BEFORE_A_NAME: &[&str] = &[
            "and", "ask", "by", "call", "contact", "for", "from", "is", "of", "or", "to", "was",
            "with", "only", "are", "mr", "mrs", "ms", "dr",
        ];
        let asked = |at: usize| !(counted.stands_for)(self.word(at)).is_empty();
        (0..self.raw.len()).any(|at| {
            let raw = self.raw.get(at).copied().unwrap_or_default();
            let before = at.checked_sub(1).map_or("", |at| self.word(at));
            let is_capital = raw.starts_with(char::is_uppercase);
            let is_date = |at: usize| value_of(self.word(at)).is_some() || timely(self.word(at));
            let opens =
                at == 0 && is_capital && !is_stop_word(self.word(0)) && self.names_a_subject();
            let named =
                at > 0 && is_capital && !timely(self.word(at)) && BEFORE_A_NAME.contains(&before);
            let passive = before == "by" && !is_date(at) && !self.word(at).ends_with("ing");
            !asked(at) && (is_of(PEOPLE, self.word(at)) || opens || named || passive)
        })
    }

    /// Whether it begins with a word that could be somebody's name or a group of people, and goes
    /// on with a verb: "Marco has …", not "Late returns …".
    fn names_a_subject(&self) -> bool {
        const VERBS: &[&str] = &[
            "has", "have", "is", "are", "was", "were", "must", "may", "can", "will", "should",
            "and", "does", "do", "did", "had", "under", "over", "or",
        ];
        let second = self.word(1);
        VERBS.contains(&second)
            || self.raw.get(1).is_some_and(|raw| raw.starts_with(char::is_uppercase))
            || (second.ends_with('s') && !second.ends_with("ss") && !self.word(0).ends_with('s'))
            || second.ends_with("ed")
    }

    pub(super) fn names_a_place(&self) -> bool {
        const PLACING: &[&str] = &[
            "above", "across", "at", "behind", "below", "beside", "between", "from", "in",
            "inside", "into", "near", "next", "on", "opposite", "outside", "to", "under", "via",
        ];
        const PLACES: &[&str] = &[
            "address",
            "directory",
            "downstairs",
            "field",
            "file",
            "folder",
            "here",
            "home",
            "object",
            "online",
            "path",
            "upstairs",
        ];
        let placed = |at: usize| {
            // "in the morning", "on Monday", "in 1903", "to 9 pm", "to refund".
            let next = if ["the", "a", "an", "our", "your"].contains(&self.word(at + 1)) {
                at + 2
            } else {
                at + 1
            };
            let next = self.word(next);
            PLACING.contains(&self.word(at))
                && !next.is_empty()
                && (!timely(next) || next == "second")
                && value_of(next).is_none()
                && !["first", "last", "next", "total", "case", "order", "leave"].contains(&next)
        };
        self.has(PLACES) || self.text.contains('/') || (0..self.words.len()).any(placed)
    }

    pub(super) fn tells_when(&self) -> bool {
        const CLAUSES: &[&str] = &[
            "after",
            "always",
            "before",
            "daily",
            "during",
            "every",
            "if",
            "immediately",
            "monthly",
            "never",
            "now",
            "once",
            "only",
            "soon",
            "unless",
            "until",
            "when",
            "whenever",
            "while",
            "yearly",
            "weekly",
            "within",
            "with",
        ];
        // "may" permits more often than it dates.
        let may = self.raw.iter().skip(1).any(|word| *word == "May");
        self.time
            || may
            || self.tells_a_clock()
            || self.has_any(CLAUSES)
            || (self.has(TIME_UNITS) && self.has_number())
    }

    fn tells_a_clock(&self) -> bool {
        let clock =
            |pair: &[char]| matches!(pair, [a, ':', b] if a.is_ascii_digit() && b.is_ascii_digit());
        let chars: Vec<char> = self.text.chars().collect();
        chars.windows(3).any(clock)
            || self.has_any(&["am", "pm", "noon", "midnight", "o'clock", "clock"])
    }

    pub(super) fn tells_a_range(&self) -> bool {
        (self.has_any(&["from", "between"])
            && self.has_any(&["to", "and", "until", "till"])
            && (self.time || self.tells_a_clock()))
            || self.has_any(&["until", "till", "forever", "indefinitely", "permanently"])
    }

    pub(super) fn tells_how_often(&self) -> bool {
        const OFTEN: &[&str] = &[
            "always",
            "annually",
            "continually",
            "continuously",
            "daily",
            "each",
            "every",
            "hourly",
            "monthly",
            "never",
            "often",
            "once",
            "per",
            "rarely",
            "regularly",
            "seldom",
            "sometimes",
            "time",
            "times",
            "twice",
            "weekly",
            "yearly",
        ];
        self.has_any(OFTEN)
    }

    /// Whether a number of it counts what is asked for: stands before it, or stands alone while the
    /// things are named elsewhere.
    pub(super) fn counts(&self, counted: &Counted<'_>) -> bool {
        /// Words between a number and what it counts: "5 failed calls".
        const REACH: usize = 4;
        const SEVERAL: &[&str] = &["people", "children", "men", "women"];
        let stands = |at: usize| {
            let word = self.word(at);
            !word.is_empty() && (counted.stands_for)(word).iter().any(|n| counted.named.contains(n))
        };
        // A number alone counts what is named as many: not "the largest grind setting is 40".
        let several = |at: usize| self.word(at).ends_with('s') || SEVERAL.contains(&self.word(at));
        let named =
            counted.named.is_empty() || (0..self.words.len()).any(|at| stands(at) && several(at));
        let counts = |at: usize| {
            let next = self.word(at + 1);
            let alone = next.is_empty() || is_stop_word(next);
            let measures = |word: &str| is_unit(word) || value_of(word).is_some();
            (at + 1..=at + REACH)
                .take_while(|&at| stands(at) || !measures(self.word(at)))
                .any(stands)
                || (alone && named)
        };
        // "the 25th" ranks, and counts nothing.
        let ranks = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_digit()) && word.ends_with(char::is_alphabetic)
        };
        let is_number = |at: usize| {
            let word = self.word(at);
            ["no", "any"].contains(&word) || (value_of(word).is_some() && !ranks(word))
        };
        (0..self.words.len()).any(|at| is_number(at) && counts(at))
            || (self.has_any(&["counts", "none", "number", "once", "twice", "unlimited"]) && named)
    }

    /// The numbers of it, as plain digits, each with the word behind it.
    pub(super) fn numbers(&self) -> Vec<(String, &str)> {
        numbers(&self.words)
    }
}
