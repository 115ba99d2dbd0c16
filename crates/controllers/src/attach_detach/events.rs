//! What the controller tells the pods that use a volume.

use super::wanted;
use k8s_openapi::api::core::v1::Pod;
use reconcile::{Cx, EventType, Intent, Outcome};

fn text(s: &Option<String>) -> &str {
    s.as_deref().unwrap_or("")
}

pub fn attached(volume: &str, pods: &[&Pod], out: &mut Outcome) {
    let message = format!("AttachVolume.Attach succeeded for volume {volume:?} ");
    for pod in pods {
        out.push(Intent::event(*pod, EventType::Normal, "SuccessfulAttachVolume", message.clone()));
    }
}

fn failed(pod: &Pod, message: String, out: &mut Outcome) {
    out.push(Intent::event(pod, EventType::Warning, "FailedAttachVolume", message));
}

pub fn not_attached(volume: &str, why: &str, pods: &[&Pod], out: &mut Outcome) {
    for pod in pods {
        failed(pod, format!("AttachVolume.Attach failed for volume {volume:?} : {why}"), out);
    }
}

/// Models `reportMultiAttachError`: nobody hears the names of pods in other namespaces.
pub fn attached_elsewhere(cx: &Cx, volume: &str, nodes: &[String], pods: &[&Pod], out: &mut Outcome) {
    let others: Vec<&Pod> =
        nodes.iter().flat_map(|n| wanted::on_node(cx.view, n).remove(volume).map(|(_, p)| p)).flatten().collect();
    for pod in pods {
        let (local, foreign): (Vec<&Pod>, Vec<&Pod>) =
            others.iter().partition(|p| p.metadata.namespace == pod.metadata.namespace);
        let names: Vec<&str> = local.iter().map(|p| text(&p.metadata.name)).collect();
        let why = match (names.is_empty(), foreign.len()) {
            (true, 0) => "Volume is already exclusively attached to one node and can't be attached to another".into(),
            (true, n) => format!("Volume is already used by {n} pod(s) in different namespaces"),
            (false, 0) => format!("Volume is already used by pod(s) {}", names.join(", ")),
            (false, n) => {
                format!("Volume is already used by pod(s) {} and {n} pod(s) in different namespaces", names.join(", "))
            }
        };
        failed(pod, format!("Multi-Attach error for volume {volume:?} {why}"), out);
    }
}
