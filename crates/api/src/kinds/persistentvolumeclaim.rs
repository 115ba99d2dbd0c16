//! PersistentVolumeClaim. Models `pkg/registry/core/persistentvolumeclaim` and `ValidatePersistentVolumeClaim`.

use super::pod::visit_resource_list;
use super::{register, storage, storage_warnings};
use crate::registration::{Cell, Column, Registration, Subresource};
use crate::table;
use crate::validate::{immutable, text, validate_label_selector};
use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeClaimStatus, TypedLocalObjectReference,
    TypedObjectReference,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use meta::{FieldError, Path, Quantity, Time};

pub struct Reg;
register!(Reg, PersistentVolumeClaim);

impl Registration for Reg {
    type Type = PersistentVolumeClaim;
    const PLURAL: &'static str = "persistentvolumeclaims";
    const SINGULAR: &'static str = "persistentvolumeclaim";
    const SHORT_NAMES: &'static [&'static str] = &["pvc"];
    const SUBRESOURCES: &'static [Subresource] =
        &[Subresource { name: "status", gvk: None, verbs: super::STATUS_VERBS }];
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Status", "string", 0).describe("phase represents the current phase of PersistentVolumeClaim."),
        Column::new("Volume", "string", 0)
            .describe("volumeName is the binding reference to the PersistentVolume backing this claim."),
        Column::new("Capacity", "string", 0)
            .describe("capacity represents the actual resources of the underlying volume."),
        Column::new("Access Modes", "string", 0).describe(
            "accessModes contains the actual access modes the volume backing the PVC has. More info: \
             https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes-1",
        ),
        Column::new("StorageClass", "string", 0).describe(
            "storageClassName is the name of the StorageClass required by the claim. More info: \
             https://kubernetes.io/docs/concepts/storage/persistent-volumes#class-1",
        ),
        Column::new("VolumeAttributesClass", "string", 0).describe(
            "currentVolumeAttributesClassName is the current name of the VolumeAttributesClass the PVC is using. When \
             unset, there is no VolumeAttributeClass applied to this PersistentVolumeClaim",
        ),
        Column::AGE,
        Column::new("VolumeMode", "string", 1).describe(
            "volumeMode defines what type of volume is required by the claim. Value of Filesystem is implied when not \
             included in claim spec.",
        ),
    ];
    const SAMPLE: &'static str = "\
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  accessModes:
  - ReadWriteOnce
  resources:
    requests:
      storage: 1Gi
";

    fn quantities(o: &mut PersistentVolumeClaim, f: &mut dyn FnMut(&mut ApiQuantity)) {
        if let Some(r) = o.spec.as_mut().and_then(|s| s.resources.as_mut()) {
            visit_resource_list(&mut r.limits, f);
            visit_resource_list(&mut r.requests, f);
        }
        if let Some(s) = &mut o.status {
            visit_resource_list(&mut s.capacity, f);
            visit_resource_list(&mut s.allocated_resources, f);
        }
    }

    fn default(o: &mut PersistentVolumeClaim) {
        let spec = o.spec.get_or_insert_default();
        spec.volume_mode.get_or_insert_with(|| "Filesystem".into());
        o.status.get_or_insert_default().phase.get_or_insert_with(|| "Pending".into());
    }

    fn prepare_create(o: &mut PersistentVolumeClaim) {
        o.status = Some(PersistentVolumeClaimStatus { phase: Some("Pending".into()), ..Default::default() });
        drop_other_sources(o.spec.get_or_insert_default());
        normalize_sources(o.spec.get_or_insert_default());
    }
    fn prepare_update(new: &mut PersistentVolumeClaim, old: &PersistentVolumeClaim) {
        new.status.clone_from(&old.status);
        if old.spec.as_ref().is_none_or(|s| s.data_source.is_none() && s.data_source_ref.is_none()) {
            drop_other_sources(new.spec.get_or_insert_default());
        }
        normalize_sources(new.spec.get_or_insert_default());
    }
    fn prepare_status(new: &mut PersistentVolumeClaim, old: &PersistentVolumeClaim) {
        new.spec.clone_from(&old.spec);
    }

    fn validate_create(o: &PersistentVolumeClaim) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let none = PersistentVolumeClaimSpec::default();
        validate_spec(o.spec.as_ref().unwrap_or(&none), &Path::new("spec"), &mut errors);
        errors
    }

    /// Models `ValidatePersistentVolumeClaimUpdate`.
    fn validate_update(new: &PersistentVolumeClaim, old: &PersistentVolumeClaim) -> Vec<FieldError> {
        let mut errors = Self::validate_create(new);
        let none = PersistentVolumeClaimSpec::default();
        let (n, o) = (new.spec.as_ref().unwrap_or(&none), old.spec.as_ref().unwrap_or(&none));
        let (mut fixed, mut before) = (n.clone(), o.clone());
        // The binder writes the volume once, a default class may come later.
        if text(&before.volume_name).is_empty() {
            before.volume_name.clone_from(&fixed.volume_name);
        }
        if before.storage_class_name.is_none() && storage::class(&old.metadata, None).is_empty() {
            before.storage_class_name.clone_from(&fixed.storage_class_name);
        }
        let bound = new.status.as_ref().is_some_and(|s| text(&s.phase) == "Bound");
        if bound
            && let Some(requests) = fixed.resources.as_mut().and_then(|r| r.requests.as_mut())
            && let Some(size) = o.resources.as_ref().and_then(|r| r.requests.as_ref()?.get("storage"))
        {
            requests.insert("storage".into(), size.clone());
        }
        before.volume_attributes_class_name.clone_from(&fixed.volume_attributes_class_name);
        if fixed != before {
            let why = "spec is immutable after creation except resources.requests and volumeAttributesClassName for \
                       bound claims";
            errors.push(storage::changed(&Path::new("spec"), why, &fixed, &before));
        }
        let capacity = old.status.as_ref().and_then(|s| s.capacity.as_ref()?.get("storage")).map(Quantity::of);
        if requested(n) < requested(o) && requested(n) <= capacity {
            let path = Path::new("spec").child("resources").child("requests").child("storage");
            errors.push(FieldError::forbidden(&path, "field can not be less than status.capacity"));
        }
        immutable(&Path::new("volumeMode"), &n.volume_mode, &o.volume_mode, &mut errors);
        errors
    }

    /// Models `ValidatePersistentVolumeClaimStatusUpdate`.
    fn validate_status(new: &PersistentVolumeClaim, _old: &PersistentVolumeClaim) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let Some(s) = &new.status else { return errors };
        let path = Path::new("status").child("capacity");
        for (name, q) in s.capacity.iter().flatten() {
            super::pod::validate_quantity(name, q, &path.key(name), &mut errors);
        }
        errors
    }

    fn warnings(o: &PersistentVolumeClaim) -> Vec<String> {
        storage_warnings::claim(o)
    }

    fn cells(o: &PersistentVolumeClaim, now: Time) -> Vec<Cell> {
        let (no_spec, no_status) = (PersistentVolumeClaimSpec::default(), PersistentVolumeClaimStatus::default());
        let (spec, status) = (o.spec.as_ref().unwrap_or(&no_spec), o.status.as_ref().unwrap_or(&no_status));
        let phase = if o.metadata.deletion_timestamp.is_some() { "Terminating" } else { text(&status.phase) };
        let bound = !text(&spec.volume_name).is_empty();
        let capacity = status.capacity.as_ref().and_then(|c| c.get("storage")).filter(|_| bound);
        let modes = if bound { storage::access_modes_text(status.access_modes.as_ref()) } else { String::new() };
        let attributes = status.current_volume_attributes_class_name.as_deref();
        vec![
            table::name(&o.metadata),
            phase.into(),
            text(&spec.volume_name).into(),
            // Of a bound claim without a capacity upstream prints the zero value.
            capacity.map_or(if bound { "0" } else { "" }, |q| q.0.as_str()).into(),
            modes.into(),
            storage::class(&o.metadata, spec.storage_class_name.as_ref()).into(),
            attributes.filter(|a| !a.is_empty()).unwrap_or("<unset>").into(),
            table::age(&o.metadata, now),
            spec.volume_mode.as_deref().unwrap_or("<unset>").into(),
        ]
    }
}

