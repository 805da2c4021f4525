//! Whether a sentence answers this very question, and not another one in the same words: of other
//! numbers, the opposite, other names and things, or of another kind.

use super::{
    corpus::{Corpus, Sentence, TermId},
    furniture::FURNITURE_STEMS,
    kinds::Kind,
    quantities::{is_weekday, numbers, time_unit, weekday},
    question::{Group, Question},
    said::{Counted, Said},
    terms, things,
};
use crate::text::{fold, is_stop_word, month_named, stem, words};

/// What the odds lose, as a logarithm, for a thing that the documents speak of elsewhere but not
/// here; less where it is a common one.
const ELSEWHERE: f64 = 2.0;

/// The same, for a thing that only the sentences beside this one speak of, to which it does not
/// point back.
const BESIDE: f64 = 1.5;
/// Words that point back to what was spoken of before.
const BACK: &[&str] = &[
    "he", "her", "his", "it", "its", "she", "such", "that", "their", "them", "there", "these",
    "they", "this", "those", "both", "each",
];

/// Opposites: the words of one side, then those of the other.
const POLES: &[(&[&str], &[&str])] = &[
    (&["most"], &["least", "fewest"]),
    (&["best"], &["worst"]),
    (&["before"], &["after"]),
    (&["above"], &["below"]),
    (&["inside"], &["outside"]),
    (&["top"], &["bottom"]),
    (&["first"], &["last"]),
    (&["high", "higher"], &["low", "lower"]),
    (&["highest", "largest", "biggest", "greatest", "maximum"], &["lowest", "smallest", "minimum"]),
    (&["longest"], &["shortest"]),
    (&["oldest", "older"], &["newest", "newer", "latest", "youngest"]),
    (&["earliest"], &["latest"]),
    (&["fastest", "quickest"], &["slowest"]),
    (&["cheapest"], &["dearest"]),
    (&["heaviest"], &["lightest"]),
    (
        &["start", "starts", "begin", "begins", "started", "began"],
        &["end", "ends", "ended", "finish", "finishes", "stop", "stops"],
    ),
    (&["arrive", "arrives", "arrival"], &["leave", "leaves", "depart", "departs", "departure"]),
    (
        &["increase", "increases", "raise", "raises"],
        &["decrease", "decreases", "reduce", "reduces", "lower", "lowers"],
    ),
    (&["buy", "buys", "bought"], &["sell", "sells", "sold"]),
    (&["indoor", "indoors"], &["outdoor", "outdoors"]),
    (&["minimum"], &["maximum"]),
];

/// Opposites by the word before them: "turn up" and "turn down", and not "sign up" and "scroll down".
const AFTER_A_WORD: &[(&str, &str)] = &[("up", "down"), ("left", "right"), ("on", "off")];
/// Verbs that a thing may part from their particle, and how many words it has with its article.
const PARTABLE: &[&str] = &["switch", "switched", "turn", "turned", "turns"];
const PARTED: usize = 4;
/// The same by the word behind them: "with milk" and "without milk".
const BEFORE_A_WORD: &[(&str, &str)] = &[("with", "without")];

const DENIALS: &[&str] = &[
    "no",
    "not",
    "never",
    "none",
    "nobody",
    "nothing",
    "cannot",
    "can't",
    "don't",
    "doesn't",
    "didn't",
    "isn't",
    "aren't",
    "wasn't",
    "weren't",
    "won't",
    "without",
    "mustn't",
    "shouldn't",
    "neither",
    "nor",
];
/// Words that deny without being a denial.
const HINDERING: &[&str] = &[
    "avoid",
    "avoids",
    "except",
    "fail",
    "fails",
    "forbidden",
    "only",
    "prohibited",
    "prevents",
    "refused",
    "refuse",
    "refuses",
    "unless",
    "unable",
    "null",
    "absent",
    "silent",
    "missing",
];

