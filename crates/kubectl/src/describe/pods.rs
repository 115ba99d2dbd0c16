//! Pods, and the templates they are made from.

use super::containers::{self, Owner};
use super::events::{self, About};
use super::view::View;
use super::writer::{Writer, put};
use super::{Describer, parts, resources, show, sort, volumes};
use crate::error::Error;
use serde_json::Value;

const MIRROR: &str = "kubernetes.io/config.mirror";

impl Describer<'_> {
    pub async fn pod(&self, pod: View<'_>) -> Result<String, Error> {
        // The kubelet's events about a static pod name the pod that its file makes.
        let mirrored = pod.at("metadata.annotations").key(MIRROR);
        let uid = if mirrored.is_set() { mirrored.text() } else { pod.uid() };
        let about = About { kind: "", uid, ..About::object("", pod) };
        let events = self.events(about).await;
        let mut w = self.writer();
        write(&mut w, pod);
        events::write(&mut w, events);
        Ok(w.finish())
    }
}

fn write(w: &mut Writer, pod: View) {
    identity(w, pod);
    status(w, pod);
    if let Some(resources) = pod.at("spec.resources").opt() {
        put!(w, 0, "Resources:\n");
        containers::resources(w, 1, resources);
    }
    let owner = Owner::Pod(pod);
    for (title, field, statuses) in [
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
        ("Ephemeral Containers", "ephemeralContainers", "ephemeralContainerStatuses"),
    ] {
        let list = pod.at("spec").list(field);
        if !list.is_empty() || field == "containers" {
            containers::write(w, title, &list, &pod.at("status").list(statuses), owner);
        }
    }
    let conditions = pod.list("status.conditions");
    let gates = pod.list("spec.readinessGates");
    if !gates.is_empty() {
        put!(w, 0, "Readiness Gates:\n  Type\tStatus\n");
        for gate in gates {
            let kind = gate.s("conditionType");
            let status = conditions.iter().find(|c| c.s("type") == kind).map_or("<none>", |c| c.s("status"));
            put!(w, 1, "{kind} \t{status} \n");
        }
    }
    if !conditions.is_empty() {
        put!(w, 0, "Conditions:\n  Type\tStatus\n");
        for c in &conditions {
            put!(w, 1, "{} \t{} \n", c.s("type"), c.s("status"));
        }
    }
    volumes::write(w, pod.at("spec.volumes"), "");
    put!(w, 0, "QoS Class:\t{}\n", resources::qos(pod));
    parts::labels(w, "Node-Selectors", pod.at("spec.nodeSelector"));
    parts::tolerations(w, "Tolerations", pod.at("spec.tolerations"));
    spread_constraints(w, pod.at("spec.topologySpreadConstraints"), "");
    workload(w, pod.at("spec.workloadRef"), "");
}

fn identity(w: &mut Writer, pod: View) {
    put!(w, 0, "Name:\t{}\n", pod.name());
    put!(w, 0, "Namespace:\t{}\n", pod.namespace());
    let spec = pod.at("spec");
    if let Some(priority) = spec.at("priority").opt() {
        put!(w, 0, "Priority:\t{}\n", priority.int());
    }
    for (title, field) in [
        ("Priority Class Name", "priorityClassName"),
        ("Runtime Class Name", "runtimeClassName"),
        ("Service Account", "serviceAccountName"),
    ] {
        if !spec.s(field).is_empty() {
            put!(w, 0, "{title}:\t{}\n", spec.s(field));
        }
    }
    match spec.s("nodeName") {
        "" => put!(w, 0, "Node:\t<none>\n"),
        node => put!(w, 0, "Node:\t{node}/{}\n", pod.s("status.hostIP")),
    }
    if let Some(start) = pod.at("status.startTime").opt() {
        put!(w, 0, "Start Time:\t{}\n", show::time(start));
    }
    parts::metadata(w, pod);
}

fn status(w: &mut Writer, pod: View) {
    let phase = pod.s("status.phase");
    let deleted = pod.at("metadata.deletionTimestamp");
    if deleted.is_set() && phase != "Failed" && phase != "Succeeded" {
        put!(w, 0, "Status:\tTerminating (lasts {})\n", show::since(deleted, w.now));
        put!(w, 0, "Termination Grace Period:\t{}s\n", pod.i("metadata.deletionGracePeriodSeconds"));
    } else {
        put!(w, 0, "Status:\t{phase}\n");
    }
    for (title, field) in [("Reason", "status.reason"), ("Message", "status.message")] {
        if !pod.s(field).is_empty() {
            put!(w, 0, "{title}:\t{}\n", pod.s(field));
        }
    }
    if let Some(profile) = pod.at("spec.securityContext.seccompProfile").opt() {
        put!(w, 0, "SeccompProfile:\t{}\n", profile.s("type"));
        if profile.s("type") == "Localhost" {
            put!(w, 0, "LocalhostProfile:\t{}\n", profile.s("localhostProfile"));
        }
    }
    put!(w, 0, "IP:\t{}\n", pod.s("status.podIP"));
    let ips = pod.list("status.podIPs");
    if ips.is_empty() {
        put!(w, 0, "IPs:\t<none>\n");
    } else {
        put!(w, 0, "IPs:\n");
        for ip in ips {
            put!(w, 1, "IP:\t{}\n", ip.s("ip"));
        }
    }
    parts::controlled_by(w, pod);
    if !pod.s("status.nominatedNodeName").is_empty() {
        put!(w, 0, "NominatedNodeName:\t{}\n", pod.s("status.nominatedNodeName"));
    }
}

