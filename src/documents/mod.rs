//! Passages of documents and the retrieval experts over them.