/// What an answer to a question must and must not say.
#[derive(Debug)]
pub(super) struct Fit {
    kind: Kind,
    /// The numbers of the question, in digits, with the unit of time behind each.
    numbers: Vec<(String, Option<String>)>,
    /// Days and months.
    times: Vec<String>,
    /// Which pair of opposites, and which side.
    poles: Vec<(usize, bool)>,
    /// Particles with the word that they turn around.
    turns: Vec<Turned>,
    /// It asks what is not so.
    denies: bool,
    /// Which of its words name what is counted: "how many *books*".
    counted: Vec<usize>,
    /// Which of its words name things; an unknown one among them is asked about in vain.
    things: Vec<(usize, f64)>,
    /// Those of them that must be spoken of: all of a question to be said yes or no to, and the
    /// value that is asked for ("what is the *salary* of").
    musts: Vec<usize>,
    /// Whether the documents do not know one of them.
    lacks: bool,
    /// What the corpus calls what the question names in capitals.
    names: Vec<Vec<TermId>>,
    /// Signs that it asks about: "what does & mean".
    signs: Vec<String>,
}

impl Fit {
    pub(super) fn read(text: &str, stems: &[String], groups: &[Group], corpus: &Corpus) -> Self {
        let found = words(text);
        let things = things::named(&found, stems, groups);
        let known = |number: &usize| groups.get(*number).is_some_and(|g| !g.matches.is_empty());
        let rarity = |number: usize| {
            let weight = groups.get(number).map_or(0.0, |g| g.weight);
            weight / corpus.idf(None).max(f64::MIN_POSITIVE)
        };
        let clause = words(asking_clause(text));
        let conditional = clause.iter().any(|w| ["if", "why", "when"].contains(&w.as_str()));
        Self {
            kind: Kind::read(&found),
            numbers: numbers(&found)
                .into_iter()
                .map(|(value, unit)| (value, time_unit(unit).map(str::to_owned)))
                .collect(),
            times: found.iter().filter(|w| names_a_time(w)).cloned().collect(),
            poles: poles(&found),
            turns: turns(&found),
            denies: !conditional && clause.iter().any(|w| DENIALS.contains(&w.as_str())),
            counted: counted(&found, stems),
            musts: things::required(&found, stems, &things),
            lacks: !things.iter().all(known),
            things: things.into_iter().map(|number| (number, rarity(number))).collect(),
            names: names(text, corpus),
            signs: signs(text),
        }
    }

    /// Whether it is about something that the documents never speak of.
    pub(super) fn is_about_the_unknown(&self) -> bool {
        self.lacks
    }

    /// What the odds that a sentence is the answer lose, as a logarithm; `None` when it cannot be.
    pub(super) fn doubt(
        &self,
        question: &Question,
        sentence: &Sentence,
        corpus: &Corpus,
    ) -> Option<f64> {
        let said = Said::of(sentence);
        let standings = question.standings(sentence);
        let stands_for = |word: &str| question.stands_for(word, corpus);
        let counted = Counted { named: &self.counted, stands_for: &stands_for };
        if self.lacks
            || !self.kind.admits(&said, &counted)
            || self.has_other_numbers(&said)
            || !self.signs.iter().all(|sign| said.text.contains(sign.as_str()))
            || self.is_opposed(&said)
            || self.tells_other_times(&said)
            || self.names_others(sentence)
            || self.musts.iter().any(|number| standings.of(*number) <= 0.0)
        {
            return None;
        }
        let own = question.standings_in_body(sentence);
        let points_back = said.words.iter().any(|word| BACK.contains(&word.as_str()));
        let named_above = |number: usize| question.standings_in_heading(sentence).of(number) > 0.0;
        let doubt = |&(number, rarity): &(usize, f64)| {
            if standings.of(number) <= 0.0 {
                ELSEWHERE * rarity
            } else if own.of(number) <= 0.0 && !points_back && !named_above(number) {
                BESIDE * rarity
            } else {
                0.0
            }
        };
        Some(self.things.iter().map(doubt).sum())
    }

