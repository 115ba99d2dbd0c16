//! `/stats/summary`, `/metrics/resource` and `/metrics` of a kubelet: the numbers that metrics-server has, as the kubelet counts
//! them. Models `pkg/kubelet/server/stats` and `pkg/kubelet/metrics/collectors/resource_metrics.go`.

use crate::Cluster;
use crate::machines::kubelet_name;
use crate::telemetry::{head, sample};
use k8s_openapi::api::core::v1::Pod;
use kubelet::Kubelet;
use kubelet::eviction::{Observation, Signal};
use kubelet::runtime::PodStats;
use meta::Time;
use reconcile::usage::Counted;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A pod of the node that has running containers.
pub(super) struct Counts<'a> {
    pub(super) pod: &'a Pod,
    uid: &'a str,
    pub(super) containers: Vec<(Arc<str>, Counted)>,
}

impl Counts<'_> {
    pub(super) fn name(&self) -> &str {
        self.pod.metadata.name.as_deref().unwrap_or("")
    }
    pub(super) fn namespace(&self) -> &str {
        self.pod.metadata.namespace.as_deref().unwrap_or("")
    }
    /// Of all containers together.
    pub(super) fn sum(&self) -> Counted {
        let all = || self.containers.iter().map(|(_, c)| c);
        Counted {
            started: all().map(|c| c.started).min().unwrap_or(Time(0)),
            nanocores: all().map(|c| c.nanocores).sum(),
            core_micros: all().map(|c| c.core_micros).sum(),
            memory_bytes: all().map(|c| c.memory_bytes).sum(),
        }
    }
}

fn stamp(t: Time) -> Value {
    serde_json::to_value(t.to_k8s()).unwrap_or_default()
}

fn cpu(c: &Counted, now: Time) -> Value {
    json!({"time": stamp(now), "usageNanoCores": c.nanocores, "usageCoreNanoSeconds": c.core_micros * 1000})
}

/// Nothing is cached by the simulated kernel: the working set is all that is used.
fn memory(c: &Counted, now: Time) -> Value {
    let bytes = c.memory_bytes;
    json!({"time": stamp(now), "usageBytes": bytes, "workingSetBytes": bytes, "rssBytes": bytes})
}

fn disk(o: Option<&Observation>, used: Option<u64>, now: Time) -> Value {
    let (capacity, available) = o.map_or((0, 0), |o| (o.capacity, o.available));
    let used = used.unwrap_or(capacity - available);
    json!({"time": stamp(now), "availableBytes": available, "capacityBytes": capacity, "usedBytes": used})
}

/// A number as Prometheus' text format has it: Go's `%g`.
pub(super) fn number(v: f64) -> String {
    let short = format!("{v:e}");
    let Some((mantissa, exponent)) = short.split_once('e') else { return short };
    match exponent.parse::<i32>() {
        Ok(e) if v != 0.0 && !(-4..6).contains(&e) => {
            format!("{mantissa}e{}{:02}", if e < 0 { '-' } else { '+' }, e.abs())
        }
        _ => v.to_string(),
    }
}

pub(super) fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

impl Cluster {
    pub(super) fn counts<'a>(&'a self, node: &'a str) -> impl Iterator<Item = Counts<'a>> {
        self.view.pods_on_node(node).filter_map(move |pod| {
            let uid = api::references::uid_on_node(pod);
            let containers = self.view.usage.counted_pod(node, uid, self.now);
            (!containers.is_empty()).then_some(Counts { pod, uid, containers })
        })
    }

    fn kubelet_of(&self, node: &str) -> Option<&Kubelet> {
        self.component(&kubelet_name(node))
    }

    /// Models `SummaryProvider`; `short`: processors and memory only.
    pub(super) fn stats_summary(&self, node: &str, short: bool) -> Value {
        let now = self.now;
        let kubelet = self.kubelet_of(node);
        let observed = kubelet.map(Kubelet::observations).unwrap_or_default();
        let of = |signal| observed.iter().find(|o| o.signal == signal);
        let stats = kubelet.map(|k| k.runtime().stats()).unwrap_or_default();
        let mut about = json!({ "nodeName": node });
        if let Some(counted) = self.view.usage.counted_node(node, now) {
            about["startTime"] = stamp(counted.started);
            about["cpu"] = cpu(&counted, now);
            about["memory"] = memory(&counted, now);
            about["memory"]["availableBytes"] = of(Signal::MemoryAvailable).map_or(0, |o| o.available).into();
        }
        if !short {
            let images = kubelet.map_or(0, |k| k.runtime().images().iter().map(|i| i.size_bytes).sum());
            about["fs"] = disk(of(Signal::NodeFsAvailable), None, now);
            about["runtime"] = json!({ "imageFs": disk(of(Signal::ImageFsAvailable), Some(images), now) });
            if let Some(pids) = of(Signal::PidAvailable) {
                let running = pids.capacity - pids.available;
                about["rlimit"] = json!({"time": stamp(now), "maxpid": pids.capacity, "curproc": running});
            }
        }
        let root = of(Signal::NodeFsAvailable);
        let pods: Vec<Value> =
            self.counts(node).map(|c| pod_summary(&c, &stats, root.filter(|_| !short), now)).collect();
        json!({"node": about, "pods": pods})
    }