/// Models `describeTopologySpreadConstraints`.
fn spread_constraints(w: &mut Writer, constraints: View, space: &str) {
    let mut constraints = constraints.items();
    if constraints.is_empty() {
        return;
    }
    sort::sort(&mut constraints, |a, b| a.s("topologyKey") < b.s("topologyKey"));
    let shown = |c: &View| {
        let mut text =
            format!("{}:{} when max skew {} is exceeded", c.s("topologyKey"), c.s("whenUnsatisfiable"), c.i("maxSkew"));
        if c.has("labelSelector") {
            text += &format!(" for selector {}", parts::selector_or_none(c.at("labelSelector")));
        }
        text
    };
    parts::multiline(w, space, "Topology Spread Constraints", constraints.iter().map(shown).collect());
}

fn workload(w: &mut Writer, workload: View, space: &str) {
    if !workload.is_set() {
        return;
    }
    put!(w, 0, "{space}WorkloadRef:\n");
    put!(w, 1, "Name:\t{}\n", workload.s("name"));
    put!(w, 1, "PodGroup:\t{}\n", workload.s("podGroup"));
    if !workload.s("podGroupReplicaKey").is_empty() {
        put!(w, 1, "PodGroupReplicaKey:\t{}\n", workload.s("podGroupReplicaKey"));
    }
}

/// Models `DescribePodTemplate`.
pub fn template(w: &mut Writer, template: View) {
    put!(w, 0, "Pod Template:\n");
    if !template.is_set() {
        put!(w, 1, "<unset>");
        return;
    }
    let spec = template.at("spec");
    parts::labels(w, "  Labels", template.at("metadata.labels"));
    if !template.at("metadata.annotations").is_empty() {
        parts::annotations(w, "  Annotations", template.at("metadata.annotations"));
    }
    if !spec.s("serviceAccountName").is_empty() {
        put!(w, 1, "Service Account:\t{}\n", spec.s("serviceAccountName"));
    }
    let init = spec.list("initContainers");
    if !init.is_empty() {
        containers::write(w, "Init Containers", &init, &[], Owner::Template);
    }
    containers::write(w, "Containers", &spec.list("containers"), &[], Owner::Template);
    volumes::write(w, spec.at("volumes"), "  ");
    spread_constraints(w, spec.at("topologySpreadConstraints"), "  ");
    if !spec.s("priorityClassName").is_empty() {
        put!(w, 1, "Priority Class Name:\t{}\n", spec.s("priorityClassName"));
    }
    parts::labels(w, "  Node-Selectors", spec.at("nodeSelector"));
    parts::tolerations(w, "  Tolerations", spec.at("tolerations"));
    workload(w, spec.at("workloadRef"), "  ");
}

/// How many of the pods that a controller owns are in each phase. Models `getPodStatusForController`.
#[derive(Clone, Copy, Default)]
pub struct Phases {
    running: usize,
    waiting: usize,
    succeeded: usize,
    failed: usize,
}

impl Phases {
    fn count(pods: &[Value], uid: &str) -> Phases {
        let mut n = Phases::default();
        for pod in pods.iter().map(View::new) {
            if pod.controller().is_none_or(|owner| owner.s("uid") != uid) {
                continue;
            }
            match pod.s("status.phase") {
                "Running" => n.running += 1,
                "Pending" => n.waiting += 1,
                "Succeeded" => n.succeeded += 1,
                "Failed" => n.failed += 1,
                _ => {}
            }
        }
        n
    }
}

impl std::fmt::Display for Phases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Phases { running, waiting, succeeded, failed } = self;
        write!(f, "{running} Running / {waiting} Waiting / {succeeded} Succeeded / {failed} Failed")
    }
}

impl Describer<'_> {
    pub async fn phases(&self, owner: View<'_>, selector: &str) -> Result<Phases, Error> {
        let pods = self.pods(owner.namespace(), &[("labelSelector", selector)]).await?;
        Ok(Phases::count(&pods, owner.uid()))
    }
}
