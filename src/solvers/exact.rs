//! Exact operations whose cost is known before they are begun.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Pow, Signed, ToPrimitive, Zero};

use super::lexer::whole;

/// Largest numerator and denominator together, in bits: about 480 digits, which a
/// [`Number`](crate::domain::Number) can still be read back from.
pub(super) const MAX_BITS: u64 = 1_600;
/// Largest argument of a factorial; 200! has 1,246 bits.
const MAX_FACTORIAL: u32 = 200;
/// Decimals to which an irrational root is found, before it is rounded for people.
pub(super) const ROOT_DECIMALS: u32 = 40;

/// Numerator and denominator together, in bits.
pub(super) fn bits(value: &BigRational) -> u64 {
    value.numer().bits() + value.denom().bits()
}

/// The value, unless it is larger than is worth its memory.
pub(super) fn bounded(value: BigRational) -> Option<BigRational> {
    (bits(&value) <= MAX_BITS).then_some(value)
}

pub(super) fn divide(a: &BigRational, b: &BigRational) -> Option<BigRational> {
    if b.is_zero() { None } else { bounded(a / b) }
}

/// `None` for 0⁰, for zero in the denominator, and for what is irrational or too large.
pub(super) fn power(base: &BigRational, exponent: &BigRational) -> Option<BigRational> {
    if !exponent.is_integer() {
        // (−8)^(1/3) is −2 to some and complex to others.
        if base.is_negative() {
            return None;
        }
        let degree = exponent.denom().to_u32().filter(|d| *d <= 10)?;
        let numerator = whole(exponent.numer().clone());
        return match root(base, degree)? {
            Root::Exact(value) => power(&value, &numerator),
            Root::Approximate(_) => None,
        };
    }
    if base.is_zero() {
        return exponent.is_positive().then(BigRational::zero);
    }
    if base.abs().is_one() {
        let even = (exponent.numer() % BigInt::from(2)).is_zero();
        return Some(if even { BigRational::one() } else { base.clone() });
    }
    let exponent = exponent.numer().to_i32()?;
    // A number of b bits has at least (b − 1)·e bits when raised to e.
    let least = base.numer().bits().max(base.denom().bits()).saturating_sub(1);
    if least.saturating_mul(u64::from(exponent.unsigned_abs())) > MAX_BITS {
        return None;
    }
    bounded(Pow::pow(base, exponent))
}

pub(super) fn factorial(n: &BigRational) -> Option<BigRational> {
    let n = natural(n).and_then(|n| n.to_u32()).filter(|&n| n <= MAX_FACTORIAL)?;
    bounded(whole((2..=n).fold(BigInt::one(), |product, k| product * k)))
}

/// The remainder of whole numbers that are not negative; other signs are defined in several ways.
pub(super) fn remainder(a: &BigRational, m: &BigRational) -> Option<BigRational> {
    let (a, m) = (natural(a)?, natural(m).filter(|m| !m.is_zero())?);
    Some(whole(a % m))
}

/// The value when it is whole and not negative.
pub(super) fn natural(value: &BigRational) -> Option<&BigInt> {
    (value.is_integer() && !value.is_negative()).then(|| value.numer())
}

/// A root, exact where it is rational.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Root {
    Exact(BigRational),
    /// Cut off after [`ROOT_DECIMALS`] decimals.
    Approximate(BigRational),
}

/// The real root of a degree from 2 to 10; `None` for even roots of negative numbers.
pub(super) fn root(value: &BigRational, degree: u32) -> Option<Root> {
    if !(2..=10).contains(&degree) || (value.is_negative() && degree.is_multiple_of(2)) {
        return None;
    }
    let (above, below) = (value.numer().nth_root(degree), value.denom().nth_root(degree));
    if Pow::pow(&above, degree) == *value.numer() && Pow::pow(&below, degree) == *value.denom() {
        return Some(Root::Exact(BigRational::new(above, below)));
    }
    let scale: BigInt = Pow::pow(BigInt::from(10), ROOT_DECIMALS);
    let scaled = value.numer() * Pow::pow(&scale, degree) / value.denom();
    Some(Root::Approximate(BigRational::new(scaled.nth_root(degree), scale)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ratio(n: i64, d: i64) -> BigRational {
        BigRational::new(n.into(), d.into())
    }

    #[test]
    fn undefined_operations_have_no_value() {
        assert_eq!(divide(&whole(1), &whole(0)), None);
        assert_eq!(power(&whole(0), &whole(0)), None);
        assert_eq!(power(&whole(0), &whole(-1)), None);
        assert_eq!(remainder(&whole(-7), &whole(3)), None);
        assert_eq!(factorial(&ratio(1, 2)), None);
        assert_eq!(root(&whole(-4), 2), None);
    }

    #[test]
    fn a_power_is_refused_before_it_is_computed() {
        assert_eq!(power(&whole(10), &whole(999_999_999)), None);
        assert_eq!(power(&whole(2), &whole(1i64 << 40)), None);
        assert_eq!(power(&whole(-1), &whole(1i64 << 40)), Some(whole(1)));
        assert_eq!(power(&whole(2), &whole(1000)).map(|v| bits(&v)), Some(1002));
    }

    #[test]
    fn rational_roots_are_exact() {
        assert_eq!(root(&ratio(9, 16), 2), Some(Root::Exact(ratio(3, 4))));
        assert_eq!(root(&whole(-27), 3), Some(Root::Exact(whole(-3))));
        assert_eq!(power(&whole(8), &ratio(2, 3)), Some(whole(4)));
        assert!(matches!(root(&whole(2), 2), Some(Root::Approximate(_))));
    }

    proptest! {
        #[test]
        fn an_approximate_root_lies_within_its_last_decimal(n in 2i64..1_000_000, d in 1i64..1000, degree in 2u32..5) {
            let value = ratio(n, d);
            if let Some(Root::Approximate(low)) = root(&value, degree) {
                let high = &low + BigRational::new(1.into(), Pow::pow(BigInt::from(10), ROOT_DECIMALS));
                prop_assert!(Pow::pow(&low, degree as i32) <= value);
                prop_assert!(Pow::pow(&high, degree as i32) > value);
            }
        }
    }
}
