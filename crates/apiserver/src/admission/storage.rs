//! DefaultStorageClass and StorageObjectInUseProtection: a claim without a class gets the default one, and nothing that
//! is in use disappears. Models `plugin/pkg/admission/storage`.

use crate::keys;
use crate::server::Cx;
use api::kinds::storage::CLASS_ANNOTATION;
use api::kinds::storageclass::default_of;
use api::{ObjectExt, Registered};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

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

pub(super) fn admit_volume(volume: &mut PersistentVolume) {
    protect(&mut volume.metadata, VOLUME_FINALIZER);
}

fn protect(meta: &mut ObjectMeta, finalizer: &str) {
    let finalizers = meta.finalizers.get_or_insert_default();
    if !finalizers.iter().any(|f| f == finalizer) {
        finalizers.push(finalizer.into());
    }
}
