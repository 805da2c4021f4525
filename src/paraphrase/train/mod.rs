//! Training on labelled pairs: words are counted on one half of them, trees grown there, scores
//! calibrated on a quarter, and judged on the last quarter. Pairs that share a question, directly
//! or through others, are never in two parts.

mod boost;
mod counts;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{
    Judgement, Matcher, Model,
    bound::rate_upper_bound,
    calibration::{CONFIDENCE, Calibration},
    features::{Alignment, features, meaning},
    guard::mismatch,
    lexicon::{Lexicon, hash},
    profile::Profile,
    trees::Forest,
};
use crate::embedding::Embedding;
use counts::Counts;

/// Two questions, and whether they ask the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledPair {
    /// The one.
    pub a: String,
    /// The other.
    pub b: String,
    /// Whether they ask the same.
    pub same: bool,
}

/// Which part of the pairs each one belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// Words and trees learn from it.
    Train,
    /// Scores are calibrated on it.
    Calibrate,
    /// What is reported is measured on it.
    Test,
}

/// Why nothing was trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrainingError {
    /// There is not enough to learn from.
    #[error(
        "{train} pairs to learn from, {calibrate} to calibrate on and {test} to judge by are too \
         few: at least {LEAST_PAIRS} of each, of both labels"
    )]
    TooFew {
        /// Pairs of the first half.
        train: usize,
        /// Pairs of the third quarter.
        calibrate: usize,
        /// Pairs of the last quarter.
        test: usize,
    },
}

/// Least pairs of a part.
const LEAST_PAIRS: usize = 500;
/// Pairs are told apart in this many folds, so that no pair is told what its own label was.
const FOLDS: usize = 8;

/// Other texts near a paraphrase that it is told apart from, and what such a pair weighs.
const NEAREST: usize = 6;
const MINED: f32 = 4.0;

/// A trained matcher and what it is worth.
#[derive(Debug, Clone)]
pub struct Trained {
    /// It.
    pub matcher: Matcher,
    /// Measured on the pairs that it has not seen.
    pub held_out: HeldOut,
}

/// Figures of the last quarter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldOut {
    /// Pairs learned from.
    pub trained_on: usize,
    /// Pairs calibrated on.
    pub calibrated_on: usize,
    /// Pairs judged.
    pub pairs: usize,
    /// Pairs of the same question among them.
    pub same: usize,
    /// Share of the same that is accepted at a wrong-hit rate of 1 %.
    pub recall: f64,
    /// Share of the different that is accepted there.
    pub wrong_hit_rate: f64,
    /// Its upper bound, 95 %.
    pub wrong_hit_bound: f64,
}

/// The part of each pair: pairs that hang together by a question are in one part.
#[must_use]
pub fn split(pairs: &[LabelledPair]) -> Vec<(Split, usize)> {
    let mut ids: FxHashMap<&str, usize> = FxHashMap::default();
    let mut parents: Vec<usize> = Vec::new();
    let mut id = |text, parents: &mut Vec<usize>| {
        *ids.entry(text).or_insert_with(|| {
            parents.push(parents.len());
            parents.len() - 1
        })
    };
    let mut names: Vec<&str> = Vec::new();
    let of: Vec<usize> = pairs
        .iter()
        .map(|pair| {
            let (a, b) = (id(&pair.a, &mut parents), id(&pair.b, &mut parents));
            let (a, b) = (root(&mut parents, a), root(&mut parents, b));
            if let Some(parent) = parents.get_mut(a.max(b)) {
                *parent = a.min(b);
            }
            a
        })
        .collect();
    // The first question of a group names it.
    for pair in pairs {
        for text in [pair.a.as_str(), pair.b.as_str()] {
            if ids.get(text) == Some(&names.len()) {
                names.push(text);
            }
        }
    }
    of.into_iter()
        .map(|at| {
            let name = names.get(root(&mut parents, at)).copied().unwrap_or_default();
            let dice = hash(b'h', name.bytes()) as usize;
            let part = match dice & 3 {
                0 | 1 => Split::Train,
                2 => Split::Calibrate,
                _ => Split::Test,
            };
            (part, dice / 4 % FOLDS)
        })
        .collect()
}

fn root(parents: &mut [usize], mut at: usize) -> usize {
    while let Some(&parent) = parents.get(at) {
        if parent == at {
            break;
        }
        let grandparent = parents.get(parent).copied().unwrap_or(parent);
        if let Some(own) = parents.get_mut(at) {
            *own = grandparent;
        }
        at = grandparent;
    }
    at
}

/// What a sentence model takes a text to mean, where there is one.
pub type Points<'p> = &'p dyn Fn(&str) -> Option<Arc<Embedding>>;

