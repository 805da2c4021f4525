//! Questions as hashed n-grams (Weinberger et al. 2009), weighed by rarity: words and signs in
//! one block, four-letter pieces of words in another, each of unit length; the lettered options of a question
//! in two blocks of their own.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::{question::fingerprint, scan::Token};

/// Slots of the hash table. A power of two.
pub(super) const SLOTS: usize = 1 << 18;

/// How often each slot occurs in a text, the blocks apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    asked: Blocks,
    /// Lettered options, if there are any: what is offered tells otherwise than what is asked.
    offered: Blocks,
}

/// Each of unit length when weighed.
#[derive(Debug, Clone, Default)]
struct Blocks {
    words: Vec<(u32, u16)>,
    pieces: Vec<(u32, u16)>,
}

/// What the asked part's blocks weigh where options are offered, and those of the options.
const ASKED: f32 = 0.8;
const OFFERED: f32 = 0.6;
/// Marks the slots of options.
const OF_OPTIONS: u64 = 0x6f66_6665_7265_6421;

/// A text's weighed slots.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sparse {
    pub(super) slots: Vec<(u32, f32)>,
    /// Share of the text's weight that lies in slots seen in training.
    pub(super) known: f64,
}

fn sign_hash(sign: u8) -> u64 {
    u64::from(sign).wrapping_mul(0xc4ce_b9fe_1a85_ec53)
}

fn slot(hash: u64) -> u32 {
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as u32 & (SLOTS as u32 - 1)
}

impl Counts {
    /// Counts the slots of a folded text without options.
    #[cfg(test)]
    pub(super) fn of(folded: &str) -> Self {
        let tokens = super::scan::tokens(folded);
        Self::of_tokens(&tokens, tokens.len())
    }

    /// Counts the slots of tokens that from a certain one on are options.
    pub(super) fn of_tokens(tokens: &[Token<'_>], options: usize) -> Self {
        let (asked, offered) = tokens.split_at(options.min(tokens.len()));
        Self { asked: Blocks::of(asked, 0), offered: Blocks::of(offered, OF_OPTIONS) }
    }

    fn all(&self) -> impl Iterator<Item = u32> + '_ {
        let blocks = [&self.asked, &self.offered].into_iter();
        blocks.flat_map(|b| b.words.iter().chain(&b.pieces)).map(|(slot, _)| *slot)
    }

    /// The blocks with their weights.
    fn weighted(&self) -> [(&[(u32, u16)], f32); 4] {
        let (asked, offered) =
            if self.offered.words.is_empty() { (1.0, 0.0) } else { (ASKED, OFFERED) };
        [
            (&self.asked.words, asked),
            (&self.asked.pieces, asked),
            (&self.offered.words, offered),
            (&self.offered.pieces, offered),
        ]
    }
}

