//! Detaching: when nobody wants the volume and the node does not use it any more, or cannot be waited for.

use super::wanted::Volume;
use super::{AttachDetach, FORCE_DETACH};
use api::Object;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::storage::v1::VolumeAttachment;
use reconcile::{Cx, Intent, Outcome};
use std::collections::BTreeMap;
use trace::note;

const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

pub fn is_ready(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|s| s.conditions.iter().flatten());
    conditions.into_iter().any(|c| c.type_ == "Ready" && c.status == "True")
}

pub fn is_out_of_service(node: &Node) -> bool {
    node.spec.iter().flat_map(|s| s.taints.iter().flatten()).any(|t| t.key == OUT_OF_SERVICE)
}

/// The node says that it uses the volume.
fn uses(node: &Node, unique: &str) -> bool {
    node.status.iter().flat_map(|s| s.volumes_in_use.iter().flatten()).any(|v| v == unique)
}

impl AttachDetach {
    /// Begins to detach what may go; what stays attached is put into `attached`.
    pub(super) fn detach(
        &mut self,
        cx: &Cx,
        name: &str,
        node: Option<&Node>,
        wanted: &BTreeMap<String, (Volume, Vec<&Pod>)>,
        attached: &mut BTreeMap<String, String>,
        out: &mut Outcome,
    ) {
        let Some(of_node) = self.attachments.get_mut(name) else { return };
        for (volume, a) in of_node.iter_mut() {
            let Some(object) = cx.view.get::<VolumeAttachment>(&a.name) else { continue };
            if let Some(node) = node {
                a.mounted = uses(node, &a.unique());
            }
            let leaves = (object as &dyn Object).meta().deletion_timestamp.is_some();
            let is_attached = object.status.as_ref().is_some_and(|s| s.attached);
            if wanted.contains_key(volume) {
                a.unwanted = None;
                if is_attached && !leaves {
                    attached.insert(a.unique(), String::new());
                }
                continue;
            }
            if leaves {
                continue;
            }
            let since = *a.unwanted.get_or_insert(cx.now);
            let waited = cx.now.since(since);
            if a.mounted && !node.is_some_and(is_out_of_service) {
                let alive = node.is_some_and(is_ready);
                if alive || waited < FORCE_DETACH {
                    // It may still write to it.
                    if is_attached {
                        attached.insert(a.unique(), String::new());
                    }
                    if waited < FORCE_DETACH {
                        out.requeue((since + FORCE_DETACH).since(cx.now));
                    }
                    continue;
                }
                out.note(note!("volume.force-detach", volume = volume, node = &name));
            }
            out.push(Intent::delete(object));
            out.note(note!("volume.detach", volume = volume, node = &name));
        }
    }
}
