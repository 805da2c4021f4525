//! Logs and Prometheus metrics; each metric is named once, here.
//!
//! Labels are bounded: they are names of enums or of the configuration, and whatever else comes
//! along is `other`. A gauge that nobody has measured is absent, not zero.

mod families;
mod logs;
mod metrics;

pub use families::{FAMILIES, Family, Kind, family_of, names};
pub use logs::{init_logs, log_panics};
pub use metrics::{AuditResult, LakeLookup, LakeState, MeasuredShare, Metrics};
