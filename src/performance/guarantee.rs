//! The cut-off that a quality target needs, by a bound that holds for finite samples.

use serde::{Deserialize, Serialize};

use crate::domain::QualityTarget;

/// A drafted request whose truth is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The draft's signal.
    pub signal: f64,
    /// Whether keeping the draft loses: it is wrong, and the slow tier is right.
    pub loses: bool,
}

/// A cut-off that keeps a promise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cut {
    /// The promise.
    pub target: QualityTarget,
    /// Drafts with at least this signal are kept.
    pub keep_signal: f64,
    /// Share of requests that go to the slow tier.
    pub slow_share: f64,
    /// Upper bound of the mean loss, with confidence `1 − delta` (Clopper and Pearson).
    pub loss_bound: f64,
    /// Requests that it rests on.
    pub n: usize,
}

/// Why there is no cut-off.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The figures are no shares.
    #[error("alpha and delta must lie between 0 and 1, both excluded")]
    Target,
    /// Even a faultless record of this length would not show it.
    #[error(
        "the evidence is too thin: {n} requests with a known truth; a loss of at most {alpha} with \
         confidence {confidence} takes {needed}"
    )]
    Thin {
        /// Requests that there are.
        n: usize,
        /// What was asked for.
        alpha: f64,
        /// One minus delta.
        confidence: f64,
        /// Requests that are enough, where the surest of them do not lose.
        needed: usize,
    },
    /// The surest drafts lose too often.
    #[error("no draft is sure enough: even those with the highest signal lose too often")]
    Unsure,
}

/// The lowest cut-off at which, with confidence `1 − delta`, at most `alpha` of the next requests
/// lose, of as many of them as these.
///
/// What is promised is what an owner can see come true: a count of the requests to come, and not
/// the mean of a population that nobody ever sees. Were the cut-off a fixed one, a promise would be
/// broken where few of these lose and more than `alpha` of those to come; given how many of both
/// together lose, each was as likely to be among these as among the others, so that the chance is
/// Fisher's hypergeometric tail (`most_losses`). It needs no distribution, only that requests to
/// come are like these (exchangeable).
///
/// Cut-offs are tried from the highest down, and the first that has too many losses ends the search:
/// those that are kept and lose can only grow in number on the way down, so that no correction for
/// having tried several is due (as in risk-controlling prediction sets, Bates et al., J. ACM 2021,
/// whose bound is on the mean: Clopper and Pearson's is stated beside). Requests that the draft gets
/// right where the slow tier does not are not set against those that lose: the real loss is lower
/// still.
///
/// # Errors
/// [`Refusal`]: nothing is promised on thin evidence.
pub fn cut(target: QualityTarget, requests: &[Kept]) -> Result<Cut, Refusal> {
    let inside = |p: f64| p > 0.0 && p < 1.0;
    if !inside(target.alpha) || !inside(target.delta) {
        return Err(Refusal::Target);
    }
    let n = requests.len();
    let Some(most) = most_losses(n, target) else {
        let confidence = 1.0 - target.delta;
        return Err(Refusal::Thin { n, alpha: target.alpha, confidence, needed: needed(target) });
    };
    let mut sorted = requests.to_vec();
    sorted.sort_by(|a, b| b.signal.total_cmp(&a.signal));
    let (mut kept, mut lost) = (0, 0);
    let mut found = None;
    for tied in sorted.chunk_by(|a, b| a.signal == b.signal) {
        kept += tied.len();
        lost += tied.iter().filter(|r| r.loses).count();
        if lost > most {
            break;
        }
        found = Some((tied.first().map_or(1.0, |r| r.signal), kept, lost));
    }
    let (keep_signal, kept, lost) = found.ok_or(Refusal::Unsure)?;
    let loss_bound = upper_bound(lost, n, target.delta);
    Ok(Cut { target, keep_signal, slow_share: share(n - kept, n), loss_bound, n })
}

/// What a cut-off does on drafts that had no part in it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HeldOut {
    /// The cut-off of the other half.
    pub keep_signal: f64,
    /// Share of drafts that are kept and lose.
    pub loss: f64,
    /// Share of drafts that go to the slow tier.
    pub slow_share: f64,
    /// Drafts in this half.
    pub n: usize,
}

/// Sets the cut-off by every other draft and counts what it does on the rest; `None` where half of
/// the drafts carry no cut-off.
#[must_use]
pub fn held_out(target: QualityTarget, drafts: &[Kept]) -> Option<HeldOut> {
    let half = |from| drafts.iter().copied().skip(from).step_by(2).collect::<Vec<Kept>>();
    let (seen, unseen) = (half(0), half(1));
    let keep_signal = cut(target, &seen).ok()?.keep_signal;
    let kept = || unseen.iter().filter(|draft| draft.signal >= keep_signal);
    let n = unseen.len();
    Some(HeldOut {
        keep_signal,
        loss: share(kept().filter(|draft| draft.loses).count(), n),
        slow_share: share(n - kept().count(), n),
        n,
    })
}

