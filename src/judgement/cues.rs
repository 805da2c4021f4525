//! Words that say something of how a question is to be worked out, or of how sure a reply is.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

macro_rules! cues {
    ($($cue:ident $name:literal: $($word:literal)*;)*) => {
        /// What a word hints at.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Cue { $($cue),* }

        /// The names of the cues, in their order.
        pub(super) const NAMES: &[&str] = &[$($name),*];

        const WORDS: &[(&str, Cue)] = &[$($(($word, Cue::$cue)),*),*];
    };
}

cues! {
    Half "half": "half" "halves" "halved";
    Twice "twice": "twice" "double" "doubled" "doubles";
    Triple "triple": "thrice" "triple" "tripled" "triples";
    Times "times": "times";
    Percent "percent": "percent" "percentage" "%";
    Fraction "fraction": "third" "thirds" "quarter" "quarters" "fourth" "fourths" "fifth" "fifths" "fraction";
    Dozen "dozen": "dozen" "dozens";
    Week "week": "week" "weeks" "weekly";
    Month "month": "month" "months" "monthly";
    Year "year": "year" "years" "yearly" "annual";
    Day "day": "day" "days" "daily";
    Hour "hour": "hour" "hours" "hourly";
    Minute "minute": "minute" "minutes" "seconds";
    Each "each": "each" "every" "per";
    More "more": "more" "older" "taller" "longer" "greater";
    Less "less": "less" "fewer" "younger" "shorter";
    Left "left": "left" "remain" "remaining" "remains" "rest";
    Total "total": "total" "altogether" "combined" "sum" "all";
    Average "average": "average" "mean";
    Ratio "ratio": "ratio";
    Profit "profit": "profit" "earn" "earns" "earned" "make";
    If "if": "if" "suppose" "assuming";
    Equal "equal": "equal" "equally" "same" "evenly" "split" "shared" "shares";
    Order "order": "first" "second" "then" "after" "before" "next" "finally" "later";
    Another "another": "another" "additional" "other" "extra";
    Age "age": "age" "old" "ago";
    Speed "speed": "mph" "speed" "miles" "distance";
    Cost "cost": "cost" "costs" "price" "pay" "pays" "paid" "spend" "spent" "buy" "buys" "bought";
    Discount "discount": "discount" "sale" "off";
    Tax "tax": "tax" "tip" "interest" "fee";
    Growth "growth": "increase" "increased" "increases" "grow" "grows" "raise" "raises" "decrease" "decreased" "reduced";
    Only "only": "only" "except" "not" "no" "never" "without";
    Start "start": "original" "originally" "initial" "initially" "start" "started" "begin" "began" "beginning";
    Than "than": "than";
    Hedge "hedge": "however" "cannot" "can't" "impossible" "unclear" "actually" "mistake" "wait" "incorrect" "apologize" "apologies" "seems" "seem" "perhaps" "probably" "maybe" "might" "assume" "assumed" "assumption" "assumptions" "reevaluate" "reconsider" "recheck" "specified" "unknown";
    Round "round": "round" "rounded" "rounding" "rounds" "approximately" "approx" "nearest" "about";
    Algebra "algebra": "let" "let's" "equation" "equations" "variable" "solve" "denote" "represent";
    Hence "hence": "therefore" "so" "thus" "hence";
    Step "step": "step" "steps";
    Because "because": "because" "since";
    Why "why": "why" "explain" "prove" "proof" "derive" "justify";
    Which "which": "which" "following" "except" "true" "false" "best" "most" "likely";
}

static CUES: LazyLock<FxHashMap<&'static str, Cue>> =
    LazyLock::new(|| WORDS.iter().copied().collect());

/// Longest word that is a cue.
const LONGEST: usize = 13;

/// For each length, the first letters that cues of that length have, as bits: most words need not be
/// looked up.
const FIRST_LETTERS: [u32; LONGEST + 1] = {
    let mut letters = [0; LONGEST + 1];
    let mut at = 0;
    while at < WORDS.len() {
        let word = WORDS[at].0.as_bytes();
        if word[0].is_ascii_lowercase() {
            letters[word.len()] |= 1 << (word[0] - b'a');
        }
        at += 1;
    }
    letters
};

fn may_be_cue(word: &str) -> bool {
    let Some(letters) = FIRST_LETTERS.get(word.len()) else { return false };
    match word.as_bytes().first() {
        Some(first @ b'a'..=b'z') => letters & (1 << (first - b'a')) != 0,
        first => first.is_some(),
    }
}

/// What a folded word hints at.
pub(super) fn cue(word: &str) -> Option<Cue> {
    if may_be_cue(word) { CUES.get(word).copied() } else { None }
}

/// How often each cue stands in a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Counts([u16; NAMES.len()]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; NAMES.len()])
    }
}

impl Counts {
    pub(super) fn add(&mut self, word: &str) {
        if let Some(count) = cue(word).and_then(|cue| self.0.get_mut(cue as usize)) {
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn of(&self, cue: Cue) -> f64 {
        f64::from(self.0.get(cue as usize).copied().unwrap_or(0))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        NAMES.iter().copied().zip(self.0.iter().map(|&count| f64::from(count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cue_is_found_and_no_other_word() {
        assert!(WORDS.iter().all(|(word, _)| cue(word).is_some()));
        for other in ["", "h", "oven", "approximatelyy", "élan", "7"] {
            assert!(cue(other).is_none(), "{other}");
        }
    }
}
