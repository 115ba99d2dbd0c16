//! An informer cache: objects by kind and key, with the indexes client-go's informers commonly have.

use crate::component::{Change, Interest};
use crate::gateway::Gateway;
use crate::services::Services;
use crate::usage::Usage;
use api::kinds::ipaddress;
use api::{KINDS, KindRef, Kinds, Obj, ObjectExt, Registered};
use imbl::{OrdMap, OrdSet};
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use meta::Key;
use std::sync::Arc;
use trace::Seq;

/// Cloning is a few pointers: the maps share structure.
#[derive(Clone, Default)]
pub struct View {
    kinds: Vec<OrdMap<Key, Obj>>,
    pods_by_node: OrdMap<Arc<str>, OrdSet<Key>>,
    /// By `status.podIP`; those of the host's network share their node's.
    pods_by_ip: OrdMap<Arc<str>, OrdSet<Key>>,
    /// By each of `spec.clusterIPs`.
    services_by_ip: OrdMap<Arc<str>, OrdSet<Key>>,
    /// Owner UID to the objects that name it in `ownerReferences`, by their kind's index and key.
    owned: OrdMap<Arc<str>, OrdMap<(usize, Key), Obj>>,
    /// Objects without a controller, of the kinds that controllers adopt.
    orphans: OrdMap<(usize, Key), Obj>,
    /// What is served: see [`View::kinds`].
    served: Kinds,
    revision: u64,
    /// Not of the store: what the nodes' runtimes count, and whether metrics-server runs that shows it.
    pub usage: Usage,
    /// The rules that kube-proxy has put into the nodes' kernels.
    pub services: Services,
    /// What the ingress controller has told its web server.
    pub gateway: Gateway,
}

impl View {
    pub fn new() -> Self {
        View { kinds: vec![OrdMap::new(); KINDS.len()], ..Default::default() }
    }

    /// The store's revision this view has caught up with.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The kinds there are, with those of the CustomResourceDefinitions that this view has seen.
    pub fn kinds(&self) -> &Kinds {
        &self.served
    }

    /// Takes in one change: `new` absent means deleted.
    pub fn apply(&mut self, kind: KindRef, key: &Key, old: Option<&Obj>, new: Option<&Obj>, revision: u64) {
        self.revision = revision;
        if kind == CustomResourceDefinition::KIND_REF {
            self.served.observe(key.name(), new.and_then(|o| o.downcast()));
        }
        let i = api::kinds::index(kind);
        if self.kinds.len() <= i {
            self.kinds.resize(i + 1, OrdMap::new());
        }
        reindex(&mut self.pods_by_node, key, old.and_then(node_of), new.and_then(node_of));
        reindex(&mut self.pods_by_ip, key, old.and_then(ip_of), new.and_then(ip_of));
        if kind == Service::KIND_REF {
            self.index_service(key, old, new);
        }
        let at = (i, key.clone());
        let (was, is) = (old.map_or(NO_OWNERS, owners_of), new.map_or(NO_OWNERS, owners_of));
        for r in was.iter().filter(|r| !is.iter().any(|n| n.uid == r.uid)) {
            if let Some(of_owner) = self.owned.get_mut(r.uid.as_str()) {
                of_owner.remove(&at);
                if of_owner.is_empty() {
                    self.owned.remove(r.uid.as_str());
                }
            }
        }
        if let Some(o) = new {
            for r in is {
                match self.owned.get_mut(r.uid.as_str()) {
                    Some(of_owner) => _ = of_owner.insert(at.clone(), o.clone()),
                    None => _ = self.owned.insert(r.uid.as_str().into(), OrdMap::unit(at.clone(), o.clone())),
                }
            }
        }
        if ADOPTABLE.contains(&kind.kind) {
            match new.filter(|o| o.controller_ref().is_none()) {
                Some(o) => self.orphans.insert(at, o.clone()),
                None => self.orphans.remove(&at),
            };
        }
        match new {
            Some(o) => self.kinds[i].insert(key.clone(), o.clone()),
            None => self.kinds[i].remove(key),
        };
    }

    fn index_service(&mut self, key: &Key, old: Option<&Obj>, new: Option<&Obj>) {
        let ips = |o: Option<&Obj>| -> Vec<String> {
            o.and_then(|o| o.downcast()).into_iter().flat_map(ipaddress::of_service).map(Into::into).collect()
        };
        let (was, is) = (ips(old), ips(new));
        for ip in was.iter().filter(|ip| !is.contains(ip)) {
            reindex(&mut self.services_by_ip, key, Some(ip), None);
        }
        for ip in is.iter().filter(|ip| !was.contains(ip)) {
            reindex(&mut self.services_by_ip, key, None, Some(ip));
        }
    }

