//! A question as it is searched for: weighed words, and what kind of answer it wants.

use rustc_hash::FxHashMap;

use super::{
    asks::Asks,
    corpus::{Corpus, Match, Sentence, TermId},
    doubts::Doubts,
    fit::Fit,
    furniture::{FURNITURE_STEMS, NUMBER_STEMS},
    terms,
};
use crate::text::{NgramVector, is_stop_word, stem, words};

/// What lies beyond is not read: no question about a document is longer.
pub(super) const MAX_CHARS: usize = 600;
const MAX_TERMS: usize = 40;

/// Weight of such a word beside a topic word's 1.
const FURNITURE_WEIGHT: f64 = 0.15;

/// How much a word counts for a sentence by where it stands.
const IN_HEADING: f64 = 0.85;
const ASIDE: f64 = 0.6;

/// What kind of answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// What a thing is or does.
    Definition,
    /// All things of a kind.
    Enumeration,
    /// How many things there are, or may be.
    Count,
    /// An amount.
    Quantity,
    /// A point in time.
    Time,
    /// A way to do something.
    Method,
    /// Help: it states what is wrong and asks nothing.
    Remedy,
    /// Anything else.
    Other,
}

/// A word of the question with its weight and its stand-ins in the corpus.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Inverse document frequency, lowered for furniture.
    pub weight: f64,
    /// Whether it names the topic.
    pub topical: bool,
    /// Whether it is a figure: it narrows a topic, and names none.
    pub figure: bool,
    /// The corpus's words for it; none when the corpus does not know it.
    pub matches: Vec<Match>,
}

/// A question over one corpus.
#[derive(Debug)]
pub(super) struct Question {
    pub groups: Vec<Group>,
    pub wanted: Wanted,
    /// What no sentence can be the answer without.
    pub asks: Asks,
    /// What an answer must and must not say.
    pub fit: Fit,
    /// Whether it asks how.
    pub how: bool,
    /// What makes it doubtful that these documents know.
    pub doubts: Doubts,
    pub vector: NgramVector,
    total: f64,
    /// The corpus's words that stand for any of the question's: for which one, and how well.
    stand_ins: FxHashMap<TermId, Vec<(usize, f64)>>,
    /// The most telling of the topic's words that the corpus knows.
    rarest: Option<usize>,
}

/// How well one sentence covers each of a question's words, in their order, 0 to 1.
#[derive(Debug)]
pub(super) struct Standings([f64; MAX_TERMS]);

impl Standings {
    /// How well the word of this number is covered.
    pub(super) fn of(&self, number: usize) -> f64 {
        self.0.get(number).copied().unwrap_or(0.0)
    }
}

impl Question {
    /// Reads a question; `None` when it has no word that names a topic, or so few that the corpus
    /// knows that no sentence can cover `least` of it: most questions are about something else,
    /// and cost no search.
    pub(super) fn read(text: &str, corpus: &Corpus, least: f64) -> Option<Self> {
        let text: String = text.chars().take(MAX_CHARS).collect();
        let mut stems: Vec<String> = Vec::new();
        for stem in terms::of_question(&text, |stem| corpus.knows(stem)) {
            if stems.len() < MAX_TERMS && !stems.contains(&stem) {
                stems.push(stem);
            }
        }
        let groups: Vec<Group> = stems.iter().map(|stem| Group::read(stem, corpus)).collect();
        let total: f64 = groups.iter().map(|g| g.weight).sum();
        let coverable: f64 = groups.iter().map(|g| g.weight * g.best_quality()).sum();
        let topical = groups.iter().any(|g| g.topical && !g.figure) && total > 0.0;
        if !topical || coverable / total < least {
            return None;
        }
        let mut stand_ins: FxHashMap<TermId, Vec<(usize, f64)>> = FxHashMap::default();
        for (number, group) in groups.iter().enumerate() {
            for found in &group.matches {
                stand_ins.entry(found.term).or_default().push((number, found.quality));
            }
        }
        let known = groups.iter().enumerate().filter(|(_, g)| g.topical && !g.matches.is_empty());
        let rarest = known.max_by(|(_, a), (_, b)| a.weight.total_cmp(&b.weight)).map(|(i, _)| i);
        Some(Self {
            wanted: Wanted::read(&text),
            asks: Asks::read(&text),
            fit: Fit::read(&text, &stems, &groups, corpus),
            how: words(&text).first().is_some_and(|w| w == "how" || w == "can"),
            doubts: Doubts::read(&text, &groups, total, corpus),
            vector: NgramVector::of(&topic(&terms::spell_out(&text))),
            groups,
            total,
            stand_ins,
            rarest,
        })
    }

    /// The numbers of the question's words that a word stands for.
    pub(super) fn stands_for(&self, word: &str, corpus: &Corpus) -> Vec<usize> {
        let Some(term) = corpus.term(&stem(word)) else { return Vec::new() };
        self.stand_ins(term).iter().map(|&(number, _)| number).collect()
    }

