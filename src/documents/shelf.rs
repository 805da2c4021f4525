//! Documents that tenants add: durable, bounded, sealed where there is a key, and searched for nobody
//! else.
//!
//! One task makes all changes ([`ShelfTask`]): it takes whatever is queued, writes it in one commit,
//! indexes it and then acknowledges it. So what was acknowledged is durable and is found.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustc_hash::FxHashMap;
use tokio::{
    sync::{mpsc, oneshot},
    task::spawn_blocking,
};
use tokio_util::sync::CancellationToken;

use super::{
    Documents,
    collection::{Change, Held},
    markdown::Format,
    rows::{Found, Row, Rows},
};
use crate::{
    domain::{DocumentError, DocumentFormat, DocumentId, DocumentInfo, NewDocument, TenantId},
    seal::Keyring,
    store::{Batch, Store, StoreError, Table},
};

/// Bounds of what tenants add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShelfOptions {
    /// Most documents of one tenant.
    pub max_documents: usize,
    /// Most bytes of text, all tenants together. Memory takes about five times as much.
    pub max_bytes: usize,
}

impl Default for ShelfOptions {
    fn default() -> Self {
        Self { max_documents: 1_000, max_bytes: 16 << 20 }
    }
}

/// Changes that wait to be made; more are refused.
const QUEUE: usize = 64;
/// Most changes of one commit.
const GROUP: usize = 16;

/// A handle to what tenants have added. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shelf {
    queue: mpsc::Sender<Message>,
    catalogue: Arc<Mutex<Catalogue>>,
}

/// What is known of each tenant's documents.
#[derive(Debug, Default)]
struct Catalogue {
    tenants: FxHashMap<TenantId, BTreeMap<DocumentId, DocumentInfo>>,
    bytes: usize,
}

#[derive(Debug)]
struct Message {
    tenant: TenantId,
    id: DocumentId,
    /// `None` removes it.
    document: Option<NewDocument>,
    at_ms: i64,
    answer: oneshot::Sender<Result<Changed, DocumentError>>,
}

/// What a change did.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Changed {
    /// The document as it is now.
    now: Option<DocumentInfo>,
    /// Whether there was one of this id before.
    before: bool,
}

/// The task behind a [`Shelf`]; the caller spawns [`ShelfTask::run`] and waits for it.
pub struct ShelfTask {
    documents: Arc<Documents>,
    rows: Rows,
    options: ShelfOptions,
    waiting: mpsc::Receiver<Message>,
    catalogue: Arc<Mutex<Catalogue>>,
}

impl Shelf {
    /// Opens what tenants have added in a store, and puts it among the documents.
    ///
    /// # Errors
    /// What keeps the store from being read; a row that cannot be read or indexed is
    /// [`StoreError::Unreadable`].
    pub async fn open(
        documents: Arc<Documents>,
        store: Store,
        options: ShelfOptions,
    ) -> Result<(Self, ShelfTask), StoreError> {
        Self::open_sealed(documents, store, options, Keyring::plain()).await
    }

    /// [`Shelf::open`] with keys: what is written is sealed with the first of them, and what is not
    /// yet sealed with it is written anew before this returns. `admit` of the room `seal` has said
    /// before that the keys fit.
    ///
    /// # Errors
    /// As [`Shelf::open`], and what keeps the store from being written.
    pub async fn open_sealed(
        documents: Arc<Documents>,
        store: Store,
        options: ShelfOptions,
        keyring: Keyring,
    ) -> Result<(Self, ShelfTask), StoreError> {
        let rows = Rows::new(store, keyring);
        let mut catalogue = Catalogue::default();
        let mut changes: FxHashMap<TenantId, Vec<Change>> = FxHashMap::default();
        let taken_in = |Found { tenant, id, row }| {
            if catalogue.has(&tenant, &id) {
                return;
            }
            let at_ms = row.added_ms;
            let (info, held) = read(&id, row.into(), at_ms);
            catalogue.put(&tenant, info);
            changes.entry(tenant).or_default().push((Arc::from(id.as_str()), Some(held)));
        };
        let rewritten = rows.each(taken_in).await?;
        if rewritten > 0 {
            tracing::info!(rewritten, "added documents were written anew under the key in use");
        }
        for (tenant, changes) in changes {
            index(&documents, &tenant, changes)
                .map_err(|_| StoreError::Unreadable(Table::Documents.name()))?;
        }
        let (queue, waiting) = mpsc::channel(QUEUE);
        let catalogue = Arc::new(Mutex::new(catalogue));
        let shared = Arc::clone(&catalogue);
        let task = ShelfTask { documents, rows, options, waiting, catalogue: shared };
        Ok((Self { queue, catalogue }, task))
    }