impl Blocks {
    fn of(tokens: &[Token<'_>], mark: u64) -> Self {
        let mut words = Vec::with_capacity(tokens.len());
        let mut pieces = Vec::with_capacity(3 * tokens.len());
        for token in tokens {
            let hash = match token {
                Token::Word(word) => {
                    for piece in word.as_bytes().windows(4) {
                        let hash =
                            piece.iter().fold(0x5bd1_e995_u64, |h, b| h << 8 | u64::from(*b));
                        pieces.push(slot(hash.wrapping_mul(0xff51_afd7_ed55_8ccd) ^ mark));
                    }
                    if word.len() == 3 {
                        pieces.push(slot(fingerprint(word) ^ 0x33 ^ mark));
                    }
                    fingerprint(word)
                }
                Token::Number(figure) => {
                    figure.value.to_bits().wrapping_mul(0x0100_0000_01b3) ^ 0x6e
                }
                // Full stops and commas stand everywhere.
                Token::Break(b'.' | b',') => continue,
                Token::Break(sign) | Token::Operator(sign) => sign_hash(*sign),
                Token::Equals => sign_hash(b'='),
                Token::Open => sign_hash(b'('),
                Token::Close => continue,
            };
            words.push(slot(hash ^ mark));
        }
        Self { words: counted(words), pieces: counted(pieces) }
    }
}

fn counted(slots: Vec<u32>) -> Vec<(u32, u16)> {
    let slots = sorted(slots);
    let mut found: Vec<(u32, u16)> = Vec::with_capacity(slots.len());
    for slot in slots {
        match found.last_mut() {
            Some((last, count)) if *last == slot => *count = count.saturating_add(1),
            _ => found.push((slot, 1)),
        }
    }
    found
}

/// Bits that one pass of sorting looks at: two passes see a whole slot.
const DIGIT: u32 = SLOTS.trailing_zeros().div_ceil(2);
/// Fewer slots are quicker compared than counted.
const FEW: usize = 192;

/// The slots in their order, by counting digits from the last to the first: there are many of a few
/// bits.
fn sorted(mut slots: Vec<u32>) -> Vec<u32> {
    if slots.len() < FEW {
        slots.sort_unstable();
        return slots;
    }
    let mut other = vec![0; slots.len()];
    for shift in [0, DIGIT] {
        let digit = |slot: u32| (slot >> shift) as usize & ((1 << DIGIT) - 1);
        let mut places = [0_u32; 1 << DIGIT];
        for slot in &slots {
            places[digit(*slot)] += 1;
        }
        let mut from = 0;
        for place in &mut places {
            from += std::mem::replace(place, from);
        }
        for slot in &slots {
            let place = &mut places[digit(*slot)];
            if let Some(target) = other.get_mut(*place as usize) {
                *target = *slot;
            }
            *place += 1;
        }
        std::mem::swap(&mut slots, &mut other);
    }
    slots
}

/// How rare each slot is, in sixteenths of a nat; 0 for what never occurred in training.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rarity(pub(super) Vec<u8>);

/// Logarithms of the numbers of times that slots occur mostly; none for 0, which does not occur.
static LOGARITHMS: LazyLock<[f32; 32]> = LazyLock::new(|| {
    let mut logarithms = [0.0; 32];
    for (times, logarithm) in (1_u16..).zip(logarithms.iter_mut().skip(1)) {
        *logarithm = f32::from(times).ln();
    }
    logarithms
});

/// Stands for the rarity of what never occurred: it counts for the length of the text alone.
const UNSEEN: f32 = 10.0;

impl Rarity {
    /// Learns from texts; what occurs in a single one is left out.
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a Counts>) -> Self {
        let mut documents: FxHashMap<u32, u32> = FxHashMap::default();
        let mut total = 0_u32;
        for counts in texts {
            total += 1;
            for slot in counts.all() {
                *documents.entry(slot).or_default() += 1;
            }
        }
        let mut rarity = vec![0_u8; SLOTS];
        for (slot, seen) in documents {
            if let Some(place) = rarity.get_mut(slot as usize)
                && seen > 1
            {
                let nats = (f64::from(total + 1) / f64::from(seen + 1)).ln() + 1.0;
                *place = (nats * 16.0).round().clamp(1.0, 255.0) as u8;
            }
        }
        Self(rarity)
    }

    /// The weighed slots of a text.
    pub(super) fn weigh(&self, counts: &Counts) -> Sparse {
        let mut found = Sparse::default();
        let (mut known, mut parts) = (0.0, 0.0);
        for (block, weight) in counts.weighted() {
            let (mut seen, mut unseen) = (0.0_f32, 0.0_f32);
            let from = found.slots.len();
            for (slot, times) in block {
                let tf = match LOGARITHMS.get(usize::from(*times)) {
                    Some(logarithm) => 1.0 + logarithm,
                    None => 1.0 + f32::from(*times).ln(),
                };
                match self.0.get(*slot as usize) {
                    Some(&rarity) if rarity > 0 => {
                        let value = tf * f32::from(rarity) / 16.0;
                        seen += value * value;
                        found.slots.push((*slot, value));
                    }
                    _ => unseen += tf * tf * UNSEEN * UNSEEN,
                }
            }
            if seen > 0.0 {
                let scale = weight / seen.sqrt();
                for (_, value) in found.slots.iter_mut().skip(from) {
                    *value *= scale;
                }
            }
            if seen + unseen > 0.0 {
                let part = f64::from(weight * weight);
                known += part * f64::from(seen / (seen + unseen));
                parts += part;
            }
        }
        found.known = if parts > 0.0 { known / parts } else { 0.0 };
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn counting_digits_sorts_as_comparing_does(
            slots in prop::collection::vec(0..SLOTS as u32, 0..1500),
        ) {
            let mut compared = slots.clone();
            compared.sort_unstable();
            prop_assert_eq!(sorted(slots), compared);
        }
    }
}
