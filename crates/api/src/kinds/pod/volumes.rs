//! Volumes of a pod. Models `ValidateVolumes` of `pkg/apis/core/validation`.

use super::container::pull_policy;
use super::env::{field_selector, resource_selector};
use crate::validate::{each, names, text};
use k8s_openapi::api::core::v1::{DownwardAPIVolumeFile, KeyToPath, ProjectedVolumeSource, Volume};
use meta::{FieldError, Path, Quantity};

const FILE_MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

/// What surrounds the volumes and decides some of the rules.
pub struct Owner<'a> {
    /// The pod's own name; empty in a template and before a name is generated.
    pub pod_name: &'a str,
    /// Whether the spec is a Pod's own, not a template's.
    pub is_pod: bool,
}

/// Returns the volumes without fault: only these can be mounted.
pub fn validate<'v>(
    list: &'v [Volume],
    owner: &Owner<'_>,
    path: &Path,
    errors: &mut Vec<FieldError>,
) -> Vec<&'v Volume> {
    let claims: Vec<String> = list
        .iter()
        .filter(|v| v.ephemeral.is_some() && !owner.pod_name.is_empty())
        .map(|v| format!("{}-{}", owner.pod_name, v.name))
        .collect();
    let mut valid: Vec<&Volume> = Vec::new();
    for (i, v) in list.iter().enumerate() {
        let at = path.index(i);
        let mut found = Vec::new();
        sources(v, owner, &at, &mut found);
        let name_at = at.child("name");
        if v.name.is_empty() {
            found.push(FieldError::required(&name_at, ""));
        } else {
            found.extend(each(&name_at, &v.name, names::dns1123_label(&v.name)));
        }
        if valid.iter().any(|o| o.name == v.name) {
            found.push(FieldError::duplicate(&name_at, v.name.as_str()));
        }
        if found.is_empty() {
            valid.push(v);
        }
        errors.append(&mut found);
        if let Some(c) = v.persistent_volume_claim.as_ref().filter(|c| claims.contains(&c.claim_name)) {
            let at = at.child("persistentVolumeClaim").child("claimName");
            let why = "must not reference a PVC that gets created for an ephemeral volume";
            errors.push(FieldError::invalid(&at, c.claim_name.as_str(), why));
        }
    }
    valid
}

/// Exactly one source; the first in upstream's order is the one that is meant.
fn sources(v: &Volume, owner: &Owner<'_>, path: &Path, errors: &mut Vec<FieldError>) {
    let given = [
        ("emptyDir", v.empty_dir.is_some()),
        ("hostPath", v.host_path.is_some()),
        ("gitRepo", v.git_repo.is_some()),
        ("gcePersistentDisk", v.gce_persistent_disk.is_some()),
        ("awsElasticBlockStore", v.aws_elastic_block_store.is_some()),
        ("secret", v.secret.is_some()),
        ("nfs", v.nfs.is_some()),
        ("iscsi", v.iscsi.is_some()),
        ("glusterfs", v.glusterfs.is_some()),
        ("flocker", v.flocker.is_some()),
        ("persistentVolumeClaim", v.persistent_volume_claim.is_some()),
        ("rbd", v.rbd.is_some()),
        ("cinder", v.cinder.is_some()),
        ("cephFS", v.cephfs.is_some()),
        ("quobyte", v.quobyte.is_some()),
        ("downwardAPI", v.downward_api.is_some()),
        ("fc", v.fc.is_some()),
        ("flexVolume", v.flex_volume.is_some()),
        ("configMap", v.config_map.is_some()),
        ("azureFile", v.azure_file.is_some()),
        ("vsphereVolume", v.vsphere_volume.is_some()),
        ("photonPersistentDisk", v.photon_persistent_disk.is_some()),
        ("portworxVolume", v.portworx_volume.is_some()),
        ("azureDisk", v.azure_disk.is_some()),
        ("storageos", v.storageos.is_some()),
        ("scaleIO", v.scale_io.is_some()),
        ("projected", v.projected.is_some()),
        ("csi", v.csi.is_some()),
        ("ephemeral", v.ephemeral.is_some()),
        ("image", v.image.is_some()),
    ];
    let mut set = given.iter().filter(|(_, is)| *is).map(|(name, _)| *name);
    let Some(first) = set.next() else {
        errors.push(FieldError::required(path, "must specify a volume type"));
        return;
    };
    source(v, first, owner, path, errors);
    for extra in set {
        errors.push(FieldError::forbidden(&path.child(extra), "may not specify more than 1 volume type"));
    }
}

