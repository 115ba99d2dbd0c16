//! Numbers as the page writes them. Pure.

/// The virtual clock since the cluster began: `D0 00:01:23.450`. Microseconds in.
pub fn clock(now: u64, epoch: u64) -> String {
    let ms = now.saturating_sub(epoch) / 1000;
    let (s, ms) = (ms / 1000, ms % 1000);
    format!("D{} {:02}:{:02}:{:02}.{ms:03}", s / 86400, s / 3600 % 24, s / 60 % 60, s % 60)
}

/// The same without the day while there is none: `00:01:23.450`.
pub fn moment(now: u64, epoch: u64) -> String {
    let text = clock(now, epoch);
    text.strip_prefix("D0 ").map(str::to_string).unwrap_or(text)
}

/// Milli-CPU as Kubernetes writes quantities: `250m`, `4`.
pub fn cpu(milli: i64) -> String {
    if milli % 1000 == 0 { (milli / 1000).to_string() } else { format!("{milli}m") }
}

/// Bytes with a binary suffix, one decimal at most: `8Gi`, `1.5Gi`, `512Mi`.
pub fn memory(bytes: i64) -> String {
    for (suffix, unit) in [("Ti", 1i64 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)] {
        if bytes.abs() >= unit {
            let tenths = (bytes.saturating_mul(10) + unit / 2) / unit;
            return if tenths % 10 == 0 {
                format!("{}{suffix}", tenths / 10)
            } else {
                format!("{}.{}{suffix}", tenths / 10, tenths.abs() % 10)
            };
        }
    }
    bytes.to_string()
}

/// A span of virtual time, roughly: `0.45s`, `12s`, `3m20s`, `2h5m`, `3d`. Microseconds in.
pub fn span(us: u64) -> String {
    let s = us / 1_000_000;
    match s {
        0 if us < 1000 => format!("{us}µs"),
        0 => format!("{}ms", us / 1000),
        1..=9 => format!("{}.{}s", s, us / 100_000 % 10),
        10..=119 => format!("{s}s"),
        120..=7199 => format!("{}m{}s", s / 60, s % 60),
        7200..=172_799 => format!("{}h{}m", s / 3600, s / 60 % 60),
        _ => format!("{}d", s / 86400),
    }
}

/// Thousandths of real time: `0.1×`, `10×`.
pub fn speed(thousandths: u32) -> String {
    if thousandths.is_multiple_of(1000) {
        format!("{}×", thousandths / 1000)
    } else {
        format!("{}×", f64::from(thousandths) / 1000.0)
    }
}

/// A number of things, its thousands apart: `12 345`, with a narrow space.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// `part` of `whole` in percent, kept between 0 and 100.
pub fn percent(part: i64, whole: i64) -> f64 {
    if whole <= 0 { 0.0 } else { (part as f64 / whole as f64 * 100.0).clamp(0.0, 100.0) }
}

/// The end of a generated name, after the owner's: `web-7d4b9c-x2x9k` of `Deployment/web` is `x2x9k`.
pub fn short_name<'a>(name: &'a str, owner: &str) -> &'a str {
    let owner = owner.split_once('/').map_or(owner, |(_, n)| n);
    if name != owner && name.starts_with(owner) { name.rsplit('-').next().unwrap_or(name) } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_counts_days_hours_minutes_seconds_and_milliseconds() {
        assert_eq!(clock(83_450_000, 0), "D0 00:01:23.450");
        assert_eq!(clock(2 * 86_400_000_000 + 5, 5), "D2 00:00:00.000");
        assert_eq!(clock(1, 5), "D0 00:00:00.000");
    }

    #[test]
    fn quantities_are_short() {
        let got = [cpu(250), cpu(4000), memory(8 << 30), memory((1 << 30) * 3 / 2), memory(512 << 20), memory(12)];
        assert_eq!(got, ["250m", "4", "8Gi", "1.5Gi", "512Mi", "12"]);
        assert_eq!([speed(100), speed(1000), speed(100_000)], ["0.1×", "1×", "100×"]);
        let spans = [span(450_000), span(2_300_000), span(45_000_000), span(200_000_000)];
        assert_eq!(spans, ["450ms", "2.3s", "45s", "3m20s"]);
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(
            [count(0), count(999), count(1000), count(1_234_567)],
            ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]
        );
    }

    #[test]
    fn generated_names_are_cut_to_their_end() {
        assert_eq!(short_name("web-7d4b9c-x2x9k", "Deployment/web"), "x2x9k");
        assert_eq!(short_name("alone", "Pod/alone"), "alone");
    }
}