    /// How well a sentence, its headings and its neighbours cover each of the question's words.
    pub(super) fn standings(&self, sentence: &Sentence) -> Standings {
        let mut standings = [0.0; MAX_TERMS];
        for (terms, share) in
            [(&sentence.body, 1.0), (&sentence.heading, IN_HEADING), (&sentence.aside, ASIDE)]
        {
            for &(number, quality) in terms.iter().flat_map(|&term| self.stand_ins(term)) {
                if let Some(standing) = standings.get_mut(number) {
                    *standing = f64::max(*standing, share * quality);
                }
            }
        }
        Standings(standings)
    }

    /// How well a sentence alone covers each of the question's words.
    pub(super) fn standings_in_body(&self, sentence: &Sentence) -> Standings {
        self.standings_among(&sentence.body)
    }

    /// How well the headings above a sentence cover each of the question's words.
    pub(super) fn standings_in_heading(&self, sentence: &Sentence) -> Standings {
        self.standings_among(&sentence.heading)
    }

    fn standings_among(&self, terms: &[TermId]) -> Standings {
        let mut standings = [0.0; MAX_TERMS];
        for &(number, quality) in terms.iter().flat_map(|&term| self.stand_ins(term)) {
            if let Some(standing) = standings.get_mut(number) {
                *standing = f64::max(*standing, quality);
            }
        }
        Standings(standings)
    }

    /// The weighed share of the sentence's own words that the question asks for, 0 to 1.
    pub(super) fn precision(&self, sentence: &Sentence, corpus: &Corpus) -> f64 {
        let (mut asked, mut total) = (0.0, 0.0);
        for &term in &sentence.body {
            let weight = corpus.idf(Some(term));
            asked += weight * self.asks(term);
            total += weight;
        }
        if total > 0.0 { asked / total } else { 0.0 }
    }

    /// The share of the question's neighbouring words that are neighbours in the sentence, too.
    pub(super) fn neighbours(&self, sentence: &Sentence) -> f64 {
        let pairs = self.groups.len().saturating_sub(1);
        let stands = |term: TermId, number: usize| {
            self.stand_ins(term).iter().any(|&(stood_for, _)| stood_for == number)
        };
        let together = |first: usize| {
            sentence
                .body
                .windows(2)
                .any(|two| matches!(two, [a, b] if stands(*a, first) && stands(*b, first + 1)))
        };
        let count = |n: usize| u32::try_from(n).map_or(0.0, f64::from);
        let found = (0..pairs).filter(|&first| together(first)).count();
        if pairs > 0 { count(found) / count(pairs) } else { 0.0 }
    }

    /// The question's words that a term stands for, and how well.
    fn stand_ins(&self, term: TermId) -> &[(usize, f64)] {
        self.stand_ins.get(&term).map_or(&[], Vec::as_slice)
    }

    /// The weighed share of the question's words that is covered, 0 to 1.
    pub(super) fn coverage(&self, standings: &Standings) -> f64 {
        let covered: f64 = self.groups.iter().zip(&standings.0).map(|(g, s)| g.weight * s).sum();
        if self.total > 0.0 { covered / self.total } else { 0.0 }
    }

    /// Whether the sentence knows every figure of the question, and half of its words without
    /// them: "reverse the list 1 2 3" is not about the sentence that happens to hold 1, 2 and 3.
    pub(super) fn knows_the_figures(&self, standings: &Standings) -> bool {
        let (mut covered, mut total) = (0.0, 0.0);
        for (group, standing) in self.groups.iter().zip(&standings.0) {
            if !group.figure {
                covered += group.weight * standing;
                total += group.weight;
            } else if *standing <= 0.0 {
                return false;
            }
        }
        covered >= 0.5 * total
    }

    /// How well the sentence covers the most telling of the topic's words that the corpus knows, 0
    /// to 1.
    pub(super) fn rarest_covered(&self, standings: &Standings) -> f64 {
        self.rarest.and_then(|number| standings.0.get(number)).copied().unwrap_or(0.0)
    }

    /// How much of the sentence's beginning is what the question is about, 0 to 1: a sentence
    /// speaks of what it begins with.
    pub(super) fn lead(&self, sentence: &Sentence) -> f64 {
        const SHARES: [f64; 3] = [0.5, 0.3, 0.2];
        let told = SHARES.iter().zip(sentence.subject());
        told.map(|(share, &term)| share * self.asks(term)).sum()
    }

    /// How early the sentence names the most telling word, 0 to 1.
    pub(super) fn subject(&self, sentence: &Sentence) -> f64 {
        const BY_PLACE: [f64; 3] = [1.0, 0.5, 0.25];
        let Some(rarest) = self.rarest else { return 0.0 };
        let quality = |term| {
            let found = self.stand_ins(term).iter().find(|(number, _)| *number == rarest);
            found.map_or(0.0, |(_, quality)| *quality)
        };
        let named = BY_PLACE.iter().zip(sentence.subject());
        named.map(|(share, &term)| share * quality(term)).fold(0.0, f64::max)
    }

