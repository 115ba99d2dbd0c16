//! The controller's process: one Ingress or one Service a turn. Models ingress-nginx's `store.go` (what is listened to, and
//! the `Sync` events) and `status.go` (the address, once a minute).

use super::load::{self, is_mine};
use api::{Object, ObjectExt, Registered};
use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass, IngressLoadBalancerIngress};
use meta::{Duration, Key, Time, User};
use reconcile::gateway::{Found, Loaded, Upstream};
use reconcile::{Change, Component, Cx, EventType, Gauge, Intent, Interest, Reply, Step, View, WorkQueue};
use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;
use trace::{Seq, note};

/// The process's name, and its only component's.
pub const PROCESS: &str = "ingress-nginx-controller";
/// `--publish-status-address`, as kind runs it.
const ADDRESS: &str = "localhost";
/// `UpdateInterval` of the addresses.
const STATUS_EVERY: Duration = Duration::from_secs(60);
const SERVICE_NAME: &str = "kubernetes.io/service-name";

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Ingress(Key),
    Service(Key),
    /// The addresses of all that lack them.
    Status,
}

/// What a turn has told the web server.
#[derive(Clone, Debug)]
pub enum Told {
    Ingress(Key, Option<Loaded>),
    Upstream(Upstream, Found),
}

#[derive(Clone)]
pub struct IngressController {
    name: Arc<str>,
    user: User,
    queue: WorkQueue<Item>,
    told: Vec<Told>,
    /// Ingresses whose status lacks the address.
    nameless: BTreeSet<Key>,
    /// When the process began: the minutes are counted from there.
    began: Time,
    current: Option<Item>,
}

impl Default for IngressController {
    fn default() -> Self {
        let groups = ["system:serviceaccounts", "system:serviceaccounts:ingress-nginx", "system:authenticated"];
        IngressController {
            name: PROCESS.into(),
            user: User::new("system:serviceaccount:ingress-nginx:ingress-nginx", &groups),
            queue: WorkQueue::default(),
            told: Vec::new(),
            nameless: BTreeSet::new(),
            began: Time(0),
            current: None,
        }
    }
}

impl IngressController {
    /// What the last turn told the web server, for whoever carries it there.
    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    fn next_status(&self, now: Time) -> Time {
        let minutes = now.since(self.began).0 / STATUS_EVERY.0 + 1;
        self.began + Duration(minutes * STATUS_EVERY.0)
    }

    /// Whether the Ingress lacks the address is known from now on.
    fn mind(&mut self, now: Time, key: &Key, ingress: Option<&Ingress>) {
        if ingress.is_some_and(|i| !has_address(i)) {
            self.nameless.insert(key.clone());
            self.queue.add_at(Item::Status, self.next_status(now), 0);
        } else {
            self.nameless.remove(key);
        }
    }

    fn sync(&mut self, cx: &Cx, key: &Key) -> Option<trace::Note> {
        let mine = cx.view.get::<Ingress>(key).filter(|i| is_mine(cx.view, i));
        self.mind(cx.now, key, mine);
        let loaded = mine.map(|i| load::load(key, i));
        let known = cx.view.gateway.of(key);
        if loaded.as_ref() == known.map(|l| &**l) {
            return None;
        }
        let n = match &loaded {
            Some(l) => note!("ingress.loaded", paths = l.locations.len(), ingress = key),
            None => note!("ingress.removed", ingress = key),
        };
        let upstreams: BTreeSet<Upstream> = loaded.iter().flat_map(Loaded::upstreams).cloned().collect();
        self.told.push(Told::Ingress(key.clone(), loaded));
        for u in upstreams {
            let found = load::find(cx.view, &u);
            self.told.push(Told::Upstream(u, found));
        }
        Some(n)
    }

    fn refresh(&mut self, cx: &Cx, service: &Key) -> Option<trace::Note> {
        let mut ready = None;
        for u in cx.view.gateway.upstreams_of(service) {
            let found = load::find(cx.view, u);
            if cx.view.gateway.found(u) != Some(&found) {
                ready = Some(if let Found::Endpoints(all) = &found { all.len() } else { 0 });
                self.told.push(Told::Upstream(u.clone(), found));
            }
        }
        ready.map(|ready| note!("ingress.endpoints", service = service, ready = ready))
    }

    fn publish(&mut self, cx: &Cx) -> Vec<Intent> {
        let mut intents = Vec::new();
        for key in std::mem::take(&mut self.nameless) {
            let Some(ingress) = cx.view.get::<Ingress>(&key).filter(|i| is_mine(cx.view, i) && !has_address(i)) else {
                continue;
            };
            let mut new = ingress.clone();
            let address = IngressLoadBalancerIngress { hostname: Some(ADDRESS.into()), ..Default::default() };
            new.status.get_or_insert_default().load_balancer.get_or_insert_default().ingress = Some(vec![address]);
            intents.push(Intent::update_status(new).tolerate(reconcile::Tolerate::Anything));
        }
        intents
    }
}

