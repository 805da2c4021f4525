//! A model's signals brought to the scale of a traffic of one's own.

use super::{
    model::{Model, chance, log_odds},
    train::calibrated,
    validate::error,
};

/// Fewest drafts that a scale is fitted on, and fewest of those that agree and of those that do not.
const FEWEST: usize = 100;
const FEWEST_OF_EACH: usize = 10;
/// Parts of the drafts, each of which is looked at by a scale that was fitted on the others.
const PARTS: usize = 5;

/// What another scale came to on drafts that it was not fitted on.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Recalibration {
    /// Factor on the log-odds of the signals.
    pub slope: f64,
    /// Summand.
    pub offset: f64,
    /// Drafts behind it.
    pub n: usize,
    /// Mean logarithmic loss of the signals as they were.
    pub loss_before: f64,
    /// The same with a scale that was fitted on other drafts.
    pub loss_after: f64,
    /// Expected calibration error (ten bins) of the signals as they were.
    pub error_before: f64,
    /// The same with a scale that was fitted on other drafts.
    pub error_after: f64,
}

/// Why signals keep their scale.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum NoRecalibration {
    /// The model gives no signals.
    #[error("this model judges no drafts: there is no scale to change")]
    NoSignals,
    /// The evidence is thin.
    #[error(
        "{n} drafts that the model has judged have an audit, of which {agreed} agree; it takes {FEWEST}, \
         and {FEWEST_OF_EACH} of either kind"
    )]
    Thin {
        /// Drafts.
        n: usize,
        /// Of these, those that turned out right.
        agreed: usize,
    },
    /// Signals are better as they are.
    #[error(
        "on drafts that it was not fitted on, another scale is no better: a loss of {after:.4} against \
         {before:.4} as it is"
    )]
    NoGain {
        /// Mean logarithmic loss of the signals as they are.
        before: f64,
        /// The same with another scale.
        after: f64,
    },
}

/// The model with its signals brought to the scale of these drafts, each with the signal that the
/// model gave and whether it turned out right (Platt 1999, with a prior that nothing is off).
///
/// # Errors
/// [`NoRecalibration`]; then the model is to stay as it is.
pub fn recalibrated(
    model: &Model,
    observed: &[(f64, bool)],
) -> Result<(Model, Recalibration), NoRecalibration> {
    let mut model = model.clone();
    let Some(drafts) = model.drafts.as_mut() else { return Err(NoRecalibration::NoSignals) };
    let (n, agreed) = (observed.len(), observed.iter().filter(|(_, right)| *right).count());
    if n < FEWEST || agreed < FEWEST_OF_EACH || n - agreed < FEWEST_OF_EACH {
        return Err(NoRecalibration::Thin { n, agreed });
    }
    let before: Vec<(f64, bool)> =
        observed.iter().map(|(signal, right)| (log_odds(*signal), *right)).collect();
    let mut after = Vec::with_capacity(n);
    for part in 0..PARTS {
        // In turns, so that no part is of another time than the rest.
        let of = |inside: bool| {
            let turns = before.iter().enumerate();
            turns.filter(move |(at, _)| (at % PARTS == part) == inside).map(|(_, seen)| *seen)
        };
        let scale = calibrated(&of(false).collect::<Vec<_>>(), 0.0);
        after.extend(of(true).map(|(z, right)| (scale.slope * z + scale.offset, right)));
    }
    let (loss_before, loss_after) = (loss(&before), loss(&after));
    if loss_after >= loss_before {
        return Err(NoRecalibration::NoGain { before: loss_before, after: loss_after });
    }
    let error_before = error(&before);
    let scale = calibrated(&before, error_before);
    let old = drafts.calibration;
    drafts.calibration = super::Calibration {
        slope: scale.slope * old.slope,
        offset: scale.slope * old.offset + scale.offset,
        n,
        error_before,
    };
    let found = Recalibration {
        slope: scale.slope,
        offset: scale.offset,
        n,
        loss_before,
        loss_after,
        error_before,
        error_after: error(&after),
    };
    Ok((model, found))
}

/// Mean logarithmic loss of log-odds.
fn loss(observed: &[(f64, bool)]) -> f64 {
    let lost = |(z, right): &(f64, bool)| {
        let p = chance(*z).clamp(1e-6, 1.0 - 1e-6);
        -if *right { p.ln() } else { (1.0 - p).ln() }
    };
    #[expect(clippy::cast_precision_loss, reason = "drafts of one ledger")]
    let n = observed.len().max(1) as f64;
    observed.iter().map(lost).sum::<f64>() / n
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Model {
        super::super::from_bytes(include_bytes!("../../models/judgement.gz")).unwrap().remove(0)
    }

    /// Drafts of signals from 0.3 to 0.95 whose truth has other log-odds than they say.
    fn traffic(n: u32, slope: f64, offset: f64) -> Vec<(f64, bool)> {
        (0..n)
            .map(|i| {
                let signal = 0.3 + 0.65 * f64::from(i % 53) / 52.0;
                let dice = (f64::from(i) * 0.618_033_988_749_895).fract();
                (signal, dice < chance(slope * log_odds(signal) + offset))
            })
            .collect()
    }

    #[test]
    fn signals_that_are_too_sure_become_less_sure() {
        let model = shipped();
        let (after, found) = recalibrated(&model, &traffic(2_000, 0.6, -0.8)).unwrap();
        assert!((found.slope - 0.6).abs() < 0.12 && (found.offset + 0.8).abs() < 0.12, "{found:?}");
        assert!(found.error_after < 0.03 && found.error_before > 0.1, "{found:?}");
        let (old, new) = (model.calibration().unwrap(), after.calibration().unwrap());
        for raw in [-2.0, 0.3, 1.7] {
            let (was, is) = (old.slope * raw + old.offset, new.slope * raw + new.offset);
            assert!((found.slope * was + found.offset - is).abs() < 1e-9);
        }
    }

    #[test]
    fn signals_that_are_right_are_left_alone() {
        let found = recalibrated(&shipped(), &traffic(2_000, 1.0, 0.0));
        let small = |f: &Recalibration| (f.slope - 1.0).abs() < 0.1 && f.offset.abs() < 0.1;
        match found {
            Err(NoRecalibration::NoGain { .. }) => {}
            Ok((_, found)) if small(&found) => {}
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn thin_evidence_changes_nothing() {
        let few = recalibrated(&shipped(), &traffic(99, 0.5, -1.0));
        assert!(matches!(few, Err(NoRecalibration::Thin { n: 99, .. })), "{few:?}");
        let all_right: Vec<_> = (0..500).map(|_| (0.6, true)).collect();
        let one_sided = recalibrated(&shipped(), &all_right);
        assert_eq!(one_sided.unwrap_err(), NoRecalibration::Thin { n: 500, agreed: 500 });
    }
}
