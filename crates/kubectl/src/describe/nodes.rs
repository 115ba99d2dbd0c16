//! Nodes: what they have, what their pods ask for.

use super::events::{self, About};
use super::resources::{self, Quantities};
use super::view::View;
use super::writer::{Writer, put};
use super::{Describer, parts, show};
use crate::client::get_json;
use crate::error::Error;
use meta::Quantity;
use serde_json::Value;
use std::collections::BTreeSet;

impl Describer<'_> {
    pub async fn node(&self, node: View<'_>) -> Result<String, Error> {
        let name = node.name();
        let selector = format!("spec.nodeName={name},status.phase!=Succeeded,status.phase!=Failed");
        let pods = match self.pods("", &[("fieldSelector", &selector)]).await {
            Ok(pods) => Some(pods),
            // Who may see the node may not be allowed to see its pods.
            Err(e) if e.status().is_some_and(|s| s.reason() == "Forbidden") => None,
            Err(e) => return Err(e),
        };
        let about = About::object("Node", node);
        let mut events = self.events(about).await;
        if let Some(events) = &mut events {
            // The kubelet's events have the node's name for a UID.
            events.extend(self.events(About { uid: name, ..about }).await.unwrap_or_default());
        }
        let lease = format!("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}");
        let lease = get_json(self.client, &lease).await;
        let mut w = self.writer();
        write(&mut w, node, lease);
        match pods {
            Some(pods) => usage(&mut w, node, &pods),
            None => put!(w, 0, "Pods:\tnot authorized\n"),
        }
        events::write(&mut w, events);
        Ok(w.finish())
    }
}

fn write(w: &mut Writer, node: View, lease: Result<Value, Error>) {
    put!(w, 0, "Name:\t{}\n", node.name());
    put!(w, 0, "Roles:\t{}\n", show::text_or(&roles(node), "<none>"));
    parts::metadata(w, node);
    put!(w, 0, "CreationTimestamp:\t{}\n", show::time(node.at("metadata.creationTimestamp")));
    parts::taints(w, "Taints", node.at("spec.taints"));
    put!(w, 0, "Unschedulable:\t{}\n", node.b("spec.unschedulable"));
    match lease {
        Ok(lease) => {
            let spec = View::new(&lease).at("spec");
            let time = |field: &str| spec.at(field).opt().map_or("<unset>".into(), show::time);
            put!(w, 0, "Lease:\n");
            put!(w, 1, "HolderIdentity:\t{}\n", spec.at("holderIdentity").opt().map_or("<unset>", View::text));
            put!(w, 1, "AcquireTime:\t{}\n", time("acquireTime"));
            put!(w, 1, "RenewTime:\t{}\n", time("renewTime"));
        }
        Err(e) => put!(w, 0, "Lease:\tFailed to get lease: {}\n", e.go()),
    }
    conditions(w, node.list("status.conditions"));
    put!(w, 0, "Addresses:\n");
    for a in node.list("status.addresses") {
        put!(w, 1, "{}:\t{}\n", a.s("type"), a.s("address"));
    }
    for (title, field) in [("Capacity", "status.capacity"), ("Allocatable", "status.allocatable")] {
        let quantities = node.quantities(field);
        if !quantities.is_empty() {
            put!(w, 0, "{title}:\n");
        }
        for (name, quantity) in quantities {
            put!(w, 0, "  {name}:\t{quantity}\n");
        }
    }
    put!(w, 0, "System Info:\n");
    for (title, field) in [
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
        ("Kube-Proxy Version", "kubeProxyVersion"),
    ] {
        put!(w, 0, "  {title}:\t{}\n", node.at("status.nodeInfo").s(field));
    }
    if !node.s("spec.podCIDR").is_empty() {
        put!(w, 0, "PodCIDR:\t{}\n", node.s("spec.podCIDR"));
    }
    let ranges = node.strings("spec.podCIDRs");
    if !ranges.is_empty() {
        put!(w, 0, "PodCIDRs:\t{}\n", ranges.join(","));
    }
    if !node.s("spec.providerID").is_empty() {
        put!(w, 0, "ProviderID:\t{}\n", node.s("spec.providerID"));
    }
}

/// Models `findNodeRoles`.
fn roles(node: View) -> String {
    let mut roles = BTreeSet::new();
    for (key, value) in node.map("metadata.labels") {
        if let Some(role) = key.strip_prefix("node-role.kubernetes.io/") {
            roles.insert(role);
        } else if key == "kubernetes.io/role" {
            roles.insert(value.text());
        }
    }
    roles.remove("");
    roles.into_iter().collect::<Vec<_>>().join(",")
}

fn conditions(w: &mut Writer, conditions: Vec<View>) {
    if conditions.is_empty() {
        return;
    }
    put!(w, 0, "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage\n");
    put!(w, 1, "----\t------\t-----------------\t------------------\t------\t-------\n");
    for c in conditions {
        let (beat, changed) = (show::time(c.at("lastHeartbeatTime")), show::time(c.at("lastTransitionTime")));
        let (kind, status) = (c.s("type"), c.s("status"));
        put!(w, 1, "{kind} \t{status} \t{beat} \t{changed} \t{} \t{}\n", c.s("reason"), c.s("message"));
    }
}

