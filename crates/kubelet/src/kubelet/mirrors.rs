//! Static pods among the kubelet's pods, and their mirrors at the API server.

use super::{Item, Kubelet, Worker};
use crate::pod::PodWorker;
use crate::statics::{self, Manifests};
use api::{Obj, Object, ObjectExt, Registered};
use k8s_openapi::api::core::v1::{Node, Pod, PodStatus};
use meta::{Key, Time};
use reconcile::{Intent, Tolerate, Write};
use std::collections::BTreeMap;
use std::sync::Arc;
use trace::Seq;

impl Worker {
    pub(super) fn is_of(&self, key: &Key) -> bool {
        self.is_static && self.state.key == *key
    }
    /// Its file is gone.
    fn is_leaving(&self) -> bool {
        self.is_static && self.pod.is_terminating()
    }
}

impl Kubelet {
    /// What the node's manifest directory holds now: new pods start, and those whose file is gone or another one end.
    pub fn set_manifests(&mut self, now: Time, manifests: Manifests) {
        Arc::make_mut(&mut self.config).manifests = manifests;
        self.load_manifests(now);
    }

    /// Reads the manifest directory of the node's own disk, where pods may have written.
    pub(super) fn read_manifest_files(&mut self) {
        self.written = statics::parse(&self.runtime.manifest_files());
    }

    pub(super) fn load_manifests(&mut self, now: Time) {
        let read = |(file, pod): (&String, &Arc<Pod>)| {
            let pod = statics::read(pod, file, &self.config.name).ok()?;
            Some((Arc::<str>::from(pod.metadata.uid.as_deref()?), pod))
        };
        let mut wanted: BTreeMap<Arc<str>, Pod> =
            self.config.manifests.iter().chain(&self.written).filter_map(read).collect();
        for (uid, w) in self.pods.iter_mut().filter(|(_, w)| w.is_static) {
            if wanted.remove(uid).is_some() || w.is_leaving() {
                continue;
            }
            let Some(pod) = w.pod.downcast::<Pod>() else { continue };
            let mut pod = pod.clone();
            pod.metadata.deletion_timestamp = Some(now.to_k8s());
            pod.metadata.deletion_grace_period_seconds =
                pod.spec.as_ref().and_then(|s| s.termination_grace_period_seconds);
            Arc::make_mut(w).pod = Arc::new(pod);
            self.queue.add(Item::Pod(uid.clone()), 0);
        }
        for (uid, mut pod) in wanted {
            statics::seen(&mut pod, now);
            let key = (&pod as &dyn Object).key();
            // What it came to before the kubelet was restarted.
            let mirror = self.mirrors.get(&key).and_then(|m| m.downcast::<Pod>());
            if let Some(m) = mirror.filter(|m| statics::is_mirror_of(m, &pod)) {
                pod.status.clone_from(&m.status);
            }
            let state = PodWorker::new(&pod, uid.clone(), key);
            let worker = Worker { pod: Arc::new(pod), state, inbox: Vec::new(), is_static: true };
            self.pods.insert(uid.clone(), Arc::new(worker));
            self.queue.add(Item::Pod(uid), 0);
        }
    }

    /// `new`: as it is at the API server now.
    pub(super) fn mirror_changed(&mut self, key: Key, new: Option<Obj>, cause: Seq) {
        match new {
            Some(o) => _ = self.mirrors.insert(key.clone(), o),
            None => _ = self.mirrors.remove(&key),
        }
        let mut shown = false;
        for (uid, w) in self.pods.iter_mut().filter(|(_, w)| w.is_of(&key)) {
            Arc::make_mut(w).state.sent = None;
            shown = true;
            self.queue.add(Item::Pod(uid.clone()), cause);
        }
        if !shown && self.mirrors.contains_key(&key) {
            self.queue.add(Item::Mirror(key), cause);
        }
    }

    /// A mirror of nothing goes.
    pub(super) fn sync_mirror(&self, key: &Key) -> Vec<Intent> {
        if self.pods.values().any(|w| w.is_of(key)) {
            return Vec::new();
        }
        self.mirrors.get(key).map(|m| delete(key, m)).into_iter().collect()
    }

    /// One of the same name has to end first, or was there before: another file has it. Models `allowStaticPodStart`.
    pub(super) fn waits_for_another(&self, uid: &Arc<str>) -> bool {
        let Some(w) = self.pods.get(uid).filter(|w| w.is_static) else { return false };
        let others = || self.pods.iter().filter(|(other, o)| *other != uid && o.is_of(&w.state.key));
        let is_new = !w.state.admitted;
        !w.is_leaving() && others().any(|(_, o)| o.is_leaving() || is_new && o.state.admitted)
    }

    /// The pod's name is free for another one, or for itself when its file has come back meanwhile.
    pub(super) fn static_pod_ended(&mut self, key: &Key, now: Time) {
        self.load_manifests(now);
        for (uid, _) in self.pods.iter().filter(|(_, w)| w.is_of(key)) {
            self.queue.add(Item::Pod(uid.clone()), 0);
        }
        self.queue.add(Item::Mirror(key.clone()), 0);
    }
}

fn delete(key: &Key, mirror: &Obj) -> Intent {
    Intent {
        write: Write::Delete {
            kind: Pod::KIND_REF,
            key: key.clone(),
            uid: Some(mirror.uid().to_string()),
            grace_seconds: Some(0),
            propagation: None,
        },
        tolerate: Tolerate::NotFound,
        announce: None,
    }
}

/// What brings the mirror to what it should be. Models `tryReconcileMirrorPods`.
pub(super) fn reconcile(key: &Key, pod: &Pod, mirror: Option<&Obj>, node: Option<&Node>) -> Option<Intent> {
    match mirror.and_then(|m| Some((m, m.downcast::<Pod>()?))) {
        Some((o, m)) => (o.is_terminating() || !statics::is_mirror_of(m, pod)).then(|| delete(key, o)),
        None => {
            let node = node.filter(|n| n.metadata.deletion_timestamp.is_none())?;
            Some(Intent::create(statics::mirror(pod, node)).tolerate(Tolerate::AlreadyExists))
        }
    }
}

/// The mirror, when it is one of this very pod.
pub(super) fn shown<'a>(pod: &Pod, mirror: Option<&'a Obj>) -> Option<&'a Pod> {
    mirror.and_then(|m| m.downcast::<Pod>()).filter(|m| statics::is_mirror_of(m, pod))
}

/// The pod with what became of it, as the next status builds on that.
pub(super) fn with_status(pod: &Pod, status: PodStatus) -> Option<Obj> {
    (pod.status.as_ref() != Some(&status)).then(|| Arc::new(Pod { status: Some(status), ..pod.clone() }) as Obj)
}
