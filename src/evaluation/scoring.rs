//! From what happened to each row to the figures. Pure.

use std::time::Duration;

use super::{
    curve::{RoutedRow, RoutingCurve, apgr_interval},
    metrics::{auroc, expected_calibration_error, quantile},
    report::{
        Baseline, CurvePoint, Fusion, Quality, RandomMix, Routing, SacredWeight, SignalQuality,
        StrategyResult,
    },
};
use crate::{
    domain::{Ended, QualityTarget, Strategy},
    fusion::{Contest, fit_sacred_weight},
    performance::{Kept, cut, held_out, wilson},
};

/// What became of one row under one policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RowResult {
    pub(super) ended: Ended,
    /// Whether an answer was returned and is right.
    pub(super) right: bool,
    pub(super) confidence: f64,
    pub(super) duration: Duration,
    /// Calls to slow models.
    pub(super) slow_calls: u64,
    /// Signal of the fast model's draft, where it drafted.
    pub(super) draft_signal: Option<f64>,
    /// The escalation score, where the ledger has it.
    pub(super) escalation: Option<f64>,
    /// The same before there was any draft.
    pub(super) before_drafting: Option<f64>,
    /// The two answers that competed, where votes weighed as log-odds.
    pub(super) contest: Option<Contest>,
}

/// What the fast model and the first slow one are worth on one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PairRight {
    pub(super) fast: bool,
    pub(super) slow: bool,
}

pub(super) fn strategy_result(
    strategy: Strategy,
    results: &[RowResult],
    pair: &[PairRight],
) -> StrategyResult {
    let right = results.iter().filter(|r| r.right).count();
    let ended = |how| results.iter().filter(|r| r.ended == how).count();
    let slow_share = share(results.iter().filter(|r| r.slow_calls > 0).count(), results.len());
    let slow_calls: u64 = results.iter().map(|r| r.slow_calls).sum();
    let answered: Vec<(f64, bool)> = results
        .iter()
        .filter(|r| r.ended == Ended::Answered)
        .map(|r| (r.confidence, r.right))
        .collect();
    let durations: Vec<f64> = results.iter().map(|r| milliseconds(r.duration)).collect();
    StrategyResult {
        strategy,
        accuracy: share(right, results.len()),
        accuracy_ci95: interval(right, results.len()),
        slow_share,
        slow_calls_per_row: share(usize::try_from(slow_calls).unwrap_or(usize::MAX), results.len()),
        random_mix_accuracy: random_mix(pair, slow_share),
        p50_ms: quantile(&durations, 0.50).unwrap_or_default(),
        p99_ms: quantile(&durations, 0.99).unwrap_or_default(),
        ece: expected_calibration_error(&answered),
        right,
        abstained: ended(Ended::Abstained),
        failed: ended(Ended::Failed),
    }
}

/// A model alone: its graded answers and their simulated latencies.
pub(super) fn lone_model(
    name: &'static str,
    model: &str,
    graded: &[(bool, Duration)],
    slow_share: f64,
) -> Baseline {
    let right = graded.iter().filter(|(right, _)| *right).count();
    let durations: Vec<f64> = graded.iter().map(|(_, took)| milliseconds(*took)).collect();
    Baseline {
        name,
        model: Some(model.to_owned()),
        accuracy: share(right, graded.len()),
        accuracy_ci95: interval(right, graded.len()),
        slow_share,
        p50_ms: quantile(&durations, 0.50),
        p99_ms: quantile(&durations, 0.99),
    }
}

/// Who always knows which of the pair is right, and asks the slow one only where it pays.
pub(super) fn oracle(pair: &[PairRight]) -> Baseline {
    let right = pair.iter().filter(|p| p.fast || p.slow).count();
    let slow = pair.iter().filter(|p| !p.fast && p.slow).count();
    Baseline {
        name: "oracle",
        model: None,
        accuracy: share(right, pair.len()),
        accuracy_ci95: interval(right, pair.len()),
        slow_share: share(slow, pair.len()),
        p50_ms: None,
        p99_ms: None,
    }
}

/// The static mix that matches Hybrid's slow share, else that of the first strategy.
pub(super) fn matched_mix(strategies: &[StrategyResult]) -> Option<RandomMix> {
    let hybrid = strategies.iter().find(|s| s.strategy == Strategy::Hybrid);
    hybrid.or(strategies.first()).map(|s| RandomMix {
        strategy: s.strategy,
        slow_share: s.slow_share,
        accuracy: s.random_mix_accuracy,
    })
}

