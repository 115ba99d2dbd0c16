//! Containers that are another one now: their image was changed. Models `containerChanged` in `computePodActions` of
//! `pkg/kubelet/kuberuntime/kuberuntime_manager.go`; of a container's spec only name and image are compared.

use super::backoff::Backoff;
use super::{PodWorker, Role, Stage, SyncCx};
use k8s_openapi::api::core::v1::{Pod, PodSpec};
use meta::Time;
use trace::note;

impl PodWorker {
    /// Back-off is about one image: another one is tried at once. A pull under way ends first.
    pub(super) fn follow_images(&mut self, spec: &PodSpec) {
        for state in &mut self.containers {
            // Ephemeral containers never change.
            if state.role == Role::Ephemeral || matches!(state.stage, Stage::Pulling { .. }) {
                continue;
            }
            let Some(c) = state.spec(spec) else { continue };
            let image = c.image.as_deref().unwrap_or("");
            if image != state.image {
                state.image = image.into();
                state.crash_backoff = Backoff::default();
                state.pull_backoff = Backoff::default();
                state.pull_error.clear();
                state.retry_at = Time(0);
            }
        }
    }

    /// Stops what runs another image than the spec says, to start it anew.
    pub(super) fn replace_changed(&mut self, pod: &Pod, spec: &PodSpec, cx: &mut SyncCx) {
        if self.phase_is_final(spec) {
            return;
        }
        for c in 0..self.containers.len() {
            let state = &self.containers[c];
            let changed = state.run.as_ref().is_some_and(|r| r.image != state.image);
            if !changed || state.stopping.is_some() || !state.is_up() {
                continue;
            }
            let message = match state.role {
                Role::Main => format!("Container {} definition changed, will be restarted", state.name),
                Role::Sidecar if state.started => format!("Init container {} definition changed", state.name),
                _ => continue,
            };
            cx.note(note!("kubelet.container-changed", container = &state.name, image = &state.image));
            self.containers[c].anew = true;
            self.stop(c, super::sync::spec_grace(spec), &message, pod, spec, cx);
        }
    }

    /// A step that ends containers and starts them anew is under way: the pod's status is written after it.
    pub fn is_replacing(&self) -> bool {
        self.terminating.is_none() && self.containers.iter().any(|c| c.anew && c.stage != Stage::Running)
    }
}
