//! Logs and Prometheus metrics; each metric is named once, here.
