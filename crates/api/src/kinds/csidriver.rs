//! CSIDriver. Models `pkg/registry/storage/csidriver`, `pkg/apis/storage/v1/defaults.go` and `ValidateCSIDriver`.

use super::{register, storage};
use crate::registration::{Cell, Column, Registration, Scope};
use crate::table;
use crate::validate::{immutable, text};
use k8s_openapi::api::storage::v1::CSIDriver;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, CSIDriver);

impl Registration for Reg {
    type Type = CSIDriver;
    const PLURAL: &'static str = "csidrivers";
    const SINGULAR: &'static str = "csidriver";
    const SCOPE: Scope = Scope::Cluster;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("AttachRequired", "boolean", 0)
            .describe("Whether the volume attach operation is required for this CSI driver."),
        Column::new("PodInfoOnMount", "boolean", 0)
            .describe("Whether additional pod information is passed to the driver when a volume is mounted."),
        Column::new("StorageCapacity", "boolean", 0)
            .describe("Whether pod scheduling takes the driver's storage capacity into account."),
        Column::new("TokenRequests", "string", 0).describe("Audiences of the tokens that the driver is given."),
        Column::new("RequiresRepublish", "boolean", 0)
            .describe("Whether the driver wants to be called again and again while a volume is mounted."),
        Column::new("Modes", "string", 0).describe("Kinds of volumes that the driver supports."),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata:
  name: disk.example.com
spec:
  attachRequired: true
  storageCapacity: true
";

    fn default(o: &mut CSIDriver) {
        let s = &mut o.spec;
        s.attach_required.get_or_insert(true);
        s.pod_info_on_mount.get_or_insert(false);
        s.storage_capacity.get_or_insert(false);
        s.fs_group_policy.get_or_insert_with(|| "ReadWriteOnceWithFSType".into());
        if s.volume_lifecycle_modes.as_ref().is_none_or(Vec::is_empty) {
            s.volume_lifecycle_modes = Some(vec!["Persistent".into()]);
        }
        s.requires_republish.get_or_insert(false);
        s.se_linux_mount.get_or_insert(false);
    }

    fn validate_create(o: &CSIDriver) -> Vec<FieldError> {
        let mut errors = Vec::new();
        storage::validate_driver_name(text(&o.metadata.name), &Path::new("metadata").child("name"), &mut errors);
        let path = Path::new("spec");
        for m in o.spec.volume_lifecycle_modes.iter().flatten() {
            if !matches!(m.as_str(), "Ephemeral" | "Persistent") {
                let at = path.child("volumeLifecycleModes");
                errors.push(FieldError::not_supported(&at, m.as_str(), &["Ephemeral", "Persistent"]));
            }
        }
        let policy = text(&o.spec.fs_group_policy);
        let policies = ["File", "None", "ReadWriteOnceWithFSType"];
        if !policies.contains(&policy) {
            errors.push(FieldError::not_supported(&path.child("fsGroupPolicy"), policy, &policies));
        }
        let requests = o.spec.token_requests.as_deref().unwrap_or_default();
        for (i, r) in requests.iter().enumerate() {
            let at = path.child("tokenRequests").index(i);
            if requests[..i].iter().any(|o| o.audience == r.audience) {
                errors.push(FieldError::duplicate(&at.child("audience"), r.audience.as_str()));
            }
            if let Some(s) = r.expiration_seconds.filter(|s| *s < 600) {
                let why = "may not specify a duration less than 10 minutes";
                errors.push(FieldError::invalid(&at.child("expirationSeconds"), s, why));
            }
        }
        errors
    }

    /// Models `ValidateCSIDriverUpdate`.
    fn validate_update(new: &CSIDriver, old: &CSIDriver) -> Vec<FieldError> {
        let mut errors = Self::validate_create(new);
        let path = Path::new("spec");
        let (n, o) = (&new.spec, &old.spec);
        immutable(&path.child("attachedRequired"), &n.attach_required, &o.attach_required, &mut errors);
        let modes = path.child("volumeLifecycleModes");
        immutable(&modes, &n.volume_lifecycle_modes, &o.volume_lifecycle_modes, &mut errors);
        errors
    }

    fn cells(o: &CSIDriver, now: Time) -> Vec<Cell> {
        let s = &o.spec;
        let audiences: Vec<&str> = s.token_requests.iter().flatten().map(|r| r.audience.as_str()).collect();
        let or_unset = |list: String| Cell::from(if list.is_empty() { "<unset>".into() } else { list });
        vec![
            table::name(&o.metadata),
            s.attach_required.unwrap_or(true).into(),
            s.pod_info_on_mount.unwrap_or(false).into(),
            s.storage_capacity.unwrap_or(false).into(),
            or_unset(audiences.join(",")),
            s.requires_republish.unwrap_or(false).into(),
            s.volume_lifecycle_modes.as_deref().unwrap_or_default().join(",").into(),
            table::age(&o.metadata, now),
        ]
    }
}
