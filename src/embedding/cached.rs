//! Points kept in a file, so that training and measuring on the same table embed each text once.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde::{Deserialize, Serialize};

use super::{Embedding, Model};

/// A model that remembers.
#[derive(Debug)]
pub struct Cached {
    model: Arc<dyn Model>,
    known: Mutex<HashMap<String, Option<Embedding>>>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    text: String,
    point: Option<Embedding>,
}

impl Cached {
    /// A model with what a file knows already, where there is one.
    ///
    /// # Errors
    /// What keeps the file from being read; a line that is no point.
    pub fn open(model: Arc<dyn Model>, file: Option<&Path>) -> io::Result<Self> {
        let mut known = HashMap::new();
        if let Some(path) = file.filter(|path| path.exists()) {
            for line in BufReader::new(File::open(path)?).lines() {
                let Line { text, point } = serde_json::from_str(&line?)?;
                known.insert(text, point);
            }
        }
        Ok(Self { model, known: Mutex::new(known) })
    }

    /// Embeds what is not known yet, on all cores; `progress` hears how many of how many are done.
    pub fn embed_all<'t>(
        &self,
        texts: impl Iterator<Item = &'t str>,
        progress: impl Fn(usize, usize) + Sync,
    ) {
        let unknown: Vec<&str> = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let mut unknown: Vec<&str> = texts.filter(|text| !known.contains_key(*text)).collect();
            unknown.sort_unstable();
            unknown.dedup();
            unknown
        };
        let next = AtomicUsize::new(0);
        let threads = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(text) = unknown.get(next.fetch_add(1, Ordering::Relaxed)) {
                        self.embed(text);
                        progress(next.load(Ordering::Relaxed).min(unknown.len()), unknown.len());
                    }
                });
            }
        });
    }

    /// Writes all that is known, in the texts' order.
    ///
    /// # Errors
    /// What keeps the file from being written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut texts: Vec<&String> = known.keys().collect();
        texts.sort_unstable();
        let mut out = BufWriter::new(File::create(path)?);
        for text in texts {
            let point = known.get(text).cloned().flatten();
            serde_json::to_writer(&mut out, &Line { text: text.clone(), point })?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }
}

impl Model for Cached {
    fn embed(&self, text: &str) -> Option<Embedding> {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(point) = lock().get(text) {
            return point.clone();
        }
        let point = self.model.embed(text);
        lock().insert(text.to_owned(), point.clone());
        point
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedding::DIMENSIONS;

    /// Counts what it is asked.
    #[derive(Debug, Default)]
    struct Counting(AtomicUsize);

    impl Model for Counting {
        fn embed(&self, text: &str) -> Option<Embedding> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Embedding::of(&[text.len() as f32; DIMENSIONS])
        }
    }

    #[test]
    fn no_text_is_embedded_twice_and_a_file_keeps_what_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("points.jsonl");
        let first = Arc::new(Counting::default());
        let cached = Cached::open(first.clone(), Some(&path)).unwrap();
        cached.embed_all(["a", "b", "a", ""].into_iter(), |_, _| {});
        let point = cached.embed("b");
        assert_eq!(first.0.load(Ordering::Relaxed), 3);
        cached.save(&path).unwrap();
        let second = Arc::new(Counting::default());
        let again = Cached::open(second.clone(), Some(&path)).unwrap();
        assert_eq!((again.embed("b"), again.embed("")), (point, None));
        assert_eq!(second.0.load(Ordering::Relaxed), 0);
        std::fs::write(&path, "no point").unwrap();
        assert!(Cached::open(second, Some(&path)).is_err());
    }
}
