//! VolumeAttachment. Models `pkg/registry/storage/volumeattachment` and `ValidateVolumeAttachment`.

use super::{register, storage};
use crate::registration::{Cell, Column, Registration, Scope, Subresource};
use crate::table;
use crate::validate::{immutable, text};
use k8s_openapi::api::storage::v1::VolumeAttachment;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, VolumeAttachment);

const NAME_MAX: usize = 253;

impl Registration for Reg {
    type Type = VolumeAttachment;
    const PLURAL: &'static str = "volumeattachments";
    const SINGULAR: &'static str = "volumeattachment";
    const SCOPE: Scope = Scope::Cluster;
    const SUBRESOURCES: &'static [Subresource] =
        &[Subresource { name: "status", gvk: None, verbs: super::STATUS_VERBS }];
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Attacher", "string", 0).describe(
            "attacher indicates the name of the volume driver that MUST handle this request. This is the name \
             returned by GetPluginName().",
        ),
        Column::new("PV", "string", 0)
            .describe("persistentVolumeName represents the name of the persistent volume to attach."),
        Column::new("Node", "string", 0)
            .describe("nodeName represents the node that the volume should be attached to."),
        Column::new("Attached", "boolean", 0).describe(
            "attached indicates the volume is successfully attached. This field must only be set by the entity \
             completing the attach operation, i.e. the external-attacher.",
        ),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: storage.k8s.io/v1
kind: VolumeAttachment
metadata:
  name: disk-1-on-node-1
spec:
  attacher: disk.example.com
  nodeName: node-1
  source:
    persistentVolumeName: disk-1
";

    fn prepare_create(o: &mut VolumeAttachment) {
        o.status = Some(Default::default());
    }
    fn prepare_update(new: &mut VolumeAttachment, old: &VolumeAttachment) {
        new.status.clone_from(&old.status);
    }
    fn prepare_status(new: &mut VolumeAttachment, old: &VolumeAttachment) {
        new.spec.clone_from(&old.spec);
    }

    fn validate_create(o: &VolumeAttachment) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let path = Path::new("spec");
        let s = &o.spec;
        storage::validate_driver_name(&s.attacher, &path.child("attacher"), &mut errors);
        let at = path.child("source");
        match (&s.source.inline_volume_spec, &s.source.persistent_volume_name) {
            (None, None) => {
                errors.push(FieldError::required(
                    &at,
                    "must specify exactly one of inlineVolumeSpec and persistentVolumeName",
                ));
            }
            (Some(_), Some(_)) => {
                let why = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
                errors.push(FieldError::forbidden(&at, why));
            }
            (None, Some(name)) if name.is_empty() => {
                errors.push(FieldError::required(
                    &at.child("persistentVolumeName"),
                    "must specify non empty persistentVolumeName",
                ));
            }
            (None, Some(name)) => {
                storage::validate_class_name(name, &at.child("persistentVolumeName"), &mut errors);
            }
            (Some(inline), None) => {
                super::persistentvolume::validate_spec(inline, &at.child("inlineVolumeSpec"), &mut errors);
            }
        }
        storage::validate_class_name(&s.node_name, &path.child("nodeName"), &mut errors);
        if text(&o.metadata.name).len() > NAME_MAX {
            errors.push(FieldError::too_long(&Path::new("metadata").child("name"), NAME_MAX));
        }
        errors
    }

    /// Models `ValidateVolumeAttachmentUpdate`.
    fn validate_update(new: &VolumeAttachment, old: &VolumeAttachment) -> Vec<FieldError> {
        let mut errors = Self::validate_create(new);
        immutable(&Path::new("spec"), &new.spec, &old.spec, &mut errors);
        errors
    }

    fn cells(o: &VolumeAttachment, now: Time) -> Vec<Cell> {
        vec![
            table::name(&o.metadata),
            o.spec.attacher.as_str().into(),
            text(&o.spec.source.persistent_volume_name).into(),
            o.spec.node_name.as_str().into(),
            o.status.as_ref().is_some_and(|s| s.attached).into(),
            table::age(&o.metadata, now),
        ]
    }
}
