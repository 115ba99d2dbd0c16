//! Resource quantities (`100m`, `1.5Gi`, `2e3`). Models `k8s.io/apimachinery/pkg/api/resource`.
//!
//! Held in nano-units in 128 bits: the smallest suffix upstream knows is `n`, and finer fractions are
//! rounded up to it, as upstream does.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use std::fmt;
use std::ops::{Add, AddAssign, Sub};

const NANO: i128 = 1_000_000_000;

/// How a quantity was written, and so how it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Format {
    #[default]
    DecimalSi,
    BinarySi,
    DecimalExponent,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Quantity {
    nano: i128,
    format: Format,
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nano == other.nano
    }
}
impl Eq for Quantity {}
impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.nano.cmp(&other.nano)
    }
}

/// Upstream's `ErrFormatWrong`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseQuantityError;

impl fmt::Display for ParseQuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    }
}
impl std::error::Error for ParseQuantityError {}

const DECIMAL: &[(&str, i32)] =
    &[("E", 18), ("P", 15), ("T", 12), ("G", 9), ("M", 6), ("k", 3), ("", 0), ("m", -3), ("u", -6), ("n", -9)];
const BINARY: &[(&str, u32)] = &[("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10), ("", 0)];

impl Quantity {
    pub const ZERO: Quantity = Quantity { nano: 0, format: Format::DecimalSi };

    pub fn parse(s: &str) -> Result<Self, ParseQuantityError> {
        let err = ParseQuantityError;
        let (negative, rest) = match s.as_bytes().first() {
            Some(b'-') => (true, &s[1..]),
            Some(b'+') => (false, &s[1..]),
            _ => (false, s),
        };
        let number_len = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let (number, suffix) = rest.split_at(number_len);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
            return Err(err);
        }
        let (exp10, exp2, format) = Self::suffix(suffix).ok_or(err)?;
        // value = digits * 10^(exp10 - fraction.len()) * 2^exp2, wanted in 10^-9.
        let mut digits: i128 = 0;
        for b in whole.bytes().chain(fraction.bytes()) {
            digits = digits.checked_mul(10).and_then(|d| d.checked_add(i128::from(b - b'0'))).ok_or(err)?;
        }
        let scaled = digits.checked_mul(1i128 << exp2);
        let power = exp10 + 9 - i32::try_from(fraction.len()).map_err(|_| err)?;
        let nano = match (scaled, power) {
            (None, _) => i128::MAX,
            (Some(0), _) => 0,
            (Some(v), 0..) => u32::try_from(power)
                .ok()
                .and_then(|p| 10i128.checked_pow(p))
                .and_then(|f| v.checked_mul(f))
                .unwrap_or(i128::MAX),
            // Finer than a nano rounds up (away from zero).
            (Some(v), _) => match 10i128.checked_pow(power.unsigned_abs()) {
                Some(f) => v / f + i128::from(v % f != 0),
                None => 1,
            },
        };
        // Upstream caps at 2^63-1.
        let nano = nano.min(i128::from(i64::MAX) * NANO);
        Ok(Quantity { nano: if negative { -nano } else { nano }, format })
    }

    fn suffix(s: &str) -> Option<(i32, u32, Format)> {
        if let Some(&(_, p)) = DECIMAL.iter().find(|(t, _)| *t == s) {
            return Some((p, 0, Format::DecimalSi));
        }
        if let Some(&(_, p)) = BINARY.iter().find(|(t, _)| *t == s) {
            return Some((0, p, Format::BinarySi));
        }
        let e = s.strip_prefix(['e', 'E'])?;
        let e: i32 = e.parse().ok()?;
        (-1000..=1000).contains(&e).then_some((e, 0, Format::DecimalExponent))
    }

    pub fn from_value(v: i64) -> Self {
        Quantity { nano: i128::from(v) * NANO, format: Format::DecimalSi }
    }
    pub fn from_nano(v: u64) -> Self {
        Quantity { nano: i128::from(v), format: Format::DecimalSi }
    }
    pub fn from_milli(v: i64) -> Self {
        Quantity { nano: i128::from(v) * 1_000_000, format: Format::DecimalSi }
    }
    pub fn from_bytes(v: i64) -> Self {
        Quantity { nano: i128::from(v) * NANO, format: Format::BinarySi }
    }
    /// Whole units, rounded up. Models `Quantity.Value()`.
    pub fn value(self) -> i64 {
        clamp(div_ceil(self.nano, NANO))
    }
    /// Thousandths, rounded up. Models `Quantity.MilliValue()`.
    pub fn milli_value(self) -> i64 {
        clamp(div_ceil(self.nano, 1_000_000))
    }
    /// Models `AsApproximateFloat64`.
    pub fn approximately(self) -> f64 {
        self.nano as f64 / NANO as f64
    }
    pub fn is_zero(self) -> bool {
        self.nano == 0
    }
    pub fn is_negative(self) -> bool {
        self.nano < 0
    }
    pub fn is_integer(self) -> bool {
        self.nano % NANO == 0
    }
    /// A quantity of the API that was validated on its way in; one that cannot be read counts as zero.
    pub fn of(q: &ApiQuantity) -> Self {
        Quantity::parse(&q.0).unwrap_or(Quantity::ZERO)
    }
    /// Whole units in the notation of `other`, when that has another one.
    #[must_use]
    pub fn in_format_of(self, other: Quantity) -> Self {
        if self.format == other.format {
            return self;
        }
        Quantity { nano: i128::from(self.value()) * NANO, format: other.format }
    }
    pub fn to_api(self) -> ApiQuantity {
        ApiQuantity(self.to_string())
    }
}

fn div_ceil(a: i128, b: i128) -> i128 {
    // Away from zero, as infScale rounding does upstream.
    let q = a / b;
    if a % b == 0 { q } else { q + a.signum() }
}
fn clamp(v: i128) -> i64 {
    i64::try_from(v).unwrap_or(if v > 0 { i64::MAX } else { i64::MIN })
}

impl Add for Quantity {
    type Output = Quantity;
    fn add(self, o: Quantity) -> Quantity {
        // As upstream: adding to zero takes the other's format.
        let format = if self.nano == 0 { o.format } else { self.format };
        Quantity { nano: self.nano.saturating_add(o.nano), format }
    }
}
impl AddAssign for Quantity {
    fn add_assign(&mut self, o: Quantity) {
        *self = *self + o;
    }
}
impl Sub for Quantity {
    type Output = Quantity;
    fn sub(self, o: Quantity) -> Quantity {
        Quantity { nano: self.nano.saturating_sub(o.nano), format: self.format }
    }
}

/// The canonical form: the largest suffix that leaves a whole number.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut n = self.nano;
        if n == 0 {
            return f.write_str("0");
        }
        // Binary notation cannot express small values or fractions; upstream falls back to decimal.
        let binary = self.format == Format::BinarySi && n % NANO == 0 && n.abs() >= 1024 * NANO;
        if binary {
            n /= NANO;
            let (suffix, p) = BINARY.iter().find(|(_, p)| n % (1i128 << p) == 0).copied().unwrap_or(("", 0));
            return write!(f, "{}{suffix}", n >> p);
        }
        for &(suffix, p) in DECIMAL {
            let unit = 10i128.pow((p + 9) as u32);
            if n % unit == 0 {
                return match self.format {
                    Format::DecimalExponent if p != 0 => write!(f, "{}e{p}", n / unit),
                    _ => write!(f, "{}{suffix}", n / unit),
                };
            }
        }
        unreachable!("every value is a whole number of nanos")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_prints_canonically() {
        for (text, canonical) in [
            ("0", "0"),
            ("100m", "100m"),
            ("0.1", "100m"),
            ("1000m", "1"),
            ("1Gi", "1Gi"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("512", "512"),
            ("1500", "1500"),
            ("1e3", "1e3"),
            ("12000", "12k"),
            ("0.5Ki", "512"),
            ("-250m", "-250m"),
            ("1E", "1E"),
        ] {
            assert_eq!(Quantity::parse(text).expect(text).to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn refuses_what_upstream_refuses() {
        for text in ["", "1.2.3", "abc", "1gi", "1 Gi", "--1", "1mm", ".", "1K"] {
            assert!(Quantity::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rounds_up() {
        let q = Quantity::parse("1.5").expect("parses");
        assert_eq!((q.value(), q.milli_value()), (2, 1500));
        assert_eq!(Quantity::parse("0.1n").expect("parses").milli_value(), 1);
    }
}
