//! What a score is worth for routing: the accuracy at every share of calls to the strong model,
//! after `RouteLLM` (Ong et al., arXiv 2406.18665), section 4.

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Resamples behind an interval of the APGR.
const RESAMPLES: usize = 1000;
/// A fixed seed: the same table gives the same interval.
const SEED: u64 = 0x5eed;

/// One question as routing sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoutedRow {
    /// The higher, the sooner it is sent to the strong model.
    pub score: f64,
    /// Whether the weak model is right.
    pub weak_right: bool,
    /// Whether the strong model is right.
    pub strong_right: bool,
}

/// Questions sent to the strong model by descending score, as many as the share of strong calls
/// allows. Where scores are tied, any order is as likely as any other, so the accuracy within a
/// tie is its expectation: a straight line. No figure depends on the order of the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutingCurve {
    /// Rows and gain (strong right − weak right) of each tie, by descending score.
    ties: Vec<Tie>,
    rows: i64,
    weak_right: i64,
    strong_right: i64,
    either_right: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Tie {
    rows: i64,
    gain: i64,
}

impl RoutingCurve {
    /// Orders the rows; `None` without any.
    #[must_use]
    pub fn new(rows: &[RoutedRow]) -> Option<Self> {
        let sorted = by_descending_score(rows);
        let count = |right: fn(&RoutedRow) -> bool| {
            i64::try_from(rows.iter().filter(|row| right(row)).count()).unwrap_or(i64::MAX)
        };
        let tie = |tied: &[RoutedRow]| Tie {
            rows: i64::try_from(tied.len()).unwrap_or(i64::MAX),
            gain: tied.iter().map(gain).sum(),
        };
        (!rows.is_empty()).then(|| Self {
            ties: sorted.chunk_by(|a, b| a.score == b.score).map(tie).collect(),
            rows: count(|_| true),
            weak_right: count(|row| row.weak_right),
            strong_right: count(|row| row.strong_right),
            either_right: count(|row| row.weak_right || row.strong_right),
        })
    }

    /// The weak model's own accuracy.
    #[must_use]
    pub fn weak_accuracy(&self) -> f64 {
        share(self.weak_right, self.rows)
    }

    /// The strong model's own accuracy.
    #[must_use]
    pub fn strong_accuracy(&self) -> f64 {
        share(self.strong_right, self.rows)
    }

    /// The accuracy of who always knows which of the two is right.
    #[must_use]
    pub fn oracle_accuracy(&self) -> f64 {
        share(self.either_right, self.rows)
    }

    /// The least share of strong calls at which the oracle reaches its accuracy.
    #[must_use]
    pub fn oracle_strong_share(&self) -> f64 {
        share(self.either_right - self.weak_right, self.rows)
    }

    /// The accuracy of a coin that sends this share of rows to the strong model: the cost-matched
    /// static mix, which a router has to beat.
    #[must_use]
    pub fn random_mix_accuracy(&self, strong_share: f64) -> f64 {
        let share = strong_share.clamp(0.0, 1.0);
        self.weak_accuracy() + share * (self.strong_accuracy() - self.weak_accuracy())
    }

    /// The accuracy when this share of rows, those with the highest scores, is sent to the strong
    /// model.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn accuracy(&self, strong_share: f64) -> f64 {
        let mut left = strong_share.clamp(0.0, 1.0) * self.rows as f64;
        let mut right = self.weak_right as f64;
        for tie in &self.ties {
            let taken = left.min(tie.rows as f64);
            right += tie.gain as f64 * taken / tie.rows as f64;
            left -= taken;
        }
        right / self.rows as f64
    }

    /// Average performance gap recovered: the area between the curve and the weak model's
    /// accuracy, over the gap of strong to weak (trapezoid over all shares from 0 to 1). A random
    /// order gives 0.5. `None` unless the strong model is more accurate: there is no gap then.
    #[must_use]
    pub fn apgr(&self) -> Option<f64> {
        apgr(&self.ties)
    }

    /// Call-performance threshold: the least share of strong calls, in steps of one row, that
    /// recovers `percent` of the gap. `None` unless the strong model is more accurate.
    #[must_use]
    pub fn cpt(&self, percent: u8) -> Option<f64> {
        let wanted = i64::from(percent) * (self.strong_right - self.weak_right);
        if self.strong_right <= self.weak_right {
            return None;
        }
        if wanted == 0 {
            return Some(0.0);
        }
        let (mut taken, mut gained) = (0, 0);
        for tie in &self.ties {
            let reaches =
                |rows: i64| 100 * (gained * tie.rows + tie.gain * rows) >= wanted * tie.rows;
            // A tie's line is straight: where its end does not reach, nothing within it does.
            if reaches(tie.rows) {
                let rows = (1..=tie.rows).find(|&rows| reaches(rows)).unwrap_or(tie.rows);
                return Some(share(taken + rows, self.rows));
            }
            taken += tie.rows;
            gained += tie.gain;
        }
        None
    }
}

