//! Which conversations there are, by tenant, in the order in which they were last spoken in.

use std::collections::{BTreeSet, HashMap};

use crate::domain::{SessionId, TenantId};

/// The conversations of all tenants.
#[derive(Debug, Default)]
pub(super) struct Shelves {
    tenants: HashMap<TenantId, Shelf>,
    total: usize,
}

/// The conversations of one tenant.
#[derive(Debug, Default)]
struct Shelf {
    touched: HashMap<SessionId, i64>,
    oldest_first: BTreeSet<(i64, SessionId)>,
}

impl Shelves {
    /// Conversations of all tenants together.
    pub(super) fn total(&self) -> usize {
        self.total
    }

    /// A conversation was spoken in at this moment, in milliseconds since the Unix epoch.
    pub(super) fn touch(&mut self, tenant: &TenantId, session: &SessionId, at_ms: i64) {
        let shelf = self.tenants.entry(tenant.clone()).or_default();
        match shelf.touched.get(session).copied() {
            Some(before) if before >= at_ms => return,
            Some(before) => {
                shelf.oldest_first.remove(&(before, session.clone()));
            }
            None => self.total += 1,
        }
        shelf.touched.insert(session.clone(), at_ms);
        shelf.oldest_first.insert((at_ms, session.clone()));
    }

    /// A conversation is gone.
    pub(super) fn remove(&mut self, tenant: &TenantId, session: &SessionId) {
        let Some(shelf) = self.tenants.get_mut(tenant) else { return };
        let Some(at_ms) = shelf.touched.remove(session) else { return };
        shelf.oldest_first.remove(&(at_ms, session.clone()));
        self.total -= 1;
        if shelf.touched.is_empty() {
            self.tenants.remove(tenant);
        }
    }

    /// The conversation that a tenant has spoken in least recently, when he has more than so many;
    /// never this one.
    pub(super) fn one_too_many(
        &self,
        tenant: &TenantId,
        most: usize,
        but: &SessionId,
    ) -> Option<SessionId> {
        let shelf = self.tenants.get(tenant).filter(|shelf| shelf.touched.len() > most)?;
        let oldest = shelf.oldest_first.iter().map(|(_, session)| session);
        oldest.into_iter().find(|session| *session != but).cloned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_shelves_agree_with_a_plain_list(
            steps in prop::collection::vec((0..3usize, 0..4usize, 0..20i64, any::<bool>()), 0..60),
        ) {
            let mut shelves = Shelves::default();
            let mut plain: Vec<((usize, usize), i64)> = Vec::new();
            let tenant = |n: usize| TenantId::new(&format!("t{n}")).unwrap();
            let session = |n: usize| SessionId::new(&format!("s{n}")).unwrap();
            for (t, s, at_ms, stays) in steps {
                if stays {
                    shelves.touch(&tenant(t), &session(s), at_ms);
                    match plain.iter_mut().find(|(key, _)| *key == (t, s)) {
                        Some((_, known)) => *known = at_ms.max(*known),
                        None => plain.push(((t, s), at_ms)),
                    }
                } else {
                    shelves.remove(&tenant(t), &session(s));
                    plain.retain(|(key, _)| *key != (t, s));
                }
                prop_assert_eq!(shelves.total(), plain.len());
                let of_tenant = || plain.iter().filter(|((owner, _), _)| *owner == t);
                let oldest = of_tenant()
                    .filter(|((_, name), _)| *name != 0)
                    .map(|((_, name), at)| (*at, session(*name)))
                    .min()
                    .map(|(_, name)| name);
                let expected = oldest.filter(|_| of_tenant().count() > 1);
                prop_assert_eq!(shelves.one_too_many(&tenant(t), 1, &session(0)), expected);
            }
        }
    }
}
