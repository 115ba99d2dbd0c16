//! Events about pods and their containers. Models `pkg/kubelet/events/event.go`.

use super::SyncCx;
use crate::pod::PodWorker;
use k8s_openapi::api::core::v1::Pod;
use reconcile::{EventType, Intent, Tolerate, Write, intent::reference};

/// An event about the whole pod.
pub fn pod(cx: &mut SyncCx, pod: &Pod, event_type: EventType, reason: &str, message: impl Into<String>) {
    cx.intents.push(Intent::event(pod, event_type, reason, message));
}

/// An event about one container: `involvedObject.fieldPath` is `spec.containers{name}`.
pub fn container(
    cx: &mut SyncCx,
    w: &PodWorker,
    pod: &Pod,
    c: usize,
    event_type: EventType,
    reason: &str,
    message: impl Into<String>,
) {
    let state = &w.containers[c];
    let list = match state.role {
        super::Role::Main => "containers",
        super::Role::Ephemeral => "ephemeralContainers",
        super::Role::Init | super::Role::Sidecar => "initContainers",
    };
    let mut regarding = reference(pod);
    regarding.field_path = Some(format!("spec.{list}{{{}}}", state.name));
    cx.intents.push(Intent {
        write: Write::Event { regarding, event_type, reason: reason.into(), message: message.into() },
        tolerate: Tolerate::Anything,
        announce: None,
    });
}