fn requested(spec: &PersistentVolumeClaimSpec) -> Option<Quantity> {
    spec.resources.as_ref()?.requests.as_ref()?.get("storage").map(Quantity::of)
}

/// What clients from before `dataSourceRef` said in vain still means nothing. Models
/// `EnforceDataSourceBackwardsCompatibility`.
fn drop_other_sources(spec: &mut PersistentVolumeClaimSpec) {
    let is_known = |s: &TypedLocalObjectReference| {
        matches!(
            (text(&s.api_group), s.kind.as_str()),
            ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", "VolumeSnapshot")
        )
    };
    if spec.data_source_ref.is_none() && spec.data_source.as_ref().is_some_and(|s| !is_known(s)) {
        spec.data_source = None;
    }
}

/// `dataSource` and `dataSourceRef` say the same when one is given. Models `NormalizeDataSources`.
fn normalize_sources(spec: &mut PersistentVolumeClaimSpec) {
    match (&spec.data_source, &spec.data_source_ref) {
        (Some(s), None) => {
            spec.data_source_ref = Some(TypedObjectReference {
                api_group: s.api_group.clone(),
                kind: s.kind.clone(),
                name: s.name.clone(),
                namespace: None,
            });
        }
        (None, Some(r)) if text(&r.namespace).is_empty() => {
            spec.data_source = Some(TypedLocalObjectReference {
                api_group: r.api_group.clone(),
                kind: r.kind.clone(),
                name: r.name.clone(),
            });
        }
        _ => {}
    }
}

/// Models `ValidatePersistentVolumeClaimSpec`.
pub fn validate_spec(spec: &PersistentVolumeClaimSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let modes = spec.access_modes.as_deref().unwrap_or_default();
    storage::validate_access_modes(modes, "at least 1 access mode is required", &path.child("accessModes"), errors);
    if let Some(s) = &spec.selector {
        errors.extend(validate_label_selector(&path.child("selector"), s));
    }
    let at = path.child("resources").key("storage");
    match spec.resources.as_ref().and_then(|r| r.requests.as_ref()?.get("storage")) {
        None => errors.push(FieldError::required(&at, "")),
        Some(q) => storage::validate_positive(q, &at, errors),
    }
    if let Some(c) = spec.storage_class_name.as_deref().filter(|c| !c.is_empty()) {
        storage::validate_class_name(c, &path.child("storageClassName"), errors);
    }
    storage::validate_volume_mode(spec.volume_mode.as_ref(), &path.child("volumeMode"), errors);
    if let Some(s) = &spec.data_source {
        source(&s.name, &s.kind, text(&s.api_group), &path.child("dataSource"), errors);
    }
    if let Some(s) = &spec.data_source_ref {
        source(&s.name, &s.kind, text(&s.api_group), &path.child("dataSourceRef"), errors);
    }
}

/// Models `validateDataSource`.
fn source(name: &str, kind: &str, group: &str, path: &Path, errors: &mut Vec<FieldError>) {
    for (field, value) in [("name", name), ("kind", kind)] {
        if value.is_empty() {
            errors.push(FieldError::required(&path.child(field), ""));
        }
    }
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        errors.push(FieldError::invalid(
            path,
            kind,
            "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
        ));
    }
}
