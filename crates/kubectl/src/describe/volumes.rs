//! Where volumes come from, for pods and for PersistentVolumes.

use super::storage;
use super::view::View;
use super::writer::{Writer, put};
use super::{parts, show};
use meta::Quantity;

/// How a field is shown.
#[derive(Clone, Copy)]
enum As {
    Text,
    Number,
    Bool,
    /// A slice as Go prints it.
    Slice,
    /// The items of a list with commas between them.
    Joined,
    Map,
    Local,
    Secret,
    /// What stands there without the field.
    Or(&'static str),
    NumberOr(&'static str),
}
use As::{Bool, Joined, Local, Map, Number, NumberOr, Or, Secret, Slice, Text};

impl As {
    fn show(self, v: View) -> String {
        match self {
            Text => v.text().into(),
            Number => v.int().to_string(),
            Bool => v.value().and_then(serde_json::Value::as_bool).unwrap_or(false).to_string(),
            Slice => show::slice(v.items().into_iter().map(View::text)),
            Joined => v.items().into_iter().map(View::text).collect::<Vec<_>>().join(", "),
            Map => show::map(v),
            Local => show::local_reference(v),
            Secret => show::secret_reference(v),
            Or(none) => v.opt().map_or(none, View::text).into(),
            NumberOr(none) => v.opt().map_or(none.into(), |v| v.int().to_string()),
        }
    }
}

/// A title, the field of the source, and how it is shown.
type Line = (&'static str, &'static str, As);

/// A source that is a few fields.
struct Source {
    field: &'static str,
    about: &'static str,
    lines: &'static [Line],
}

const GCE: &[Line] = &[
    ("PDName:\t", "pdName", Text),
    ("FSType:\t", "fsType", Text),
    ("Partition:\t", "partition", Number),
    ("ReadOnly:\t", "readOnly", Bool),
];
const AWS: &[Line] = &[
    ("VolumeID:\t", "volumeID", Text),
    ("FSType:\t", "fsType", Text),
    ("Partition:\t", "partition", Number),
    ("ReadOnly:\t", "readOnly", Bool),
];
const NFS: &[Line] = &[("Server:\t", "server", Text), ("Path:\t", "path", Text), ("ReadOnly:\t", "readOnly", Bool)];
const QUOBYTE: &[Line] =
    &[("Registry:\t", "registry", Text), ("Volume:\t", "volume", Text), ("ReadOnly:\t", "readOnly", Bool)];
const AZURE_DISK: &[Line] = &[
    ("DiskName:\t", "diskName", Text),
    ("DiskURI:\t", "diskURI", Text),
    ("Kind: \t", "kind", Text),
    ("FSType:\t", "fsType", Text),
    ("CachingMode:\t", "cachingMode", Text),
    ("ReadOnly:\t", "readOnly", Bool),
];
const VSPHERE: &[Line] = &[
    ("VolumePath:\t", "volumePath", Text),
    ("FSType:\t", "fsType", Text),
    ("StoragePolicyName:\t", "storagePolicyName", Text),
];
const FC: &[Line] = &[
    ("TargetWWNs:\t", "targetWWNs", Joined),
    ("LUN:\t", "lun", NumberOr("<none>")),
    ("FSType:\t", "fsType", Text),
    ("ReadOnly:\t", "readOnly", Bool),
];

const ABOUT_GCE: &str = "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)";
const ABOUT_AWS: &str = "AWSElasticBlockStore (a Persistent Disk resource in AWS)";
const ABOUT_NFS: &str = "NFS (an NFS mount that lasts the lifetime of a pod)";
const ABOUT_QUOBYTE: &str = "Quobyte (a Quobyte mount on the host that shares a pod's lifetime)";
const ABOUT_ISCSI: &str =
    "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)";
const ABOUT_GLUSTERFS: &str = "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)";
const ABOUT_RBD: &str = "RBD (a Rados Block Device mount on the host that shares a pod's lifetime)";
const ABOUT_AZURE_DISK: &str = "AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)";
const ABOUT_VSPHERE: &str = "vSphereVolume (a Persistent Disk resource in vSphere)";
const ABOUT_CINDER: &str = "Cinder (a Persistent Disk resource in OpenStack)";
const ABOUT_PHOTON: &str = "PhotonPersistentDisk (a Persistent Disk resource in photon platform)";
const ABOUT_PORTWORX: &str = "PortworxVolume (a Portworx Volume resource)";
const ABOUT_SCALEIO: &str = "ScaleIO (a persistent volume backed by a block device in ScaleIO)";
const ABOUT_CEPHFS: &str = "CephFS (a CephFS mount on the host that shares a pod's lifetime)";
const ABOUT_STORAGEOS: &str = "StorageOS (a StorageOS Persistent Disk resource)";
const ABOUT_FC: &str = "FC (a Fibre Channel disk)";
const ABOUT_AZURE_FILE: &str = "AzureFile (an Azure File Service mount on the host and bind mount to the pod)";
const ABOUT_FLEX: &str =
    "FlexVolume (a generic volume resource that is provisioned/attached using an exec based plugin)";
const ABOUT_FLOCKER: &str = "Flocker (a Flocker volume mounted by the Flocker agent)";

macro_rules! iscsi {
    ($secret:expr) => {
        &[
            ("TargetPortal:\t", "targetPortal", Text),
            ("IQN:\t", "iqn", Text),
            ("Lun:\t", "lun", Number),
            ("ISCSIInterface\t", "iscsiInterface", Text),
            ("FSType:\t", "fsType", Text),
            ("ReadOnly:\t", "readOnly", Bool),
            ("Portals:\t", "portals", Slice),
            ("DiscoveryCHAPAuth:\t", "chapAuthDiscovery", Bool),
            ("SessionCHAPAuth:\t", "chapAuthSession", Bool),
            ("SecretRef:\t", "secretRef", $secret),
            ("InitiatorName:\t", "initiatorName", Or("<none>")),
        ]
    };
}
macro_rules! rbd {
    ($secret:expr) => {
        &[
            ("CephMonitors:\t", "monitors", Slice),
            ("RBDImage:\t", "image", Text),
            ("FSType:\t", "fsType", Text),
            ("RBDPool:\t", "pool", Text),
            ("RadosUser:\t", "user", Text),
            ("Keyring:\t", "keyring", Text),
            ("SecretRef:\t", "secretRef", $secret),
            ("ReadOnly:\t", "readOnly", Bool),
        ]
    };
}
macro_rules! cinder {
    ($secret:expr) => {
        &[
            ("VolumeID:\t", "volumeID", Text),
            ("FSType:\t", "fsType", Text),
            ("ReadOnly:\t", "readOnly", Bool),
            ("SecretRef:\t", "secretRef", $secret),
        ]
    };
}
macro_rules! cephfs {
    ($secret:expr) => {
        &[
            ("Monitors:\t", "monitors", Slice),
            ("Path:\t", "path", Text),
            ("User:\t", "user", Text),
            ("SecretFile:\t", "secretFile", Text),
            ("SecretRef:\t", "secretRef", $secret),
            ("ReadOnly:\t", "readOnly", Bool),
        ]
    };
}
macro_rules! flex {
    ($secret:expr) => {
        &[
            ("Driver:\t", "driver", Text),
            ("FSType:\t", "fsType", Text),
            ("SecretRef:\t", "secretRef", $secret),
            ("ReadOnly:\t", "readOnly", Bool),
            ("Options:\t", "options", Map),
        ]
    };
}

macro_rules! sources {
    ($($field:literal, $about:expr, $lines:expr;)*) => {
        &[$(Source { field: $field, about: $about, lines: $lines }),*]
    };
}

const PHOTON: &[Line] = &[("PdID:\t", "pdID", Text), ("FSType:\t", "fsType", Text)];
const PORTWORX: &[Line] = &[("VolumeID:\t", "volumeID", Text)];
const STORAGEOS: &[Line] = &[
    ("VolumeName:\t", "volumeName", Text),
    ("VolumeNamespace:\t", "volumeNamespace", Text),
    ("FSType:\t", "fsType", Text),
    ("ReadOnly:\t", "readOnly", Bool),
];
const FLOCKER: &[Line] = &[("DatasetName:\t", "datasetName", Text), ("DatasetUUID:\t", "datasetUUID", Text)];
const HOST_PATH: &[Line] = &[("Path:\t", "path", Text), ("HostPathType:\t", "type", Or("<none>"))];
const ABOUT_HOST_PATH: &str = "HostPath (bare host directory volume)";

/// What a pod's volume may be, in the order they are looked for.
const OF_PODS: &[Source] = sources![
    "hostPath", ABOUT_HOST_PATH, HOST_PATH;
    "emptyDir", "EmptyDir (a temporary directory that shares a pod's lifetime)", &[("Medium:\t", "medium", Text)];
    "gcePersistentDisk", ABOUT_GCE, GCE;
    "awsElasticBlockStore", ABOUT_AWS, AWS;
    "gitRepo", "GitRepo (a volume that is pulled from git when the pod is created)",
        &[("Repository:\t", "repository", Text), ("Revision:\t", "revision", Text)];
    "secret", "Secret (a volume populated by a Secret)",
        &[("SecretName:\t", "secretName", Text), ("Optional:\t", "optional", Bool)];
    "configMap", "ConfigMap (a volume populated by a ConfigMap)",
        &[("Name:\t", "name", Text), ("Optional:\t", "optional", Bool)];
    "nfs", ABOUT_NFS, NFS;
    "iscsi", ABOUT_ISCSI, iscsi!(Local);
    "glusterfs", ABOUT_GLUSTERFS,
        &[("EndpointsName:\t", "endpoints", Text), ("Path:\t", "path", Text), ("ReadOnly:\t", "readOnly", Bool)];
    "persistentVolumeClaim",
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        &[("ClaimName:\t", "claimName", Text), ("ReadOnly:\t", "readOnly", Bool)];
    "ephemeral",
        "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)", &[];
    "rbd", ABOUT_RBD, rbd!(Local);
    "quobyte", ABOUT_QUOBYTE, QUOBYTE;
    "downwardAPI", "DownwardAPI (a volume populated by information about the pod)", &[];
    "azureDisk", ABOUT_AZURE_DISK, AZURE_DISK;
    "vsphereVolume", ABOUT_VSPHERE, VSPHERE;
    "cinder", ABOUT_CINDER, cinder!(Local);
    "photonPersistentDisk", ABOUT_PHOTON, PHOTON;
    "portworxVolume", ABOUT_PORTWORX, PORTWORX;
    "scaleIO", ABOUT_SCALEIO, &[
        ("Gateway:\t", "gateway", Text), ("System:\t", "system", Text),
        ("Protection Domain:\t", "protectionDomain", Text), ("Storage Pool:\t", "storagePool", Text),
        ("Storage Mode:\t", "storageMode", Text), ("VolumeName:\t", "volumeName", Text),
        ("FSType:\t", "fsType", Text), ("ReadOnly:\t", "readOnly", Bool)];
    "cephfs", ABOUT_CEPHFS, cephfs!(Local);
    "storageos", ABOUT_STORAGEOS, STORAGEOS;
    "fc", ABOUT_FC, FC;
    "azureFile", ABOUT_AZURE_FILE, &[
        ("SecretName:\t", "secretName", Text), ("ShareName:\t", "shareName", Text), ("ReadOnly:\t", "readOnly", Bool)];
    "flexVolume", ABOUT_FLEX, flex!(Local);
    "flocker", ABOUT_FLOCKER, FLOCKER;
    "projected", "Projected (a volume that contains injected data from multiple sources)", &[];
    "csi", ABOUT_CSI, &[("Driver:\t", "driver", Text), ("FSType:\t", "fsType", Text), ("ReadOnly:\t", "readOnly", Bool)];
    "image", "Image (a container image or OCI artifact)",
        &[("Reference:\t", "reference", Text), ("PullPolicy:\t", "pullPolicy", Text)];
];

const ABOUT_CSI: &str = "CSI (a Container Storage Interface (CSI) volume source)";

/// What a PersistentVolume may be.
const OF_VOLUMES: &[Source] = sources![
    "hostPath", ABOUT_HOST_PATH, HOST_PATH;
    "gcePersistentDisk", ABOUT_GCE, GCE;
    "awsElasticBlockStore", ABOUT_AWS, AWS;
    "nfs", ABOUT_NFS, NFS;
    "iscsi", ABOUT_ISCSI, iscsi!(Secret);
    "glusterfs", ABOUT_GLUSTERFS, &[
        ("EndpointsName:\t", "endpoints", Text), ("EndpointsNamespace:\t", "endpointsNamespace", Or("<unset>")),
        ("Path:\t", "path", Text), ("ReadOnly:\t", "readOnly", Bool)];
    "rbd", ABOUT_RBD, rbd!(Secret);
    "quobyte", ABOUT_QUOBYTE, QUOBYTE;
    "vsphereVolume", ABOUT_VSPHERE, VSPHERE;
    "cinder", ABOUT_CINDER, cinder!(Secret);
    "azureDisk", ABOUT_AZURE_DISK, AZURE_DISK;
    "photonPersistentDisk", ABOUT_PHOTON, PHOTON;
    "portworxVolume", ABOUT_PORTWORX, PORTWORX;
    "scaleIO", ABOUT_SCALEIO, &[
        ("Gateway:\t", "gateway", Text), ("System:\t", "system", Text),
        ("Protection Domain:\t", "protectionDomain", Text), ("Storage Pool:\t", "storagePool", Text),
        ("Storage Mode:\t", "storageMode", Text), ("VolumeName:\t", "volumeName", Text),
        ("SecretName:\t", "secretRef.name", Text), ("SecretNamespace:\t", "secretRef.namespace", Text),
        ("FSType:\t", "fsType", Text), ("ReadOnly:\t", "readOnly", Bool)];
    "local", "LocalVolume (a persistent volume backed by local storage on a node)", &[("Path:\t", "path", Text)];
    "cephfs", ABOUT_CEPHFS, cephfs!(Secret);
    "storageos", ABOUT_STORAGEOS, STORAGEOS;
    "fc", ABOUT_FC, FC;
    "azureFile", ABOUT_AZURE_FILE, &[
        ("SecretName:\t", "secretName", Text), ("SecretNamespace:\t", "secretNamespace", Text),
        ("ShareName:\t", "shareName", Text), ("ReadOnly:\t", "readOnly", Bool)];
    "flexVolume", ABOUT_FLEX, flex!(Secret);
    "flocker", ABOUT_FLOCKER, FLOCKER;
    "csi", ABOUT_CSI, &[
        ("Driver:\t", "driver", Text), ("FSType:\t", "fsType", Text),
        ("VolumeHandle:\t", "volumeHandle", Text), ("ReadOnly:\t", "readOnly", Bool)];
];

/// The volumes of a pod. Models `describeVolumes`.
pub fn write(w: &mut Writer, volumes: View, space: &str) {
    let volumes = volumes.items();
    if volumes.is_empty() {
        put!(w, 0, "{space}Volumes:\t<none>\n");
        return;
    }
    put!(w, 0, "{space}Volumes:\n");
    let indent = if space.is_empty() { "" } else { " " };
    for volume in volumes {
        put!(w, 1, "{indent}{}:\n", volume.s("name"));
        source(w, volume, OF_PODS);
    }
}

/// Where a PersistentVolume is.
pub fn of_volume(w: &mut Writer, spec: View) {
    source(w, spec, OF_VOLUMES);
}

fn source(w: &mut Writer, volume: View, sources: &[Source]) {
    let Some(known) = sources.iter().find(|s| volume.has(s.field)) else {
        put!(w, 1, "<unknown>\n");
        return;
    };
    let v = volume.at(known.field);
    put!(w, 2, "Type:\t{}\n", known.about);
    for (title, field, how) in known.lines {
        put!(w, 2, "{title}{}\n", how.show(v.at(field)));
    }
    match known.field {
        "emptyDir" => {
            let limit = Some(v.at("sizeLimit").quantity()).filter(|q| *q > Quantity::ZERO);
            put!(w, 2, "SizeLimit:\t{}\n", limit.map_or("<unset>".into(), |q| q.to_string()));
        }
        "ephemeral" => {
            if let Some(template) = v.at("volumeClaimTemplate").opt() {
                w.nested(2, |w| storage::claim(w, template, false));
            }
        }
        "downwardAPI" => downward(w, v),
        "projected" => projected(w, v),
        "csi" => csi_attributes(w, v.at("volumeAttributes")),
        _ => {}
    }
}

fn downward(w: &mut Writer, v: View) {
    put!(w, 2, "Items:\n");
    for item in v.list("items") {
        for field in ["fieldRef.fieldPath", "resourceFieldRef.resource"] {
            if item.has(field) {
                put!(w, 3, "{} -> {}\n", item.s(field), item.s("path"));
            }
        }
    }
}

fn projected(w: &mut Writer, v: View) {
    for s in v.list("sources") {
        if let Some(secret) = s.at("secret").opt() {
            put!(w, 2, "SecretName:\t{}\n", secret.s("name"));
            put!(w, 2, "Optional:\t{}\n", secret.b("optional"));
        } else if s.has("downwardAPI") {
            put!(w, 2, "DownwardAPI:\ttrue\n");
        } else if let Some(map) = s.at("configMap").opt() {
            put!(w, 2, "ConfigMapName:\t{}\n", map.s("name"));
            put!(w, 2, "Optional:\t{}\n", map.b("optional"));
        } else if let Some(token) = s.at("serviceAccountToken").opt() {
            put!(w, 2, "TokenExpirationSeconds:\t{}\n", token.i("expirationSeconds"));
        }
    }
}

/// Models `printCSIPersistentVolumeAttributesMultiline`, which indents every part of a line.
fn csi_attributes(w: &mut Writer, attributes: View) {
    put!(w, 2, "VolumeAttributes:\t");
    let entries = attributes.entries();
    if entries.is_empty() {
        return w.line("<none>");
    }
    for (i, (key, value)) in entries.into_iter().enumerate() {
        if i != 0 {
            put!(w, 2, "");
            put!(w, 2, "\t");
        }
        put!(w, 2, "{}\n", parts::shortened(&format!("{key}={}", value.text()), parts::LONGEST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn of_pod(volume: Value) -> String {
        let mut w = Writer::new(0);
        write(&mut w, View::new(&json!([volume])), "");
        w.finish()
    }

    #[test]
    fn references_to_secrets_are_go_structures() {
        let text =
            of_pod(json!({"name": "v", "rbd": {"monitors": ["a", "b"], "image": "i", "secretRef": {"name": "s"}}}));
        assert!(text.contains("    CephMonitors:  [a b]\n"), "{text}");
        assert!(text.contains("    SecretRef:     &LocalObjectReference{Name:s,}\n"), "{text}");
        let text = of_pod(json!({"name": "v", "flexVolume": {"driver": "d", "options": {"b": "2", "a": "1"}}}));
        assert!(text.contains("SecretRef:  nil\n") && text.contains("Options:    map[a:1 b:2]\n"), "{text}");
    }

    #[test]
    fn empty_directories() {
        assert_eq!(
            of_pod(json!({"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}})),
            "Volumes:\n  v:\n    Type:       EmptyDir (a temporary directory that shares a pod's lifetime)\n    Medium:     Memory\n    SizeLimit:  1Gi\n"
        );
        assert!(of_pod(json!({"name": "v", "emptyDir": {}})).ends_with("    Medium:     \n    SizeLimit:  <unset>\n"));
    }

    #[test]
    fn what_has_no_known_source() {
        assert_eq!(of_pod(json!({"name": "v"})), "Volumes:\n  v:\n  <unknown>\n");
        let mut w = Writer::new(0);
        write(&mut w, View::default(), "  ");
        assert_eq!(w.finish(), "  Volumes:  <none>\n");
    }

    #[test]
    fn attributes_of_a_driver() {
        let text = of_pod(json!({"name": "v", "csi": {"driver": "d", "volumeAttributes": {"b": "2", "a": "1"}}}));
        assert!(text.ends_with("    VolumeAttributes:      a=1\n                           b=2\n"), "{text}");
        let text = of_pod(json!({"name": "v", "csi": {"driver": "d"}}));
        assert!(text.ends_with("    VolumeAttributes:  <none>\n"), "{text}");
    }
}
