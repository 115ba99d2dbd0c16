//! Container logs, wherever they are kept.

use crate::world::World;
use cluster::http::LogRequest;
use k8s_openapi::api::core::v1::{ContainerState, Pod};
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

    /// Whether nothing more can come: the run has ended, or its pod is gone.
    pub fn container_ended(&self, r: &LogRequest) -> bool {
        let Some(pod) = self.cluster.view().get::<Pod>(&r.pod) else { return true };
        if api::references::uid_on_node(pod) != r.pod_uid || r.options.previous || r.node.is_empty() {
            return true;
        }
        let Some(status) = &pod.status else { return false };
        let all = status.container_statuses.iter().chain(&status.init_container_statuses).flatten();
        let Some(container) = all.into_iter().find(|c| c.name == r.options.container) else { return false };
        let terminated = |s: &Option<ContainerState>| s.as_ref().is_some_and(|s| s.terminated.is_some());
        let waiting = container.state.as_ref().is_some_and(|s| s.waiting.is_some());
        // Between two runs the log is that of the one before; before the first run there is all to come.
        terminated(&container.state) || (waiting && terminated(&container.last_state))
    }
}
