//! The one integration-test binary: each module below holds one promise of the whole.
#![allow(missing_docs, unreachable_pub, reason = "tests")]

#[cfg(test)]
mod api;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod benchmark;
#[cfg(test)]
mod dashboards;
#[cfg(test)]
mod evil;
#[cfg(test)]
mod measured;
#[cfg(test)]
mod service;
#[cfg(test)]
mod support;
#[cfg(test)]
mod v1;
