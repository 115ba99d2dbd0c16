//! Durations and moments, in nanoseconds. Models Go's `time.ParseDuration` and RFC 3339 as cel-go reads it.

const UNITS: &[(&str, i128)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
];

/// `1h30m`, `-1.5s`, `0`. `None`: it is no duration, or a longer one than 64 bits hold.
pub fn duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut sum: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let (unit, size) = UNITS.iter().find(|(u, _)| after.starts_with(u))?;
        rest = &after[unit.len()..];
        sum = sum.checked_add(times(number, *size)?)?;
    }
    i64::try_from(sign * sum).ok()
}

/// A decimal number of units.
fn times(number: &str, size: i128) -> Option<i128> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let digits = |s: &str| if s.is_empty() { Some(0) } else { s.parse::<i128>().ok() };
    // Go reads no more of a fraction than it can hold, either.
    let part = &part[..part.len().min(18)];
    let scale = 10_i128.checked_pow(u32::try_from(part.len()).ok()?)?;
    digits(whole)?.checked_mul(size)?.checked_add(digits(part)?.checked_mul(size)? / scale)
}

/// As Go prints it in seconds, which is what `string()` makes of a duration.
pub fn seconds(nanos: i64) -> String {
    let (whole, part) = (nanos.unsigned_abs() / 1_000_000_000, nanos.unsigned_abs() % 1_000_000_000);
    let sign = if nanos < 0 { "-" } else { "" };
    let part = format!("{part:09}");
    match part.trim_end_matches('0') {
        "" => format!("{sign}{whole}s"),
        part => format!("{sign}{whole}.{part}s"),
    }
}

/// `2026-01-01T00:00:00Z`, nanoseconds since 1970.
pub fn timestamp(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T')?;
    let number = |s: &str| (!s.is_empty() && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse::<i64>().ok())?;
    let mut date = date.split('-').map(number);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let at = time.find(['Z', '+', '-'])?;
    let (clock, zone) = time.split_at(at);
    let (clock, part) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut clock = clock.split(':').map(number);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let offset = match zone {
        "Z" => 0,
        zone => {
            let (h, m) = zone[1..].split_once(':')?;
            (number(h)? * 60 + number(m)?) * if zone.starts_with('-') { -60 } else { 60 }
        }
    };
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    let nanos: i64 = format!("{part:0<9}").get(..9)?.parse().ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// Days since 1970 of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * m + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_gos() {
        assert_eq!(duration("1h30m"), Some(5_400_000_000_000));
        assert_eq!(duration("1.5s"), Some(1_500_000_000));
        assert_eq!(duration("-2ms3us"), Some(-2_003_000));
        assert_eq!(duration("0"), Some(0));
        for wrong in ["", "5", "s", "1x", "1.s.", "9999999h"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
        assert_eq!(seconds(5_400_000_000_000), "5400s");
        assert_eq!(seconds(-1_500_000_000), "-1.5s");
    }

    #[test]
    fn moments_are_rfc_3339() {
        assert_eq!(timestamp("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(timestamp("2026-01-01T01:00:00.5+01:00"), Some(1_767_225_600_500_000_000));
        assert_eq!(timestamp("2026-13-01T00:00:00Z"), None);
        assert_eq!(timestamp("today"), None);
    }
}
