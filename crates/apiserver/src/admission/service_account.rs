//! ServiceAccount: every pod runs as one, and gets its token mounted. Models
//! `plugin/pkg/admission/serviceaccount`.

use crate::server::Cx;
use api::{ObjectExt, references};
use k8s_openapi::api::core::v1::{
    ConfigMapProjection, Container, DownwardAPIProjection, DownwardAPIVolumeFile, KeyToPath, ObjectFieldSelector, Pod,
    ProjectedVolumeSource, ServiceAccount, ServiceAccountTokenProjection, Volume, VolumeMount, VolumeProjection,
};
use meta::{ApiError, names};

const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME_PREFIX: &str = "kube-api-access-";
/// The one second over an hour is upstream's: it tells these tokens apart.
const TOKEN_SECONDS: i64 = 3607;

pub(super) fn admit(cx: &mut Cx<'_>, pod: &mut Pod) -> Result<(), ApiError> {
    if references::is_mirror(pod) {
        return check_mirror(pod);
    }
    let namespace = pod.metadata.namespace.clone().unwrap_or_default();
    let spec = pod.spec.get_or_insert_default();
    let name = spec.service_account_name.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| "default".into());
    spec.service_account_name = Some(name.clone());
    // The deprecated alias is written on the way out by upstream's conversion.
    spec.service_account = Some(name.clone());
    let entry = cx.object(<ServiceAccount as api::Registered>::KIND_REF, &namespace, &name);
    let found = entry.and_then(|e| e.value.0.downcast::<ServiceAccount>()).cloned();
    // Upstream looks up to ten times, for about a second, for an account of this name. Nothing waits here: the account
    // that the controller is about to make is taken as made.
    let on_its_way = || (name == "default" && cx.accounts_come).then(ServiceAccount::default);
    let Some(account) = found.or_else(on_its_way) else {
        let why = format!("error looking up service account {namespace}/{name}: serviceaccount {name:?} not found");
        return Err(super::forbidden(pod, &why));
    };
    let automount = spec.automount_service_account_token.or(account.automount_service_account_token).unwrap_or(true);
    if spec.image_pull_secrets.as_ref().is_none_or(Vec::is_empty) {
        let secrets = account.image_pull_secrets.clone();
        spec.image_pull_secrets = secrets.filter(|s| !s.is_empty());
    }
    if automount {
        let spec = pod.spec.get_or_insert_default();
        let existing =
            spec.volumes.iter().flatten().find(|v| v.name.starts_with(VOLUME_PREFIX)).map(|v| v.name.clone());
        let has_volume = existing.is_some();
        let volume = existing.unwrap_or_else(|| format!("{VOLUME_PREFIX}{}", names::random_suffix(cx.rng, 5)));
        let mut needed = false;
        for c in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
            needed |= mount(c, &volume);
        }
        if needed && !has_volume {
            spec.volumes.get_or_insert_default().push(token_volume(volume));
        }
    }
    Ok(())
}

/// What a kubelet runs of its own accord gets nothing that only the API can give.
fn check_mirror(pod: &Pod) -> Result<(), ApiError> {
    let Some(spec) = &pod.spec else { return Ok(()) };
    let mut projected =
        spec.volumes.iter().flatten().filter_map(|v| v.projected.as_ref()).flat_map(|p| p.sources.iter().flatten());
    let why = match () {
        () if spec.service_account_name.as_deref().is_some_and(|n| !n.is_empty()) => {
            "a mirror pod may not reference service accounts"
        }
        () if references::secrets(spec).next().is_some() => "a mirror pod may not reference secrets",
        () if projected.any(|s| s.service_account_token.is_some()) => {
            "a mirror pod may not use ServiceAccountToken volume projections"
        }
        () => return Ok(()),
    };
    Err(super::forbidden(pod, why))
}

/// Whether the mount was added: a container may have its own at that path.
fn mount(c: &mut Container, volume: &str) -> bool {
    let mounts = c.volume_mounts.get_or_insert_default();
    if mounts.iter().any(|m| m.mount_path == MOUNT_PATH) {
        return false;
    }
    mounts.push(VolumeMount {
        name: volume.into(),
        read_only: Some(true),
        mount_path: MOUNT_PATH.into(),
        ..VolumeMount::default()
    });
    true
}

/// Models `TokenVolumeSource`.
fn token_volume(name: String) -> Volume {
    let token = ServiceAccountTokenProjection {
        path: "token".into(),
        expiration_seconds: Some(TOKEN_SECONDS),
        ..ServiceAccountTokenProjection::default()
    };
    let root = ConfigMapProjection {
        name: "kube-root-ca.crt".into(),
        items: Some(vec![KeyToPath { key: "ca.crt".into(), path: "ca.crt".into(), mode: None }]),
        ..ConfigMapProjection::default()
    };
    let namespace = DownwardAPIVolumeFile {
        path: "namespace".into(),
        field_ref: Some(ObjectFieldSelector {
            api_version: Some("v1".into()),
            field_path: "metadata.namespace".into(),
        }),
        ..DownwardAPIVolumeFile::default()
    };
    let sources = vec![
        VolumeProjection { service_account_token: Some(token), ..VolumeProjection::default() },
        VolumeProjection { config_map: Some(root), ..VolumeProjection::default() },
        VolumeProjection {
            downward_api: Some(DownwardAPIProjection { items: Some(vec![namespace]) }),
            ..VolumeProjection::default()
        },
    ];
    Volume {
        name,
        projected: Some(ProjectedVolumeSource { default_mode: Some(0o644), sources: Some(sources) }),
        ..Volume::default()
    }
}