    fn has_other_numbers(&self, said: &Said<'_>) -> bool {
        let there = said.numbers();
        self.numbers.iter().any(|(value, unit)| {
            let same = there.iter().filter(|(v, _)| v == value);
            let mut same = same.peekable();
            if same.peek().is_none() {
                return !there.is_empty();
            }
            // The number is there, but of another unit.
            unit.as_ref().is_some_and(|unit| {
                same.all(|(_, behind)| time_unit(behind).is_some_and(|other| other != unit))
            })
        })
    }

    fn is_opposed(&self, said: &Said<'_>) -> bool {
        let there = poles(&said.words);
        let opposed = self.poles.iter().any(|&(pair, side)| {
            !there.contains(&(pair, side))
                && there.contains(&(pair, !side))
                && !self.poles.contains(&(pair, !side))
        });
        let turned_there = turns(&said.words);
        let is_turned = |turn: &Turned| {
            !turned_there.contains(turn)
                && turned_there.iter().any(|t| t.pair == turn.pair && t.of == turn.of)
        };
        let denied = said.words.iter().any(|w| {
            DENIALS.contains(&w.as_str()) || HINDERING.contains(&w.as_str()) || w.ends_with("n't")
        });
        opposed || self.turns.iter().any(is_turned) || (self.denies && !denied)
    }

    fn tells_other_times(&self, said: &Said<'_>) -> bool {
        let singular = |word: &str| word.strip_suffix('s').unwrap_or(word).to_owned();
        self.times.iter().any(|time| {
            let time = singular(time);
            !said.words.iter().any(|w| singular(w) == time) && !covers_day(&said.words, &time)
        })
    }

    fn names_others(&self, sentence: &Sentence) -> bool {
        let there = |term: &TermId| {
            [&sentence.body, &sentence.heading, &sentence.aside].iter().any(|t| t.contains(term))
        };
        self.names.iter().any(|terms| !terms.iter().any(there))
    }
}

/// Tokens without a letter or digit that are spoken of, as the words beside them tell.
fn signs(text: &str) -> Vec<String> {
    const BEFORE: &[&str] = &["does", "do", "is", "are", "the", "a", "an", "of", "between"];
    const BEHIND: &[&str] =
        &["mean", "means", "stand", "stands", "sign", "symbol", "operator", "character", "mark"];
    const QUOTES: &[char] = &['"', '\'', '`', '“', '”', '‘', '’', '(', ')'];
    let raw: Vec<&str> = text.split_whitespace().collect();
    let is_one_of = |word: Option<&&str>, list: &[&str]| {
        word.is_some_and(|word| list.iter().any(|w| w.eq_ignore_ascii_case(word)))
    };
    raw.windows(3)
        .filter_map(|window| {
            let [before, token, behind] = window else { return None };
            let sign = token.trim_matches(QUOTES);
            let spoken_of = is_one_of(Some(before), BEFORE) || is_one_of(Some(behind), BEHIND);
            let is_sign = sign.chars().any(|c| !"-–—.,;:?".contains(c))
                && !sign.chars().any(char::is_alphanumeric);
            (is_sign && spoken_of).then(|| sign.to_owned())
        })
        .collect()
}

fn names_a_time(word: &str) -> bool {
    is_weekday(word) || (word.len() > 3 && word != "march" && month_named(word).is_some())
}

/// What of a text asks: of "I can't log in, how do I reset my password?" the second part.
fn asking_clause(text: &str) -> &str {
    const ASKING: &[&str] = &[
        "are", "can", "could", "did", "do", "does", "how", "is", "may", "must", "should", "was",
        "were", "what", "when", "where", "which", "who", "whom", "whose", "why", "will",
    ];
    let asks =
        |clause: &&str| words(clause).first().is_some_and(|word| ASKING.contains(&word.as_str()));
    text.split(['.', ',', ';', '!', '?', '\n', ':']).find(asks).unwrap_or(text)
}

