//! The table of kinds. Adding a kind: one file here, one line in the table.

use crate::registration::{KindRef, UNLISTED, Verb};

pub(crate) mod admission;
pub mod apiservice;
pub mod certificatesigningrequest;
pub mod clusterrole;
pub mod clusterrolebinding;
pub mod componentstatus;
pub mod configmap;
pub mod controllerrevision;
pub mod cronjob;
pub mod csidriver;
pub mod csinode;
pub mod csistoragecapacity;
pub mod customresourcedefinition;
pub mod daemonset;
pub mod deployment;
pub mod deviceclass;
pub mod devices;
pub mod endpoints;
pub mod endpointslice;
pub mod event;
pub mod event_v1;
pub mod flowcontrol;
pub mod flowschema;
pub mod horizontalpodautoscaler;
pub mod horizontalpodautoscaler_v1;
pub mod ingress;
pub mod ingressclass;
pub mod ipaddress;
pub mod job;
pub mod lease;
pub mod limitrange;
pub mod localsubjectaccessreview;
pub mod mutatingwebhookconfiguration;
pub mod namespace;
pub mod networkpolicy;
pub mod node;
pub mod persistentvolume;
pub mod persistentvolumeclaim;
pub mod pod;
pub mod poddisruptionbudget;
pub mod podmetrics;
pub mod podtemplate;
pub mod priorityclass;
pub mod prioritylevelconfiguration;
pub mod rbac;
pub mod replicaset;
pub mod replicationcontroller;
pub mod resourceclaim;
pub mod resourceclaimtemplate;
pub mod resourcequota;
pub mod resourceslice;
pub mod role;
pub mod rolebinding;
pub mod runtimeclass;
pub mod secret;
pub mod selfsubjectaccessreview;
pub mod selfsubjectreview;
pub mod selfsubjectrulesreview;
pub mod service;
pub mod serviceaccount;
pub mod servicecidr;
pub mod statefulset;
pub mod status_fields;
pub mod storage;
mod storage_warnings;
pub mod storageclass;
pub mod subjectaccessreview;
pub mod tokenreview;
pub mod validatingadmissionpolicy;
pub mod validatingadmissionpolicybinding;
pub mod validatingwebhookconfiguration;
pub mod volumeattachment;
pub mod volumeattributesclass;
pub mod webhooks;
mod workload;

/// What `/status` can do.
pub(crate) const STATUS_VERBS: &[Verb] = &[Verb::Get, Verb::Patch, Verb::Update];
/// Streams are opened with either.
pub(crate) const CONNECT_VERBS: &[Verb] = &[Verb::Create, Verb::Get];
/// `/proxy` takes every method and passes it on.
pub(crate) const PROXY_VERBS: &[Verb] = &[Verb::Create, Verb::Delete, Verb::Get, Verb::Patch, Verb::Update];

/// The files above that hold a kind. A kind's number is its place here.
macro_rules! table {
    ($($module:ident)*) => {
        pub static KINDS: &[KindRef] = &[$(&$module::KIND),*];
        const ORDER: &[&str] = &[$(stringify!($module)),*];
    };
}
// In the order in which upstream lists groups: core first, then named groups.
table! {
    componentstatus configmap endpoints event limitrange namespace node persistentvolume persistentvolumeclaim pod podtemplate
    replicationcontroller resourcequota secret service serviceaccount
    mutatingwebhookconfiguration validatingadmissionpolicy validatingadmissionpolicybinding validatingwebhookconfiguration
    apiservice
    controllerrevision daemonset deployment replicaset statefulset
    customresourcedefinition
    horizontalpodautoscaler horizontalpodautoscaler_v1
    cronjob job
    certificatesigningrequest
    ingress ingressclass ipaddress networkpolicy servicecidr
    poddisruptionbudget
    csidriver csinode csistoragecapacity storageclass volumeattachment volumeattributesclass
    priorityclass
    lease
    flowschema prioritylevelconfiguration
    endpointslice
    event_v1
    runtimeclass
    selfsubjectreview tokenreview
    localsubjectaccessreview selfsubjectaccessreview selfsubjectrulesreview subjectaccessreview
    clusterrole clusterrolebinding role rolebinding
    deviceclass resourceclaim resourceclaimtemplate resourceslice
}

/// The place of a kind whose file is named as its singular; [`UNLISTED`] for one that has no file.
pub(crate) const fn id(singular: &str) -> u16 {
    let mut i = 0;
    while i < ORDER.len() {
        if same(ORDER[i].as_bytes(), singular.as_bytes()) {
            return i as u16;
        }
        i += 1;
    }
    UNLISTED
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

pub fn by_gvk(group: &str, version: &str, kind: &str) -> Option<KindRef> {
    KINDS.iter().copied().find(|k| k.group == group && k.version == version && k.kind == kind)
}

pub fn by_plural(group: &str, version: &str, plural: &str) -> Option<KindRef> {
    KINDS.iter().copied().find(|k| k.group == group && k.version == version && k.plural == plural)
}

/// The position in [`KINDS`]: a dense index for per-kind tables. `usize::MAX` for a kind not listed there.
pub fn index(kind: KindRef) -> usize {
    if kind.id == UNLISTED { usize::MAX } else { usize::from(kind.id) }
}

/// `apiVersion` as manifests write it: `v1`, `apps/v1`.
pub fn by_api_version(api_version: &str, kind: &str) -> Option<KindRef> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    by_gvk(group, version, kind)
}

/// Links a type to its registration.
macro_rules! register {
    ($registration:ty, $type:ty) => {
        pub static KIND: $crate::registration::Kind = $crate::registration::Kind::of::<$registration>();
        impl $crate::registration::Registered for $type {
            const KIND_REF: $crate::registration::KindRef = &KIND;
        }
    };
}
pub(crate) use register;

#[cfg(test)]
mod access_tests;
#[cfg(test)]
mod devices_tests;
#[cfg(test)]
mod job_tests;
#[cfg(test)]
mod network_tests;
#[cfg(test)]
mod rules_tests;
#[cfg(test)]
mod storage_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod workload_tests;
