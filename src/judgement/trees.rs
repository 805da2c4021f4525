//! Gradient-boosted regression trees (Friedman 2001) over binned features, grown leaf by leaf, with
//! random shares of rows and features (Friedman 2002). Small on purpose: a few thousand rows, a few
//! hundred features, the same result on every machine for the same seed.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

/// Most bins of a feature.
const BINS: usize = 48;

/// What a forest is grown for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// Log-odds of a yes (targets 0 to 1).
    Logistic,
    /// A mean.
    Squares,
}

/// How a forest is grown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Growth {
    pub(super) trees: usize,
    pub(super) leaves: usize,
    pub(super) rate: f64,
    pub(super) least_rows: usize,
    pub(super) rows_share: f64,
    pub(super) features_share: f64,
    pub(super) shrinkage: f64,
    pub(super) seed: u64,
}

/// One node: a question, or a leaf where `feature` is [`LEAF`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Node {
    feature: u16,
    /// Left where the value is at most this; a leaf's value otherwise.
    value: f32,
    left: u16,
    right: u16,
}

const LEAF: u16 = u16::MAX;

/// A sum of trees.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Forest {
    trees: Vec<Vec<Node>>,
}

impl Forest {
    /// The sum of the leaves that a row comes to.
    pub(super) fn predict(&self, row: &[f32]) -> f64 {
        let mut sum = 0.0_f64;
        for tree in &self.trees {
            let mut at = 0_usize;
            // A tree has fewer levels than nodes, so that even a mangled one ends.
            for _ in 0..tree.len() {
                let Some(node) = tree.get(at) else { break };
                if node.feature == LEAF {
                    sum += f64::from(node.value);
                    break;
                }
                let value = row.get(usize::from(node.feature)).copied().unwrap_or(0.0);
                at = usize::from(if value <= node.value { node.left } else { node.right });
            }
        }
        sum
    }

    /// The same forest with a constant added: a tree of one leaf.
    #[expect(clippy::cast_possible_truncation, reason = "leaves are kept in single precision")]
    pub(super) fn raised(mut self, by: f64) -> Self {
        self.trees.push(vec![Node { feature: LEAF, value: by as f32, left: 0, right: 0 }]);
        self
    }

    /// Whether every question asks for one of so many features and leads somewhere.
    pub(super) fn is_sound(&self, features: usize) -> bool {
        self.trees.iter().all(|tree| {
            !tree.is_empty()
                && tree.iter().all(|n| {
                    n.value.is_finite()
                        && (n.feature == LEAF
                            || (usize::from(n.feature) < features
                                && usize::from(n.left) < tree.len()
                                && usize::from(n.right) < tree.len()))
                })
        })
    }
}

/// Rows of features, column by column in bins.
pub(super) struct Binned {
    rows: usize,
    /// Upper edges of each feature's bins.
    edges: Vec<Vec<f32>>,
    columns: Vec<Vec<u8>>,
}

impl Binned {
    #[expect(clippy::cast_possible_truncation, reason = "at most 48 bins")]
    pub(super) fn of(rows: &[Vec<f32>]) -> Self {
        let features = rows.first().map_or(0, Vec::len);
        let (mut edges, mut columns) = (Vec::new(), Vec::new());
        for feature in 0..features {
            let value = |row: &Vec<f32>| row.get(feature).copied().unwrap_or(0.0);
            let mut sorted: Vec<f32> = rows.iter().map(value).collect();
            sorted.sort_by(f32::total_cmp);
            let mut cuts: Vec<f32> = Vec::new();
            for bin in 1..BINS {
                let at = bin * sorted.len() / BINS;
                let (low, high) = (at.checked_sub(1).and_then(|i| sorted.get(i)), sorted.get(at));
                if let (Some(&low), Some(&high)) = (low, high)
                    && low < high
                {
                    cuts.push(low + (high - low) / 2.0);
                }
            }
            // What hardly ever happens has no quantile of its own.
            let mut distinct = sorted.clone();
            distinct.dedup();
            if distinct.len() <= BINS {
                cuts = distinct
                    .windows(2)
                    .filter_map(|w| Some(w.first()? + (w.last()? - w.first()?) / 2.0))
                    .collect();
            }
            cuts.dedup();
            let bin_of = |row| cuts.partition_point(|cut| *cut < value(row)) as u8;
            columns.push(rows.iter().map(bin_of).collect());
            edges.push(cuts);
        }
        Self { rows: rows.len(), edges, columns }
    }
}

