//! A container's log: bounded, like the kubelet's log rotation (`containerLogMaxSize` 10Mi).

use crate::runtime::LogOptions;
use meta::Time;
use std::sync::Arc;

const MAX_BYTES: usize = 4 << 20;
const MAX_LINES: usize = 20_000;
/// Of what servers write of their requests: probes ask them for ever, and nobody reads all of that.
const MAX_REQUESTS: usize = 2_000;

#[derive(Clone, Debug)]
struct Line {
    /// How many were written before it.
    number: u64,
    at: Time,
    text: Arc<[u8]>,
}

/// Its lines are shared by the moments of the cluster that are kept.
#[derive(Clone, Debug, Default)]
pub struct Log {
    lines: imbl::Vector<Line>,
    requests: imbl::Vector<Line>,
    written: u64,
    bytes: usize,
    /// A line that has no end yet.
    partial: Vec<u8>,
    partial_at: Time,
}

impl Log {
    pub fn write(&mut self, at: Time, data: &[u8]) {
        self.add(at, data, false);
    }
    /// What a server writes of a request.
    pub fn write_request(&mut self, at: Time, data: &[u8]) {
        self.add(at, data, true);
    }
    fn add(&mut self, at: Time, data: &[u8], of_request: bool) {
        for part in data.split_inclusive(|b| *b == b'\n') {
            // It may end a line that a program has begun.
            let of_request = of_request && self.partial.is_empty();
            if self.partial.is_empty() {
                self.partial_at = at;
            }
            self.partial.extend_from_slice(part);
            if part.ends_with(b"\n") || self.partial.len() > 16 << 10 {
                self.push(of_request);
            }
        }
    }
    pub fn bytes(&self) -> u64 {
        (self.bytes + self.partial.len()) as u64
    }
    fn push(&mut self, of_request: bool) {
        let text: Arc<[u8]> = std::mem::take(&mut self.partial).into();
        self.bytes += text.len();
        let line = Line { number: self.written, at: self.partial_at, text };
        self.written += 1;
        let kept = if of_request { &mut self.requests } else { &mut self.lines };
        kept.push_back(line);
        while self.lines.len() > MAX_LINES {
            self.drop_oldest(false);
        }
        while self.requests.len() > MAX_REQUESTS {
            self.drop_oldest(true);
        }
        while self.bytes > MAX_BYTES {
            let request = match (self.requests.front(), self.lines.front()) {
                (Some(r), Some(l)) => r.number < l.number,
                (request, _) => request.is_some(),
            };
            self.drop_oldest(request);
        }
    }
    fn drop_oldest(&mut self, request: bool) {
        let gone = if request { self.requests.pop_front() } else { self.lines.pop_front() };
        self.bytes -= gone.map_or(0, |l| l.text.len());
    }
    pub fn read(&self, o: &LogOptions) -> Vec<u8> {
        let partial = (!self.partial.is_empty()).then_some((&self.partial_at, &self.partial[..]));
        let mut lines: Vec<&Line> = self.lines.iter().chain(&self.requests).collect();
        lines.sort_by_key(|l| l.number);
        let all: Vec<(&Time, &[u8])> = lines
            .into_iter()
            .map(|l| (&l.at, &l.text[..]))
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

    #[test]
    fn requests_leave_room_for_what_programs_say() {
        let mut log = Log::default();
        log.write(Time::from_secs(0), b"begun\n");
        for i in 1..=3_000 {
            log.write_request(Time::from_secs(i), format!("GET /{i}\n").as_bytes());
            if i == 2_999 {
                log.write(Time::from_secs(i), b"half");
            }
        }
        log.write(Time::from_secs(3_001), b"over\n");
        let all = String::from_utf8(log.read(&LogOptions::default())).unwrap();
        // The last request's line has ended another one.
        let lines: Vec<&str> = all.lines().collect();
        assert_eq!(lines.len(), MAX_REQUESTS + 3);
        assert_eq!(lines[..2], ["begun", "GET /1000"]);
        assert_eq!(lines[MAX_REQUESTS..], ["GET /2999", "halfGET /3000", "over"]);
        assert_eq!(log.bytes(), all.len() as u64);
    }
}