    /// How well a term stands for any of the topic's words.
    fn asks(&self, term: TermId) -> f64 {
        let stands_for = self.stand_ins(term).iter();
        let topical = stands_for.filter(|(n, _)| self.groups.get(*n).is_some_and(|g| g.topical));
        topical.map(|(_, quality)| *quality).fold(0.0, f64::max)
    }

    /// How far the sentence opens a section that is headed by what the question is about, 0 to 1:
    /// sections begin with what their subject is.
    pub(super) fn opens(&self, sentence: &Sentence) -> f64 {
        sentence.opening * self.named_by(&sentence.nearest_heading)
    }

    /// How far the sentence has the form of the answer wanted, 0 to 1.
    pub(super) fn form(&self, sentence: &Sentence) -> f64 {
        let form = &sentence.form;
        let certain = |holds: bool| f64::from(u8::from(holds));
        match self.wanted {
            Wanted::Definition => self.named_by(&sentence.defined),
            Wanted::Enumeration => form.enumerates,
            Wanted::Count if form.number => 0.6 + 0.4 * form.enumerates,
            Wanted::Count => 0.0,
            Wanted::Quantity => certain(form.number),
            Wanted::Time => certain(form.time),
            Wanted::Method => certain(form.way),
            Wanted::Remedy => certain(form.conditional),
            Wanted::Other => 0.0,
        }
    }

    /// How far a name (a heading, a definition's subject) is what the question is about, no more
    /// and no less, 0 to 1.
    fn named_by(&self, name: &[TermId]) -> f64 {
        // Most names have none of the question's words.
        if name.iter().all(|&term| self.stand_ins(term).is_empty()) {
            return 0.0;
        }
        let weight: f64 = self.topical().map(|g| g.weight).sum();
        if weight <= 0.0 {
            return 0.0;
        }
        let best = |g: &Group| name.iter().map(|&t| g.quality(t)).fold(0.0, f64::max);
        let covered = self.topical().map(|g| g.weight * best(g)).sum::<f64>() / weight;
        let count = |n: usize| u32::try_from(n).map_or(f64::INFINITY, f64::from);
        let asked = name.iter().filter(|&&t| self.asks(t) > 0.0).count();
        covered * count(asked) / count(name.len())
    }

    fn topical(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|g| g.topical)
    }
}

impl Group {
    fn read(stem: &str, corpus: &Corpus) -> Self {
        let topical = !FURNITURE_STEMS.contains(stem);
        let matches = corpus.matches(stem);
        let idf = corpus.idf(matches.first().map(|m| m.term));
        let weight = match (topical, matches.is_empty()) {
            (true, _) => idf,
            (false, false) => idf * FURNITURE_WEIGHT,
            // "How many … exist" asks no less when the documents never say "exist".
            (false, true) => 0.0,
        };
        // "five" names no topic either, nor does the F of "5 F".
        let figure = !stem.contains(char::is_alphabetic)
            || stem.chars().count() == 1
            || NUMBER_STEMS.contains(stem);
        Self { weight, topical, figure, matches }
    }

    /// How much this word counts in a search that weighs words by rarity itself.
    pub(super) const fn emphasis(&self) -> f64 {
        if self.topical { 1.0 } else { FURNITURE_WEIGHT }
    }

    /// How well a term stands for this word.
    fn quality(&self, term: TermId) -> f64 {
        self.matches.iter().find(|m| m.term == term).map_or(0.0, |m| m.quality)
    }

    /// How well the corpus's best word for it does.
    fn best_quality(&self) -> f64 {
        self.matches.iter().map(|m| m.quality).fold(0.0, f64::max)
    }
}

impl Wanted {
    fn read(text: &str) -> Self {
        let found = words(text);
        let has = |word: &str| found.iter().any(|w| w == word);
        let word = |i: usize| found.get(i).map_or("", String::as_str);
        match (word(0), word(1)) {
            ("how", "many") => Self::Count,
            ("list" | "name" | "enumerate", _) => Self::Enumeration,
            ("what" | "which", _) if has("there") || has("exist") || word(1) == "are" => {
                Self::Enumeration
            }
            ("how", "much" | "long" | "often" | "big" | "large" | "high" | "fast") => {
                Self::Quantity
            }
            ("when", "was" | "were" | "is" | "did" | "does" | "will")
            | ("what" | "which", "year" | "date" | "day" | "month") => Self::Time,
            ("how", "do" | "can" | "to" | "should" | "would" | "could")
            | ("can" | "could" | "may", "i" | "we" | "you") => Self::Method,
            ("how", "does" | "is" | "are")
            | ("what" | "what's" | "who" | "define" | "explain" | "describe" | "meaning", _)
            | ("tell", "me") => Self::Definition,
            (first, _) if !is_stop_word(first) || first == "the" || first == "my" => Self::Remedy,
            _ => Self::Other,
        }
    }
}

/// The question without the words that shape it, for the likeness of vectors.
fn topic(text: &str) -> String {
    let kept: Vec<String> = words(text)
        .into_iter()
        .filter(|w| !is_stop_word(w) && !FURNITURE_STEMS.contains(&stem(w)))
        .take(MAX_TERMS)
        .collect();
    kept.join(" ")
}
