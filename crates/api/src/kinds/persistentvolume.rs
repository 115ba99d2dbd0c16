//! PersistentVolume. Models `pkg/registry/core/persistentvolume` and `ValidatePersistentVolume`.

use super::pod::{self, defaults, visit_resource_list};
use super::{register, storage, storage_warnings};
use crate::registration::{Cell, Column, Registration, Scope, Subresource};
use crate::table;
use crate::validate::{immutable, invalid_json, text};
use k8s_openapi::api::core::v1::{
    HostPathVolumeSource, PersistentVolume, PersistentVolumeSpec, PersistentVolumeStatus,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, PersistentVolume);

impl Registration for Reg {
    type Type = PersistentVolume;
    const PLURAL: &'static str = "persistentvolumes";
    const SINGULAR: &'static str = "persistentvolume";
    const SHORT_NAMES: &'static [&'static str] = &["pv"];
    const SCOPE: Scope = Scope::Cluster;
    const SUBRESOURCES: &'static [Subresource] =
        &[Subresource { name: "status", gvk: None, verbs: super::STATUS_VERBS }];
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Capacity", "string", 0).describe(
            "capacity is the description of the persistent volume's resources and capacity. More info: \
             https://kubernetes.io/docs/concepts/storage/persistent-volumes#capacity",
        ),
        Column::new("Access Modes", "string", 0).describe(
            "accessModes contains all ways the volume can be mounted. More info: \
             https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes",
        ),
        Column::new("Reclaim Policy", "string", 0).describe(
            "persistentVolumeReclaimPolicy defines what happens to a persistent volume when released from its claim. \
             Valid options are Retain (default for manually created PersistentVolumes), Delete (default for \
             dynamically provisioned PersistentVolumes), and Recycle (deprecated). Recycle must be supported by the \
             volume plugin underlying this PersistentVolume. More info: \
             https://kubernetes.io/docs/concepts/storage/persistent-volumes#reclaiming",
        ),
        Column::new("Status", "string", 0).describe(
            "phase indicates if a volume is available, bound to a claim, or released by a claim. More info: \
             https://kubernetes.io/docs/concepts/storage/persistent-volumes#phase",
        ),
        Column::new("Claim", "string", 0).describe(
            "claimRef is part of a bi-directional binding between PersistentVolume and PersistentVolumeClaim. \
             Expected to be non-nil when bound. claim.VolumeName is the authoritative bind between PV and PVC. More \
             info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#binding",
        ),
        Column::new("StorageClass", "string", 0).describe("StorageClass of the pv"),
        Column::new("VolumeAttributesClass", "string", 0).describe(
            "Name of VolumeAttributesClass to which this persistent volume belongs. Empty value is not allowed. When \
             this field is not set, it indicates that this volume does not belong to any VolumeAttributesClass.",
        ),
        Column::new("Reason", "string", 0).describe(
            "reason is a brief CamelCase string that describes any failure and is meant for machine parsing and tidy \
             display in the CLI.",
        ),
        Column::AGE,
        Column::new("VolumeMode", "string", 1).describe(
            "volumeMode defines if a volume is intended to be used with a formatted filesystem or to remain in raw \
             block state. Value of Filesystem is implied when not included in spec.",
        ),
    ];
    const SAMPLE: &'static str = "\
apiVersion: v1
kind: PersistentVolume
metadata:
  name: disk-1
spec:
  capacity:
    storage: 5Gi
  accessModes:
  - ReadWriteOnce
  storageClassName: manual
  hostPath:
    path: /mnt/disk-1
