//! Volumes that a node does not get to mount: their plugin is gone, nobody runs their driver, or nobody serves them.
//! Models `FindPluginBySpec` of `pkg/volume/plugins.go` and what the plugins themselves say.

use super::SyncCx;
use crate::runtime::HostEntry;
use api::references;
use k8s_openapi::api::core::v1::{HostPathVolumeSource, NFSVolumeSource, PersistentVolumeSpec, Pod, Volume};
use k8s_openapi::api::storage::v1::CSIDriver;
use meta::Key;

/// What is said of a volume that no plugin knows begins so; the pod's event then says more about all its volumes.
pub const UNKNOWN: &str = "failed to get Plugin from volumeSpec for volume ";

fn unknown(name: &str) -> String {
    format!("{UNKNOWN}{name:?} err=no volume plugin matched")
}

/// The volumes of a pod that containers use: the kubelet sets up no others. Models `GetPodVolumeNames` of
/// `pkg/volume/util`.
pub fn used(pod: &Pod) -> impl Iterator<Item = &Volume> {
    let spec = pod.spec.as_ref();
    let uses = move |v: &Volume| {
        let containers = spec.iter().flat_map(|s| s.containers.iter().chain(s.init_containers.iter().flatten()));
        let ephemeral = spec.iter().flat_map(|s| s.ephemeral_containers.iter().flatten());
        let named = |m: Option<&Vec<k8s_openapi::api::core::v1::VolumeMount>>| {
            m.is_some_and(|m| m.iter().any(|m| m.name == v.name))
        };
        let devices =
            |c: &k8s_openapi::api::core::v1::Container| c.volume_devices.iter().flatten().any(|d| d.name == v.name);
        containers.into_iter().any(|c| named(c.volume_mounts.as_ref()) || devices(c))
            || ephemeral.into_iter().any(|c| named(c.volume_mounts.as_ref()))
    };
    spec.into_iter().flat_map(|s| s.volumes.iter().flatten()).filter(move |v| uses(v))
}

/// Why a pod's own volume cannot be set up.
///
/// # Errors
/// As [`super::persistent::failed_mount`] takes it.
pub fn check(pod: &Pod, v: &Volume, cx: &SyncCx) -> Result<(), String> {
    let name = &v.name;
    let gone = v.glusterfs.is_some()
        || v.flocker.is_some()
        || v.quobyte.is_some()
        || v.storageos.is_some()
        || v.scale_io.is_some()
        || v.cephfs.is_some()
        || v.rbd.is_some()
        || v.photon_persistent_disk.is_some()
        // A node has no programs of flexVolumes.
        || v.flex_volume.is_some();
    if gone {
        return Err(unknown(name));
    }
    if let Some(n) = &v.nfs {
        return Err(nfs(n, pod, name));
    }
    if let Some(s) = &v.iscsi {
        return Err(iscsi(name, &s.target_portal));
    }
    if v.fc.is_some() {
        return Err(no_fc(name));
    }
    if v.git_repo.is_some() {
        return Err("git-repo volume plugin has been disabled; if necessary, it may be re-enabled by enabling the \
                    feature-gate `GitRepoVolumeDriver`"
            .into());
    }
    if let Some(s) = &v.csi {
        let object = cx.view.get::<CSIDriver>(&Key::from(s.driver.as_str()));
        let why = match object.map(|d| d.spec.volume_lifecycle_modes.clone().unwrap_or_default()) {
            None => "no CSIDriver object".to_string(),
            Some(modes) if !modes.iter().any(|m| m == "Ephemeral") => {
                let modes: Vec<String> = modes.iter().map(|m| format!("{m:?}")).collect();
                format!("only supports [{}]", modes.join(" "))
            }
            Some(_) => return Err(super::persistent::no_client(&s.driver)),
        };
        return Err(format!(
            "MountVolume.NewMounter initialization failed for volume {name:?} : volume mode \"Ephemeral\" not supported \
             by driver {} ({why})",
            s.driver
        ));
    }
    v.host_path.as_ref().map_or(Ok(()), |h| host_path(h, cx))
}