/// The 95 % percentile interval of the APGR under resampling of the rows (Efron's bootstrap, 1,000
/// resamples, fixed seed). `None` where in more than one of twenty resamples the strong model is
/// not the more accurate one: the gap is then too small to divide by.
#[must_use]
pub fn apgr_interval(rows: &[RoutedRow]) -> Option<[f64; 2]> {
    let sorted = by_descending_score(rows);
    let mut random = StdRng::seed_from_u64(SEED);
    let mut found = Vec::with_capacity(RESAMPLES);
    let mut drawn = vec![0_i64; sorted.len()];
    for _ in 0..if sorted.is_empty() { 0 } else { RESAMPLES } {
        drawn.fill(0);
        for _ in 0..sorted.len() {
            if let Some(times) = drawn.get_mut(random.random_range(0..sorted.len())) {
                *times += 1;
            }
        }
        let mut ties: Vec<Tie> = Vec::new();
        let mut score = None;
        for (row, times) in sorted.iter().zip(&drawn).filter(|(_, times)| **times > 0) {
            if score.replace(row.score) != Some(row.score) {
                ties.push(Tie::default());
            }
            if let Some(tie) = ties.last_mut() {
                tie.rows += times;
                tie.gain += times * gain(row);
            }
        }
        found.extend(apgr(&ties));
    }
    let enough = !found.is_empty() && found.len() * 20 >= RESAMPLES * 19;
    if !enough {
        return None;
    }
    Some([super::quantile(&found, 0.025)?, super::quantile(&found, 0.975)?])
}

fn by_descending_score(rows: &[RoutedRow]) -> Vec<RoutedRow> {
    let mut sorted = rows.to_vec();
    // Among the tied by gain, so that not even the resamples depend on the order of the file.
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| gain(a).cmp(&gain(b))));
    sorted
}

fn gain(row: &RoutedRow) -> i64 {
    i64::from(row.strong_right) - i64::from(row.weak_right)
}