fn has_address(ingress: &Ingress) -> bool {
    let all = ingress.status.as_ref().and_then(|s| s.load_balancer.as_ref()?.ingress.as_deref()).unwrap_or_default();
    matches!(all, [one] if one.hostname.as_deref() == Some(ADDRESS) && one.ip.is_none())
}

/// Whether an Ingress of the namespace shows the Secret's certificate.
fn uses(view: &View, secret: &Key) -> Vec<Key> {
    let named = |i: &&Ingress| {
        let tls = i.spec.iter().flat_map(|s| s.tls.iter().flatten());
        tls.filter_map(|t| t.secret_name.as_deref()).any(|s| s == secret.name())
    };
    view.list_in::<Ingress>(secret.namespace()).filter(named).map(key_of).collect()
}

fn key_of(ingress: &Ingress) -> Key {
    (ingress as &dyn Object).key()
}

impl Component for IngressController {
    fn name(&self) -> &Arc<str> {
        &self.name
    }
    fn process(&self) -> &str {
        PROCESS
    }
    fn user(&self) -> &User {
        &self.user
    }
    fn event_source(&self) -> (String, String) {
        ("nginx-ingress-controller".into(), String::new())
    }
    fn interests(&self) -> Vec<Interest> {
        let kinds =
            [Ingress::KIND_REF, IngressClass::KIND_REF, Service::KIND_REF, EndpointSlice::KIND_REF, Secret::KIND_REF];
        kinds.into_iter().map(Interest::Kind).collect()
    }
    fn start(&mut self, cx: &Cx) {
        *self = IngressController { began: cx.now, ..IngressController::default() };
        // Its web server starts with it and knows nothing.
        for o in cx.view.list_obj(Ingress::KIND_REF) {
            self.queue.add(Item::Ingress(o.key()), 0);
        }
    }
    fn observe(&mut self, cx: &Cx, change: &Change) {
        let Some(object) = change.object() else { return };
        let mut ingress = |key: Key| self.queue.add(Item::Ingress(key), change.cause);
        if change.kind == Ingress::KIND_REF {
            ingress(change.key.clone());
        } else if change.kind == IngressClass::KIND_REF {
            cx.view.list_obj(Ingress::KIND_REF).for_each(|o| ingress(o.key()));
        } else if change.kind == Secret::KIND_REF {
            uses(cx.view, &change.key).into_iter().for_each(ingress);
        } else {
            let service = if change.kind == Service::KIND_REF {
                change.key.clone()
            } else {
                let name = object.meta().labels.as_ref().and_then(|l| l.get(SERVICE_NAME));
                let Some(name) = name else { return };
                Key::new(object.namespace(), name)
            };
            if cx.view.gateway.upstreams_of(&service).next().is_some() {
                self.queue.add(Item::Service(service), change.cause);
            }
        }
    }
    fn ready_at(&self) -> Option<Time> {
        self.queue.ready_at()
    }
    fn step(&mut self, cx: &Cx) -> Option<Step> {
        while let Some((item, cause)) = self.queue.pop(cx.now) {
            let (name, n, intents) = match &item {
                Item::Ingress(key) => {
                    let n = self.sync(cx, key);
                    let ingress = cx.view.get::<Ingress>(key).filter(|i| is_mine(cx.view, i));
                    let event = |i| Intent::event(i, EventType::Normal, "Sync", "Scheduled for sync");
                    (key.to_string(), n, ingress.map(|i| event(i)).into_iter().collect())
                }
                Item::Service(key) => (key.to_string(), self.refresh(cx, key), Vec::new()),
                Item::Status => ("status".into(), None, self.publish(cx)),
            };
            if n.is_none() && intents.is_empty() {
                continue;
            }
            self.current = Some(item);
            return Some(Step { item: name, cause, notes: n.into_iter().collect(), intents, ..Step::default() });
        }
        None
    }
    fn settled(&mut self, cx: &Cx, _replies: &[Reply], _seq: Seq) {
        if self.current.take() == Some(Item::Status) {
            // Who did not get it is asked again in a minute.
            let lacking = |o: &&Ingress| is_mine(cx.view, o) && !has_address(o);
            let all: Vec<Key> = cx.view.list::<Ingress>().filter(lacking).map(key_of).collect();
            if !all.is_empty() {
                self.nameless.extend(all);
                self.queue.add_at(Item::Status, self.next_status(cx.now), 0);
            }
        }
    }
    fn gauge(&self, _now: Time) -> Gauge {
        Gauge { queued: self.queue.len(), delayed: self.queue.delayed_len() }
    }
    fn clone_box(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}
