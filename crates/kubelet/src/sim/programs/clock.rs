//! `date`'s formats.

use meta::{Duration, Time};

const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Year, month and day from days since 1970-01-01 (the civil calendar's usual algorithm, for years after 1970).
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let doe = z % 146_097;
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + u64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// Days from 1970-01-01 to a day after it; `None` for what is no day.
fn days_to(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..10_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let y = year - u64::from(month <= 2);
    let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = y / 400 * 146_097 + y % 400 * 365 + y % 400 / 4 - y % 400 / 100 + doy;
    // There is no 31st of February.
    days.checked_sub(719_468).filter(|d| civil(*d) == (year, month, day))
}

/// A time as `date -d` is told it: `@SECONDS`, `YYYY-MM-DD`, with `HH:MM[:SS]` after it, or that time today.
pub fn told(text: &str, now: Time) -> Option<Time> {
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse::<u64>().ok()?.checked_mul(1_000_000).map(Time);
    }
    let text = text.trim_end_matches('Z').replace('T', " ");
    let (mut days, mut seconds) = (now.as_secs() / 86_400, 0);
    for word in text.split_whitespace() {
        let numbers = |by: char| word.split(by).map(|n| n.parse::<u64>().ok()).collect::<Option<Vec<_>>>();
        if let Some([year, month, day]) = numbers('-').as_deref() {
            days = days_to(*year, *month, *day)?;
        } else if let Some([h, m, rest @ ..]) = numbers(':').as_deref() {
            let s = rest.first().copied().unwrap_or(0);
            if *h > 23 || *m > 59 || s > 59 || rest.len() > 1 {
                return None;
            }
            seconds = h * 3_600 + m * 60 + s;
        } else {
            return None;
        }
    }
    (!text.is_empty()).then(|| Time::from_secs(days * 86_400 + seconds))
}

/// As GNU's programs are told a time: also `yesterday`, `3 days ago`, `now`.
pub fn told_gnu(text: &str, now: Time) -> Option<Time> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (count, unit, forward) = match words.as_slice() {
        ["now" | "today"] => return Some(now),
        ["yesterday"] => (1, "day", false),
        ["tomorrow"] => (1, "day", true),
        [n, unit, "ago"] => (n.parse().ok()?, *unit, false),
        [n, unit] if unit.starts_with(char::is_alphabetic) => match n.strip_prefix('-') {
            Some(n) => (n.parse().ok()?, *unit, false),
            None => (n.trim_start_matches('+').parse::<u64>().ok()?, *unit, true),
        },
        _ => return told(text, now),
    };
    let seconds = match unit.strip_suffix('s').unwrap_or(unit) {
        "second" | "sec" => 1,
        "minute" | "min" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        "week" => 7 * 86_400,
        _ => return None,
    };
    let span = Duration::from_secs(seconds).0.checked_mul(count)?;
    let at = now.as_micros();
    let micros = if forward { at.checked_add(span) } else { at.checked_sub(span) };
    micros.map(Time)
}

/// strftime's conversions that scripts use, in UTC.
pub fn format(t: Time, format: &str) -> String {
    let secs = t.as_micros() / 1_000_000;
    let (year, month, day) = civil(secs / 86_400);
    let (h, m, s) = (secs / 3_600 % 24, secs / 60 % 60, secs % 60);
    let day_name = DAYS[usize::try_from(secs / 86_400 % 7).unwrap_or(0)];
    let month_name = MONTHS[usize::try_from(month - 1).unwrap_or(0) % 12];
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut conversion = chars.next();
        if matches!(conversion, Some('-' | '_' | '0')) {
            conversion = chars.next();
        }
        out.push_str(&match conversion {
            Some('Y') => year.to_string(),
            Some('m') => format!("{month:02}"),
            Some('d') => format!("{day:02}"),
            Some('e') => format!("{day:>2}"),
            Some('H') => format!("{h:02}"),
            Some('M') => format!("{m:02}"),
            Some('S') => format!("{s:02}"),
            Some('I') => format!("{:02}", (h + 11) % 12 + 1),
            Some('p') => if h < 12 { "AM" } else { "PM" }.into(),
            Some('s') => secs.to_string(),
            Some('N') => format!("{:09}", t.as_micros() % 1_000_000 * 1_000),
            Some('F') => format!("{year}-{month:02}-{day:02}"),
            Some('T') => format!("{h:02}:{m:02}:{s:02}"),
            Some('R') => format!("{h:02}:{m:02}"),
            Some('D') => format!("{month:02}/{day:02}/{:02}", year % 100),
            Some('y') => format!("{:02}", year % 100),
            Some('a') => day_name[..3].into(),
            Some('A') => day_name.into(),
            Some('b' | 'h') => month_name[..3].into(),
            Some('B') => month_name.into(),
            Some('Z') => "UTC".into(),
            Some('z') => "+0000".into(),
            Some('n') => "\n".into(),
            Some('t') => "\t".into(),
            Some('%') => "%".into(),
            Some(c) => format!("%{c}"),
            None => "%".into(),
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_print_as_date_prints_them() {
        let t = Time::SIMULATION_START;
        assert_eq!(format(t, "%a %b %e %H:%M:%S %Z %Y"), "Thu Jan  1 00:00:00 UTC 2026");
        assert_eq!(format(Time::from_secs(951_827_696), "%F %T %s %%"), "2000-02-29 12:34:56 951827696 %");
    }
}
