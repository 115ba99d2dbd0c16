//! The toy cloud's CSI driver: the parts of its controller that watch the API server (upstream's sidecars
//! external-provisioner, external-attacher and external-resizer), each making the driver's calls of the cloud.

pub mod attacher;
mod objects;
pub mod provisioner;
pub mod resizer;

use crate::runner::Runner;
use k8s_openapi::api::core::v1::{CSIPersistentVolumeSource, PersistentVolume};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

pub use objects::objects;

/// The driver's name.
pub const DRIVER: &str = "disk.csi.toycloud.example";
/// The process that all of it runs in.
pub const PROCESS: &str = "csi-disk-controller";
/// The service account in kube-system that it runs as.
const ACCOUNT: &str = "csi-disk-controller-sa";
/// Where a disk can be attached: the label of nodes that has to agree.
pub const ZONE: &str = "topology.kubernetes.io/zone";
/// The class that makes disks.
pub const CLASS: &str = "toycloud-disk";
const GIB: i64 = 1 << 30;

pub fn all() -> Vec<Runner> {
    vec![
        Runner::new(Box::<provisioner::Provisioner>::default()),
        Runner::new(Box::<attacher::Attacher>::default()),
        Runner::new(Box::<resizer::Resizer>::default()),
    ]
}

/// The driver's volume behind a PersistentVolume, if it is one.
fn source(volume: &PersistentVolume) -> Option<&CSIPersistentVolumeSource> {
    volume.spec.as_ref()?.csi.as_ref().filter(|c| c.driver == DRIVER)
}

fn annotation<'a>(meta: &'a ObjectMeta, key: &str) -> &'a str {
    meta.annotations.as_ref().and_then(|a| a.get(key)).map_or("", String::as_str)
}

/// A driver's error as gRPC clients print it.
fn rpc(code: &str, what: &str) -> String {
    format!("rpc error: code = {code} desc = {what}")
}

/// A size in whole GiB, rounded up.
fn gib(bytes: i64) -> u64 {
    u64::try_from(bytes.max(0)).unwrap_or(0).div_ceil(GIB.unsigned_abs())
}
