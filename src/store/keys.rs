//! The keys of all tables, in one place.
//!
//! | Table | Key |
//! |---|---|
//! | `ledger` | place, 8 bytes |
//! | `decisions`, `outcomes` | tenant, then the 16 bytes of the response id |
//! | `policy`, `statistics`, `meta` | a fixed name |
//! | `lake` | tenant, then the question's normal form, or its keyed hash |
//! | `sessions` | tenant, then the session id |
//! | `documents` | tenant, then the document id, or its keyed hash |
//! | `session_expiry` | hour of the last turn, 8 bytes, then the key in `sessions` |
//!
//! A tenant is written as its length, one byte, and its text. So no tenant's key is the beginning
//! of another's, and the rows of one tenant are one range. Numbers are big-endian, so that keys
//! are in the order of the numbers.

use std::ops::Bound;

use super::KeyRange;
use crate::domain::TenantId;

/// The key of a tenant's row: no two pairs of tenant and rest share one.
#[must_use]
pub fn scoped(tenant: &TenantId, rest: &[u8]) -> Vec<u8> {
    let mut key = prefix(tenant);
    key.extend_from_slice(rest);
    key
}

/// The part of a tenant's key after the tenant; `None` when the key is not this tenant's.
#[must_use]
pub fn unscoped<'k>(tenant: &TenantId, key: &'k [u8]) -> Option<&'k [u8]> {
    key.strip_prefix(prefix(tenant).as_slice())
}

/// The tenant of a key that [`scoped`] made, and the rest.
#[must_use]
pub fn split(key: &[u8]) -> Option<(TenantId, &[u8])> {
    let (&length, rest) = key.split_first()?;
    let (tenant, rest) = rest.split_at_checked(usize::from(length))?;
    let tenant = TenantId::new(std::str::from_utf8(tenant).ok()?).ok()?;
    Some((tenant, rest))
}

/// The key of a number, in the order of the numbers.
#[must_use]
pub fn number(value: u64) -> Vec<u8> {
    value.to_be_bytes().to_vec()
}

/// The number that [`number`] wrote at the beginning of a key, and the rest.
#[must_use]
pub fn split_number(key: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = key.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*number), rest))
}

/// Every key of a table.
pub const EVERYTHING: KeyRange = (Bound::Unbounded, Bound::Unbounded);

/// Every key after this one.
#[must_use]
pub fn after(key: Vec<u8>) -> KeyRange {
    (Bound::Excluded(key), Bound::Unbounded)
}

fn prefix(tenant: &TenantId) -> Vec<u8> {
    let text = tenant.as_str().as_bytes();
    // An id has at most 128 characters, all of them ASCII, so its length fits one byte.
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    let mut key = Vec::with_capacity(1 + text.len() + 32);
    key.push(length);
    key.extend_from_slice(text);
    key
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tenant() -> impl Strategy<Value = TenantId> {
        prop_oneof!["[a-c]{1,3}", "[A-Za-z0-9_.:@-]{1,128}"]
            .prop_map(|text| TenantId::new(&text).unwrap())
    }

    proptest! {
        #[test]
        fn no_two_pairs_share_a_key(
            a in tenant(), b in tenant(), x in "[a-c\u{1}\u{2}\u{3}]{0,4}", y in "[a-c\u{1}\u{2}\u{3}]{0,4}",
        ) {
            let same = a == b && x == y;
            prop_assert_eq!(scoped(&a, x.as_bytes()) == scoped(&b, y.as_bytes()), same);
        }

        #[test]
        fn no_tenant_reaches_another_tenants_key(a in tenant(), b in tenant(), rest in "\\PC{0,40}") {
            let key = scoped(&a, rest.as_bytes());
            prop_assert_eq!(unscoped(&b, &key).is_some(), a == b);
            prop_assert_eq!(split(&key), Some((a, rest.as_bytes())));
        }

        #[test]
        fn numbers_are_in_order(a: u64, b: u64) {
            prop_assert_eq!(number(a).cmp(&number(b)), a.cmp(&b));
            let key = number(a);
            prop_assert_eq!(split_number(&key), Some((a, [].as_slice())));
        }

        #[test]
        fn a_foreign_key_is_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (split(&bytes), split_number(&bytes));
        }
    }
}
