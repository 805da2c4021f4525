//! The project's own documentation, compiled in, so that the service can be asked about itself.

/// Name and text of each bundled document. Add further ones here.
pub(super) const BUNDLED: &[(&str, &str)] =
    &[("builtin:guide.md", include_str!("../../docs/guide.md"))];
