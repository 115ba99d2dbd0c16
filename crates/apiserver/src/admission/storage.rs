//! DefaultStorageClass and StorageObjectInUseProtection: a claim without a class gets the default one, and nothing that
//! is in use disappears. Models `plugin/pkg/admission/storage`.

use super::forbidden;
use crate::keys;
use crate::server::Cx;
use api::kinds::storage::{CLASS_ANNOTATION, class};
use api::kinds::storageclass::default_of;
use api::{ObjectExt, Registered};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{ApiError, Quantity};

const CLAIM_FINALIZER: &str = "kubernetes.io/pvc-protection";
const VOLUME_FINALIZER: &str = "kubernetes.io/pv-protection";

pub(super) fn admit_claim(cx: &Cx<'_>, claim: &mut PersistentVolumeClaim) {
    let annotated = claim.metadata.annotations.as_ref().is_some_and(|a| a.contains_key(CLASS_ANNOTATION));
    let spec = claim.spec.get_or_insert_default();
    if spec.storage_class_name.is_none() && !annotated {
        let prefix = keys::prefix(StorageClass::KIND_REF, "");
        let end = keys::range_end(&prefix);
        let all = cx.store.iter_range(&prefix, &end);
        let class = default_of(all.filter_map(|(_, e)| e.value.0.downcast()));
        spec.storage_class_name = class.and_then(|c| c.metadata.name.clone());
    }
    protect(&mut claim.metadata, CLAIM_FINALIZER);
}

/// PersistentVolumeClaimResize: a claim grows only when it is bound and its class lets it. Models
/// `plugin/pkg/admission/storage/persistentvolume/resize`.
pub(super) fn check_resize(
    cx: &Cx<'_>,
    new: &PersistentVolumeClaim,
    old: &PersistentVolumeClaim,
) -> Result<(), ApiError> {
    let size = |c: &PersistentVolumeClaim| {
        let requests = c.spec.as_ref().and_then(|s| s.resources.as_ref()?.requests.as_ref());
        requests.and_then(|r| r.get("storage")).map(Quantity::of).unwrap_or_default()
    };
    if size(new) <= size(old) {
        return Ok(());
    }
    if old.status.as_ref().and_then(|s| s.phase.as_deref()) != Some("Bound") {
        return Err(forbidden(new, "Only bound persistent volume claims can be expanded"));
    }
    fn class_of(c: &PersistentVolumeClaim) -> &str {
        class(&c.metadata, c.spec.as_ref().and_then(|s| s.storage_class_name.as_ref()))
    }
    let entry = cx.object(StorageClass::KIND_REF, "", class_of(new));
    let expands = entry.and_then(|e| e.value.0.downcast::<StorageClass>()).and_then(|c| c.allow_volume_expansion);
    if expands == Some(true) && class_of(new) == class_of(old) {
        return Ok(());
    }
    let why = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support \
               resize";
    Err(forbidden(new, why))
}

pub(super) fn admit_volume(volume: &mut PersistentVolume) {
    protect(&mut volume.metadata, VOLUME_FINALIZER);
}

fn protect(meta: &mut ObjectMeta, finalizer: &str) {
    let finalizers = meta.finalizers.get_or_insert_default();
    if !finalizers.iter().any(|f| f == finalizer) {
        finalizers.push(finalizer.into());
    }
}