    /// Models `resourceMetricsCollector`.
    pub(super) fn resource_metrics(&self, node: &str) -> String {
        let mut out = String::new();
        let at = self.now.as_micros() / 1000;
        let stamped = |v: f64| format!("{} {at}", number(v));
        let counts: Vec<Counts<'_>> = self.counts(node).collect();
        let containers = || counts.iter().flat_map(|p| p.containers.iter().map(move |(name, c)| (p, name, c)));
        let mut of_containers = |name: &str, kind: &str, help: &str, value: &dyn Fn(&Counted) -> String| {
            if counts.is_empty() {
                return;
            }
            head(&mut out, name, kind, help);
            for (p, container, c) in containers() {
                let labels = [("container", &**container), ("namespace", p.namespace()), ("pod", p.name())];
                sample(&mut out, name, &labels, value(c));
            }
        };
        of_containers(
            "container_cpu_usage_seconds_total",
            "counter",
            "[STABLE] Cumulative cpu time consumed by the container in core-seconds",
            &|c| stamped(seconds(c.core_micros)),
        );
        of_containers(
            "container_memory_working_set_bytes",
            "gauge",
            "[STABLE] Current working set of the container in bytes",
            &|c| stamped(c.memory_bytes as f64),
        );
        of_containers(
            "container_start_time_seconds",
            "gauge",
            "[STABLE] Start time of the container since unix epoch in seconds",
            &|c| number(seconds(c.started.as_micros())),
        );
        if let Some(counted) = self.view.usage.counted_node(node, self.now) {
            let name = "node_cpu_usage_seconds_total";
            head(&mut out, name, "counter", "[STABLE] Cumulative cpu time consumed by the node in core-seconds");
            sample(&mut out, name, &[], stamped(seconds(counted.core_micros)));
            let name = "node_memory_working_set_bytes";
            head(&mut out, name, "gauge", "[STABLE] Current working set of the node in bytes");
            sample(&mut out, name, &[], stamped(counted.memory_bytes as f64));
        }
        let mut of_pods = |name: &str, kind: &str, help: &str, value: &dyn Fn(&Counted) -> f64| {
            if counts.is_empty() {
                return;
            }
            head(&mut out, name, kind, help);
            for p in &counts {
                sample(&mut out, name, &[("namespace", p.namespace()), ("pod", p.name())], stamped(value(&p.sum())));
            }
        };
        of_pods(
            "pod_cpu_usage_seconds_total",
            "counter",
            "[STABLE] Cumulative cpu time consumed by the pod in core-seconds",
            &|c| seconds(c.core_micros),
        );
        of_pods("pod_memory_working_set_bytes", "gauge", "[STABLE] Current working set of the pod in bytes", &|c| {
            c.memory_bytes as f64
        });
        let name = "resource_scrape_error";
        head(&mut out, name, "gauge", "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise");
        sample(&mut out, name, &[], 0);
        out
    }

    /// What of `pkg/kubelet/metrics` is known of a simulated kubelet.
    pub(super) fn kubelet_metrics(&self, node: &str) -> String {
        let mut out = String::new();
        let name = "kubelet_node_name";
        head(&mut out, name, "gauge", "[ALPHA] The node's name. The count is always 1.");
        sample(&mut out, name, &[("node", node)], 1);
        let (mut pods, mut containers) = (0, 0);
        for c in self.counts(node) {
            pods += 1;
            containers += c.containers.len();
        }
        let name = "kubelet_running_containers";
        head(&mut out, name, "gauge", "[ALPHA] Number of containers currently running");
        sample(&mut out, name, &[("container_state", "running")], containers);
        let name = "kubelet_running_pods";
        head(&mut out, name, "gauge", "[ALPHA] Number of pods that have a running pod sandbox");
        sample(&mut out, name, &[], pods);
        self.process_metrics(&mut out, self.view.usage.counted_node(node, self.now).map_or(self.now, |c| c.started));
        out
    }
}

fn pod_summary(c: &Counts<'_>, stats: &BTreeMap<Arc<str>, PodStats>, root: Option<&Observation>, now: Time) -> Value {
    let on_disk = stats.get(c.uid);
    let container = |(name, counted): &(Arc<str>, Counted)| {
        let mut about = json!({
            "name": **name,
            "startTime": stamp(counted.started),
            "cpu": cpu(counted, now),
            "memory": memory(counted, now),
        });
        if root.is_some() {
            let used = on_disk.and_then(|s| s.containers.get(name)).map_or(0, |s| s.disk_bytes);
            about["rootfs"] = disk(root, Some(used), now);
        }
        about
    };
    let sum = c.sum();
    let containers: Vec<Value> = c.containers.iter().map(container).collect();
    let started = c.pod.status.as_ref().and_then(|s| s.start_time.as_ref());
    let mut about = json!({
        "podRef": {"name": c.name(), "namespace": c.namespace(), "uid": c.uid},
        "startTime": serde_json::to_value(started).unwrap_or_default(),
        "containers": containers,
        "cpu": cpu(&sum, now),
        "memory": memory(&sum, now),
    });
    if let (Some(on_disk), true) = (on_disk, root.is_some()) {
        let volumes: u64 = on_disk.volumes.values().sum();
        let own: u64 = on_disk.containers.values().map(|s| s.disk_bytes).sum();
        about["ephemeral-storage"] = disk(root, Some(volumes + own), now);
        let volume = |(name, used): (&String, &u64)| {
            let mut v = disk(root, Some(*used), now);
            v["name"] = name.as_str().into();
            v
        };
        let all: Vec<Value> = on_disk.volumes.iter().map(volume).collect();
        if !all.is_empty() {
            about["volume"] = all.into();
        }
    }
    about
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        let all = [0.0, 0.25, 12_345.0, 314_572_800.0, 0.000_012].map(number);
        assert_eq!(all, ["0", "0.25", "12345", "3.145728e+08", "1.2e-05"]);
    }
}