    /// What somebody with these interests hears who knew `old` and catches up: in the order of kinds and keys. What was
    /// deleted and made again was deleted first.
    pub fn changes_since(&self, old: &View, interests: &[Interest], cause: Seq) -> Vec<Change> {
        let mut out = Vec::new();
        let mut compare = |kind: KindRef, key: &Key| {
            let (was, is) = (old.get_obj(kind, key), self.get_obj(kind, key));
            let mut push = |old: Option<&Obj>, new: Option<&Obj>| {
                let (kind, key, revision) = (kind, key.clone(), self.revision);
                out.push(Change { kind, key, old: old.cloned(), new: new.cloned(), revision, cause });
            };
            match (was, is) {
                (None, None) => {}
                (Some(a), Some(b)) if Arc::ptr_eq(a, b) => {}
                (Some(a), Some(b)) if a.uid() != b.uid() => {
                    push(Some(a), None);
                    push(None, Some(b));
                }
                _ => push(was, is),
            }
        };
        let custom = || self.served.custom().chain(old.served.custom());
        let mut kinds: Vec<KindRef> = Vec::new();
        for interest in interests {
            match interest {
                Interest::Kind(kind) => kinds.push(kind),
                Interest::Custom => custom().for_each(|k| kinds.push(k)),
                Interest::PodsOnNode(node) => {
                    let of = |v: &View| v.pods_by_node.get(node).cloned().unwrap_or_default();
                    of(old).union(of(self)).iter().for_each(|key| compare(Pod::KIND_REF, key));
                }
                Interest::Object(kind, key) => compare(kind, key),
            }
        }
        kinds.sort_by_key(|k| api::kinds::index(k));
        kinds.dedup_by_key(|k| api::kinds::index(k));
        for kind in kinds {
            let of = |v: &View| v.kinds.get(api::kinds::index(kind)).cloned().unwrap_or_default();
            let (was, is) = (of(old), of(self));
            let gone = was.keys().filter(|k| !is.contains_key(*k));
            let mut keys: Vec<&Key> = is.keys().chain(gone).collect();
            keys.sort_unstable();
            keys.into_iter().for_each(|key| compare(kind, key));
        }
        out
    }

    pub fn get_obj(&self, kind: KindRef, key: &Key) -> Option<&Obj> {
        self.kinds.get(api::kinds::index(kind))?.get(key)
    }
    pub fn get<T: Registered>(&self, key: &Key) -> Option<&T> {
        self.get_obj(T::KIND_REF, key)?.downcast()
    }
    pub fn list_obj(&self, kind: KindRef) -> impl Iterator<Item = &Obj> {
        self.kinds.get(api::kinds::index(kind)).into_iter().flat_map(OrdMap::values)
    }
    /// In key order.
    pub fn list<T: Registered>(&self) -> impl Iterator<Item = &T> {
        self.list_obj(T::KIND_REF).filter_map(|o| o.downcast())
    }
    pub fn list_obj_in(&self, kind: KindRef, namespace: &str) -> impl Iterator<Item = &Obj> {
        let range = Key::namespace_range(namespace);
        self.kinds.get(api::kinds::index(kind)).into_iter().flat_map(move |m| m.range(range.clone()).map(|(_, o)| o))
    }
    pub fn list_in<T: Registered>(&self, namespace: &str) -> impl Iterator<Item = &T> {
        self.list_obj_in(T::KIND_REF, namespace).filter_map(|o| o.downcast())
    }
    pub fn count(&self, kind: KindRef) -> usize {
        self.kinds.get(api::kinds::index(kind)).map_or(0, OrdMap::len)
    }
    pub fn pods_on_node(&self, node: &str) -> impl Iterator<Item = &Pod> {
        self.pods_by_node.get(node).into_iter().flat_map(|s| s.iter()).filter_map(|k| self.get::<Pod>(k))
    }
    /// In key order.
    pub fn pods_with_ip(&self, ip: &str) -> impl Iterator<Item = &Pod> {
        self.pods_by_ip.get(ip).into_iter().flat_map(|s| s.iter()).filter_map(|k| self.get::<Pod>(k))
    }
    /// The Service that has this address, the first in key order.
    pub fn service_with_ip(&self, ip: &str) -> Option<&Service> {
        self.services_by_ip.get(ip)?.iter().find_map(|k| self.get(k))
    }
    /// Objects of any kind whose `ownerReferences` name `uid`.
    pub fn dependents(&self, uid: &str) -> impl Iterator<Item = &Obj> {
        self.owned.get(uid).into_iter().flat_map(OrdMap::values)
    }
    /// Objects of one kind in a namespace that have no controller. Only for kinds that controllers adopt:
    /// Pod, ReplicaSet, ControllerRevision, Job.
    pub fn orphans_in<T: Registered>(&self, namespace: &str) -> impl Iterator<Item = &T> {
        let i = api::kinds::index(T::KIND_REF);
        let range = Key::namespace_range(namespace);
        self.orphans.range((i, range.start)..(i, range.end)).filter_map(|(_, o)| o.downcast())
    }
    /// Objects of one kind whose controller is `uid`.
    pub fn controlled_by<T: Registered>(&self, uid: &str) -> impl Iterator<Item = &T> {
        self.dependents(uid)
            .filter(move |o| o.controller_ref().is_some_and(|r| r.uid == uid))
            .filter_map(|o| o.downcast())
    }
}

/// Kinds whose objects a controller can take over.
const ADOPTABLE: &[&str] = &["Pod", "ReplicaSet", "ControllerRevision", "Job"];

const NO_OWNERS: &[OwnerReference] = &[];

fn owners_of(o: &Obj) -> &[OwnerReference] {
    o.meta().owner_references.as_deref().unwrap_or(NO_OWNERS)
}

fn node_of(o: &Obj) -> Option<&str> {
    let pod: &Pod = o.downcast()?;
    pod.spec.as_ref()?.node_name.as_deref().filter(|n| !n.is_empty())
}

fn ip_of(o: &Obj) -> Option<&str> {
    let pod: &Pod = o.downcast()?;
    pod.status.as_ref()?.pod_ip.as_deref().filter(|ip| !ip.is_empty())
}

fn reindex(index: &mut OrdMap<Arc<str>, OrdSet<Key>>, key: &Key, was: Option<&str>, is: Option<&str>) {
    if was == is {
        return;
    }
    if let Some(was) = was
        && let Some(set) = index.get_mut(was)
    {
        set.remove(key);
        if set.is_empty() {
            index.remove(was);
        }
    }
    if let Some(is) = is {
        index.entry(is.into()).or_default().insert(key.clone());
    }
}
