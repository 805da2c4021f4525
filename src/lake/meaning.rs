//! Questions by their place among others: the nearest ones are found without looking at all.
//!
//! Near questions share words. Each word has the list of the questions that have it; a search goes
//! through the lists of the asked question's words, the rarest first, adds up what each question
//! shares, and compares the best of them closely. Few places are searched exactly.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use crate::paraphrase::{DIMENSIONS, Place, Vector};

/// Up to so many places all are compared closely.
const EXACT: usize = 2048;
/// Least entries of words' lists that a search looks at, and the share of all places beyond.
const LEAST_LOOKED_AT: usize = 16 * 1024;
const SHARE_LOOKED_AT: usize = 12;
/// Places that are compared closely.
const CLOSELY: usize = 1024;

/// Places, each with a number that its owner gave it.
#[derive(Debug, Default)]
pub struct Meanings {
    places: Vec<Option<Vector>>,
    /// The numbers of the places that have a word, by the word.
    by_word: FxHashMap<u32, Vec<u32>>,
    len: usize,
}

/// Bytes that one place takes: the vector, and an entry in the lists of some fifteen words and
/// beginnings of words.
pub const BYTES_PER_PLACE: usize = DIMENSIONS + 1 + 15 * 4 * 3 / 2;

thread_local! {
    /// What each place shares with the asked question; all zero between two searches.
    static SHARED: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl Meanings {
    /// Places held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts a question under a number that is free.
    pub fn insert(&mut self, id: u32, question: &Place) {
        let index = id as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, None);
        }
        let Some(place) = self.places.get_mut(index).filter(|place| place.is_none()) else {
            return;
        };
        *place = Some(*question.vector());
        self.len += 1;
        for &(word, _) in question.topic() {
            self.by_word.entry(word).or_default().push(id);
        }
    }

    /// Takes away the question that stands under a number.
    pub fn remove(&mut self, id: u32, question: &Place) {
        if self.places.get_mut(id as usize).and_then(Option::take).is_none() {
            return;
        }
        self.len -= 1;
        for &(word, _) in question.topic() {
            if let Some(list) = self.by_word.get_mut(&word) {
                if let Some(at) = list.iter().rposition(|other| *other == id) {
                    list.swap_remove(at);
                }
                if list.is_empty() {
                    self.by_word.remove(&word);
                }
            }
        }
    }

    /// The `most` nearest places, the nearest first, with their inner products. Nearly always: a
    /// near place may be missed where there are many.
    #[must_use]
    pub fn nearest(&self, question: &Place, most: usize) -> Vec<(i32, u32)> {
        let place = question.vector();
        if self.len <= EXACT {
            return self.nearest_exactly(place, most);
        }
        let mut lists: Vec<(&[u32], f32)> = question
            .topic()
            .iter()
            .filter_map(|&(word, weight)| Some((self.by_word.get(&word)?.as_slice(), weight)))
            .collect();
        lists.sort_by_key(|(list, _)| list.len());
        let enough = LEAST_LOOKED_AT.max(self.len / SHARE_LOOKED_AT);
        let near = SHARED.with_borrow_mut(|shared| {
            if shared.len() < self.places.len() {
                shared.resize(self.places.len(), 0.0);
            }
            let mut touched: Vec<u32> = Vec::with_capacity(enough);
            let mut left = enough;
            for (list, weight) in lists {
                // The newest of what is too much to look at.
                let list = list.get(list.len().saturating_sub(left)..).unwrap_or_default();
                left -= list.len();
                for &id in list {
                    if let Some(sum) = shared.get_mut(id as usize) {
                        if *sum == 0.0 {
                            touched.push(id);
                        }
                        *sum += weight * weight;
                    }
                }
                if left == 0 {
                    break;
                }
            }
            let mut sums: Vec<(f32, u32)> = touched
                .into_iter()
                .filter_map(|id| Some((std::mem::take(shared.get_mut(id as usize)?), id)))
                .collect();
            let closely = CLOSELY.max(most);
            if sums.len() > closely {
                sums.select_nth_unstable_by(closely - 1, |a, b| b.0.total_cmp(&a.0));
                sums.truncate(closely);
            }
            sums
        });
        let dot = |id: u32| Some((place.dot(self.places.get(id as usize)?.as_ref()?), id));
        best(near.into_iter().filter_map(|(_, id)| dot(id)).collect(), most)
    }

    /// The same, by comparing with every place.
    #[must_use]
    pub fn nearest_exactly(&self, place: &Vector, most: usize) -> Vec<(i32, u32)> {
        let all = (0_u32..).zip(&self.places);
        best(all.filter_map(|(id, own)| Some((place.dot(own.as_ref()?), id))).collect(), most)
    }
}

/// The best, the best first; of equals the lower number.
fn best(mut found: Vec<(i32, u32)>, most: usize) -> Vec<(i32, u32)> {
    let order = |a: &(i32, u32), b: &(i32, u32)| b.0.cmp(&a.0).then(a.1.cmp(&b.1));
    if most == 0 {
        return Vec::new();
    }
    if found.len() > most {
        found.select_nth_unstable_by(most - 1, order);
        found.truncate(most);
    }
    found.sort_unstable_by(order);
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::paraphrase::Matcher;

    fn place(text: &str) -> Place {
        Matcher::untrained().place(text)
    }

    /// Questions of many topics, numbered.
    fn question(number: usize) -> String {
        const VERBS: [&str; 7] = ["build", "paint", "sell", "repair", "clean", "draw", "find"];
        const THINGS: [&str; 11] = [
            "house", "bicycle", "garden", "violin", "bridge", "camera", "window", "kitchen",
            "boat", "engine", "painting",
        ];
        let verb = VERBS[number % VERBS.len()];
        let thing = THINGS[number / 7 % THINGS.len()];
        format!("how do I {verb} the {thing} of customer{} in town{}", number / 5, number % 131)
    }

    #[test]
    fn the_nearest_of_many_is_nearly_always_found() {
        let mut meanings = Meanings::default();
        for number in 0..8000 {
            meanings.insert(number as u32, &place(&question(number)));
        }
        let mut found = 0;
        for number in (0..8000).step_by(16) {
            let asked = place(&question(number).replace("how do I", "what is the way to"));
            let exactly = meanings.nearest_exactly(asked.vector(), 1);
            found += usize::from(
                meanings.nearest(&asked, 1).first().map(|n| n.0) == exactly.first().map(|n| n.0),
            );
        }
        assert!(found >= 490, "{found} of 500");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn what_was_put_is_found_and_what_was_taken_is_not(
            numbers in proptest::collection::vec((0u32..40, any::<bool>()), 0..80)
        ) {
            let mut meanings = Meanings::default();
            let mut held = BTreeSet::new();
            for (number, put) in numbers {
                if put {
                    meanings.insert(number, &place(&question(number as usize * 17)));
                    held.insert(number);
                } else {
                    meanings.remove(number, &place(&question(number as usize * 17)));
                    held.remove(&number);
                }
            }
            prop_assert_eq!(meanings.len(), held.len());
            let all = meanings.nearest(&place("how do I build a house"), 100);
            prop_assert_eq!(all.into_iter().map(|(_, id)| id).collect::<BTreeSet<_>>(), held);
        }
    }
}