fn apgr(ties: &[Tie]) -> Option<f64> {
    let rows: i64 = ties.iter().map(|tie| tie.rows).sum();
    let gap: i64 = ties.iter().map(|tie| tie.gain).sum();
    if gap <= 0 {
        return None;
    }
    // Twice the area under the gain, in units of one row by one right answer: exact.
    let mut gained = 0;
    let mut doubled_area = 0;
    for tie in ties {
        doubled_area += tie.rows * (2 * gained + tie.gain);
        gained += tie.gain;
    }
    Some(share(doubled_area, 2 * rows * gap))
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn share(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rows from a score and a picture: `+` only the strong model is right, `-` only the weak,
    /// `=` both, `0` none.
    fn curve(rows: &[(f64, char)]) -> RoutingCurve {
        RoutingCurve::new(&routed(rows)).unwrap()
    }

    fn routed(rows: &[(f64, char)]) -> Vec<RoutedRow> {
        rows.iter()
            .map(|&(score, who)| RoutedRow {
                score,
                weak_right: "-=".contains(who),
                strong_right: "+=".contains(who),
            })
            .collect()
    }

    fn close(a: Option<f64>, b: f64) {
        assert!((a.unwrap() - b).abs() < 1e-12, "{a:?} is not {b}");
    }

    #[test]
    fn agrees_with_a_hand_computed_example() {
        // Gains by descending score: +1 0 +1 −1 +1; of the gap of 2 it has recovered
        // 0, ½, ½, 1, ½, 1 after 0 to 5 calls. Area: (¼ + ½ + ¾ + ¾ + ¾) / 5 = 3 / 5.
        let curve = curve(&[(0.9, '+'), (0.8, '='), (0.7, '+'), (0.6, '-'), (0.5, '+')]);
        close(curve.apgr(), 0.6);
        close(curve.cpt(50), 0.2);
        close(curve.cpt(80), 0.6);
        assert_eq!(curve.weak_accuracy(), 0.4);
        assert_eq!(curve.strong_accuracy(), 0.8);
        assert_eq!(curve.oracle_accuracy(), 1.0);
        assert_eq!(curve.oracle_strong_share(), 0.6);
        assert!((curve.accuracy(0.6) - 0.8).abs() < 1e-12);
        assert!((curve.accuracy(0.8) - 0.6).abs() < 1e-12);
        assert!((curve.random_mix_accuracy(0.5) - 0.6).abs() < 1e-12);
    }

    #[test]
    fn the_best_order_recovers_all_at_once_and_the_worst_at_the_end() {
        // One row in four gains: area ½·¼ + ¾ of the gap, or its mirror.
        close(curve(&[(4.0, '+'), (3.0, '='), (2.0, '0'), (1.0, '=')]).apgr(), 0.875);
        close(curve(&[(1.0, '+'), (3.0, '='), (2.0, '0'), (4.0, '=')]).apgr(), 0.125);
    }

    #[test]
    fn a_score_that_says_nothing_is_worth_as_much_as_a_coin() {
        let curve = curve(&[(0.5, '+'), (0.5, '-'), (0.5, '+'), (0.5, '='), (0.5, '+')]);
        close(curve.apgr(), 0.5);
        close(curve.cpt(50), 0.6);
        close(curve.cpt(80), 0.8);
        for share in [0.0, 0.3, 0.5, 1.0] {
            assert!((curve.accuracy(share) - curve.random_mix_accuracy(share)).abs() < 1e-12);
        }
    }

    #[test]
    fn without_a_gap_there_is_nothing_to_recover() {
        for rows in [&[(0.9, '-'), (0.1, '+')][..], &[(0.9, '-')], &[(0.3, '=')]] {
            let curve = curve(rows);
            assert_eq!((curve.apgr(), curve.cpt(50), curve.cpt(80)), (None, None, None));
            assert_eq!(apgr_interval(&routed(rows)), None);
        }
        assert_eq!(RoutingCurve::new(&[]), None);
        assert_eq!(apgr_interval(&[]), None);
    }

    #[test]
    fn the_interval_holds_the_figure_and_is_the_same_each_time() {
        let rows: Vec<(f64, char)> =
            (0..200).map(|i| (f64::from(i), if i % 3 == 0 { '-' } else { '+' })).collect();
        let [low, high] = apgr_interval(&routed(&rows)).unwrap();
        let apgr = curve(&rows).apgr().unwrap();
        assert!(low < apgr && apgr < high && high - low < 0.4, "{low} {apgr} {high}");
        assert_eq!(apgr_interval(&routed(&rows)), Some([low, high]));
    }

    fn rows() -> impl Strategy<Value = Vec<RoutedRow>> {
        let row =
            (0u8..8, any::<bool>(), any::<bool>()).prop_map(|(score, weak_right, strong_right)| {
                RoutedRow { score: f64::from(score), weak_right, strong_right }
            });
        prop::collection::vec(row, 1..80)
    }

    proptest! {
        #[test]
        fn no_figure_depends_on_the_order_of_the_rows(rows in rows(), turn in any::<prop::sample::Index>()) {
            let mut turned = rows.clone();
            turned.rotate_left(turn.index(rows.len()));
            prop_assert_eq!(RoutingCurve::new(&rows), RoutingCurve::new(&turned));
        }

        #[test]
        fn turning_the_score_over_mirrors_the_area(rows in rows()) {
            let turned: Vec<_> = rows.iter().map(|r| RoutedRow { score: -r.score, ..*r }).collect();
            let (a, b) = (RoutingCurve::new(&rows).unwrap(), RoutingCurve::new(&turned).unwrap());
            if let (Some(a), Some(b)) = (a.apgr(), b.apgr()) {
                prop_assert!((a + b - 1.0).abs() < 1e-9);
            }
        }

        #[test]
        fn the_curve_joins_the_models_and_stays_under_the_oracle(rows in rows(), share in 0.0f64..=1.0) {
            let curve = RoutingCurve::new(&rows).unwrap();
            prop_assert!((curve.accuracy(0.0) - curve.weak_accuracy()).abs() < 1e-12);
            prop_assert!((curve.accuracy(1.0) - curve.strong_accuracy()).abs() < 1e-12);
            prop_assert!(curve.accuracy(share) <= curve.oracle_accuracy() + 1e-12);
        }

        #[test]
        fn a_threshold_is_the_first_share_that_recovers_it(rows in rows(), percent in 1u8..=100) {
            let curve = RoutingCurve::new(&rows).unwrap();
            let gap = curve.strong_accuracy() - curve.weak_accuracy();
            prop_assert_eq!(curve.cpt(percent).is_some(), gap > 0.0);
            if let Some(found) = curve.cpt(percent) {
                let recovered = |calls: usize| (curve.accuracy(calls as f64 / rows.len() as f64) - curve.weak_accuracy()) / gap;
                let first = (0..=rows.len()).find(|&calls| recovered(calls) >= f64::from(percent) / 100.0 - 1e-9);
                prop_assert!((found - first.unwrap() as f64 / rows.len() as f64).abs() < 1e-12);
            }
        }

        #[test]
        fn the_area_is_the_trapezoid_sum_over_every_share(rows in rows()) {
            let curve = RoutingCurve::new(&rows).unwrap();
            if let Some(apgr) = curve.apgr() {
                let n = rows.len();
                let above = |k: usize| curve.accuracy(k as f64 / n as f64) - curve.weak_accuracy();
                let area: f64 = (0..n).map(|k| (above(k) + above(k + 1)) / 2.0).sum::<f64>() / n as f64;
                let gap = curve.strong_accuracy() - curve.weak_accuracy();
                prop_assert!((apgr - area / gap).abs() < 1e-9);
            }
        }
    }
}