/// Looks at the source called `kind` only.
fn source(v: &Volume, kind: &str, owner: &Owner<'_>, path: &Path, errors: &mut Vec<FieldError>) {
    if let Some(limit) = v.empty_dir.as_ref().and_then(|e| e.size_limit.as_ref())
        && Quantity::of(limit).is_negative()
    {
        let why = "SizeLimit field must be a valid resource quantity";
        errors.push(FieldError::forbidden(&path.child("emptyDir").child("sizeLimit"), why));
    }
    match kind {
        "hostPath" | "gitRepo" | "nfs" | "persistentVolumeClaim" => storage(v, path, errors),
        "secret" | "configMap" | "downwardAPI" | "projected" => files(v, path, errors),
        "csi" | "image" | "ephemeral" => provided(v, owner, path, errors),
        _ => {}
    }
}

fn storage(v: &Volume, path: &Path, errors: &mut Vec<FieldError>) {
    if let Some(h) = &v.host_path {
        let at = path.child("hostPath");
        if h.path.is_empty() {
            errors.push(FieldError::required(&at.child("path"), ""));
            return;
        }
        backsteps(&h.path, &at.child("path"), errors);
        let types =
            ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
        if !types.contains(&text(&h.type_)) {
            errors.push(FieldError::not_supported(&at.child("type"), text(&h.type_), &types));
        }
    } else if let Some(g) = &v.git_repo {
        let at = path.child("gitRepo");
        required(&g.repository, &at.child("repository"), errors);
        descending_path(text(&g.directory), &at.child("directory"), errors);
    } else if let Some(n) = &v.nfs {
        let at = path.child("nfs");
        required(&n.server, &at.child("server"), errors);
        required(&n.path, &at.child("path"), errors);
        if !n.path.starts_with('/') {
            errors.push(FieldError::invalid(&at.child("path"), n.path.as_str(), "must be an absolute path"));
        }
    } else if let Some(c) = &v.persistent_volume_claim {
        required(&c.claim_name, &path.child("persistentVolumeClaim").child("claimName"), errors);
    }
}

fn files(v: &Volume, path: &Path, errors: &mut Vec<FieldError>) {
    if let Some(s) = &v.secret {
        let at = path.child("secret");
        required(text(&s.secret_name), &at.child("secretName"), errors);
        mode(s.default_mode, &at.child("defaultMode"), errors);
        items(s.items.as_deref(), &at.child("items"), errors);
    } else if let Some(d) = &v.downward_api {
        let at = path.child("downwardAPI");
        mode(d.default_mode, &at.child("defaultMode"), errors);
        for f in d.items.iter().flatten() {
            downward_file(f, &at, errors);
        }
    } else if let Some(c) = &v.config_map {
        let at = path.child("configMap");
        required(&c.name, &at.child("name"), errors);
        mode(c.default_mode, &at.child("defaultMode"), errors);
        items(c.items.as_deref(), &at.child("items"), errors);
    } else if let Some(p) = &v.projected {
        projected(p, &path.child("projected"), errors);
    }
}

fn provided(v: &Volume, owner: &Owner<'_>, path: &Path, errors: &mut Vec<FieldError>) {
    if let Some(c) = &v.csi {
        let at = path.child("csi");
        csi_driver(&c.driver, &at.child("driver"), errors);
        if let Some(secret) = &c.node_publish_secret_ref {
            if secret.name.is_empty() {
                errors.push(FieldError::required(&at.child("nodePublishSecretRef").child("name"), ""));
            } else {
                errors.extend(each(&at.child("name"), &secret.name, names::dns1123_subdomain(&secret.name)));
            }
        }
    } else if let Some(e) = &v.ephemeral {
        if e.volume_claim_template.is_none() {
            errors.push(FieldError::required(&path.child("ephemeral").child("volumeClaimTemplate"), ""));
        }
        if !owner.pod_name.is_empty() && !v.name.is_empty() {
            let claim = format!("{}-{}", owner.pod_name, v.name);
            for msg in names::dns1123_subdomain(&claim) {
                let why = format!("PVC name {claim:?}: {msg}");
                errors.push(FieldError::invalid(&path.child("name"), v.name.as_str(), why));
            }
        }
    } else if let Some(i) = &v.image {
        let at = path.child("image");
        if owner.is_pod {
            required(text(&i.reference), &at.child("reference"), errors);
        }
        pull_policy(text(&i.pull_policy), &at.child("pullPolicy"), errors);
    }
}

/// Models `ValidateCSIDriverName`.
fn csi_driver(name: &str, path: &Path, errors: &mut Vec<FieldError>) {
    if name.is_empty() {
        errors.push(FieldError::required(path, ""));
        return;
    }
    if name.len() > 63 {
        errors.push(FieldError::too_long(path, 63));
    }
    errors.extend(each(path, name, names::dns1123_subdomain(&name.to_lowercase())));
}

fn required(value: &str, path: &Path, errors: &mut Vec<FieldError>) {
    if value.is_empty() {
        errors.push(FieldError::required(path, ""));
    }
}

fn mode(mode: Option<i32>, path: &Path, errors: &mut Vec<FieldError>) {
    if let Some(m) = mode.filter(|m| !(0..=0o777).contains(m)) {
        errors.push(FieldError::invalid(path, m, FILE_MODE));
    }
}