/// Grows a forest on these rows. `start` is each row's score before any tree.
pub(super) fn grow(
    data: &Binned,
    targets: &[f64],
    weights: &[f64],
    start: &[f64],
    loss: Loss,
    growth: &Growth,
) -> Forest {
    let mut random = StdRng::seed_from_u64(growth.seed);
    let mut scores = start.to_vec();
    let mut forest = Forest::default();
    let mut slopes = vec![(0.0_f64, 0.0_f64); data.rows];
    for _ in 0..growth.trees {
        for (((slope, score), target), weight) in
            slopes.iter_mut().zip(&scores).zip(targets).zip(weights)
        {
            *slope = match loss {
                Loss::Logistic => {
                    let p = 1.0 / (1.0 + (-score).exp());
                    ((target - p) * weight, (p * (1.0 - p)).max(1e-6) * weight)
                }
                Loss::Squares => ((target - score) * weight, *weight),
            };
        }
        let taken: Vec<u32> = (0..u32::try_from(data.rows).unwrap_or(u32::MAX))
            .filter(|_| random.random::<f64>() < growth.rows_share)
            .collect();
        let features: Vec<usize> = (0..data.columns.len())
            .filter(|_| random.random::<f64>() < growth.features_share)
            .collect();
        let tree = Grown::tree(data, &slopes, taken, &features, growth);
        for (row, score) in scores.iter_mut().enumerate() {
            *score += f64::from(tree.leaf_of(data, row));
        }
        forest.trees.push(tree.finished(data));
    }
    forest
}

/// A node while its tree grows: the cut is a bin.
#[derive(Debug, Clone, Copy)]
struct Bud {
    feature: u16,
    bin: u8,
    value: f32,
    left: u16,
    right: u16,
}

struct Grown {
    nodes: Vec<Bud>,
}

/// A leaf that may be split yet, with the best way to do so.
struct Open {
    node: usize,
    rows: Vec<u32>,
    best: Option<Split>,
}

#[derive(Clone, Copy)]
struct Split {
    gain: f64,
    feature: usize,
    bin: u8,
}

impl Grown {
    #[expect(clippy::cast_possible_truncation, reason = "trees have a handful of leaves")]
    fn tree(
        data: &Binned,
        slopes: &[(f64, f64)],
        rows: Vec<u32>,
        features: &[usize],
        growth: &Growth,
    ) -> Self {
        let leaf = |rows: &[u32]| -> Bud {
            let (g, h) = sums(slopes, rows);
            let value = (growth.rate * g / (h + growth.shrinkage)) as f32;
            Bud { feature: LEAF, bin: 0, value, left: 0, right: 0 }
        };
        let mut nodes = vec![leaf(&rows)];
        let best = best_split(data, slopes, &rows, features, growth);
        let mut open = vec![Open { node: 0, rows, best }];
        while open.len() < growth.leaves {
            let widest = open
                .iter()
                .enumerate()
                .filter_map(|(at, o)| Some((at, o.best?)))
                .max_by(|a, b| a.1.gain.total_cmp(&b.1.gain).then_with(|| b.0.cmp(&a.0)));
            let Some((at, split)) = widest else { break };
            let parent = open.swap_remove(at);
            let column = data.columns.get(split.feature).map_or(&[] as &[u8], Vec::as_slice);
            let (left, right): (Vec<u32>, Vec<u32>) = parent
                .rows
                .into_iter()
                .partition(|&row| column.get(row as usize).is_some_and(|b| *b <= split.bin));
            let first = nodes.len();
            nodes.push(leaf(&left));
            nodes.push(leaf(&right));
            if let Some(node) = nodes.get_mut(parent.node) {
                *node = Bud {
                    feature: split.feature as u16,
                    bin: split.bin,
                    value: 0.0,
                    left: first as u16,
                    right: first as u16 + 1,
                };
            }
            for (node, rows) in [(first, left), (first + 1, right)] {
                let best = best_split(data, slopes, &rows, features, growth);
                open.push(Open { node, rows, best });
            }
        }
        Self { nodes }
    }

    fn leaf_of(&self, data: &Binned, row: usize) -> f32 {
        let mut at = 0;
        loop {
            let Some(node) = self.nodes.get(at) else { return 0.0 };
            if node.feature == LEAF {
                return node.value;
            }
            let bin = data.columns.get(usize::from(node.feature)).and_then(|c| c.get(row));
            let goes_left = bin.is_some_and(|b| *b <= node.bin);
            at = usize::from(if goes_left { node.left } else { node.right });
        }
    }

