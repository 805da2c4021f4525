//! How demanding a request is, by named dimensions.
