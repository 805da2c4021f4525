//! Language models behind HTTP, one file a dialect.
