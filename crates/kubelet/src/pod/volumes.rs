//! What a container finds under its mount paths. Models `pkg/volume/{configmap,secret,downwardapi,emptydir,
//! hostpath,projected}`.

use super::token::{self, FileData};
use super::{PodWorker, Stage, SyncCx, env, events, image_volumes, persistent, plugins};
use crate::runtime::{FileModes, Mount, MountSource, RuntimeCommand};
use k8s_openapi::api::core::v1::{
    ConfigMap, Container, DownwardAPIVolumeFile, KeyToPath, Pod, PodSpec, Secret, Volume, VolumeMount,
};
use meta::Key;
use reconcile::EventType::Warning;
use std::borrow::Cow;
use std::collections::BTreeMap;
use trace::note;

type Files = BTreeMap<String, FileData>;

/// # Errors
/// The volume that cannot be set up, and why, as the FailedMount event says it.
pub fn check(pod: &Pod, cx: &SyncCx) -> Result<(), (String, String)> {
    for v in plugins::used(pod) {
        persistent::check(pod, v, cx).map_err(|why| (v.name.clone(), why))?;
        plugins::check(pod, v, cx).map_err(|why| (v.name.clone(), why))?;
        source(pod, v, cx).map_err(|why| (v.name.clone(), why))?;
    }
    Ok(())
}

/// The container's mounts; `env` is for `subPathExpr`.
///
/// # Errors
/// As [`check`].
pub fn mounts(
    pod: &Pod,
    container: &Container,
    env: &[(String, String)],
    cx: &SyncCx,
) -> Result<Vec<Mount>, (String, String)> {
    let volumes = pod.spec.as_ref().and_then(|s| s.volumes.as_deref()).unwrap_or_default();
    let mut out = Vec::new();
    for m in container.volume_mounts.iter().flatten() {
        let Some(v) = volumes.iter().find(|v| v.name == m.name) else { continue };
        let mut source = source(pod, v, cx).map_err(|why| (v.name.clone(), why))?;
        let path = m.mount_path.trim_end_matches('/').to_string();
        let mut modes = modes(v);
        let sub = sub_path(m, env);
        if !sub.is_empty() {
            let sub = sub.as_str();
            modes.whole = false;
            source = match source {
                MountSource::Files(files) => match files.get(sub) {
                    // A single file in place of the directory.
                    Some(f) => {
                        modes.default = modes.own.get(sub).copied().unwrap_or(modes.default);
                        modes.own.clear();
                        MountSource::Files(Files::from([(String::new(), f.clone())]))
                    }
                    None => {
                        let prefix = format!("{}/", sub.trim_end_matches('/'));
                        let below =
                            files.iter().filter_map(|(k, f)| Some((k.strip_prefix(&prefix)?.into(), f.clone())));
                        MountSource::Files(below.collect())
                    }
                },
                MountSource::Shared(name) => MountSource::Shared(format!("{name}/{sub}")),
                MountSource::Host(dir) => MountSource::Host(format!("{}/{sub}", dir.trim_end_matches('/'))),
                MountSource::Disk(id) => MountSource::Disk(format!("{id}/{sub}")),
            };
        }
        let claim_read_only = v.persistent_volume_claim.as_ref().is_some_and(|c| c.read_only == Some(true));
        // Nobody writes into an image.
        let read_only = m.read_only == Some(true) || claim_read_only || v.image.is_some();
        out.push(Mount { path, read_only, source, modes });
    }
    Ok(out)
}

fn sub_path(m: &VolumeMount, env: &[(String, String)]) -> String {
    match m.sub_path_expr.as_deref().filter(|s| !s.is_empty()) {
        Some(expression) => env::expand(expression, &[env]),
        None => m.sub_path.clone().unwrap_or_default(),
    }
}

/// # Errors
/// The container mounts a part of an image that the runtime cannot mount: its words.
pub fn check_image_parts(pod: &Pod, container: &Container, env: &[(String, String)]) -> Result<(), String> {
    let uid = pod.metadata.uid.as_deref().unwrap_or("");
    let volumes = pod.spec.as_ref().and_then(|s| s.volumes.as_deref()).unwrap_or_default();
    for m in container.volume_mounts.iter().flatten() {
        let volume = volumes.iter().find(|v| v.name == m.name).and_then(|v| v.image.as_ref());
        let (Some(image), sub) = (volume, sub_path(m, env)) else { continue };
        if !sub.is_empty() {
            let files = image_volumes::files(image.reference.as_deref().unwrap_or(""));
            image_volumes::check_sub_path(&files, &sub, uid)?;
        }
    }
    Ok(())
}

