//! Volumes that are images: pulled before a container starts, by the pod rather than by the container. Models
//! `getImageVolumes` and `toKubeContainerImageVolumes` of `pkg/kubelet/kuberuntime/kuberuntime_manager.go`.

use super::backoff::Backoff;
use super::images::default_policy;
use super::pull::{self, Found, Wanted};
use super::start::retry_time;
use super::token::FileData;
use super::{PodWorker, SyncCx, events};
use crate::sim::catalogue;
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, Volume};
use meta::{Duration, Time};
use reconcile::EventType::{Normal, Warning};
use std::collections::BTreeMap;
use trace::note;

/// What the kubelet knows of one volume's image.
#[derive(Clone, Debug, Default)]
pub struct VolumeImage {
    /// The pull under way, and since when.
    pulling: Option<(u64, Time)>,
    result: Option<Outcome>,
    backoff: Backoff,
    error: String,
}

#[derive(Clone, Debug)]
enum Outcome {
    There,
    /// It counts until the image is tried again.
    Missing {
        reason: String,
        message: String,
        again: Time,
    },
}

fn images(spec: &PodSpec) -> impl Iterator<Item = (&Volume, &str)> {
    spec.volumes.iter().flatten().filter_map(|v| Some((v, v.image.as_ref()?.reference.as_deref().unwrap_or(""))))
}

impl PodWorker {
    /// Whether it is known of every image whether it can be had: one after the other, as they are listed.
    pub(super) fn image_volumes_settled(&mut self, pod: &Pod, spec: &PodSpec, cx: &mut SyncCx) -> bool {
        for (volume, image) in images(spec) {
            let known = self.image_volumes.entry(volume.name.clone()).or_default();
            if known.pulling.is_some() {
                return false;
            }
            match &known.result {
                Some(Outcome::There) => continue,
                Some(Outcome::Missing { again, .. }) if cx.now < *again => continue,
                _ => known.result = None,
            }
            let policy = volume.image.as_ref().and_then(|i| i.pull_policy.as_deref());
            let policy = policy.unwrap_or_else(|| default_policy(image));
            let wanted = Wanted { image, policy, backoff: &known.backoff, error: &known.error };
            let tell = |cx: &mut SyncCx, kind, reason: &str, text| events::pod(cx, pod, kind, reason, text);
            match pull::ensure(&wanted, pod, &self.uid, cx, tell) {
                Found::Present(_) => known.result = Some(Outcome::There),
                Found::Missing { reason, message, until } => {
                    let retry = retry_time(cx);
                    let again = until.map_or(retry, |t| retry.min(t)).max(cx.now + Duration::from_millis(1));
                    known.result = Some(Outcome::Missing { reason: reason.into(), message, again });
                }
                Found::Pulling(pull) => {
                    cx.note(note!("kubelet.pull-volume", volume = &volume.name, image = &image));
                    known.pulling = Some((pull, cx.now));
                    return false;
                }
            }
        }
        true
    }

    /// The answer to the pull of a volume's image, if it is one.
    pub(super) fn volume_pulled(
        &mut self,
        pull: u64,
        result: Result<(u64, Duration), (String, String)>,
        pod: &Pod,
        spec: &PodSpec,
        cx: &mut SyncCx,
    ) {
        for (volume, image) in images(spec) {
            let Some(known) = self.image_volumes.get_mut(&volume.name) else { continue };
            let Some((_, since)) = known.pulling.filter(|(p, _)| *p == pull) else { continue };
            known.pulling = None;
            match result {
                Ok((size, took)) => {
                    let text = pull::succeeded(image, size, took, cx.now.since(since));
                    events::pod(cx, pod, Normal, "Pulled", text);
                    known.result = Some(Outcome::There);
                }
                Err((message, reason)) => {
                    let text = format!("Failed to pull image {image:?}: {message}");
                    events::pod(cx, pod, Warning, "Failed", text);
                    cx.note(note!("kubelet.pull-failed", image = &image, why = &message));
                    known.backoff.next(cx.now, cx.now);
                    known.error.clone_from(&message);
                    let reason = if reason.is_empty() { "ErrImagePull".into() } else { reason };
                    let again = cx.now + pull::AGAIN;
                    known.result = Some(Outcome::Missing { reason, message, again });
                }
            }
            return;
        }
    }

    /// The containers' images are found anew for the next start.
    pub(super) fn forget_image_volumes(&mut self) {
        for known in self.image_volumes.values_mut() {
            if matches!(known.result, Some(Outcome::There)) {
                known.result = None;
            }
        }
    }

    /// Whether the container can have the images that it mounts. It waits for what the last missing one waits for.
    pub(super) fn has_image_volumes(&mut self, c: usize, pod: &Pod, container: &Container, cx: &mut SyncCx) -> bool {
        let missing = |name: &String| match &self.image_volumes.get(name)?.result {
            Some(Outcome::Missing { reason, message, again }) => Some((reason.clone(), message.clone(), *again)),
            _ => None,
        };
        let all: Vec<_> = container.volume_mounts.iter().flatten().filter_map(|m| missing(&m.name)).collect();
        let Some(((reason, message, again), others)) = all.split_last() else { return true };
        for (reason, ..) in others {
            events::container(cx, self, pod, c, Warning, "Failed", format!("Error: {reason}"));
        }
        self.start_failed(c, pod, reason, message.clone(), cx);
        self.containers[c].retry_at = *again;
        cx.wake_at(*again);
        false
    }
}

/// An image's files, as far as the registry knows them.
pub fn files(reference: &str) -> BTreeMap<String, FileData> {
    let mut files = BTreeMap::new();
    for (path, text) in catalogue::files(reference) {
        files.insert(path.trim_start_matches('/').into(), FileData::from(text.as_bytes()));
    }
    files
}

/// Only directories of an image are mounted in part. Models `ensureImageSubPath` of containerd.
///
/// # Errors
/// containerd's words, without the place where the image is mounted.
pub fn check_sub_path(files: &BTreeMap<String, FileData>, sub: &str, pod_uid: &str) -> Result<(), String> {
    let sub = sub.trim_end_matches('/');
    let below = format!("{sub}/");
    if files.keys().any(|k| k.starts_with(&below)) {
        return Ok(());
    }
    let sandbox = super::container_hash(pod_uid, "", 0);
    let target = format!("/run/containerd/io.containerd.grpc.v1.cri/image-volumes/{sandbox}");
    let why = match files.contains_key(sub) {
        true => format!("only directory subpath is supported, subpath: {sub:?}, mountpoint: {target:?} "),
        false => format!("openat {sub}: no such file or directory"),
    };
    Err(format!(
        "failed to mount image volume: ImageVolumeMountFailed: failed to ensure image subpath {sub:?} in {target:?}: {why}"
    ))
}