/// Whether days that are told as a span take in a day of the week.
fn covers_day(words: &[String], day: &str) -> bool {
    let Some(asked) = weekday(day) else { return false };
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let spans = words.windows(3).any(|three| {
        let [from, to, until] = three else { return false };
        let joins = ["to", "till", "until", "through"].contains(&to.as_str());
        match (weekday(from), weekday(until)) {
            (Some(from), Some(until)) if joins && from <= until => (from..=until).contains(&asked),
            (Some(from), Some(until)) if joins => asked >= from || asked <= until,
            _ => false,
        }
    });
    let every =
        words.windows(2).any(|two| matches!(two, [every, day] if every == "every" && day == "day"));
    spans
        || every
        || has(&["daily", "always"])
        || (asked < 5 && has(&["weekday", "weekdays"]))
        || (asked >= 5 && has(&["weekend", "weekends"]))
}

/// A particle, by its pair and side, and the word that it turns around.
#[derive(Debug, PartialEq, Eq)]
struct Turned {
    pair: usize,
    side: bool,
    of: String,
}

fn turns(words: &[String]) -> Vec<Turned> {
    let neighbour = |at: Option<usize>| at.and_then(|at| words.get(at)).map(|word| stem(word));
    let is_article =
        |at: usize| words.get(at).is_some_and(|w| ["a", "an", "the"].contains(&w.as_str()));
    let pairs = AFTER_A_WORD
        .iter()
        .map(|pair| (pair, false))
        .chain(BEFORE_A_WORD.iter().map(|pair| (pair, true)));
    let mut found = Vec::new();
    for (pair, ((one, other), before)) in pairs.enumerate() {
        for (at, word) in words.iter().enumerate().filter(|(_, word)| word == one || word == other)
        {
            let behind = if is_article(at + 1) { at + 2 } else { at + 1 };
            // "turn the lake off" turns as "turn off the lake" does.
            let parted = (at.saturating_sub(PARTED)..at)
                .rev()
                .find(|&at| words.get(at).is_some_and(|word| PARTABLE.contains(&word.as_str())));
            let of = neighbour(match before {
                true => Some(behind),
                false => parted.or(at.checked_sub(1)),
            });
            found.extend(of.map(|of| Turned { pair, side: word == other, of }));
        }
    }
    found
}

fn poles(words: &[String]) -> Vec<(usize, bool)> {
    let mut found = Vec::new();
    for word in words {
        let is = |side: &[&str]| side.contains(&word.as_str());
        for (pair, (one, other)) in POLES.iter().enumerate() {
            if is(one) {
                found.push((pair, false));
            } else if is(other) {
                found.push((pair, true));
            }
        }
    }
    found
}

/// Which words name what "how many" counts.
fn counted(words: &[String], stems: &[String]) -> Vec<usize> {
    let [how, many, rest @ ..] = words else { return Vec::new() };
    if how != "how" || many != "many" {
        return Vec::new();
    }
    let nouns = rest.iter().take_while(|word| !is_stop_word(word)).map(|word| stem(word));
    let telling = nouns.filter(|stem| !FURNITURE_STEMS.contains(stem));
    telling.filter_map(|noun| stems.iter().position(|s| *s == noun)).collect()
}

/// Words in capitals in the midst of a question that is not all in capitals, each with the words of
/// the corpus that may be it.
fn names(text: &str, corpus: &Corpus) -> Vec<Vec<TermId>> {
    let raw: Vec<&str> = text.split_whitespace().collect();
    let is_capital = |word: &&&str| word.starts_with(char::is_uppercase);
    let plain = raw.iter().skip(1).filter(|word| word.starts_with(char::is_lowercase)).count();
    if 2 * plain < raw.len().saturating_sub(1) {
        return Vec::new();
    }
    let terms_of = |word: &&str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        let stems = terms::of_question(word, |stem| corpus.knows(stem));
        let stem = stems.into_iter().next().filter(|_| word.chars().count() > 1)?;
        Some(corpus.matches(&stem).into_iter().map(|m| m.term).collect())
    };
    // A day is held against what a sentence says of days.
    let is_day =
        |word: &&&str| is_weekday(&fold(word.trim_matches(|c: char| !c.is_alphanumeric())));
    let named = raw.iter().skip(1).filter(|word| is_capital(word) && !is_day(word));
    named.filter_map(terms_of).collect()
}