";

    fn quantities(o: &mut PersistentVolume, f: &mut dyn FnMut(&mut ApiQuantity)) {
        if let Some(s) = &mut o.spec {
            visit_resource_list(&mut s.capacity, f);
        }
    }

    fn default(o: &mut PersistentVolume) {
        let spec = o.spec.get_or_insert_default();
        spec.persistent_volume_reclaim_policy.get_or_insert_with(|| "Retain".into());
        spec.volume_mode.get_or_insert_with(|| "Filesystem".into());
        if let Some(h) = &mut spec.host_path {
            h.type_.get_or_insert_default();
        }
        if let Some(s) = &mut spec.azure_disk {
            defaults::azure_disk(s);
        }
        if let Some(s) = &mut spec.iscsi {
            defaults::set(&mut s.iscsi_interface, defaults::ISCSI_INTERFACE);
        }
        if let Some(s) = &mut spec.rbd {
            defaults::rbd(&mut s.pool, &mut s.user, &mut s.keyring);
        }
        if let Some(s) = &mut spec.scale_io {
            defaults::scale_io(&mut s.storage_mode, &mut s.fs_type);
        }
        o.status.get_or_insert_default().phase.get_or_insert_with(|| "Pending".into());
    }

    fn prepare_create(o: &mut PersistentVolume) {
        o.status = Some(PersistentVolumeStatus {
            phase: Some("Pending".into()),
            last_phase_transition_time: o.metadata.creation_timestamp.clone(),
            ..Default::default()
        });
    }
    fn prepare_update(new: &mut PersistentVolume, old: &PersistentVolume) {
        new.status.clone_from(&old.status);
    }
    fn prepare_status(new: &mut PersistentVolume, old: &PersistentVolume) {
        new.spec.clone_from(&old.spec);
    }

    fn validate_create(o: &PersistentVolume) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let none = PersistentVolumeSpec::default();
        validate_spec(o.spec.as_ref().unwrap_or(&none), &Path::new("spec"), &mut errors);
        errors
    }

    /// Models `ValidatePersistentVolumeUpdate`.
    fn validate_update(new: &PersistentVolume, old: &PersistentVolume) -> Vec<FieldError> {
        let mut errors = Self::validate_create(new);
        let (Some(n), Some(o)) = (&new.spec, &old.spec) else { return errors };
        let (now, before) = (storage::source_of(n), storage::source_of(o));
        if now != before {
            let why = "spec.persistentvolumesource is immutable after creation";
            let path = Path::new("spec").child("persistentvolumesource");
            errors.push(storage::changed(&path, why, &now, &before));
        }
        immutable(&Path::new("volumeMode"), &n.volume_mode, &o.volume_mode, &mut errors);
        if o.node_affinity.is_some() {
            immutable(&Path::new("nodeAffinity"), &n.node_affinity, &o.node_affinity, &mut errors);
        }
        errors
    }

    fn warnings(o: &PersistentVolume) -> Vec<String> {
        storage_warnings::volume(o)
    }

    fn cells(o: &PersistentVolume, now: Time) -> Vec<Cell> {
        let (no_spec, no_status) = (PersistentVolumeSpec::default(), PersistentVolumeStatus::default());
        let (spec, status) = (o.spec.as_ref().unwrap_or(&no_spec), o.status.as_ref().unwrap_or(&no_status));
        let phase = if o.metadata.deletion_timestamp.is_some() { "Terminating" } else { text(&status.phase) };
        let claim = spec.claim_ref.as_ref().map(|r| format!("{}/{}", text(&r.namespace), text(&r.name)));
        let attributes = spec.volume_attributes_class_name.as_deref().filter(|a| !a.is_empty());
        vec![
            table::name(&o.metadata),
            spec.capacity.as_ref().and_then(|c| c.get("storage")).map_or("0", |q| q.0.as_str()).into(),
            storage::access_modes_text(spec.access_modes.as_ref()).into(),
            text(&spec.persistent_volume_reclaim_policy).into(),
            phase.into(),
            claim.unwrap_or_default().into(),
            storage::class(&o.metadata, spec.storage_class_name.as_ref()).into(),
            attributes.unwrap_or("<unset>").into(),
            text(&status.reason).into(),
            table::age(&o.metadata, now),
            spec.volume_mode.as_deref().unwrap_or("<unset>").into(),
        ]
    }
}

/// Models `ValidatePersistentVolumeSpec`.
pub fn validate_spec(spec: &PersistentVolumeSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let modes = spec.access_modes.as_deref().unwrap_or_default();
    storage::validate_access_modes(modes, "", &path.child("accessModes"), errors);
    let at = path.child("capacity");
    let capacity = spec.capacity.as_ref().filter(|c| !c.is_empty());
    match capacity {
        None => errors.push(FieldError::required(&at, "")),
        Some(c) if !c.contains_key("storage") || c.len() > 1 => {
            let mut e = FieldError::not_supported(&at, "", &["storage"]);
            e.value = invalid_json(&at, c, "").value;
            errors.push(e);
        }
        Some(_) => {}
    }
    for (name, q) in capacity.into_iter().flatten() {
        storage::validate_positive(q, &at.key(name), errors);
    }
    let policy = text(&spec.persistent_volume_reclaim_policy);
    if !matches!(policy, "" | "Delete" | "Recycle" | "Retain") {
        let at = path.child("persistentVolumeReclaimPolicy");
        errors.push(FieldError::not_supported(&at, policy, &["Delete", "Recycle", "Retain"]));
    }
    if let Some(affinity) = &spec.node_affinity {
        let at = path.child("nodeAffinity").child("required");
        match &affinity.required {
            None => errors.push(FieldError::required(&at, "must specify required node constraints")),
            Some(s) => pod::affinity::node_selector(s, &at, errors),
        }
    }
    sources(spec, path, errors);
    if spec.host_path.as_ref().is_some_and(|h| h.path == "/") && policy == "Recycle" {
        let why = "may not be 'recycle' for a hostPath mount of '/'";
        errors.push(FieldError::forbidden(&path.child("persistentVolumeReclaimPolicy"), why));
    }
    if let Some(c) = spec.storage_class_name.as_deref().filter(|c| !c.is_empty()) {
        storage::validate_class_name(c, &path.child("storageClassName"), errors);
    }
    storage::validate_volume_mode(spec.volume_mode.as_ref(), &path.child("volumeMode"), errors);
}

