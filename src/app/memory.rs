//! A lake in memory, for what is measured and not kept.

use crate::{
    lake::{Lake, LakeOptions, Sentences},
    seal::Keyring,
    store::{Store, StoreError},
};

/// An empty lake that forgets all when it is dropped.
///
/// # Errors
/// What keeps the store from being made.
pub async fn lake_in_memory(
    max_wrong_hit_rate: f64,
    sentences: Option<Sentences>,
) -> Result<Lake, StoreError> {
    let options = LakeOptions {
        ttl: None,
        max_entries: usize::MAX / 32,
        max_bytes: usize::MAX / 32,
        max_wrong_hit_rate,
    };
    Lake::open_embedding(Store::in_memory()?, options, Keyring::plain(), sentences).await
}
