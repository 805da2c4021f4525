//! How often a tenant may judge: a bucket each, that refills with time.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::domain::TenantId;

/// Most tenants whose buckets are kept; beyond it, the one that rested longest goes, whose bucket is
/// the fullest anyway.
const MOST_TENANTS: usize = 4096;

/// The buckets.
#[derive(Debug)]
pub(super) struct RateLimit {
    per_minute: f64,
    buckets: Mutex<BTreeMap<TenantId, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl RateLimit {
    pub(super) fn new(per_minute: u32) -> Self {
        Self { per_minute: f64::from(per_minute.max(1)), buckets: Mutex::default() }
    }

    /// Takes one from the tenant's bucket, or says how long it takes until there is one.
    pub(super) fn take(&self, tenant: &TenantId) -> Result<(), Duration> {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if !buckets.contains_key(tenant) && buckets.len() >= MOST_TENANTS {
            let rested = buckets.iter().min_by_key(|(_, bucket)| bucket.at);
            if let Some(tenant) = rested.map(|(tenant, _)| tenant.clone()) {
                buckets.remove(&tenant);
            }
        }
        let full = Bucket { left: self.per_minute, at: now };
        let bucket = buckets.entry(tenant.clone()).or_insert(full);
        let per_second = self.per_minute / 60.0;
        let refilled = now.duration_since(bucket.at).as_secs_f64() * per_second;
        bucket.left = (bucket.left + refilled).min(self.per_minute);
        bucket.at = now;
        if bucket.left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.left) / per_second));
        }
        bucket.left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_tenant_that_asks_too_often_waits_and_no_other_does() {
        let limit = RateLimit::new(60);
        let (one, other) = (TenantId::new("one").unwrap(), TenantId::new("other").unwrap());
        assert!((0..60).all(|_| limit.take(&one).is_ok()));
        let wait = limit.take(&one).unwrap_err();
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert_eq!(limit.take(&other), Ok(()));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(limit.take(&one).is_ok() && limit.take(&one).is_ok());
        assert!(limit.take(&one).is_err());
    }

    #[test]
    fn names_do_not_grow_without_end() {
        let limit = RateLimit::new(60);
        for n in 0..MOST_TENANTS + 10 {
            limit.take(&TenantId::new(&format!("t{n}")).unwrap()).unwrap();
        }
        assert_eq!(limit.buckets.lock().unwrap().len(), MOST_TENANTS);
    }
}
