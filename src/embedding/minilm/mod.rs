//! all-MiniLM-L6-v2 (Wang et al., "MiniLM", 2020; trained for sentences by the sentence-transformers
//! project, Apache-2.0): a BERT of six layers whose word vectors are averaged.

mod bert;
mod wordpiece;

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use ring::digest::{SHA256, digest};

use super::{DIMENSIONS, Embedding, EmbeddingError, Model};
use bert::Bert;
use wordpiece::WordPiece;

/// A file of the release, and its SHA-256. The release's shape follows from its weights, so that its
/// `config.json` is not asked.
const WEIGHTS: (&str, &str) =
    ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db");
const VOCABULARY: (&str, &str) =
    ("vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3");
/// Larger files are not read.
const MOST_BYTES: u64 = 128 << 20;

/// Most tokens of a text that are read, as the release was trained.
const MOST_TOKENS: usize = 256;

/// The model.
#[derive(Debug)]
pub(super) struct MiniLm {
    words: WordPiece,
    bert: Bert,
}

impl MiniLm {
    pub(super) fn open(folder: &Path) -> Result<Self, EmbeddingError> {
        let unsound = |problem: String| EmbeddingError::Unsound(problem);
        let words = WordPiece::read(&checked(folder, VOCABULARY)?)
            .ok_or_else(|| unsound("the vocabulary lacks a token".to_owned()))?;
        let bert = Bert::read(checked(folder, WEIGHTS)?).map_err(|e| unsound(e.to_string()))?;
        Ok(Self { words, bert })
    }
}

impl Model for MiniLm {
    fn embed(&self, text: &str) -> Option<Embedding> {
        let vector = self.bert.mean(&self.words.tokens(text, MOST_TOKENS));
        let vector = vector.inspect_err(|error| tracing::error!(%error, "a text got no embedding"));
        debug_assert!(vector.as_ref().is_ok_and(|vector| vector.len() == DIMENSIONS));
        Embedding::of(&vector.ok()?)
    }
}

/// A file's bytes, if they are those of the release.
fn checked(
    folder: &Path,
    (name, expected): (&str, &'static str),
) -> Result<Vec<u8>, EmbeddingError> {
    let path = folder.join(name);
    let told = |source| EmbeddingError::Read { path: path.clone(), source };
    let mut bytes = Vec::new();
    // What a device or a file that grows says of its size is worth nothing.
    let file = File::open(&path).map_err(told)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(told)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(told(io::Error::new(io::ErrorKind::InvalidData, "it is larger than 128 MiB")));
    }
    let found: String =
        digest(&SHA256, &bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    if found == expected {
        Ok(bytes)
    } else {
        Err(EmbeddingError::Foreign { path, found, expected })
    }
}

#[cfg(test)]
mod tests;