    fn finished(&self, data: &Binned) -> Vec<Node> {
        self.nodes
            .iter()
            .map(|bud| {
                let edge = || {
                    let edges = data.edges.get(usize::from(bud.feature))?;
                    edges.get(usize::from(bud.bin)).copied()
                };
                let value =
                    if bud.feature == LEAF { bud.value } else { edge().unwrap_or(f32::MAX) };
                Node { feature: bud.feature, value, left: bud.left, right: bud.right }
            })
            .collect()
    }
}

fn sums(slopes: &[(f64, f64)], rows: &[u32]) -> (f64, f64) {
    rows.iter()
        .filter_map(|&row| slopes.get(row as usize))
        .fold((0.0, 0.0), |(g, h), s| (g + s.0, h + s.1))
}

#[expect(clippy::cast_possible_truncation, reason = "at most 48 bins")]
fn best_split(
    data: &Binned,
    slopes: &[(f64, f64)],
    rows: &[u32],
    features: &[usize],
    growth: &Growth,
) -> Option<Split> {
    if rows.len() < 2 * growth.least_rows {
        return None;
    }
    let (all_g, all_h) = sums(slopes, rows);
    let worth = |g: f64, h: f64| g * g / (h + growth.shrinkage);
    let before = worth(all_g, all_h);
    let mut best: Option<Split> = None;
    for &feature in features {
        let Some(column) = data.columns.get(feature) else { continue };
        let mut bins = [(0.0_f64, 0.0_f64, 0_usize); BINS + 1];
        for &row in rows {
            let row = row as usize;
            if let (Some(&bin), Some(slope)) = (column.get(row), slopes.get(row))
                && let Some(sum) = bins.get_mut(usize::from(bin))
            {
                sum.0 += slope.0;
                sum.1 += slope.1;
                sum.2 += 1;
            }
        }
        let (mut g, mut h, mut n) = (0.0, 0.0, 0);
        for (bin, sum) in bins.iter().enumerate() {
            g += sum.0;
            h += sum.1;
            n += sum.2;
            if n < growth.least_rows {
                continue;
            }
            if rows.len() - n < growth.least_rows {
                break;
            }
            let gain = worth(g, h) + worth(all_g - g, all_h - h) - before;
            if gain > 1e-9 && best.is_none_or(|b| gain > b.gain) {
                best = Some(Split { gain, feature, bin: bin as u8 });
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROWTH: Growth = Growth {
        trees: 60,
        leaves: 4,
        rate: 0.2,
        least_rows: 5,
        rows_share: 0.8,
        features_share: 1.0,
        shrinkage: 1.0,
        seed: 7,
    };

    fn rows() -> (Vec<Vec<f32>>, Vec<f64>) {
        let mut random = StdRng::seed_from_u64(3);
        let rows: Vec<Vec<f32>> =
            (0..600).map(|_| vec![random.random(), random.random(), random.random()]).collect();
        // Right where exactly one of the first two is large: no single feature tells.
        let right = |r: &Vec<f32>| f64::from(u8::from((r[0] > 0.5) != (r[1] > 0.5)));
        let targets = rows.iter().map(right).collect();
        (rows, targets)
    }

    #[test]
    fn an_interaction_is_learned_and_holds_on_new_rows() {
        let (rows, targets) = rows();
        let data = Binned::of(&rows[..400]);
        let ones = vec![1.0; 400];
        let start = vec![0.0; 400];
        let forest = grow(&data, &targets[..400], &ones, &start, Loss::Logistic, &GROWTH);
        let right = rows[400..]
            .iter()
            .zip(&targets[400..])
            .filter(|(row, target)| (forest.predict(row) > 0.0) == (**target > 0.5))
            .count();
        assert!(right >= 180, "{right} of 200");
        assert!(forest.is_sound(3) && !forest.is_sound(1));
    }

    #[test]
    fn the_same_seed_grows_the_same_forest() {
        let (rows, targets) = rows();
        let data = Binned::of(&rows);
        let (ones, start) = (vec![1.0; 600], vec![0.0; 600]);
        let grown = || grow(&data, &targets, &ones, &start, Loss::Squares, &GROWTH);
        assert_eq!(grown(), grown());
    }
}
