//! Container logs, wherever they are kept.

use crate::world::World;
use cluster::http::LogRequest;
use meta::{ApiError, Duration};

impl World {
    /// A container's log: the wasm nodes keep theirs, the cluster asks the kubelet for all others.
    ///
    /// # Errors
    /// As kubectl shows them.
    pub fn read_log(&self, r: &LogRequest) -> Result<Vec<u8>, ApiError> {
        let reached = self.cluster.unreachable(&r.node).is_none();
        let Some(node) = self.wasm.get(&r.node).filter(|_| reached) else { return self.cluster.pod_log(r) };
        let count = |n: Option<i64>| n.and_then(|n| usize::try_from(n).ok());
        let o = &r.options;
        let options = kubelet::runtime::LogOptions {
            previous: o.previous,
            tail_lines: count(o.tail_lines),
            since: o
                .since_time
                .or(o.since_seconds.map(|s| self.cluster.now() - Duration::from_secs(u64::try_from(s).unwrap_or(0)))),
            timestamps: o.timestamps,
            limit_bytes: count(o.limit_bytes),
        };
        node.logs.read(&r.pod_uid, &o.container, &options).map_err(|_| self.cluster.no_log(r))
    }
}
