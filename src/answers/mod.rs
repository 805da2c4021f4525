//! Canonical answers taken out of raw text.