    /// Adds a document, or puts it in the place of the one with the same id. Durable, and found by
    /// the next question, when this returns `Ok`. The second value says whether it took another's
    /// place.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub async fn add(
        &self,
        tenant: &TenantId,
        document: NewDocument,
        now_ms: i64,
    ) -> Result<(DocumentInfo, bool), DocumentError> {
        let id = document.id.clone().unwrap_or_else(DocumentId::generate);
        let changed = self.change(tenant, id, Some(document), now_ms).await?;
        let now = changed.now.ok_or(DocumentError::Unavailable)?;
        Ok((now, changed.before))
    }

    /// Removes a document; whether there was one. Removing it again changes nothing.
    ///
    /// # Errors
    /// [`DocumentError::Busy`], [`DocumentError::Unavailable`].
    pub async fn remove(&self, tenant: &TenantId, id: &DocumentId) -> Result<bool, DocumentError> {
        Ok(self.change(tenant, id.clone(), None, 0).await?.before)
    }

    /// The first `limit` of a tenant's documents after an id, in the order of their ids.
    #[must_use]
    pub fn list(
        &self,
        tenant: &TenantId,
        after: Option<&DocumentId>,
        limit: usize,
    ) -> Vec<DocumentInfo> {
        let catalogue = lock(&self.catalogue);
        let Some(own) = catalogue.tenants.get(tenant) else { return Vec::new() };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let range = own.range::<DocumentId, _>((from, Bound::Unbounded));
        range.take(limit).map(|(_, info)| info.clone()).collect()
    }

    async fn change(
        &self,
        tenant: &TenantId,
        id: DocumentId,
        document: Option<NewDocument>,
        at_ms: i64,
    ) -> Result<Changed, DocumentError> {
        let (answer, changed) = oneshot::channel();
        let message = Message { tenant: tenant.clone(), id, document, at_ms, answer };
        self.queue.try_send(message).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => DocumentError::Busy,
            mpsc::error::TrySendError::Closed(_) => DocumentError::Unavailable,
        })?;
        changed.await.unwrap_or(Err(DocumentError::Unavailable))
    }
}

impl ShelfTask {
    /// Makes changes until `shutdown` is cancelled or every handle is gone; what is queued by then is
    /// still done.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut closing = false;
        loop {
            let mut group = Vec::new();
            let taken = tokio::select! {
                biased;
                () = shutdown.cancelled(), if !closing => {
                    self.waiting.close();
                    closing = true;
                    continue;
                }
                taken = self.waiting.recv_many(&mut group, GROUP) => taken,
            };
            if taken == 0 {
                return;
            }
            self.carry_out(group).await;
        }
    }

    async fn carry_out(&self, group: Vec<Message>) {
        // Cutting a text into sentences takes milliseconds that requests must not wait.
        let catalogue = Arc::clone(&self.catalogue);
        let (options, max_sentences) = (self.options, self.documents.options.max_sentences);
        let rows = self.rows.clone();
        let planned = spawn_blocking(move || {
            Plan::of(group, &lock(&catalogue), &rows, options, max_sentences)
        });
        let Ok(plan) = planned.await else { return };
        let mut batch = Batch::new();
        for step in &plan.steps {
            match &step.value {
                Some(value) => batch.put(Table::Documents, step.key.as_slice(), value.as_slice()),
                None => batch.delete(Table::Documents, step.key.as_slice()),
            }
        }
        if let Err(error) = self.rows.commit(batch).await {
            tracing::error!(%error, "changes to documents were not stored");
            plan.refuse();
            return;
        }
        let documents = Arc::clone(&self.documents);
        let indexed = spawn_blocking(move || {
            for (tenant, changes) in plan.changes() {
                if let Err(error) = index(&documents, &tenant, changes) {
                    tracing::error!(%error, "documents were stored and not indexed");
                }
            }
            plan
        });
        let Ok(plan) = indexed.await else { return };
        plan.acknowledge(&mut lock(&self.catalogue));
    }
}

/// One change, judged against what there was before it.
struct Step {
    tenant: TenantId,
    id: DocumentId,
    /// Its row, and what is to stand there.
    key: Vec<u8>,
    value: Option<Vec<u8>>,
    held: Option<Arc<Held>>,
    changed: Changed,
    answer: oneshot::Sender<Result<Changed, DocumentError>>,
}

/// The changes of a group that can be made, in their order.
struct Plan {
    steps: Vec<Step>,
}