/// How a volume that the kubelet writes is laid out.
fn modes(v: &Volume) -> FileModes {
    let mut own = BTreeMap::new();
    let mut keys = |items: &Option<Vec<KeyToPath>>| {
        own.extend(items.iter().flatten().filter_map(|i| Some((i.path.clone(), i.mode?.unsigned_abs()))));
    };
    let mut default = None;
    if let Some(s) = &v.config_map {
        default = s.default_mode;
        keys(&s.items);
    }
    if let Some(s) = &v.secret {
        default = s.default_mode;
        keys(&s.items);
    }
    let sources = v.projected.iter().flat_map(|p| p.sources.iter().flatten());
    for s in sources.clone() {
        s.config_map.iter().for_each(|c| keys(&c.items));
        s.secret.iter().for_each(|c| keys(&c.items));
    }
    let fields = v.downward_api.iter().flat_map(|d| d.items.iter().flatten());
    let projected = sources.flat_map(|s| s.downward_api.iter().flat_map(|d| d.items.iter().flatten()));
    own.extend(fields.chain(projected).filter_map(|i| Some((i.path.clone(), i.mode?.unsigned_abs()))));
    let default = default
        .or_else(|| v.downward_api.as_ref()?.default_mode)
        .or_else(|| v.projected.as_ref()?.default_mode)
        .map_or(0o644, i32::unsigned_abs);
    let memory = match &v.empty_dir {
        Some(e) => e.medium.as_deref() == Some("Memory"),
        // Those that the kubelet fills itself lie in memory, but for ConfigMaps.
        None => v.secret.is_some() || v.projected.is_some() || v.downward_api.is_some(),
    };
    // What an image brings is no directory that is exchanged.
    FileModes { whole: v.image.is_none(), memory, default, own }
}

/// Whether a volume of the pod shows this ConfigMap or Secret (`kind`).
pub fn shows(pod: &Pod, kind: &str, name: &str) -> bool {
    let config_map = kind == "ConfigMap";
    let of_volume = |v: &Volume| {
        let projected = v.projected.iter().flat_map(|p| p.sources.iter().flatten());
        if config_map {
            v.config_map.as_ref().is_some_and(|c| c.name == name)
                || projected.into_iter().any(|p| p.config_map.as_ref().is_some_and(|c| c.name == name))
        } else {
            v.secret.as_ref().is_some_and(|s| s.secret_name.as_deref() == Some(name))
                || projected.into_iter().any(|p| p.secret.as_ref().is_some_and(|s| s.name == name))
        }
    };
    pod.spec.iter().flat_map(|s| s.volumes.iter().flatten()).any(of_volume)
}

pub fn has_claims(pod: &Pod) -> bool {
    let claim = |v: &Volume| v.persistent_volume_claim.is_some() || v.ephemeral.is_some();
    pod.spec.iter().flat_map(|s| s.volumes.iter().flatten()).any(claim)
}

/// Whether labels and annotations of the pod are shown in a volume.
pub fn shows_metadata(pod: &Pod) -> bool {
    let metadata =
        |f: &DownwardAPIVolumeFile| f.field_ref.as_ref().is_some_and(|r| r.field_path.starts_with("metadata."));
    pod.spec.iter().flat_map(|s| s.volumes.iter().flatten()).any(|v| {
        let own = v.downward_api.iter().flat_map(|d| d.items.iter().flatten());
        let projected = v.projected.iter().flat_map(|p| p.sources.iter().flatten());
        let projected = projected.flat_map(|p| p.downward_api.iter().flat_map(|d| d.items.iter().flatten()));
        // The namespace in the service account's volume never changes.
        !v.name.starts_with("kube-api-access-") && own.chain(projected).any(metadata)
    })
}

impl PodWorker {
    /// Gives running containers the files as they are now. What is mounted by `subPath` stays as it was.
    pub fn remount(&mut self, pod: &Pod, spec: &PodSpec, cx: &mut SyncCx) {
        if self.remount_at.is_none() {
            self.remount_at = token::renewal(pod, spec, cx.now);
        }
        let Some(at) = self.remount_at else { return };
        if cx.now < at {
            cx.wake_at(at);
            return;
        }
        self.remount_at = None;
        for c in 0..self.containers.len() {
            if self.containers[c].stage != Stage::Running {
                continue;
            }
            let Some(mut container) = self.containers[c].spec(spec).map(Cow::into_owned) else { continue };
            let none = |s: &Option<String>| s.as_deref().unwrap_or("").is_empty();
            let whole = |m: &VolumeMount| none(&m.sub_path) && none(&m.sub_path_expr);
            container.volume_mounts.get_or_insert_default().retain(whole);
            match mounts(pod, &container, &[], cx) {
                Ok(mounts) => {
                    let attempt = self.containers[c].run.as_ref().map_or(0, |r| r.attempt);
                    let id = self.container_id(c, attempt);
                    cx.runtime.command(cx.now, RuntimeCommand::UpdateMounts { id, mounts });
                }
                Err((volume, why)) => {
                    let message = persistent::failed_mount(&volume, &why);
                    return events::pod(cx, pod, Warning, "FailedMount", message);
                }
            }
        }
        cx.note(note!("kubelet.volumes-updated", pod = &self.key));
    }
}

