//! What `kubeadm init` does once the API server answers: it marks the control plane's node and installs the add-ons. Models
//! `cmd/kubeadm/app/phases/{markcontrolplane,addons}`.

use super::{NODE, addons};
use api::{Object, Registered};
use k8s_openapi::api::core::v1::{Node, Taint};
use meta::{Key, Time, User};
use reconcile::{Change, Component, Cx, Gauge, Intent, Interest, Reply, Step, Tolerate};
use serde_json::json;
use std::any::Any;
use std::sync::Arc;
use trace::Seq;

const LABELS: [&str; 2] =
    ["node-role.kubernetes.io/control-plane", "node.kubernetes.io/exclude-from-external-load-balancers"];

/// Ordinary pods stay away. The kubelet registers its node with it.
pub fn taint() -> Taint {
    Taint { key: LABELS[0].into(), effect: "NoSchedule".into(), ..Taint::default() }
}

#[derive(Clone)]
pub struct Kubeadm {
    name: Arc<str>,
    user: User,
    /// There is a control plane's node, which it waits for.
    marks: bool,
    done: bool,
    next: Option<Time>,
}

impl Kubeadm {
    /// `marks`: the control plane is a node; else there are only the add-ons to install.
    pub fn new(marks: bool) -> Self {
        Kubeadm { name: "kubeadm".into(), user: User::admin(), marks, done: false, next: None }
    }
}

impl Component for Kubeadm {
    fn name(&self) -> &Arc<str> {
        &self.name
    }
    fn process(&self) -> &str {
        "kubeadm"
    }
    fn user(&self) -> &User {
        &self.user
    }
    fn event_source(&self) -> (String, String) {
        ("kubeadm".into(), String::new())
    }
    fn interests(&self) -> Vec<Interest> {
        vec![Interest::Object(Node::KIND_REF, Key::new("", NODE))]
    }
    fn start(&mut self, cx: &Cx) {
        let begins = !self.marks || cx.view.get::<Node>(&Key::new("", NODE)).is_some();
        self.next = (!self.done && begins).then_some(cx.now);
    }
    fn observe(&mut self, cx: &Cx, change: &Change) {
        if self.marks && !self.done && change.new.is_some() {
            self.next.get_or_insert(cx.now);
        }
    }
    fn ready_at(&self) -> Option<Time> {
        self.next
    }
    fn step(&mut self, _: &Cx) -> Option<Step> {
        self.next.take()?;
        let labels: serde_json::Map<_, _> = LABELS.iter().map(|l| ((*l).to_string(), json!(""))).collect();
        let mark = json!({ "metadata": { "labels": labels } });
        let mut intents = Vec::new();
        if self.marks {
            intents.push(Intent::patch(Node::KIND_REF, Key::new("", NODE), "", mark));
        }
        let create = |o: Box<dyn Object>| Intent {
            write: reconcile::Write::Create(o),
            tolerate: Tolerate::AlreadyExists,
            announce: None,
        };
        intents.extend(addons::all().into_iter().map(create));
        let item = if self.marks { NODE } else { "coredns" };
        Some(Step { item: item.into(), intents, ..Step::default() })
    }
    fn settled(&mut self, cx: &Cx, replies: &[Reply], _: Seq) {
        self.done = replies.iter().all(Result::is_ok);
        if !self.done {
            self.next = Some(cx.now + meta::Duration::from_secs(1));
        }
    }
    fn gauge(&self, _: Time) -> Gauge {
        Gauge::default()
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
