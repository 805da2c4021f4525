//! Gradient boosting of shallow trees for the logistic loss, on binned features (Friedman 2001;
//! second-order gains as in Chen and Guestrin, "XGBoost", KDD 2016).

use crate::paraphrase::{
    features::{FEATURES, Features},
    trees::{Forest, Node},
};

const BINS: usize = 64;
const DEPTH: usize = 5;
const RATE: f32 = 0.1;
/// Ridge on leaf values, and least curvature of a leaf.
const RIDGE: f32 = 4.0;
const LEAST: f32 = 10.0;
/// Shares of rows and features that a tree sees, in 1024ths.
const ROWS: u64 = 717;
const COLUMNS: u64 = 512;
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Features as bins, row by row, and where the bins end.
struct Binned {
    bins: Vec<[u8; FEATURES]>,
    cuts: Vec<Vec<f32>>,
}

impl Binned {
    fn of(rows: &[(Features, bool, f32)]) -> Self {
        let mut bins = vec![[0; FEATURES]; rows.len()];
        let cuts = (0..FEATURES)
            .map(|feature| {
                let value =
                    |row: &(Features, bool, f32)| row.0.get(feature).copied().unwrap_or(0.0);
                let mut values: Vec<f32> = rows.iter().map(value).collect();
                values.sort_by(f32::total_cmp);
                let last = values.len().saturating_sub(1);
                let quantile = |bin: usize| values.get(bin * last / BINS).copied();
                let mut cuts: Vec<f32> = (1..BINS).filter_map(quantile).collect();
                cuts.dedup();
                for (bins, row) in bins.iter_mut().zip(rows) {
                    if let Some(bin) = bins.get_mut(feature) {
                        *bin = cuts.partition_point(|cut| *cut < value(row)) as u8;
                    }
                }
                cuts
            })
            .collect();
        Self { bins, cuts }
    }
}

/// Grows that many trees.
pub(super) fn grow(
    rows: &[(Features, bool, f32)],
    trees: usize,
    progress: &mut impl FnMut(usize, usize),
) -> Forest {
    let binned = Binned::of(rows);
    let same = rows.iter().filter(|(_, same, _)| *same).map(|row| row.2).sum::<f32>();
    let all = rows.iter().map(|row| row.2).sum::<f32>();
    let base = (same / (all - same)).ln();
    let mut scores = vec![base; rows.len()];
    let mut dice = SEED;
    let mut forest = Forest { base, trees: Vec::new() };
    for grown in 0..trees {
        let slopes: Vec<(f32, f32)> = scores
            .iter()
            .zip(rows)
            .map(|(score, (_, same, weight))| {
                let p = 1.0 / (1.0 + (-score).exp());
                (weight * (f32::from(u8::from(*same)) - p), weight * p * (1.0 - p))
            })
            .collect();
        let mut chosen = |of: usize, share: u64| -> Vec<usize> {
            (0..of).filter(|_| next(&mut dice) % 1024 < share).collect()
        };
        let (seen, columns) = (chosen(rows.len(), ROWS), chosen(FEATURES, COLUMNS));
        let tree = Tree::grow(&binned, &slopes, seen, &columns);
        for (score, bins) in scores.iter_mut().zip(&binned.bins) {
            *score += tree.value(bins);
        }
        forest.trees.push(tree.nodes);
        progress(grown + 1, trees);
    }
    forest
}

/// Xorshift (Marsaglia 2003).
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// A tree, with the bins at which it branches beside the values.
struct Tree {
    nodes: Vec<Node>,
    bins: Vec<u8>,
}

/// The best place to branch.
struct Branch {
    gain: f32,
    feature: usize,
    bin: usize,
}

