//! Words, names of numbers and months, normal forms, sentences, hashed n-gram vectors, likeness, and
//! how a text speaks.

mod appeals;
mod elp;
mod likeness;
mod names;
mod sentences;
mod signs;
mod tokens;
mod vector;
mod words;

pub use appeals::without_appeals;
pub use elp::{elp, elp_of_words};
pub use likeness::word_likeness;
pub use names::{NUMBER_NAMES, month_name, month_named, number_named};
pub use sentences::{Sentence, sentences};
pub use signs::signs;
pub use tokens::estimated_tokens;
pub use vector::NgramVector;
pub use words::{
    content_words, content_words_of_folded, fold, has_words, is_stop_word, normal_key, stem,
    stem_of, words, words_of, words_of_folded,
};