/// Routing by these scores, one a row; rows without one are left out.
pub(super) fn routing(scores: impl Iterator<Item = Option<f64>>, pair: &[PairRight]) -> Routing {
    let rows: Vec<RoutedRow> = scores
        .zip(pair)
        .filter_map(|(score, pair)| {
            Some(RoutedRow { score: score?, weak_right: pair.fast, strong_right: pair.slow })
        })
        .collect();
    let curve = RoutingCurve::new(&rows);
    let of = |figure: fn(&RoutingCurve) -> f64| curve.as_ref().map(figure);
    let apgr = curve.as_ref().and_then(RoutingCurve::apgr);
    let undefined = if curve.is_none() {
        Some("no decision of the ledger has an escalation score")
    } else if apgr.is_none() {
        Some("the slow model is not more accurate than the fast one: there is no gap to recover")
    } else {
        None
    };
    Routing {
        apgr,
        apgr_ci95: apgr.and_then(|_| apgr_interval(&rows)),
        cpt50: curve.as_ref().and_then(|c| c.cpt(50)),
        cpt80: curve.as_ref().and_then(|c| c.cpt(80)),
        fast_accuracy: of(RoutingCurve::weak_accuracy),
        slow_accuracy: of(RoutingCurve::strong_accuracy),
        oracle_accuracy: of(RoutingCurve::oracle_accuracy),
        n: rows.len(),
        undefined,
        curve: curve.as_ref().map(points).unwrap_or_default(),
    }
}

fn points(curve: &RoutingCurve) -> Vec<CurvePoint> {
    let point = |tenth: u8| {
        let slow_share = f64::from(tenth) / 10.0;
        CurvePoint {
            slow_share,
            accuracy: curve.accuracy(slow_share),
            random_mix_accuracy: curve.random_mix_accuracy(slow_share),
        }
    };
    (0..=10).map(point).collect()
}

pub(super) fn signal(results: &[RowResult], pair: &[PairRight]) -> SignalQuality {
    let drafts: Vec<(f64, bool)> = results
        .iter()
        .zip(pair)
        .filter_map(|(result, pair)| Some((result.draft_signal?, pair.fast)))
        .collect();
    SignalQuality {
        ece: expected_calibration_error(&drafts),
        auroc: auroc(&drafts),
        n: drafts.len(),
    }
}

/// What each quality target takes, by the drafts of a run that drafts always.
pub(super) fn quality(
    results: &[RowResult],
    pair: &[PairRight],
    targets: &[QualityTarget],
) -> Vec<Quality> {
    let drafts: Vec<Kept> = results
        .iter()
        .zip(pair)
        .filter_map(|(result, pair)| {
            Some(Kept { signal: result.draft_signal?, loses: pair.slow && !pair.fast })
        })
        .collect();
    let of = |target: &QualityTarget| quality_of(*target, &drafts);
    if drafts.is_empty() { Vec::new() } else { targets.iter().map(of).collect() }
}

/// What a quality target takes, by drafts whose truth is known.
#[must_use]
pub fn quality_of(target: QualityTarget, drafts: &[Kept]) -> Quality {
    let found = cut(target, drafts);
    let refused = found.as_ref().err().map(ToString::to_string);
    Quality { target, cut: found.ok(), held_out: held_out(target, drafts), refused }
}

pub(super) fn fusion(plain: &[RowResult], boosted: &[RowResult]) -> Fusion {
    let accuracy =
        |results: &[RowResult]| share(results.iter().filter(|r| r.right).count(), results.len());
    let only = |one: &[RowResult], other: &[RowResult]| {
        one.iter().zip(other).filter(|(one, other)| one.right && !other.right).count()
    };
    let contests: Vec<Contest> = boosted.iter().filter_map(|result| result.contest).collect();
    let fit = fit_sacred_weight(&contests);
    Fusion {
        sacred_weight: SacredWeight { fitted: fit.weight, ci95: fit.ci95, contests: fit.contests },
        accuracy_boost_1_0: accuracy(plain),
        accuracy_boost_1_5: accuracy(boosted),
        only_boost_1_0_right: only(plain, boosted),
        only_boost_1_5_right: only(boosted, plain),
    }
}