fn items(list: Option<&[KeyToPath]>, path: &Path, errors: &mut Vec<FieldError>) {
    for (i, k) in list.into_iter().flatten().enumerate() {
        let at = path.index(i);
        required(&k.key, &at.child("key"), errors);
        required(&k.path, &at.child("path"), errors);
        non_reserved_path(&k.path, &at.child("path"), errors);
        mode(k.mode, &at.child("mode"), errors);
    }
}

const FILE_FIELDS: &[&str] =
    &["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

fn downward_file(f: &DownwardAPIVolumeFile, path: &Path, errors: &mut Vec<FieldError>) {
    required(&f.path, &path.child("path"), errors);
    non_reserved_path(&f.path, &path.child("path"), errors);
    match (&f.field_ref, &f.resource_field_ref) {
        (Some(r), other) => {
            field_selector(r, FILE_FIELDS, &path.child("fieldRef"), errors);
            if other.is_some() {
                let why = "fieldRef and resourceFieldRef can not be specified simultaneously";
                errors.push(FieldError::invalid(path, "resource", why));
            }
        }
        (None, Some(r)) => resource_selector(r, true, &path.child("resourceFieldRef"), errors),
        (None, None) => {
            errors.push(FieldError::required(path, "one of fieldRef and resourceFieldRef is required"));
        }
    }
    mode(f.mode, &path.child("mode"), errors);
}

/// Models `validateProjectionSources`.
fn projected(p: &ProjectedVolumeSource, path: &Path, errors: &mut Vec<FieldError>) {
    mode(p.default_mode, &path.child("defaultMode"), errors);
    let mut seen: Vec<&str> = Vec::new();
    for (i, s) in p.sources.iter().flatten().enumerate() {
        let at = path.child("sources").index(i);
        for (field, name, list) in [
            ("secret", s.secret.as_ref().map(|x| &x.name), s.secret.as_ref().and_then(|x| x.items.as_deref())),
            (
                "configMap",
                s.config_map.as_ref().map(|x| &x.name),
                s.config_map.as_ref().and_then(|x| x.items.as_deref()),
            ),
        ] {
            let Some(name) = name else { continue };
            required(name, &at.child(field).child("name"), errors);
            items(list, &at.child(field).child("items"), errors);
            for k in list.into_iter().flatten() {
                unique_path(&k.path, name, &mut seen, path, errors);
            }
        }
        for f in s.downward_api.iter().flat_map(|d| d.items.iter().flatten()) {
            downward_file(f, &at.child("downwardAPI"), errors);
            unique_path(&f.path, &f.path, &mut seen, path, errors);
        }
        if let Some(t) = &s.service_account_token {
            let expiry = t.expiration_seconds.unwrap_or(0);
            let expiry_at = at.child("serviceAccountToken").child("expirationSeconds");
            if expiry < 600 {
                let why = "may not specify a duration less than 10 minutes";
                errors.push(FieldError::invalid(&expiry_at, expiry, why));
            }
            if expiry > 1 << 32 {
                let why = "may not specify a duration larger than 2^32 seconds";
                errors.push(FieldError::invalid(&expiry_at, expiry, why));
            }
            required(&t.path, &path.child("path"), errors);
            non_reserved_path(&t.path, &path.child("path"), errors);
        }
        let count = [
            s.secret.is_some(),
            s.config_map.is_some(),
            s.downward_api.is_some(),
            s.service_account_token.is_some(),
            s.cluster_trust_bundle.is_some(),
            s.pod_certificate.is_some(),
        ]
        .iter()
        .filter(|is| **is)
        .count();
        if count > 1 {
            errors.push(FieldError::forbidden(&at, "may not specify more than 1 volume type per source"));
        }
    }
}

fn unique_path<'a>(file: &'a str, value: &str, seen: &mut Vec<&'a str>, path: &Path, errors: &mut Vec<FieldError>) {
    if seen.contains(&file) {
        errors.push(FieldError::invalid(path, value, "conflicting duplicate paths"));
    } else if !file.is_empty() {
        seen.push(file);
    }
}

/// Models `validatePathNoBacksteps`.
pub fn backsteps(file: &str, path: &Path, errors: &mut Vec<FieldError>) {
    if file.split('/').any(|s| s == "..") {
        errors.push(FieldError::invalid(path, file, "must not contain '..'"));
    }
}

/// Relative, and never upwards. Models `validateLocalDescendingPath`.
pub fn descending_path(file: &str, path: &Path, errors: &mut Vec<FieldError>) {
    if file.starts_with('/') {
        errors.push(FieldError::invalid(path, file, "must be a relative path"));
    }
    backsteps(file, path, errors);
}

/// Models `ValidateLocalNonReservedPath`.
fn non_reserved_path(file: &str, path: &Path, errors: &mut Vec<FieldError>) {
    descending_path(file, path, errors);
    if file.starts_with("..") && !file.starts_with("../") {
        errors.push(FieldError::invalid(path, file, "must not start with '..'"));
    }
}
