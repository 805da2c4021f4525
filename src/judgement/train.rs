//! Learning from tables of outcomes. The same lessons and the same seed make the same model.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    choices::Choices,
    linear::Ridge,
    model::{Calibration, Card, Draftsman, Experience, Model, Past, Read, chance, log_odds},
    ngrams::{Counts, Rarity, Sparse},
    question::{Kind, Question, count, fingerprint},
    scan::tokens,
    trees::{Binned, Growth, Loss, grow},
};
use crate::{
    answers::answer_to,
    domain::{Draft, Signal, Source, SourceKind, Tier},
    text::{fold, normal_key, without_appeals},
    vcp,
};

/// Parts that lessons fall into, each judged by a model that has seen only the others.
pub const FOLDS: usize = 5;
/// The ridges' penalty.
const PENALTY: f64 = 15.0;
/// Fewest lessons of a kind, and fewest drafts, that anything is learned from.
const FEWEST: usize = 200;

/// One question with who answered it rightly.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// The question as it was asked.
    pub question: String,
    /// Whether each model was right.
    pub right: BTreeMap<String, bool>,
    /// Its topic, where the table names one.
    pub topic: Option<String>,
    /// What models answered, where that is recorded.
    pub drafts: BTreeMap<String, Arc<str>>,
}

/// A table's lessons.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// The table's name.
    pub name: String,
    /// Its rows.
    pub lessons: Vec<Lesson>,
}

/// The fold of a question: by its normal form, so that one that stands in two tables is in one fold.
#[must_use]
pub fn fold_of(question: &str, folds: usize) -> usize {
    let hash = fingerprint(&normal_key(question));
    ((hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) as usize % folds.max(1)
}

/// A lesson prepared once for all folds.
pub(super) struct Prepared {
    pub(super) question: Question,
    counts: Counts,
    pub(super) fold: usize,
    pub(super) course: usize,
    /// Its place in the course.
    pub(super) lesson: usize,
    topic: Option<String>,
    pub(super) fast: f64,
    pub(super) slow: f64,
    pub(super) drafts: Vec<PreparedDraft>,
}

pub(super) struct PreparedDraft {
    pub(super) model: String,
    pub(super) draft: Draft,
    pub(super) right: bool,
}

/// The models of a course by their accuracy: the lower half are its fast ones, the upper third its
/// slow ones.
struct Classes {
    fast: Vec<String>,
    slow: Vec<String>,
}

impl Classes {
    fn of(course: &Course) -> Self {
        let mut tally: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (model, right) in course.lessons.iter().flat_map(|l| &l.right) {
            let (n, good) = tally.entry(model).or_default();
            *n += 1;
            *good += usize::from(*right);
        }
        let mut ranked: Vec<(&str, f64)> =
            tally.into_iter().map(|(m, (n, good))| (m, count(good) / count(n.max(1)))).collect();
        ranked.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(b.0)));
        let names = |part: &[(&str, f64)]| part.iter().map(|(m, _)| (*m).to_owned()).collect();
        let lower = ranked.len().div_ceil(2).min(ranked.len().saturating_sub(1)).max(1);
        let upper = ranked.len() - (ranked.len() + 1) / 3;
        Self {
            fast: names(ranked.get(..lower).unwrap_or_default()),
            slow: names(
                ranked.get(upper.min(ranked.len().saturating_sub(1))..).unwrap_or_default(),
            ),
        }
    }

    fn share(lesson: &Lesson, models: &[String]) -> Option<f64> {
        let known: Vec<bool> = models.iter().filter_map(|m| lesson.right.get(m).copied()).collect();
        let right = known.iter().filter(|r| **r).count();
        (!known.is_empty()).then(|| count(right) / count(known.len()))
    }
}