impl Tree {
    fn grow(binned: &Binned, slopes: &[(f32, f32)], seen: Vec<usize>, columns: &[usize]) -> Self {
        let mut tree = Self { nodes: vec![Node::default()], bins: vec![0] };
        let mut level = vec![(0, seen)];
        for depth in 0..=DEPTH {
            let mut deeper = Vec::new();
            for (at, rows) in level {
                let (slope, curve) = sums(&rows, slopes);
                let leaf = Node { value: RATE * slope / (curve + RIDGE), ..Node::default() };
                let branch = (depth < DEPTH)
                    .then(|| best_branch(binned, slopes, &rows, columns, (slope, curve)))
                    .flatten();
                let Some(branch) = branch else {
                    tree.put(at, leaf, 0);
                    continue;
                };
                let goes_left = |row: &usize| {
                    let bins = binned.bins.get(*row);
                    bins.and_then(|b| b.get(branch.feature))
                        .is_some_and(|b| usize::from(*b) <= branch.bin)
                };
                let (left, right): (Vec<_>, Vec<_>) = rows.iter().copied().partition(goes_left);
                let first = tree.nodes.len();
                tree.nodes.extend([Node::default(); 2]);
                tree.bins.extend([0; 2]);
                let cut = binned.cuts.get(branch.feature).and_then(|cuts| cuts.get(branch.bin));
                let node = Node {
                    feature: branch.feature as u8,
                    left: first as u8,
                    right: first as u8 + 1,
                    value: cut.copied().unwrap_or_default(),
                };
                tree.put(at, node, branch.bin as u8);
                deeper.extend([(first, left), (first + 1, right)]);
            }
            level = deeper;
        }
        tree
    }

    fn put(&mut self, at: usize, node: Node, bin: u8) {
        if let (Some(place), Some(own)) = (self.nodes.get_mut(at), self.bins.get_mut(at)) {
            (*place, *own) = (node, bin);
        }
    }

    fn value(&self, row: &[u8; FEATURES]) -> f32 {
        let mut at = 0;
        loop {
            let (Some(node), Some(bin)) = (self.nodes.get(at), self.bins.get(at)) else {
                return 0.0;
            };
            if node.left == 0 {
                return node.value;
            }
            let own = row.get(usize::from(node.feature)).copied().unwrap_or_default();
            at = usize::from(if own <= *bin { node.left } else { node.right });
        }
    }
}

fn sums(rows: &[usize], slopes: &[(f32, f32)]) -> (f32, f32) {
    let of = rows.iter().filter_map(|row| slopes.get(*row));
    of.fold((0.0, 0.0), |(s, c), (slope, curve)| (s + slope, c + curve))
}

fn best_branch(
    binned: &Binned,
    slopes: &[(f32, f32)],
    rows: &[usize],
    columns: &[usize],
    (slope, curve): (f32, f32),
) -> Option<Branch> {
    let mut sums = vec![[(0.0_f32, 0.0_f32); BINS]; FEATURES];
    for &row in rows {
        let (Some(bins), Some((slope, curve))) = (binned.bins.get(row), slopes.get(row)) else {
            continue;
        };
        for &feature in columns {
            let bin = bins.get(feature).copied().map(usize::from).unwrap_or_default();
            if let Some(sum) = sums.get_mut(feature).and_then(|sums| sums.get_mut(bin)) {
                sum.0 += slope;
                sum.1 += curve;
            }
        }
    }
    let worth = |slope: f32, curve: f32| slope * slope / (curve + RIDGE);
    let mut best = Branch { gain: 1e-3, feature: FEATURES, bin: 0 };
    for &feature in columns {
        let cuts = binned.cuts.get(feature).map_or(0, Vec::len);
        let (mut left_slope, mut left_curve) = (0.0, 0.0);
        for (bin, sum) in sums.get(feature).into_iter().flatten().take(cuts).enumerate() {
            left_slope += sum.0;
            left_curve += sum.1;
            let (right_slope, right_curve) = (slope - left_slope, curve - left_curve);
            if left_curve < LEAST || right_curve < LEAST {
                continue;
            }
            let gain = worth(left_slope, left_curve) + worth(right_slope, right_curve)
                - worth(slope, curve);
            if gain > best.gain {
                best = Branch { gain, feature, bin };
            }
        }
    }
    (best.feature < FEATURES).then_some(best)
}