fn source(pod: &Pod, v: &Volume, cx: &SyncCx) -> Result<MountSource, String> {
    let ns = pod.metadata.namespace.as_deref().unwrap_or("");
    let mut files = Files::new();
    if let Some(s) = &v.config_map {
        config_map(&mut files, ns, &s.name, s.items.as_deref(), s.optional == Some(true), cx)?;
    } else if let Some(s) = &v.secret {
        let name = s.secret_name.as_deref().unwrap_or("");
        secret(&mut files, ns, name, s.items.as_deref(), s.optional == Some(true), cx)?;
    } else if let Some(s) = &v.downward_api {
        downward(&mut files, pod, s.items.as_deref().unwrap_or_default(), cx)?;
    } else if let Some(s) = &v.projected {
        for p in s.sources.iter().flatten() {
            if let Some(s) = &p.config_map {
                // The root CA's map is made by a controller of its own; a pod does not wait for it here.
                let optional = s.optional == Some(true) || s.name == "kube-root-ca.crt";
                config_map(&mut files, ns, &s.name, s.items.as_deref(), optional, cx)?;
            }
            if let Some(s) = &p.secret {
                secret(&mut files, ns, &s.name, s.items.as_deref(), s.optional == Some(true), cx)?;
            }
            if let Some(s) = &p.downward_api {
                downward(&mut files, pod, s.items.as_deref().unwrap_or_default(), cx)?;
            }
            if let Some(s) = &p.service_account_token {
                files.insert(s.path.clone(), token::file(pod, s, cx));
            }
        }
    } else if let Some(s) = &v.host_path {
        return Ok(MountSource::Host(s.path.clone()));
    } else if let Some(s) = &v.image {
        files = image_volumes::files(s.reference.as_deref().unwrap_or(""));
    } else {
        return Ok(persistent::source(pod, v, cx)?.unwrap_or_else(|| MountSource::Shared(v.name.clone())));
    }
    Ok(MountSource::Files(files))
}

fn pick(files: &mut Files, data: Files, items: Option<&[KeyToPath]>, optional: bool, what: &str) -> Result<(), String> {
    let Some(items) = items.filter(|i| !i.is_empty()) else {
        files.extend(data);
        return Ok(());
    };
    for i in items {
        match data.get(&i.key) {
            Some(d) => {
                files.insert(i.path.clone(), d.clone());
            }
            None if optional => {}
            None => return Err(format!("{what} key: {}", i.key)),
        }
    }
    Ok(())
}

fn config_map(
    files: &mut Files,
    ns: &str,
    name: &str,
    items: Option<&[KeyToPath]>,
    optional: bool,
    cx: &SyncCx,
) -> Result<(), String> {
    let Some(cm) = cx.view.get::<ConfigMap>(&Key::new(ns, name)) else {
        return if optional { Ok(()) } else { Err(format!("configmap {name:?} not found")) };
    };
    let mut data: Files = cm.data.iter().flatten().map(|(k, v)| (k.clone(), v.as_bytes().into())).collect();
    data.extend(cm.binary_data.iter().flatten().map(|(k, v)| (k.clone(), v.0.as_slice().into())));
    pick(files, data, items, optional, "configmap references non-existent config")
}

fn secret(
    files: &mut Files,
    ns: &str,
    name: &str,
    items: Option<&[KeyToPath]>,
    optional: bool,
    cx: &SyncCx,
) -> Result<(), String> {
    let Some(s) = cx.view.get::<Secret>(&Key::new(ns, name)) else {
        return if optional { Ok(()) } else { Err(format!("secret {name:?} not found")) };
    };
    let data: Files = s.data.iter().flatten().map(|(k, v)| (k.clone(), v.0.as_slice().into())).collect();
    pick(files, data, items, optional, "references non-existent secret")
}

fn downward(files: &mut Files, pod: &Pod, items: &[DownwardAPIVolumeFile], cx: &SyncCx) -> Result<(), String> {
    for i in items {
        let text = match (&i.field_ref, &i.resource_field_ref) {
            (Some(f), _) => env::field(pod, f, "", cx)?,
            (None, Some(r)) => {
                let name = r.container_name.as_deref().unwrap_or("");
                let all = pod.spec.iter().flat_map(|s| s.containers.iter().chain(s.init_containers.iter().flatten()));
                let Some(own) = all.into_iter().find(|c| c.name == name) else {
                    return Err(format!("container {name} not found"));
                };
                env::resource(pod, own, r, cx)?
            }
            (None, None) => String::new(),
        };
        files.insert(i.path.clone(), text.into_bytes().into());
    }
    Ok(())
}