/// Reads every lesson once.
pub(super) fn prepare(courses: &[Course], advance: &dyn Fn()) -> Vec<Prepared> {
    let mut found = Vec::new();
    for (course, lessons) in courses.iter().enumerate() {
        let classes = Classes::of(lessons);
        for (at, lesson) in lessons.lessons.iter().enumerate() {
            advance();
            let shares =
                Classes::share(lesson, &classes.fast).zip(Classes::share(lesson, &classes.slow));
            let Some((fast, slow)) = shares else { continue };
            let asked = without_appeals(&lesson.question);
            let folded = fold(asked);
            let tokens = tokens(&folded);
            let choices = Choices::of(&tokens);
            let question = Question::of_tokens(asked, &tokens, &choices);
            let drafts = lesson
                .drafts
                .iter()
                .filter_map(|(model, text)| {
                    let right = *lesson.right.get(model)?;
                    Some(PreparedDraft {
                        model: model.clone(),
                        draft: draft_of(&lesson.question, model, text),
                        right,
                    })
                })
                .collect();
            found.push(Prepared {
                counts: Counts::of_tokens(&tokens, choices.begin(&tokens)),
                question,
                fold: fold_of(&lesson.question, FOLDS),
                course,
                lesson: at,
                topic: lesson.topic.clone(),
                fast,
                slow,
                drafts,
            });
        }
    }
    found
}

/// A recorded answer as the orchestrator would have it before it is judged.
fn draft_of(question: &str, model: &str, text: &str) -> Draft {
    let content = text.trim();
    let source = Source::new(Tier::Flux, SourceKind::Drafter, model);
    let answer = answer_to(question, content);
    let mut draft = Draft::new(source, content, answer, Signal::clamped(0.5));
    draft.checks = vcp::verify(&draft, question);
    draft
}

/// Learns from these lessons. The calibration is the identity until [`super::validate`] fits one.
pub(super) fn fit(lessons: &[&Prepared], card: Card) -> Model {
    let seed = card.seed;
    let rarity = Rarity::of(lessons.iter().map(|l| &l.counts));
    let sparse: Vec<Sparse> = lessons.iter().map(|l| rarity.weigh(&l.counts)).collect();
    let mut reads: Vec<Option<Read>> = lessons.iter().map(|_| None).collect();
    let kinds = Kind::ALL.map(|kind| {
        let of_kind: Vec<usize> = lessons
            .iter()
            .enumerate()
            .filter(|(_, l)| l.question.kind == kind)
            .map(|(at, _)| at)
            .collect();
        experience(lessons, &sparse, &of_kind, &mut reads, seed)
    });
    let history = history(lessons);
    let drafts = draftsman(lessons, &reads, &history, seed);
    Model { card, rarity, kinds, drafts, history }
}

/// How each model did on each kind of question.
fn history(lessons: &[&Prepared]) -> BTreeMap<String, BTreeMap<String, Past>> {
    let mut found: BTreeMap<String, BTreeMap<String, Past>> = BTreeMap::new();
    for lesson in lessons {
        for draft in &lesson.drafts {
            let past = found
                .entry(draft.model.clone())
                .or_default()
                .entry(lesson.question.kind.name().to_owned())
                .or_insert(Past { accuracy: 0.0, n: 0 });
            past.accuracy += f64::from(u8::from(draft.right));
            past.n += 1;
        }
    }
    for past in found.values_mut().flat_map(BTreeMap::values_mut) {
        past.accuracy /= count(past.n.max(1));
    }
    found.values_mut().for_each(|kinds| kinds.retain(|_, past| past.n >= 50));
    found.retain(|_, kinds| !kinds.is_empty());
    found
}