impl Plan {
    /// Judges a group; those that cannot be made are refused here.
    fn of(
        group: Vec<Message>,
        catalogue: &Catalogue,
        rows: &Rows,
        options: ShelfOptions,
        max_sentences: usize,
    ) -> Self {
        let mut steps: Vec<Step> = Vec::new();
        let mut bytes = catalogue.bytes;
        // What earlier steps of this group have made of the tenants that they concern.
        let mut touched: FxHashMap<TenantId, BTreeMap<DocumentId, (usize, usize)>> =
            FxHashMap::default();
        for message in group {
            let Message { tenant, id, document, at_ms, answer } = message;
            let own = touched.entry(tenant.clone()).or_insert_with(|| {
                let infos = catalogue.tenants.get(&tenant).into_iter().flatten();
                infos.map(|(id, info)| (id.clone(), (info.bytes, info.sentences))).collect()
            });
            let before = own.get(&id).copied();
            let others = (bytes - before.map_or(0, |(bytes, _)| bytes), own.len());
            let sentences: usize = own.values().map(|(_, sentences)| sentences).sum::<usize>()
                - before.map_or(0, |(_, sentences)| sentences);
            let key = rows.key(&tenant, &id);
            let judged = document.map(|document| {
                let row = Row::new(&id, &document, at_ms);
                let (info, held) = read(&id, document, at_ms);
                let value = rows.value(&key, &row).map_err(|_| DocumentError::Unavailable)?;
                if info.sentences == 0 {
                    Err(DocumentError::Empty)
                } else if before.is_none() && others.1 >= options.max_documents {
                    Err(DocumentError::TooMany { most: options.max_documents })
                } else if others.0 + info.bytes > options.max_bytes
                    || sentences + info.sentences > max_sentences
                    || value.len() > Store::MAX_VALUE
                {
                    Err(DocumentError::NoRoom { most: options.max_bytes, sentences: max_sentences })
                } else {
                    Ok((info, held, value))
                }
            });
            let (now, held, value) = match judged.transpose() {
                Ok(Some((info, held, value))) => (Some(info), Some(held), Some(value)),
                Ok(None) => (None, None, None),
                Err(error) => {
                    // Whoever stopped waiting does not need to know.
                    let _ = answer.send(Err(error));
                    continue;
                }
            };
            bytes = others.0 + now.as_ref().map_or(0, |info| info.bytes);
            match &now {
                Some(info) => own.insert(id.clone(), (info.bytes, info.sentences)),
                None => own.remove(&id),
            };
            let changed = Changed { now, before: before.is_some() };
            steps.push(Step { tenant, id, key, value, held, changed, answer });
        }
        Self { steps }
    }

    fn changes(&self) -> FxHashMap<TenantId, Vec<Change>> {
        let mut changes: FxHashMap<TenantId, Vec<Change>> = FxHashMap::default();
        for step in &self.steps {
            let change = (Arc::from(step.id.as_str()), step.held.clone());
            changes.entry(step.tenant.clone()).or_default().push(change);
        }
        changes
    }

    fn refuse(self) {
        for step in self.steps {
            let _ = step.answer.send(Err(DocumentError::Unavailable));
        }
    }

    fn acknowledge(self, catalogue: &mut Catalogue) {
        for step in self.steps {
            match &step.changed.now {
                Some(info) => catalogue.put(&step.tenant, info.clone()),
                None => catalogue.take(&step.tenant, &step.id),
            }
            let _ = step.answer.send(Ok(step.changed));
        }
    }
}

impl Catalogue {
    fn has(&self, tenant: &TenantId, id: &DocumentId) -> bool {
        self.tenants.get(tenant).is_some_and(|own| own.contains_key(id))
    }

    fn put(&mut self, tenant: &TenantId, info: DocumentInfo) {
        self.bytes += info.bytes;
        let own = self.tenants.entry(tenant.clone()).or_default();
        if let Some(old) = own.insert(info.id.clone(), info) {
            self.bytes = self.bytes.saturating_sub(old.bytes);
        }
    }

    fn take(&mut self, tenant: &TenantId, id: &DocumentId) {
        let Some(own) = self.tenants.get_mut(tenant) else { return };
        if let Some(old) = own.remove(id) {
            self.bytes = self.bytes.saturating_sub(old.bytes);
        }
        if own.is_empty() {
            self.tenants.remove(tenant);
        }
    }
}

/// A document as it is catalogued and as it is indexed.
fn read(id: &DocumentId, document: NewDocument, added_ms: i64) -> (DocumentInfo, Arc<Held>) {
    let format = match document.format {
        DocumentFormat::Text => Format::Plain,
        DocumentFormat::Markdown => Format::Markdown,
        DocumentFormat::Html => Format::Html,
    };
    let text = Arc::from(document.content.as_str());
    let held = Held::new(id.as_str(), document.title.clone(), format, text);
    let info = DocumentInfo {
        id: id.clone(),
        title: document.title,
        format: document.format,
        bytes: held.bytes(),
        sentences: held.sentences,
        added_ms,
    };
    (info, Arc::new(held))
}

fn index(
    documents: &Documents,
    tenant: &TenantId,
    changes: Vec<Change>,
) -> Result<(), tantivy::TantivyError> {
    let collection = documents.collection_of(tenant)?;
    collection.change(changes)?;
    documents.forget_if_empty(tenant);
    Ok(())
}

fn lock(catalogue: &Mutex<Catalogue>) -> MutexGuard<'_, Catalogue> {
    catalogue.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "shelf_tests.rs"]
mod tests;
