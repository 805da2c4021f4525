//! Boosted decision trees: the trained scorer.

use super::features::Features;

/// A node; a leaf where `left` is 0, since no branch leads back to the root.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Node {
    pub(super) feature: u8,
    pub(super) left: u8,
    pub(super) right: u8,
    /// Goes left where the feature is at most this; the value where it is a leaf.
    pub(super) value: f32,
}

/// Most nodes of a tree: a node's place is a byte.
pub(super) const MOST_NODES: usize = 255;

/// A sum of trees over a base, in log-odds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Forest {
    pub(super) base: f32,
    pub(super) trees: Vec<Vec<Node>>,
}

impl Forest {
    pub(super) fn score(&self, features: &Features) -> f32 {
        self.base + self.trees.iter().map(|tree| leaf(tree, features)).sum::<f32>()
    }

    /// Whether any branch asks for a feature.
    pub(super) fn uses(&self, feature: usize) -> bool {
        let asks = |node: &Node| node.left != 0 && usize::from(node.feature) == feature;
        self.trees.iter().flatten().any(asks)
    }

    /// Whether every branch leads on, to a leaf.
    pub(super) fn is_sound(&self) -> bool {
        let sound = |tree: &Vec<Node>| {
            !tree.is_empty()
                && tree.len() <= MOST_NODES
                && tree.iter().enumerate().all(|(at, node)| {
                    let leads = |to: u8| usize::from(to) > at && usize::from(to) < tree.len();
                    node.value.is_finite()
                        && (node.left == 0
                            || leads(node.left)
                                && leads(node.right)
                                && usize::from(node.feature) < super::features::FEATURES)
                })
        };
        self.base.is_finite() && self.trees.iter().all(sound)
    }
}

fn leaf(tree: &[Node], features: &Features) -> f32 {
    let mut at = 0;
    loop {
        let Some(node) = tree.get(at) else { return 0.0 };
        if node.left == 0 {
            return node.value;
        }
        let feature = features.get(usize::from(node.feature)).copied().unwrap_or_default();
        at = usize::from(if feature <= node.value { node.left } else { node.right });
    }
}