/// The most losses among `n` requests with which more than `alpha` of the next `n` lose in no more
/// than `delta` of all cases; `None` where even none are too many.
///
/// Broken is the promise where at most `k` of these lose and at least `m = ⌊alpha n⌋ + 1` of the
/// next. Of all numbers that lose among both, `k + m` makes that likeliest, and then at most `k` of
/// them fall among these with the chance that Fisher's exact test calls its one-sided p.
fn most_losses(n: usize, target: QualityTarget) -> Option<usize> {
    let broken_from = allowed(n, target.alpha) + 1;
    let ln_factorials = ln_factorials(2 * n);
    // Of no requests at all none can lose: that is no evidence.
    let holds = |k| n > 0 && at_most_of_half(k, k + broken_from, n, &ln_factorials) <= target.delta;
    if !holds(0) {
        return None;
    }
    let (mut within, mut beyond) = (0, broken_from);
    while within + 1 < beyond {
        let middle = usize::midpoint(within, beyond);
        if holds(middle) { within = middle } else { beyond = middle }
    }
    Some(within)
}

/// Requests with which a promise can be made, where none of them loses: all of the first
/// `⌈log2(1/delta)⌉` losses to come would have to fall among the others.
fn needed(target: QualityTarget) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let needed = (((1.0 / target.delta).log2().ceil() - 1.0) / target.alpha - 1e-9).ceil() as usize;
    needed.max(1)
}

/// The losses among `n` that a share allows; a rounding error below a whole number is none.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most n")]
fn allowed(n: usize, alpha: f64) -> usize {
    alpha.mul_add(n as f64, 1e-9).floor() as usize
}

/// The chance that at most `k` of `total` fall into one half of `2 n` (hypergeometric).
fn at_most_of_half(k: usize, total: usize, n: usize, ln_factorials: &[f64]) -> f64 {
    let ln_choose = |n: usize, k: usize| ln_factorials[n] - ln_factorials[k] - ln_factorials[n - k];
    if total > 2 * n {
        return 0.0; // So many cannot lose.
    }
    let ln_all = ln_choose(2 * n, total);
    let term = |i: usize| (ln_choose(n, i) + ln_choose(n, total - i) - ln_all).exp();
    (total.saturating_sub(n)..=k.min(n)).map(term).sum()
}

/// `ln 0!` to `ln n!`.
fn ln_factorials(n: usize) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let next = |sum: &mut f64, i: usize| {
        *sum += (i.max(1) as f64).ln();
        Some(*sum)
    };
    (0..=n).scan(0.0, next).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn share(part: usize, of: usize) -> f64 {
    part as f64 / of.max(1) as f64
}

/// Clopper and Pearson's one-sided upper bound of a share of which `k` of `n` were seen: the largest
/// share under which so few would still be seen with probability `delta` (Biometrika 1934).
#[must_use]
pub fn upper_bound(k: usize, n: usize, delta: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    let (mut low, mut high) = (share(k, n), 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if at_most(k, n, middle) > delta { low = middle } else { high = middle }
    }
    high
}