/// Why the volume behind a claim cannot be set up, when its source is none that the node mounts.
pub fn foreign(pod: &Pod, name: &str, spec: &PersistentVolumeSpec) -> String {
    if let Some(n) = &spec.nfs {
        return nfs(n, pod, name);
    }
    if let Some(s) = &spec.iscsi {
        return iscsi(name, &s.target_portal);
    }
    if spec.fc.is_some() { no_fc(name) } else { unknown(name) }
}

fn nfs(n: &NFSVolumeSource, pod: &Pod, name: &str) -> String {
    let uid = references::uid_on_node(pod);
    let target = format!("/var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~nfs/{name}");
    let what = format!("{}:{}", n.server, n.path);
    let output = if n.server.parse::<std::net::IpAddr>().is_ok() {
        "mount.nfs: Connection timed out".to_string()
    } else {
        format!("mount.nfs: Failed to resolve server {}: Name or service not known", n.server)
    };
    format!(
        "mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs {what} {target}\nOutput: \
         {output}"
    )
}

fn iscsi(name: &str, portal: &str) -> String {
    let host = portal.split(':').next().unwrap_or(portal);
    let portal = if portal.contains(':') { portal.to_string() } else { format!("{portal}:3260") };
    format!(
        "MountVolume.WaitForAttach failed for volume {name:?} : failed to get any path for iscsi disk, last err seen:\n\
         iscsi: failed to sendtargets to portal {portal} output: iscsiadm: cannot make connection to {host}: No route to \
         host\niscsiadm: connection login retries (reopen_max) 5 exceeded\niscsiadm: Could not perform SendTargets \
         discovery: encountered connection failure\n, err exit status 4"
    )
}

fn no_fc(name: &str) -> String {
    format!("MountVolume.WaitForAttach failed for volume {name:?} : no fc disk found")
}

/// Makes what `DirectoryOrCreate` and `FileOrCreate` say. Models `SetUpAt` of `pkg/volume/hostpath`.
pub fn make_host_paths(pod: &Pod, cx: &mut SyncCx) {
    let mut wanted = Vec::new();
    for v in used(pod) {
        let volume = super::persistent::volume(pod, v, cx.view).and_then(|pv| pv.spec.as_ref()?.host_path.as_ref());
        let Some(h) = v.host_path.as_ref().or(volume) else { continue };
        let entry = match h.type_.as_deref() {
            Some("DirectoryOrCreate") => HostEntry::Directory,
            Some("FileOrCreate") => HostEntry::File,
            _ => continue,
        };
        if cx.runtime.host_entry(&h.path).is_none() {
            wanted.push((h.path.clone(), entry));
        }
    }
    wanted.iter().for_each(|(path, entry)| cx.runtime.make_host_entry(path, *entry));
}

/// What a `hostPath` says about what is there already. Models `checkTypeInternal` of `pkg/volume/hostpath`.
///
/// # Errors
/// Something else is there, or nothing.
pub fn host_path(h: &HostPathVolumeSource, cx: &SyncCx) -> Result<(), String> {
    if !cx.runtime.sees_host() {
        return Ok(());
    }
    let found = cx.runtime.host_entry(&h.path);
    let (wanted, what, made) = match h.type_.as_deref().unwrap_or("") {
        "Directory" => (HostEntry::Directory, "a directory", false),
        "DirectoryOrCreate" => (HostEntry::Directory, "a directory", true),
        "File" => (HostEntry::File, "a file", false),
        "FileOrCreate" => (HostEntry::File, "a file", true),
        "Socket" => (HostEntry::Socket, "a socket file", false),
        "CharDevice" => (HostEntry::CharDevice, "a character device", false),
        "BlockDevice" => (HostEntry::BlockDevice, "a block device", false),
        _ => return Ok(()),
    };
    match found {
        None if made && wanted == HostEntry::File => {
            // Directories on the way are not made.
            let parent = h.path.trim_end_matches('/').rsplit_once('/').map_or("/", |(p, _)| p);
            match cx.runtime.host_entry(if parent.is_empty() { "/" } else { parent }) {
                Some(HostEntry::Directory) => Ok(()),
                _ => Err(format!("open {}: no such file or directory", h.path)),
            }
        }
        None if made => Ok(()),
        Some(found) if found == wanted => Ok(()),
        _ => Err(format!("hostPath type check failed: {} is not {what}", h.path)),
    }
}
