//! The lake's rows for the command line, and everything that is sealed for writing it anew under
//! another key.

use super::{
    StartError,
    assemble::{STORE_FILE, keyring},
};
use crate::{
    documents::reseal,
    domain::{ResponseId, TenantId},
    flux::{Refusal, Vouched},
    lake::{Kept, Shelf, ShelfStats},
    seal::{Keyring, admit, settle},
    sessions::{SessionOptions, Sessions},
    settings::Settings,
    store::{Store, StoreError},
};

/// The rows of lake, conversations and added documents in a data folder that no service has open.
#[derive(Debug)]
pub struct LakeShelf {
    store: Store,
    keyring: Keyring,
    shelf: Shelf,
    sessions: Sessions,
}

impl LakeShelf {
    pub(super) fn new(store: Store, keyring: Keyring, sessions: Sessions) -> Self {
        let shelf = Shelf::new(store.clone(), keyring.clone());
        Self { store, keyring, shelf, sessions }
    }

    /// Opens the data folder of these settings.
    ///
    /// # Errors
    /// [`StartError`]; [`StoreError::InUse`] within it while a service has it open.
    pub async fn open(settings: &Settings) -> Result<Self, StartError> {
        let dir = &settings.data.dir;
        let store = Store::open(&dir.join(STORE_FILE))
            .map_err(|source| StartError::Store { dir: dir.clone(), source })?;
        let keyring = keyring(settings)?;
        admit(&store, &keyring).await?;
        let options = SessionOptions::default();
        let sessions = Sessions::open_sealed(store.clone(), options, keyring.clone()).await;
        Ok(Self::new(store, keyring, sessions.map_err(StartError::Sessions)?))
    }

    /// Puts in what an operator vouches for; see [`Shelf::curate`].
    ///
    /// # Errors
    /// What keeps the store from being written; then none came in.
    pub async fn curate(
        &self,
        tenant: &TenantId,
        given: Vec<Vouched>,
        now_ms: i64,
    ) -> Result<Vec<Result<ResponseId, Refusal>>, StoreError> {
        let given = given.into_iter().map(|vouched| vouched.curated(now_ms)).collect();
        self.shelf.curate(tenant, given, now_ms).await
    }

    /// Hands every entry to `each` until it says to stop; returns how many rows cannot be read.
    ///
    /// # Errors
    /// What keeps the store from being read.
    pub async fn each(
        &self,
        tenant: Option<&TenantId>,
        each: impl FnMut(Kept) -> bool,
    ) -> Result<usize, StoreError> {
        self.shelf.each(tenant, each).await
    }

    /// Counts what there is.
    ///
    /// # Errors
    /// What keeps the store from being read.
    pub async fn stats(&self, now_ms: i64) -> Result<ShelfStats, StoreError> {
        self.shelf.stats(now_ms).await
    }

    /// Writes everything anew that is not as the key in use has it; returns how many rows. After
    /// that no earlier key is needed. `progress` hears how many rows were looked at.
    ///
    /// # Errors
    /// What keeps the store from being read or written; what was written anew stays so.
    pub async fn reseal(&self, progress: impl Fn(u64)) -> Result<usize, StoreError> {
        let rewritten = self.shelf.reseal(progress).await?
            + self.sessions.reseal().await?
            + reseal(&self.store, &self.keyring).await?;
        settle(&self.store, &self.keyring).await?;
        Ok(rewritten)
    }

    /// Whether what is written is encrypted.
    #[must_use]
    pub fn is_sealing(&self) -> bool {
        self.keyring.is_sealing()
    }

    /// Closes the store.
    ///
    /// # Errors
    /// What kept it from being closed properly. What was written is safe in any case.
    pub async fn close(self) -> Result<(), StoreError> {
        self.store.close().await
    }
}
