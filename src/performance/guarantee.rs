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
    /// Upper bound of the loss, with confidence `1 − delta`.
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
         confidence {confidence} takes at least {needed}"
    )]
    Thin {
        /// Requests that there are.
        n: usize,
        /// What was asked for.
        alpha: f64,
        /// One minus delta.
        confidence: f64,
        /// Requests that it takes at least.
        needed: usize,
    },
    /// The surest drafts lose too often.
    #[error("no draft is sure enough: even those with the highest signal lose too often")]
    Unsure,
}

/// The lowest cut-off whose loss is at most `alpha`, with confidence `1 − delta` over the draw of
/// these requests.
///
/// Cut-offs are tried from the highest down, and the first whose bound exceeds `alpha` ends the
/// search: the share of all requests that are kept and lose can only grow on the way down, so that
/// no correction for having tried several is due (risk-controlling prediction sets, Bates et al.,
/// J. ACM 2021; fixed-sequence testing in Angelopoulos et al. 2021, "Learn then Test"). The bound is
/// Clopper and Pearson's one-sided one. Requests that the draft gets right where the slow tier does
/// not are not set against those that lose: the real loss is lower still.
///
/// # Errors
/// [`Refusal`]: nothing is promised on thin evidence.
pub fn cut(target: QualityTarget, requests: &[Kept]) -> Result<Cut, Refusal> {
    let inside = |p: f64| p > 0.0 && p < 1.0;
    if !inside(target.alpha) || !inside(target.delta) {
        return Err(Refusal::Target);
    }
    let n = requests.len();
    if upper_bound(0, n, target.delta) > target.alpha {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let needed = (target.delta.ln() / (1.0 - target.alpha).ln()).ceil() as usize;
        let confidence = 1.0 - target.delta;
        return Err(Refusal::Thin { n, alpha: target.alpha, confidence, needed });
    }
    let mut sorted = requests.to_vec();
    sorted.sort_by(|a, b| b.signal.total_cmp(&a.signal));
    // The bound grows with the losses: it is worked out once for the most that are allowed, and not
    // for every cut-off.
    let most = most_losses(n, target);
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

/// The most losses among `n` whose bound stays within the target; even none does, as the caller knows.
fn most_losses(n: usize, target: QualityTarget) -> usize {
    let (mut within, mut beyond) = (0, n);
    while within + 1 < beyond {
        let middle = usize::midpoint(within, beyond);
        if upper_bound(middle, n, target.delta) > target.alpha {
            beyond = middle;
        } else {
            within = middle;
        }
    }
    within
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
        let few = vec![Kept { signal: 0.9, loses: false }; 100];
        let target = QualityTarget { alpha: 0.01, delta: 0.05 };
        assert!(matches!(cut(target, &few), Err(Refusal::Thin { n: 100, needed: 299, .. })));
        let enough = vec![Kept { signal: 0.9, loses: false }; 299];
        assert!(cut(target, &enough).is_ok());
        let losing = vec![Kept { signal: 0.9, loses: true }; 500];
        assert_eq!(cut(target, &losing), Err(Refusal::Unsure));
        assert_eq!(cut(QualityTarget { alpha: 0.0, delta: 0.05 }, &few), Err(Refusal::Target));
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
            let (mut broken, mut made) = (0, 0);
            for _ in 0..200 {
                let seen = world(&mut random, 600);
                let Ok(found) = cut(QualityTarget { alpha, delta: 0.05 }, &seen) else { continue };
                made += 1;
                // P(kept and loses) = ∫ over s from the cut to 1 of 0.8 (1 − s) 2s ds.
                let area = |s: f64| 0.8 * (s * s - 2.0 * s.powi(3) / 3.0);
                broken += usize::from(area(1.0) - area(found.keep_signal) > alpha);
            }
            let most = 0.05 + 2.0 * (0.05_f64 * 0.95 / 200.0).sqrt();
            assert!(share(broken, 200) <= most, "alpha {alpha}: {broken} of {made}");
            assert!(made > 0, "alpha {alpha} was never promised");
        }
    }

    proptest! {
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
