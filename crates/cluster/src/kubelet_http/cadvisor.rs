//! `/metrics/cadvisor` of a kubelet, with cAdvisor's names and labels (`metrics/prometheus.go` and `prometheus_machine.go` of
//! google/cadvisor) and what of them is known here: there are no control groups, so `id` is the root's only, and nothing is
//! counted of networks and disks.

use super::stats::{Counts, number, seconds};
use crate::Cluster;
use crate::telemetry::{head, sample};
use k8s_openapi::api::core::v1::{Container, Node};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use meta::{Key, Quantity};
use reconcile::usage::Counted;

/// One line's owner: a container, all of a pod, or the node.
struct Row<'a> {
    container: &'a str,
    id: &'a str,
    image: String,
    name: String,
    namespace: &'a str,
    pod: &'a str,
    counted: Counted,
    spec: Option<&'a Container>,
}

impl Row<'_> {
    fn write(&self, out: &mut String, name: &str, cpu: bool, value: &str) {
        let mut labels = vec![("container", self.container)];
        if cpu {
            labels.push(("cpu", "total"));
        }
        labels.extend([("id", self.id), ("image", self.image.as_str()), ("name", self.name.as_str())]);
        labels.extend([("namespace", self.namespace), ("pod", self.pod)]);
        sample(out, name, &labels, value);
    }

    fn limit(&self, resource: &str) -> Option<&ApiQuantity> {
        self.spec?.resources.as_ref()?.limits.as_ref()?.get(resource)
    }

    fn request(&self, resource: &str) -> Option<&ApiQuantity> {
        self.spec?.resources.as_ref()?.requests.as_ref()?.get(resource)
    }
}

/// `containerd://abc` without what comes before the identity.
fn identity(id: Option<&str>) -> String {
    id.and_then(|id| id.split_once("://")).map_or("", |(_, id)| id).into()
}

fn rows_of<'a>(c: &'a Counts<'a>) -> Vec<Row<'a>> {
    let (namespace, pod) = (c.namespace(), c.name());
    let statuses = c.pod.status.iter().flat_map(|s| {
        s.container_statuses.iter().chain(&s.init_container_statuses).chain(&s.ephemeral_container_statuses).flatten()
    });
    let statuses: Vec<_> = statuses.collect();
    let specs = c.pod.spec.iter().flat_map(|s| s.containers.iter().chain(s.init_containers.iter().flatten()));
    let specs: Vec<&Container> = specs.collect();
    let mut rows = vec![Row {
        container: "",
        id: "",
        image: String::new(),
        name: String::new(),
        namespace,
        pod,
        counted: c.sum(),
        spec: None,
    }];
    rows.extend(c.containers.iter().map(|(name, counted)| {
        let status = statuses.iter().find(|s| *s.name == **name);
        Row {
            container: name,
            id: "",
            image: status.map_or_else(String::new, |s| s.image.clone()),
            name: identity(status.and_then(|s| s.container_id.as_deref())),
            namespace,
            pod,
            counted: *counted,
            spec: specs.iter().find(|c| *c.name == **name).copied(),
        }
    }));
    rows
}

impl Cluster {
    pub(super) fn cadvisor_metrics(&self, node: &str) -> String {
        let mut out = String::new();
        let counts: Vec<Counts<'_>> = self.counts(node).collect();
        let mut rows: Vec<Row<'_>> = counts.iter().flat_map(rows_of).collect();
        if let Some(counted) = self.view.usage.counted_node(node, self.now) {
            let none = String::new;
            let root = Row {
                container: "",
                id: "/",
                image: none(),
                name: none(),
                namespace: "",
                pod: "",
                counted,
                spec: None,
            };
            rows.insert(0, root);
        }
        let at = self.now.as_micros() / 1000;
        let mut all = |name: &str, kind: &str, help: &str, value: &dyn Fn(&Row<'_>) -> Option<f64>| {
            let values: Vec<_> = rows.iter().filter_map(|r| Some((r, value(r)?))).collect();
            if values.is_empty() {
                return;
            }
            head(&mut out, name, kind, help);
            for (row, v) in values {
                row.write(&mut out, name, name == "container_cpu_usage_seconds_total", &format!("{} {at}", number(v)));
            }
        };
        all("container_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed in seconds.", &|r| {
            Some(seconds(r.counted.core_micros))
        });
        let bytes = |r: &Row<'_>| Some(r.counted.memory_bytes as f64);
        all("container_memory_rss", "gauge", "Size of RSS in bytes.", &bytes);
        all(
            "container_memory_usage_bytes",
            "gauge",
            "Current memory usage in bytes, including all memory regardless of when it was accessed",
            &bytes,
        );
        all("container_memory_working_set_bytes", "gauge", "Current working set in bytes.", &bytes);
        let milli = |q: &ApiQuantity| Quantity::of(q).milli_value() as f64;
        all("container_spec_cpu_period", "gauge", "CPU period of the container.", &|r| r.spec.map(|_| 100_000.0));
        all("container_spec_cpu_quota", "gauge", "CPU quota of the container.", &|r| {
            Some(milli(r.limit("cpu")?) * 100.0)
        });
        all("container_spec_cpu_shares", "gauge", "CPU share of the container.", &|r| {
            r.spec?;
            let asked = r.request("cpu").or_else(|| r.limit("cpu")).map_or(0.0, milli);
            Some((asked * 1024.0 / 1000.0).floor().max(2.0))
        });
        all("container_spec_memory_limit_bytes", "gauge", "Memory limit for the container.", &|r| {
            r.spec?;
            Some(r.limit("memory").map_or(0.0, |q| Quantity::of(q).value() as f64))
        });
        all(
            "container_start_time_seconds",
            "gauge",
            "Start time of the container since unix epoch in seconds.",
            &|r| Some(r.counted.started.as_secs() as f64),
        );
        self.machine_metrics(&mut out, node);
        out
    }

    fn machine_metrics(&self, out: &mut String, node: &str) {
        let status = self.view.get::<Node>(&Key::from(node)).and_then(|n| n.status.as_ref());
        let (Some(info), Some(capacity)) =
            (status.and_then(|s| s.node_info.as_ref()), status.and_then(|s| s.capacity.as_ref()))
        else {
            return;
        };
        let labels = [
            ("boot_id", info.boot_id.as_str()),
            ("machine_id", info.machine_id.as_str()),
            ("system_uuid", info.system_uuid.as_str()),
        ];
        for (name, resource, help) in [
            ("machine_cpu_cores", "cpu", "Number of logical CPU cores."),
            ("machine_memory_bytes", "memory", "Amount of memory installed on the machine."),
        ] {
            if let Some(q) = capacity.get(resource) {
                head(out, name, "gauge", help);
                sample(out, name, &labels, number(Quantity::of(q).value() as f64));
            }
        }
    }
}