/// `500m (25%)`: a quantity and how much of the whole it is.
fn share(name: &str, part: Quantity, whole: Quantity) -> String {
    let (part_of, whole) = match name {
        "cpu" => (part.milli_value(), whole.milli_value()),
        _ => (part.value(), whole.value()),
    };
    format!("{part} ({}%)", show::whole(part_of as f64 / whole as f64 * 100.0))
}

fn of(quantities: &Quantities, name: &str) -> Quantity {
    quantities.get(name).copied().unwrap_or(Quantity::ZERO)
}

/// Models `describeNodeResource`.
fn usage(w: &mut Writer, node: View, pods: &[Value]) {
    put!(w, 0, "Non-terminated Pods:\t({} in total)\n", pods.len());
    put!(w, 1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge\n");
    put!(w, 1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---\n");
    let mut whole = node.quantities("status.allocatable");
    if whole.is_empty() {
        whole = node.quantities("status.capacity");
    }
    let (mut all_requests, mut all_limits) = (Quantities::new(), Quantities::new());
    for pod in pods.iter().map(View::new) {
        let (requests, limits) = resources::of_pod(pod);
        let [cpu_request, cpu_limit, memory_request, memory_limit] =
            [("cpu", &requests), ("cpu", &limits), ("memory", &requests), ("memory", &limits)]
                .map(|(name, list)| share(name, of(list, name), of(&whole, name)));
        let age = show::since(pod.at("metadata.creationTimestamp"), w.now);
        put!(
            w,
            1,
            "{}\t{}\t\t{cpu_request}\t{cpu_limit}\t{memory_request}\t{memory_limit}\t{age}\n",
            pod.namespace(),
            pod.name()
        );
        resources::add(&mut all_requests, &requests);
        resources::add(&mut all_limits, &limits);
    }
    put!(w, 0, "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)\n");
    put!(w, 1, "Resource\tRequests\tLimits\n");
    put!(w, 1, "--------\t--------\t------\n");
    let huge = whole.keys().copied().filter(|n| resources::is_huge_page(n));
    for name in ["cpu", "memory", "ephemeral-storage"].into_iter().chain(huge) {
        let total = of(&whole, name);
        let shown = |list: &Quantities| match of(list, name) {
            part if total.is_zero() => format!("{part} (0%)"),
            part => share(name, part, total),
        };
        put!(w, 1, "{name}\t{}\t{}\n", shown(&all_requests), shown(&all_limits));
    }
    for name in whole.keys().filter(|n| !resources::is_standard(n) && **n != "pods") {
        put!(w, 1, "{name}\t{}\t{}\n", of(&all_requests, name), of(&all_limits, name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_pods_ask_for_in_percent() {
        let node = json!({"status": {"allocatable":
            {"cpu": "2", "memory": "4Gi", "pods": "110", "hugepages-2Mi": "0", "example.com/gpu": "4"}}});
        let pods = [
            json!({"metadata": {"name": "a", "namespace": "d", "creationTimestamp": "2025-12-31T23:59:00Z"},
                "spec": {"containers": [{"resources": {"requests": {"cpu": "500m", "memory": "1Gi", "example.com/gpu": "1"},
                    "limits": {"cpu": "3"}}}]}}),
            json!({"metadata": {"name": "b", "namespace": "d"}, "spec": {"containers": [{}]}}),
        ];
        let mut w = Writer::new(1_767_225_600_000_000);
        usage(&mut w, View::new(&node), &pods);
        assert_eq!(
            w.finish(),
            "Non-terminated Pods:  (2 in total)
  Namespace           Name    CPU Requests  CPU Limits  Memory Requests  Memory Limits  Age
  ---------           ----    ------------  ----------  ---------------  -------------  ---
  d                   a       500m (25%)    3 (150%)    1Gi (25%)        0 (0%)         60s
  d                   b       0 (0%)        0 (0%)      0 (0%)           0 (0%)         <unknown>
Allocated resources:
  (Total limits may be over 100 percent, i.e., overcommitted.)
  Resource           Requests    Limits
  --------           --------    ------
  cpu                500m (25%)  3 (150%)
  memory             1Gi (25%)   0 (0%)
  ephemeral-storage  0 (0%)      0 (0%)
  hugepages-2Mi      0 (0%)      0 (0%)
  example.com/gpu    1           0
"
        );
    }

    #[test]
    fn roles_are_labels() {
        let node = json!({"metadata": {"labels": {"node-role.kubernetes.io/worker": "", "kubernetes.io/role": "a",
            "node-role.kubernetes.io/control-plane": ""}}});
        assert_eq!(roles(View::new(&node)), "a,control-plane,worker");
        assert_eq!(share("cpu", Quantity::ZERO, Quantity::ZERO), format!("0 ({}%)", i64::MIN));
    }
}
