//! Attaching: a VolumeAttachment says what is wanted, and the driver's attacher does it.

use super::wanted::Volume;
use super::{AttachDetach, Attachment, attachment_name, events};
use api::Object;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::storage::v1::{VolumeAttachment, VolumeAttachmentSource, VolumeAttachmentSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::Duration;
use reconcile::{Cx, Intent, Outcome, Tolerate};
use std::collections::BTreeMap;
use trace::note;

/// How long the attacher may take: `--timeout` of the CSI plugin.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between complaints about one volume. Models `exponentialbackoff`.
const COMPLAINT_FIRST: Duration = Duration::from_millis(500);
const COMPLAINT_MAX: Duration = Duration::from_secs(122);

impl AttachDetach {
    /// Has what the node's pods need attached; what has been is put into `attached`.
    pub(super) fn attach(
        &mut self,
        cx: &Cx,
        name: &str,
        node: Option<&Node>,
        wanted: &BTreeMap<String, (Volume, Vec<&Pod>)>,
        attached: &mut BTreeMap<String, String>,
        out: &mut Outcome,
    ) {
        let Some(node) = node else { return };
        for (volume, (v, pods)) in wanted {
            if let Some(a) = self.attachments.get_mut(name).and_then(|of_node| of_node.get_mut(volume)) {
                let Some(object) = cx.view.get::<VolumeAttachment>(&a.name) else { continue };
                // One that is being deleted is made anew when it is gone.
                if (object as &dyn Object).meta().deletion_timestamp.is_none() {
                    progress(cx, node, a, object, volume, pods, attached, out);
                }
                continue;
            }
            let elsewhere: Vec<String> = self.nodes.get(volume).into_iter().flatten().cloned().collect();
            if !v.shared && !elsewhere.is_empty() {
                if self.waiting.entry(volume.clone()).or_default().insert(name.into()) {
                    events::attached_elsewhere(cx, volume, &elsewhere, pods, out);
                }
                continue;
            }
            let attachment = attachment_name(v, name);
            out.note(note!("volume.attach", volume = volume, node = &name));
            out.push(Intent::create(wanted_attachment(&attachment, v, name)).tolerate(Tolerate::AlreadyExists));
            out.requeue(PATIENCE);
            self.remember(cx, name, v, &attachment);
        }
    }
}

fn wanted_attachment(name: &str, v: &Volume, node: &str) -> VolumeAttachment {
    VolumeAttachment {
        metadata: ObjectMeta { name: Some(name.into()), ..Default::default() },
        spec: VolumeAttachmentSpec {
            attacher: v.driver.clone(),
            node_name: node.into(),
            source: VolumeAttachmentSource {
                persistent_volume_name: v.inline.is_none().then(|| v.name.clone()),
                inline_volume_spec: v.inline.clone(),
            },
        },
        status: None,
    }
}

/// How it goes with an attachment that is under way.
#[expect(clippy::too_many_arguments, reason = "all that is known of one volume on one node")]
fn progress(
    cx: &Cx,
    node: &Node,
    a: &mut Attachment,
    object: &VolumeAttachment,
    volume: &str,
    pods: &[&Pod],
    attached: &mut BTreeMap<String, String>,
    out: &mut Outcome,
) {
    let status = object.status.as_ref();
    let unique = a.unique();
    if status.is_some_and(|s| s.attached) {
        let said = node.status.iter().flat_map(|s| s.volumes_attached.iter().flatten()).any(|v| v.name == unique);
        attached.insert(unique, String::new());
        (a.began, a.failures) = (None, 0);
        if !said {
            events::attached(volume, pods, out);
        }
        return;
    }
    let began = *a.began.get_or_insert(cx.now);
    let error = status.and_then(|s| s.attach_error.as_ref()?.message.as_deref());
    let why = match error {
        Some(message) => message.to_string(),
        None if began + PATIENCE <= cx.now => {
            a.began = Some(cx.now);
            let (driver, handle) = (&a.driver, &a.handle);
            format!("timed out waiting for external-attacher of {driver} CSI driver to attach volume {handle}")
        }
        None => return out.requeue((began + PATIENCE).since(cx.now)),
    };
    if cx.now >= a.tell_at {
        events::not_attached(volume, &why, pods, out);
        let delay = Duration(COMPLAINT_FIRST.0.saturating_mul(1 << a.failures.min(20))).min(COMPLAINT_MAX);
        a.failures += 1;
        a.tell_at = cx.now + delay;
    }
    out.requeue(a.tell_at.since(cx.now).max(COMPLAINT_FIRST));
}
