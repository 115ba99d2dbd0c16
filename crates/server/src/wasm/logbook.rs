//! The logs of a wasm node's containers. Models `pkg/kubelet/kuberuntime/logs` `ReadLogs`.

use kubelet::runtime::{ContainerId, LogOptions};
use meta::Time;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// `containerLogMaxSize` is 10Mi; the oldest lines of a run go first.
const RUN_BYTES_MAX: usize = 10 << 20;
/// Runs kept per container: the present one and the one before.
const RUNS_MAX: usize = 2;

#[derive(Default)]
struct Run {
    attempt: u32,
    lines: VecDeque<(Time, String)>,
    bytes: usize,
}

/// Pod UID and container to its newest runs, oldest first.
#[derive(Default)]
pub struct Logbook(BTreeMap<(Arc<str>, Arc<str>), VecDeque<Run>>);

impl Logbook {
    /// A run begins, with an empty log.
    pub fn open(&mut self, id: &ContainerId) {
        let runs = self.0.entry((id.pod_uid.clone(), id.container.clone())).or_default();
        runs.push_back(Run { attempt: id.attempt, ..Default::default() });
        if runs.len() > RUNS_MAX {
            runs.pop_front();
        }
    }

    /// Lines of runs that are no longer kept are dropped.
    pub fn push(&mut self, id: &ContainerId, at: Time, line: String) {
        let Some(runs) = self.0.get_mut(&(id.pod_uid.clone(), id.container.clone())) else { return };
        let Some(run) = runs.iter_mut().find(|r| r.attempt == id.attempt) else { return };
        run.bytes += line.len() + 1;
        run.lines.push_back((at, line));
        while run.bytes > RUN_BYTES_MAX {
            let Some((_, oldest)) = run.lines.pop_front() else { break };
            run.bytes -= oldest.len() + 1;
        }
    }

    pub fn remove_pod(&mut self, uid: &str) {
        self.0.retain(|(pod, _), _| **pod != *uid);
    }

    /// # Errors
    /// There is no such run, in the words kubectl shows.
    pub fn read(&self, uid: &str, container: &str, o: &LogOptions) -> Result<Vec<u8>, String> {
        let runs = self.0.get(&(uid.into(), container.into()));
        let run = runs.and_then(|r| if o.previous { r.len().checked_sub(2).and_then(|i| r.get(i)) } else { r.back() });
        let Some(run) = run else {
            let which = if o.previous { "previous terminated container" } else { "container" };
            return Err(format!("{which} {container:?} in pod {uid:?} not found"));
        };
        let mut lines: Vec<_> = run.lines.iter().filter(|(at, _)| o.since.is_none_or(|s| *at >= s)).collect();
        if let Some(n) = o.tail_lines {
            lines.drain(..lines.len().saturating_sub(n));
        }
        let mut out = Vec::new();
        for (at, line) in lines {
            if o.timestamps {
                out.extend_from_slice(format!("{} ", nanos(*at)).as_bytes());
            }
            out.extend_from_slice(line.as_bytes());
            out.push(b'\n');
        }
        if let Some(limit) = o.limit_bytes {
            out.truncate(limit);
        }
        Ok(out)
    }

    /// The end of a run's log for `terminationMessagePolicy: FallbackToLogsOnError`: at most 80 lines and 2048 bytes.
    pub fn tail(&self, id: &ContainerId) -> String {
        let options = LogOptions { tail_lines: Some(80), ..Default::default() };
        let text = self.read(&id.pod_uid, &id.container, &options).unwrap_or_default();
        String::from_utf8_lossy(&text[text.len().saturating_sub(2048)..]).into_owned()
    }
}

/// RFC 3339 with nanoseconds, as the CRI writes it.
fn nanos(at: Time) -> String {
    let whole = at.rfc3339();
    format!("{}.{:09}Z", whole.trim_end_matches('Z'), at.as_micros() % 1_000_000 * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_as_kubectl_asks() {
        let id = |attempt| ContainerId { pod_uid: "u".into(), container: "c".into(), attempt };
        let mut book = Logbook::default();
        book.open(&id(0));
        book.push(&id(0), Time(1_000_000), "first".into());
        book.open(&id(1));
        for (n, line) in ["one", "two", "three"].into_iter().enumerate() {
            book.push(&id(1), Time(2_000_000 + n as u64), line.into());
        }
        let read = |o: LogOptions| String::from_utf8(book.read("u", "c", &o).unwrap()).unwrap();
        assert_eq!(read(LogOptions { previous: true, ..Default::default() }), "first\n");
        assert_eq!(read(LogOptions { tail_lines: Some(2), ..Default::default() }), "two\nthree\n");
        assert_eq!(read(LogOptions { limit_bytes: Some(5), ..Default::default() }), "one\nt");
        assert_eq!(
            read(LogOptions { tail_lines: Some(1), timestamps: true, ..Default::default() }),
            "1970-01-01T00:00:02.000002000Z three\n"
        );
        assert!(book.read("u", "other", &LogOptions::default()).is_err());
    }
}
