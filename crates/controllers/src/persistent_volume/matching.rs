//! The volume that serves a claim best. Models `index.go` of the controller and `FindMatchingVolume` of
//! `k8s.io/component-helpers/storage/volume`.

use super::{claim_class, claim_ref, is_bound_to};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use meta::Quantity;
use meta::labels::Selector;
use reconcile::View;
use std::collections::BTreeMap;

fn access_modes(volume: &PersistentVolume) -> &[String] {
    volume.spec.as_ref().and_then(|s| s.access_modes.as_deref()).unwrap_or_default()
}

fn requested(claim: &PersistentVolumeClaim) -> Quantity {
    let requests = claim.spec.as_ref().and_then(|s| s.resources.as_ref()?.requests.as_ref());
    requests.and_then(|r| r.get("storage")).map(Quantity::of).unwrap_or_default()
}

fn capacity(volume: &PersistentVolume) -> Quantity {
    let capacity = volume.spec.as_ref().and_then(|s| s.capacity.as_ref()?.get("storage"));
    capacity.map(Quantity::of).unwrap_or_default()
}

fn class(volume: &PersistentVolume) -> &str {
    let field = volume.spec.as_ref().and_then(|s| s.storage_class_name.as_ref());
    api::kinds::storage::class(&volume.metadata, field)
}

fn same_mode(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> bool {
    let mode = |m: Option<&String>| m.map_or("Filesystem", |m| m.as_str()).to_string();
    mode(claim.spec.as_ref().and_then(|s| s.volume_mode.as_ref()))
        == mode(volume.spec.as_ref().and_then(|s| s.volume_mode.as_ref()))
}

fn has_modes(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> bool {
    let wanted = claim.spec.as_ref().and_then(|s| s.access_modes.as_deref()).unwrap_or_default();
    wanted.iter().all(|m| access_modes(volume).contains(m))
}

/// Volumes with the fewest access modes are looked at first. With `delayed`, only a volume that is reserved for the
/// claim will do: the scheduler chooses among the others.
pub fn best<'a>(view: &'a View, claim: &PersistentVolumeClaim, delayed: bool) -> Option<&'a PersistentVolume> {
    let mut by_modes: BTreeMap<(usize, Vec<&String>), Vec<&PersistentVolume>> = BTreeMap::new();
    for volume in view.list::<PersistentVolume>().filter(|v| has_modes(claim, v)) {
        let mut modes: Vec<&String> = access_modes(volume).iter().collect();
        modes.sort();
        by_modes.entry((modes.len(), modes)).or_default().push(volume);
    }
    by_modes.values().find_map(|volumes| smallest(volumes, claim, delayed))
}

fn smallest<'a>(
    volumes: &[&'a PersistentVolume],
    claim: &PersistentVolumeClaim,
    delayed: bool,
) -> Option<&'a PersistentVolume> {
    let size = requested(claim);
    let selector = claim.spec.as_ref().and_then(|s| s.selector.as_ref());
    let selector = selector.map(|s| Selector::from_api(Some(s)).unwrap_or(Selector::Nothing));
    let mut found: Option<(Quantity, &PersistentVolume)> = None;
    for volume in volumes {
        let reserved = is_bound_to(volume, claim);
        if (claim_ref(volume).is_some() && !reserved)
            || capacity(volume) < size
            || !same_mode(claim, volume)
            || volume.metadata.deletion_timestamp.is_some()
        {
            continue;
        }
        if reserved {
            return Some(volume);
        }
        let available = volume.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Available");
        if !delayed
            && available
            && selector.as_ref().is_none_or(|s| s.matches(volume.metadata.labels.as_ref()))
            && class(volume) == claim_class(claim)
            && found.is_none_or(|(least, _)| least > capacity(volume))
        {
            found = Some((capacity(volume), volume));
        }
    }
    found.map(|(_, volume)| volume)
}

/// Models `checkVolumeSatisfyClaim`.
///
/// # Errors
/// Why the volume that the claim names will not do.
pub fn satisfies(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> Result<(), &'static str> {
    if capacity(volume) < requested(claim) {
        return Err("requested PV is too small");
    }
    if class(volume) != claim_class(claim) {
        return Err("storageClassName does not match");
    }
    if !same_mode(claim, volume) {
        return Err("incompatible volumeMode");
    }
    if has_modes(claim, volume) { Ok(()) } else { Err("incompatible accessMode") }
}

/// Whether a claim and the volume reserved for it are of one mode.
pub fn modes_agree(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    same_mode(claim, volume)
}
