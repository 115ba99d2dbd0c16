//! Volumes of clouds whose plugins were part of Kubernetes once: they are handed to CSI drivers. Models
//! `staging/src/k8s.io/csi-translation-lib/plugins`.

use k8s_openapi::api::core::v1::{PersistentVolumeSpec, Volume};

/// The driver's name and its handle of the volume.
pub type Csi = (&'static str, String);

fn disk_of_gce(name: &str) -> Csi {
    ("pd.csi.storage.gke.io", format!("projects/UNSPECIFIED/zones/UNSPECIFIED/disks/{name}"))
}

/// `aws://us-east-1a/vol-1` is `vol-1` to the driver.
fn disk_of_aws(id: &str) -> Csi {
    ("ebs.csi.aws.com", id.rsplit('/').next().unwrap_or(id).to_string())
}

fn share_of_azure(secret: &str, share: &str, volume: &str, namespace: &str) -> Csi {
    let account = secret.strip_prefix("azure-storage-account-").unwrap_or(secret);
    let account = account.strip_suffix("-secret").unwrap_or(account);
    ("file.csi.azure.com", format!("#{account}#{share}#{volume}#{namespace}"))
}

/// A pod's volume; `None`: it is of no such plugin.
pub fn inline(v: &Volume, namespace: &str) -> Option<Csi> {
    if let Some(s) = &v.aws_elastic_block_store {
        return Some(disk_of_aws(&s.volume_id));
    }
    if let Some(s) = &v.gce_persistent_disk {
        return Some(disk_of_gce(&s.pd_name));
    }
    if let Some(s) = &v.azure_disk {
        return Some(("disk.csi.azure.com", s.disk_uri.clone()));
    }
    if let Some(s) = &v.azure_file {
        return Some(share_of_azure(&s.secret_name, &s.share_name, &v.name, namespace));
    }
    if let Some(s) = &v.cinder {
        return Some(("cinder.csi.openstack.org", s.volume_id.clone()));
    }
    if let Some(s) = &v.vsphere_volume {
        return Some(("csi.vsphere.vmware.com", s.volume_path.clone()));
    }
    v.portworx_volume.as_ref().map(|s| ("pxd.portworx.com", s.volume_id.clone()))
}

/// A PersistentVolume's source; `None`: it is of no such plugin.
pub fn persistent(name: &str, spec: &PersistentVolumeSpec) -> Option<Csi> {
    if let Some(s) = &spec.aws_elastic_block_store {
        return Some(disk_of_aws(&s.volume_id));
    }
    if let Some(s) = &spec.gce_persistent_disk {
        return Some(disk_of_gce(&s.pd_name));
    }
    if let Some(s) = &spec.azure_disk {
        return Some(("disk.csi.azure.com", s.disk_uri.clone()));
    }
    if let Some(s) = &spec.azure_file {
        let namespace = s.secret_namespace.as_deref().unwrap_or("default");
        return Some(share_of_azure(&s.secret_name, &s.share_name, name, namespace));
    }
    if let Some(s) = &spec.cinder {
        return Some(("cinder.csi.openstack.org", s.volume_id.clone()));
    }
    if let Some(s) = &spec.vsphere_volume {
        return Some(("csi.vsphere.vmware.com", s.volume_path.clone()));
    }
    spec.portworx_volume.as_ref().map(|s| ("pxd.portworx.com", s.volume_id.clone()))
}