/// Two ridges on the wording; and on top of what they say of lessons that they have not seen, a
/// forest over the structure.
fn experience(
    lessons: &[&Prepared],
    sparse: &[Sparse],
    of_kind: &[usize],
    reads: &mut [Option<Read>],
    seed: u64,
) -> Option<Experience> {
    if of_kind.len() < FEWEST {
        return None;
    }
    let topics = Topics::of(lessons, of_kind);
    let fitted = |rows: &[usize], tier: Tier| {
        let (x, y): (Vec<&Sparse>, Vec<f64>) = rows
            .iter()
            .filter_map(|&at| Some((sparse.get(at)?, topics.calmed(lessons.get(at)?, tier))))
            .unzip();
        Ridge::fit(&x, &y, PENALTY)
    };
    for inner in 0..FOLDS {
        // Parts of their own: the outer folds are parts of the question's hash, too.
        let held = |at: usize| at % FOLDS == inner;
        let (out, rest): (Vec<usize>, Vec<usize>) = of_kind
            .iter()
            .enumerate()
            .map(|(i, at)| (i, *at))
            .fold((Vec::new(), Vec::new()), |(mut out, mut rest), (i, at)| {
                if held(i) {
                    out.push(at)
                } else {
                    rest.push(at)
                }
                (out, rest)
            });
        let (fast, slow) = (fitted(&rest, Tier::Flux), fitted(&rest, Tier::Asi));
        for at in out {
            if let (Some(lesson), Some(row), Some(read)) =
                (lessons.get(at), sparse.get(at), reads.get_mut(at))
            {
                *read = Some(Read {
                    question: lesson.question.clone(),
                    fast: fast.predict(row),
                    slow: slow.predict(row),
                    known: row.known,
                });
            }
        }
    }
    let (mut rows, mut gains) = (Vec::new(), Vec::new());
    for &at in of_kind {
        if let (Some(lesson), Some(Some(read))) = (lessons.get(at), reads.get(at)) {
            rows.push(read.row());
            gains.push(lesson.slow - lesson.fast);
        }
    }
    let usual_gain = gains.iter().sum::<f64>() / count(gains.len().max(1));
    let growth = Growth {
        trees: 150,
        leaves: 6,
        rate: 0.04,
        least_rows: (of_kind.len() / 100).clamp(20, 100),
        rows_share: 0.7,
        features_share: 0.4,
        shrinkage: 10.0,
        seed,
    };
    // A squared loss starts from the mean, which the first tree would have to learn otherwise.
    let centred: Vec<f64> = gains.iter().map(|g| g - usual_gain).collect();
    let data = Binned::of(&rows);
    let (ones, zeros) = (vec![1.0; rows.len()], vec![0.0; rows.len()]);
    let forest = grow(&data, &centred, &ones, &zeros, Loss::Squares, &growth);
    Some(Experience {
        fast: fitted(of_kind, Tier::Flux),
        slow: fitted(of_kind, Tier::Asi),
        gain: forest.raised(usual_gain),
        usual_gain,
    })
}

/// What the lessons of each topic have on average. One lesson's outcome is mostly chance, its
/// topic's mean is not: targets are drawn to it, so that wording is learned as a topic's, too.
struct Topics<'a>(BTreeMap<(usize, &'a str), Mean>);

#[derive(Default)]
struct Mean {
    n: f64,
    fast: f64,
    slow: f64,
}

/// How far a target is drawn to its topic's mean.
const TOPIC_SHARE: f64 = 0.3;