fn random_mix(pair: &[PairRight], slow_share: f64) -> f64 {
    let fast = share(pair.iter().filter(|p| p.fast).count(), pair.len());
    let slow = share(pair.iter().filter(|p| p.slow).count(), pair.len());
    fast + slow_share * (slow - fast)
}

fn interval(right: usize, n: usize) -> [f64; 2] {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let interval = wilson(right as f64, n as u64);
    // Of nothing observed, anything can be true.
    interval.map_or([0.0, 1.0], |i| [i.lower, i.upper])
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ended: Ended, right: bool, confidence: f64, slow_calls: u64) -> RowResult {
        RowResult {
            ended,
            right,
            confidence,
            duration: Duration::from_millis(10 * (1 + slow_calls)),
            slow_calls,
            draft_signal: None,
            escalation: None,
            before_drafting: None,
            contest: None,
        }
    }

    const PAIR: [PairRight; 4] = [
        PairRight { fast: true, slow: true },
        PairRight { fast: false, slow: true },
        PairRight { fast: false, slow: true },
        PairRight { fast: true, slow: false },
    ];

    #[test]
    fn an_abstention_or_an_error_is_not_right_but_claims_nothing_either() {
        let results = [
            row(Ended::Answered, true, 1.0, 0),
            row(Ended::Answered, true, 1.0, 3),
            row(Ended::Abstained, false, 0.1, 1),
            row(Ended::Failed, false, 0.0, 0),
        ];
        let found = strategy_result(Strategy::Hybrid, &results, &PAIR);
        assert_eq!((found.accuracy, found.right, found.abstained, found.failed), (0.5, 2, 1, 1));
        assert_eq!(found.ece, Some(0.0), "only answers have a confidence to be held to");
        assert_eq!((found.slow_share, found.slow_calls_per_row), (0.5, 1.0));
        assert_eq!(found.random_mix_accuracy, 0.5 + 0.5 * 0.25);
        assert_eq!((found.p50_ms, found.p99_ms), (10.0, 40.0));
        assert!(found.accuracy_ci95[0] < 0.5 && 0.5 < found.accuracy_ci95[1]);
    }

    #[test]
    fn the_oracle_asks_the_slow_model_only_where_it_pays() {
        let oracle = oracle(&PAIR);
        assert_eq!((oracle.accuracy, oracle.slow_share), (1.0, 0.5));
    }

    #[test]
    fn rows_without_a_score_or_a_draft_are_left_out_and_n_says_so() {
        let mut results = [row(Ended::Answered, true, 1.0, 0); 4];
        results[1].escalation = Some(0.9);
        results[0].escalation = Some(0.2);
        results[0].draft_signal = Some(0.7);
        let routing = routing(results.iter().map(|r| r.escalation), &PAIR);
        assert_eq!((routing.n, routing.apgr, routing.cpt50), (2, Some(0.75), Some(0.5)));
        assert_eq!((routing.undefined, routing.curve.len()), (None, 11));
        let signal = signal(&results, &PAIR);
        assert_eq!((signal.n, signal.auroc), (1, None));
        assert!((signal.ece.unwrap() - 0.3).abs() < 1e-12);
    }

    #[test]
    fn what_is_undefined_says_why() {
        let results = [row(Ended::Answered, true, 1.0, 0); 4];
        assert!(
            routing(results.iter().map(|r| r.escalation), &PAIR)
                .undefined
                .unwrap()
                .contains("no decision")
        );
        let scored = results.map(|r| RowResult { escalation: Some(0.5), ..r });
        let turned = PAIR.map(|p| PairRight { fast: p.slow, slow: p.fast });
        let routing = routing(scored.iter().map(|r| r.escalation), &turned);
        assert_eq!((routing.apgr, routing.apgr_ci95, routing.cpt80), (None, None, None));
        assert!(routing.undefined.unwrap().contains("no gap"));
        assert_eq!(routing.fast_accuracy, Some(0.75));
    }

    #[test]
    fn the_boost_is_credited_only_with_what_changed() {
        let right = row(Ended::Answered, true, 1.0, 1);
        let wrong = RowResult { right: false, ..right };
        let found = fusion(&[right, wrong, wrong], &[right, right, wrong]);
        assert_eq!((found.only_boost_1_0_right, found.only_boost_1_5_right), (0, 1));
        assert!(found.accuracy_boost_1_0 < found.accuracy_boost_1_5);
    }
}