/// Trains a matcher. Deterministic: the same pairs and points give the same model. `points` gives
/// none for a matcher of words alone. `progress` hears how many of how many trees are grown.
///
/// # Errors
/// [`TrainingError`] when a part is too small to learn from or to be measured on.
pub fn train(
    pairs: &[LabelledPair],
    paraphrases: &[LabelledPair],
    points: Points<'_>,
    trees: usize,
    mut progress: impl FnMut(usize, usize),
) -> Result<Trained, TrainingError> {
    let parts = split(pairs);
    let of = |wanted: Split| pairs.iter().zip(&parts).filter(move |(_, (part, _))| *part == wanted);
    let enough = |part| {
        let (all, same) = of(part).fold((0, 0), |(n, s), (p, _)| (n + 1, s + usize::from(p.same)));
        (all, all >= LEAST_PAIRS && same > 0 && same < all)
    };
    let sizes = [Split::Train, Split::Calibrate, Split::Test].map(enough);
    let [(train, _), (calibrate, _), (test, _)] = sizes;
    if sizes.iter().any(|(_, enough)| !enough) {
        return Err(TrainingError::TooFew { train, calibrate, test });
    }
    let paraphrased = split(paraphrases);
    let blank = Lexicon::empty();
    let mut counts = Counts::default();
    for (pair, _) in paraphrases.iter().zip(&paraphrased).filter(|(_, p)| p.0 == Split::Train) {
        counts.add_texts([&pair.a, &pair.b].map(|text| (text.as_str(), Profile::of(text, &blank))));
    }
    for (pair, (_, fold)) in of(Split::Train) {
        let (a, b) = (Profile::of(&pair.a, &blank), Profile::of(&pair.b, &blank));
        counts.add(&a, &b, pair, *fold);
    }
    let lexicon = counts.lexicon();
    let profile = |text: &str| Profile::of(text, &lexicon).with_point(points(text));
    let mut rows = Vec::new();
    for (pair, (_, fold)) in of(Split::Train) {
        let (a, b) = (profile(&pair.a), profile(&pair.b));
        let alignment = Alignment::between(&a, &b);
        let why = mismatch(&a, &b, &alignment);
        let evidence = counts.without(*fold);
        rows.push((features(&a, &b, &alignment, why, &evidence), pair.same, 1.0));
    }
    drop(counts);
    let mine = |part| mined(paraphrases, &paraphrased, part, &profile);
    for (a, b, same) in mine(Split::Train) {
        let alignment = Alignment::between(&a, &b);
        let why = mismatch(&a, &b, &alignment);
        rows.push((features(&a, &b, &alignment, why, &lexicon), same, MINED));
    }
    let forest = boost::grow(&rows, trees, &mut progress);
    let matcher = |calibrations| {
        Matcher::of(Model { lexicon: lexicon.clone(), forest: forest.clone(), calibrations })
    };
    let raw = matcher([Calibration::none(), Calibration::none()]);
    let judged = |by: &Matcher, part| -> Vec<(Judgement, bool)> {
        of(part)
            .map(|(pair, _)| (by.judge(&profile(&pair.a), &profile(&pair.b)), pair.same))
            .collect()
    };
    let scored: Vec<_> = judged(&raw, Split::Calibrate)
        .into_iter()
        .chain(mine(Split::Calibrate).into_iter().map(|(a, b, same)| (raw.judge(&a, &b), same)))
        .collect();
    let matcher = matcher([false, true].map(|told| {
        let own = scored.iter().filter(|(judgement, _)| judgement.told == told);
        let open = own.map(|(j, same)| (j.mismatch.is_none().then_some(j.score), *same));
        Calibration::of(&open.collect::<Vec<_>>())
    }));
    let held_out = held_out(&judged(&matcher, Split::Test), &matcher, train, calibrate);
    Ok(Trained { matcher, held_out })
}

/// Every paraphrase of a part as it is found: with its own text, and with the nearest others.
fn mined(
    pairs: &[LabelledPair],
    parts: &[(Split, usize)],
    part: Split,
    profile: &dyn Fn(&str) -> Profile,
) -> Vec<(Profile, Profile, bool)> {
    let own: Vec<&LabelledPair> = pairs
        .iter()
        .zip(parts)
        .filter(|(_, (own, _))| *own == part)
        .map(|(pair, _)| pair)
        .collect();
    let stored: Vec<Profile> = own.iter().map(|pair| profile(&pair.a)).collect();
    let mut found = Vec::new();
    for pair in &own {
        let asked = profile(&pair.b);
        let others = || own.iter().zip(&stored).enumerate().filter(|(_, (o, _))| o.a != pair.a);
        let nearest = |likeness: &dyn Fn(&Profile) -> f32| {
            let mut near: Vec<_> = others().map(|(at, (_, p))| (likeness(p), at)).collect();
            near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
            near.into_iter().take(NEAREST).map(|(_, at)| at).collect::<Vec<_>>()
        };
        // By their words and, where a sentence model was asked, by their meaning.
        let mut near = nearest(&|other| asked.vector.dot(&other.vector) as f32);
        if asked.point.is_some() {
            let by_meaning = nearest(&|other| meaning(&asked, other));
            let more: Vec<usize> = by_meaning.into_iter().filter(|at| !near.contains(at)).collect();
            near.extend(more);
        }
        for at in near {
            found.extend(stored.get(at).map(|other| (asked.clone(), other.clone(), false)));
        }
        found.push((asked, profile(&pair.a), true));
    }
    found
}

fn held_out(
    judged: &[(Judgement, bool)],
    matcher: &Matcher,
    trained_on: usize,
    calibrated_on: usize,
) -> HeldOut {
    let acceptance = matcher.acceptance(0.01);
    let accepted = |wanted: bool| {
        let of = judged.iter().filter(|(_, same)| *same == wanted);
        let hits = of.clone().filter(|(j, _)| acceptance.accepts(j)).count();
        (hits, of.count())
    };
    let ((right, same), (wrong, different)) = (accepted(true), accepted(false));
    HeldOut {
        trained_on,
        calibrated_on,
        pairs: judged.len(),
        same,
        recall: right as f64 / same.max(1) as f64,
        wrong_hit_rate: wrong as f64 / different.max(1) as f64,
        wrong_hit_bound: rate_upper_bound(wrong, different, CONFIDENCE),
    }
}

impl Matcher {
    fn base_forest(&self) -> &Forest {
        &self.model.forest
    }

    /// Trees of the model; none where it is untrained.
    #[must_use]
    pub fn trees(&self) -> usize {
        self.base_forest().trees.len()
    }
}
