//! The only hand that picks concrete parts.