/// One source, and what can be said of the common ones.
fn sources(spec: &PersistentVolumeSpec, path: &Path, errors: &mut Vec<FieldError>) {
    let given = [
        ("hostPath", spec.host_path.is_some()),
        ("gcePersistentDisk", spec.gce_persistent_disk.is_some()),
        ("awsElasticBlockStore", spec.aws_elastic_block_store.is_some()),
        ("glusterfs", spec.glusterfs.is_some()),
        ("flocker", spec.flocker.is_some()),
        ("nfs", spec.nfs.is_some()),
        ("rbd", spec.rbd.is_some()),
        ("quobyte", spec.quobyte.is_some()),
        ("cephFS", spec.cephfs.is_some()),
        ("iscsi", spec.iscsi.is_some()),
        ("cinder", spec.cinder.is_some()),
        ("fc", spec.fc.is_some()),
        ("flexVolume", spec.flex_volume.is_some()),
        ("azureFile", spec.azure_file.is_some()),
        ("vsphereVolume", spec.vsphere_volume.is_some()),
        ("photonPersistentDisk", spec.photon_persistent_disk.is_some()),
        ("portworxVolume", spec.portworx_volume.is_some()),
        ("azureDisk", spec.azure_disk.is_some()),
        ("scaleIO", spec.scale_io.is_some()),
        ("local", spec.local.is_some()),
        ("storageos", spec.storageos.is_some()),
        ("csi", spec.csi.is_some()),
    ];
    let mut given = given.iter().filter(|(_, is)| *is);
    if given.next().is_none() {
        errors.push(FieldError::required(path, "must specify a volume type"));
    }
    for (name, _) in given {
        errors.push(FieldError::forbidden(&path.child(name), "may not specify more than 1 volume type"));
    }
    let required = |value: &str, path: Path, errors: &mut Vec<FieldError>| {
        if value.is_empty() {
            errors.push(FieldError::required(&path, ""));
        }
    };
    if let Some(h) = &spec.host_path {
        host_path(h, &path.child("hostPath"), errors);
    }
    if let Some(l) = &spec.local {
        let at = path.child("local").child("path");
        required(&l.path, at.clone(), errors);
        pod::volumes::backsteps(&l.path, &at, errors);
        if spec.node_affinity.is_none() {
            let why = "Local volume requires node affinity";
            errors.push(FieldError::required(&Path::new("metadata").child("annotations"), why));
        }
    }
    if let Some(n) = &spec.nfs {
        let at = path.child("nfs");
        required(&n.server, at.child("server"), errors);
        required(&n.path, at.child("path"), errors);
        if !n.path.starts_with('/') {
            errors.push(FieldError::invalid(&at.child("path"), n.path.as_str(), "must be an absolute path"));
        }
    }
    if let Some(c) = &spec.csi {
        let at = path.child("csi");
        storage::validate_driver_name(&c.driver, &at.child("driver"), errors);
        required(&c.volume_handle, at.child("volumeHandle"), errors);
    }
}

fn host_path(h: &HostPathVolumeSource, at: &Path, errors: &mut Vec<FieldError>) {
    if h.path.is_empty() {
        errors.push(FieldError::required(&at.child("path"), ""));
        return;
    }
    pod::volumes::backsteps(&h.path, &at.child("path"), errors);
    let types = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
    if !types.contains(&text(&h.type_)) {
        errors.push(FieldError::not_supported(&at.child("type"), text(&h.type_), &types));
    }
}