impl<'a> Topics<'a> {
    fn of(lessons: &[&'a Prepared], of_kind: &[usize]) -> Self {
        let mut found: BTreeMap<(usize, &str), Mean> = BTreeMap::new();
        for lesson in of_kind.iter().filter_map(|&at| lessons.get(at)) {
            let Some(topic) = lesson.topic.as_deref() else { continue };
            let mean = found.entry((lesson.course, topic)).or_default();
            mean.n += 1.0;
            mean.fast += lesson.fast;
            mean.slow += lesson.slow;
        }
        Self(found)
    }

    /// A tier's share of right answers to a lesson, drawn to its topic's.
    fn calmed(&self, lesson: &Prepared, tier: Tier) -> f64 {
        let pick = |fast: f64, slow: f64| match tier {
            Tier::Flux => fast,
            Tier::Asi => slow,
        };
        let own = pick(lesson.fast, lesson.slow);
        let topic = lesson.topic.as_deref().and_then(|topic| self.0.get(&(lesson.course, topic)));
        match topic.filter(|mean| mean.n >= 20.0) {
            Some(mean) => own + TOPIC_SHARE * (pick(mean.fast, mean.slow) / mean.n - own),
            None => own,
        }
    }
}

fn draftsman(
    lessons: &[&Prepared],
    reads: &[Option<Read>],
    history: &BTreeMap<String, BTreeMap<String, Past>>,
    seed: u64,
) -> Option<Draftsman> {
    let (mut rows, mut right, mut gains, mut start) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (lesson, read) in lessons.iter().zip(reads) {
        let Some(read) = read.as_ref().filter(|r| r.question.kind == Kind::Quantity) else {
            continue;
        };
        for draft in &lesson.drafts {
            let past = history.get(&draft.model).and_then(|kinds| kinds.get(Kind::Quantity.name()));
            let Some(past) = past else { continue };
            rows.push(read.draft_row(&draft.draft, past.accuracy));
            let is_right = f64::from(u8::from(draft.right));
            right.push(is_right);
            gains.push(lesson.slow - is_right);
            start.push(log_odds(past.accuracy));
        }
    }
    if rows.len() < FEWEST {
        return None;
    }
    let growth = Growth {
        trees: 220,
        leaves: 8,
        rate: 0.05,
        least_rows: 40,
        rows_share: 0.7,
        features_share: 0.3,
        shrinkage: 5.0,
        seed,
    };
    let data = Binned::of(&rows);
    let ones = vec![1.0; rows.len()];
    let usual = gains.iter().sum::<f64>() / count(gains.len());
    let centred: Vec<f64> = gains.iter().map(|g| g - usual).collect();
    let zeros = vec![0.0; rows.len()];
    let by_gain = Growth { seed: seed.wrapping_add(1), ..growth };
    let gain = grow(&data, &centred, &ones, &zeros, Loss::Squares, &by_gain);
    Some(Draftsman {
        right: grow(&data, &right, &ones, &start, Loss::Logistic, &growth),
        gain: gain.raised(usual),
        calibration: Calibration::default(),
    })
}

/// Fits slope and offset to outcomes by Newton's method, with a weak pull to the identity.
pub(super) fn calibrated(observed: &[(f64, bool)], error_before: f64) -> Calibration {
    let (mut slope, mut offset) = (1.0_f64, 0.0_f64);
    for _ in 0..30 {
        let (mut gs, mut go) = (10.0 * (1.0 - slope), -10.0 * offset);
        let (mut hss, mut hso, mut hoo) = (10.0, 0.0, 10.0);
        for (z, right) in observed {
            let p = chance(slope * z + offset);
            let (d, w) = (f64::from(u8::from(*right)) - p, p * (1.0 - p));
            gs += d * z;
            go += d;
            hss += w * z * z;
            hso += w * z;
            hoo += w;
        }
        let det = hss * hoo - hso * hso;
        if det.abs() < 1e-12 {
            break;
        }
        slope += (hoo * gs - hso * go) / det;
        offset += (hss * go - hso * gs) / det;
    }
    let sound = slope.is_finite() && offset.is_finite() && (0.2..=5.0).contains(&slope);
    let (slope, offset) = if sound { (slope, offset) } else { (1.0, 0.0) };
    Calibration { slope, offset, n: observed.len(), error_before }
}

impl Prepared {
    /// The question as a model reads it.
    pub(super) fn read_by(&self, model: &Model) -> Read {
        let sparse = model.rarity.weigh(&self.counts);
        let (fast, slow) = match model.experience(self.question.kind) {
            Some(known) => (known.fast.predict(&sparse), known.slow.predict(&sparse)),
            None => (0.5, 0.5),
        };
        Read { question: self.question.clone(), fast, slow, known: sparse.known }
    }
}
