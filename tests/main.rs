//! The one integration-test binary: each module below holds one promise of the whole.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod dashboards;
