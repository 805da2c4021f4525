//! What is known of words: how rare they are, whether they are names, and what it said, in
//! labelled pairs, that a word stood in both questions or in one only.

use rustc_hash::FxHashMap;

/// One word's record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Record {
    /// Inverse document frequency, natural logarithm, 0 to 16.
    pub(super) idf: f32,
    /// Log-odds that two questions ask the same, given that the word is in both, over the base.
    pub(super) shared: f32,
    /// The same, given that the word is in one of them only.
    pub(super) lone: f32,
    /// Usually written with a capital letter in the midst of a sentence.
    pub(super) name: bool,
}

/// The table of words, by the hash of their stem, and of beginnings, by the hash of two of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Lexicon {
    pub(super) words: FxHashMap<u32, Record>,
    /// Log-odds of a pair of beginnings, over the base.
    pub(super) starts: FxHashMap<u32, f32>,
    /// Rarity of a word that the table does not know.
    pub(super) unknown_idf: f32,
}

/// A stop word weighs this share of its rarity.
const STOP_WORD: f32 = 0.6;

impl Lexicon {
    /// A table that knows nothing: all words are equally rare.
    pub(super) fn empty() -> Self {
        Self { unknown_idf: 8.0, ..Self::default() }
    }

    pub(super) fn record(&self, stem: u32) -> Option<Record> {
        self.words.get(&stem).copied()
    }

    pub(super) fn weight(&self, record: Option<Record>, stop: bool) -> f32 {
        let idf = record.map_or(self.unknown_idf, |record| record.idf);
        if stop { (if record.is_none() { 1.0 } else { idf }) * STOP_WORD } else { idf }
    }
}

/// FNV-1a (Fowler, Noll, Vo), 64 bit, finished with a mix, the lower half. Stable across versions
/// and machines: the shipped table is keyed by it.
pub(super) fn hash(kind: u8, bytes: impl IntoIterator<Item = u8>) -> u32 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = bytes.into_iter().fold(step(0xcbf2_9ce4_8422_2325, kind), step);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (hash ^ (hash >> 33)) as u32
}