/// The chance of at most `k` of `n` under a share strictly between 0 and 1.
fn at_most(k: usize, n: usize, p: f64) -> f64 {
    let (p, q) = (p.clamp(1e-15, 1.0 - 1e-15), (1.0 - p).clamp(1e-15, 1.0));
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let n = n as f64;
    // ln of the binomial's terms, each from the one before.
    let (mut term, mut sum) = (n * q.ln(), 0.0_f64);
    let mut i = 0.0;
    for _ in 0..=k {
        sum += term.exp();
        term += ((n - i) / (i + 1.0)).ln() + p.ln() - q.ln();
        i += 1.0;
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn the_bound_agrees_with_published_values() {
        // Nothing seen: 1 − delta^(1/n). And 2 of 50 at 95 %: 0.1206 (Clopper–Pearson, one-sided).
        assert!((upper_bound(0, 100, 0.05) - (1.0 - 0.05_f64.powf(0.01))).abs() < 1e-9);
        assert!((upper_bound(2, 50, 0.05) - 0.1206).abs() < 1e-3, "{}", upper_bound(2, 50, 0.05));
        assert_eq!(upper_bound(5, 5, 0.05), 1.0);
    }

    #[test]
    fn thin_evidence_is_refused_and_says_what_it_takes() {
        let none = cut(QualityTarget { alpha: 0.3, delta: 0.1 }, &[]);
        assert!(matches!(none, Err(Refusal::Thin { n: 0, needed: 10, .. })));
        let few = vec![Kept { signal: 0.9, loses: false }; 300];
        let target = QualityTarget { alpha: 0.01, delta: 0.05 };
        assert!(matches!(cut(target, &few), Err(Refusal::Thin { n: 300, needed: 400, .. })));
        let enough = vec![Kept { signal: 0.9, loses: false }; 400];
        assert!(cut(target, &enough).is_ok());
        let losing = vec![Kept { signal: 0.9, loses: true }; 500];
        assert_eq!(cut(target, &losing), Err(Refusal::Unsure));
        assert_eq!(cut(QualityTarget { alpha: 0.0, delta: 0.05 }, &few), Err(Refusal::Target));
    }

    #[test]
    fn the_tail_agrees_with_the_lady_tasting_tea() {
        // Fisher 1935: of 8 cups she names 4; none right by chance in 1 of 70 cases, at most one in 17.
        let ln_factorials = ln_factorials(8);
        assert!((at_most_of_half(0, 4, 4, &ln_factorials) - 1.0 / 70.0).abs() < 1e-12);
        assert!((at_most_of_half(1, 4, 4, &ln_factorials) - 17.0 / 70.0).abs() < 1e-12);
        // Of six among eight, at least two fall into each half.
        assert_eq!(at_most_of_half(1, 6, 4, &ln_factorials), 0.0);
        assert!((at_most_of_half(4, 6, 4, &ln_factorials) - 1.0).abs() < 1e-12);
    }

    /// Signals that are calibrated on a world whose true loss at any cut is known.
    fn world(random: &mut StdRng, n: usize) -> Vec<Kept> {
        (0..n)
            .map(|_| {
                let signal: f64 = random.random::<f64>().sqrt();
                Kept { signal, loses: random.random::<f64>() < (1.0 - signal) * 0.8 }
            })
            .collect()
    }

    #[test]
    fn the_promise_is_broken_no_more_often_than_it_says() {
        let mut random = StdRng::seed_from_u64(11);
        for alpha in [0.01, 0.02, 0.05, 0.1, 0.2] {
            let (mut in_mean, mut next_to_come, mut made) = (0, 0, 0);
            for _ in 0..400 {
                let seen = world(&mut random, 600);
                let Ok(found) = cut(QualityTarget { alpha, delta: 0.05 }, &seen) else { continue };
                made += 1;
                // P(kept and loses) = ∫ over s from the cut to 1 of 0.8 (1 − s) 2s ds.
                let area = |s: f64| 0.8 * (s * s - 2.0 * s.powi(3) / 3.0);
                in_mean += usize::from(area(1.0) - area(found.keep_signal) > alpha);
                let next = world(&mut random, 600);
                let lost = next.iter().filter(|r| r.loses && r.signal >= found.keep_signal);
                next_to_come += usize::from(share(lost.count(), 600) > alpha);
            }
            let most = 0.05 + 2.0 * (0.05_f64 * 0.95 / 400.0).sqrt();
            assert!(share(in_mean, 400) <= most, "alpha {alpha}, mean: {in_mean} of {made}");
            assert!(share(next_to_come, 400) <= most, "alpha {alpha}: {next_to_come} of {made}");
            assert!(made > 0, "alpha {alpha} was never promised");
        }
    }

    proptest! {
        #[test]
        fn the_most_losses_are_the_most(n in 1usize..400, alpha in 0.01f64..0.5, delta in 0.01f64..0.3) {
            let target = QualityTarget { alpha, delta };
            let ln_factorials = ln_factorials(2 * n);
            let broken_from = allowed(n, alpha) + 1;
            let chance = |k| at_most_of_half(k, k + broken_from, n, &ln_factorials);
            match most_losses(n, target) {
                Some(most) => {
                    prop_assert!(chance(most) <= delta && chance(most + 1) > delta);
                    prop_assert!(most < broken_from, "more than are allowed in the mean");
                }
                None => prop_assert!(chance(0) > delta && n < needed(target)),
            }
        }

        #[test]
        fn a_stricter_promise_never_keeps_more(seed in 0u64..500, a in 0.02f64..0.3, b in 0.02f64..0.3) {
            let seen = world(&mut StdRng::seed_from_u64(seed), 400);
            let at = |alpha| cut(QualityTarget { alpha, delta: 0.1 }, &seen);
            if let (Ok(strict), Ok(lax)) = (at(a.min(b)), at(a.max(b))) {
                prop_assert!(strict.keep_signal >= lax.keep_signal);
                prop_assert!(strict.slow_share >= lax.slow_share);
            }
        }
    }
}
