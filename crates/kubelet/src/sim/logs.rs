//! A container's log: bounded, like the kubelet's log rotation (`containerLogMaxSize` 10Mi).

use crate::runtime::LogOptions;
use meta::Time;
use std::sync::Arc;

const MAX_BYTES: usize = 4 << 20;
const MAX_LINES: usize = 20_000;

#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Shared by the moments of the cluster that are kept.
    lines: imbl::Vector<(Time, Arc<[u8]>)>,
    bytes: usize,
    /// A line that has no end yet.
    partial: Vec<u8>,
    partial_at: Time,
}

impl Log {
    pub fn write(&mut self, at: Time, data: &[u8]) {
        for part in data.split_inclusive(|b| *b == b'\n') {
            if self.partial.is_empty() {
                self.partial_at = at;
            }
            self.partial.extend_from_slice(part);
            if part.ends_with(b"\n") || self.partial.len() > 16 << 10 {
                self.push();
            }
        }
    }
    pub fn bytes(&self) -> u64 {
        (self.bytes + self.partial.len()) as u64
    }
    fn push(&mut self) {
        let line: Arc<[u8]> = std::mem::take(&mut self.partial).into();
        self.bytes += line.len();
        self.lines.push_back((self.partial_at, line));
        while self.lines.len() > MAX_LINES || self.bytes > MAX_BYTES {
            match self.lines.pop_front() {
                Some((_, l)) => self.bytes -= l.len(),
                None => break,
            }
        }
    }
    pub fn read(&self, o: &LogOptions) -> Vec<u8> {
        let partial = (!self.partial.is_empty()).then_some((&self.partial_at, &self.partial[..]));
        let all: Vec<(&Time, &[u8])> = self
            .lines
            .iter()
            .map(|(t, l)| (t, &l[..]))
            .chain(partial)
            .filter(|(t, _)| o.since.is_none_or(|s| **t >= s))
            .collect();
        let skip = o.tail_lines.map_or(0, |n| all.len().saturating_sub(n));
        let mut out = Vec::new();
        for (t, line) in &all[skip..] {
            if o.timestamps {
                let text = t.to_string();
                // Nanoseconds, as the CRI log format has them.
                let (head, fraction) = text.trim_end_matches('Z').split_once('.').map_or_else(
                    || (text.trim_end_matches('Z').to_string(), String::new()),
                    |(h, f)| (h.to_string(), f.to_string()),
                );
                out.extend_from_slice(format!("{head}.{fraction:0<9}Z ").as_bytes());
            }
            out.extend_from_slice(line);
        }
        if let Some(n) = o.limit_bytes {
            out.truncate(n);
        }
        out
    }
    /// The last 80 lines or 2048 bytes, whichever is less, as `FallbackToLogsOnError` takes them.
    pub fn tail(&self) -> String {
        let out = self.read(&LogOptions { tail_lines: Some(80), ..Default::default() });
        String::from_utf8_lossy(&out[out.len().saturating_sub(2048)..]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_bounded_and_counts_lines_from_the_end() {
        let mut log = Log::default();
        for i in 0..30_000 {
            log.write(Time::from_secs(i), format!("{i}\n").as_bytes());
        }
        log.write(Time::from_secs(30_000), b"partial");
        assert_eq!(log.lines.len(), MAX_LINES);
        let tail = LogOptions { tail_lines: Some(2), ..Default::default() };
        assert_eq!(String::from_utf8_lossy(&log.read(&tail)), "29999\npartial");
        let stamped = LogOptions { tail_lines: Some(1), timestamps: true, ..Default::default() };
        assert_eq!(String::from_utf8_lossy(&log.read(&stamped)), "1970-01-01T08:20:00.000000000Z partial");
    }
}
