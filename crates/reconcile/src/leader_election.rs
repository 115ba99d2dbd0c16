//! Which of several processes of one program works: the one that holds the program's Lease in kube-system. Models
//! `k8s.io/client-go/tools/leaderelection` with the durations of kube-scheduler and kube-controller-manager.

use crate::component::{Change, Component, Cx, Gauge, Interest, Reply, Step};
use crate::intent::{EventType, Intent};
use api::{Obj, ObjectExt, Registered};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Duration, Key, Rng, Time, User};
use std::any::Any;
use std::sync::Arc;
use trace::{Seq, note};

/// How long others wait before they take the lease over.
const LEASE_DURATION_SECONDS: i32 = 15;
/// How long a leader tries to renew before it gives up.
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
const RETRY_PERIOD: Duration = Duration::from_secs(2);
/// Those who wait try again after the period and up to 1.2 times as much more (`JitterFactor`), in milliseconds.
const JITTER_MILLIS: u32 = 2_400;

/// What has become of the leadership since it was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turnout {
    Won,
    /// The process ends with it.
    Lost,
}

/// The name of a process's elector.
pub fn name_of(process: &str) -> String {
    format!("leader-election/{process}")
}

/// The part of a process that strives for the lease.
#[derive(Clone)]
pub struct Elector {
    name: Arc<str>,
    /// The lease's name, too.
    program: &'static str,
    host: String,
    user: User,
    event_source: String,
    rng: Rng,
    identity: String,
    /// The lease as this process knows it, and since when it has been so. Its own times count, not those in the lease.
    observed: Option<LeaseSpec>,
    observed_at: Time,
    /// The lease as this process wrote it, until that is in doubt.
    written: Option<Obj>,
    leading: bool,
    /// When an attempt to renew that has not succeeded yet began.
    trying_since: Option<Time>,
    /// What is to be told about the lease.
    news: Option<&'static str>,
    turnout: Option<Turnout>,
    next: Option<Time>,
}

impl Elector {
    /// `process` and `host` tell this one from the program's others; `event_source` is `source.component` of its Events.
    pub fn new(program: &'static str, process: &str, host: &str, event_source: &str, seed: u64) -> Self {
        Elector {
            name: name_of(process).into(),
            program,
            host: host.into(),
            user: User::component(program),
            event_source: event_source.into(),
            rng: Rng::new(seed),
            identity: String::new(),
            observed: None,
            observed_at: Time(0),
            written: None,
            leading: false,
            trying_since: None,
            news: None,
            turnout: None,
            next: None,
        }
    }

    pub fn is_leading(&self) -> bool {
        self.leading
    }
    pub fn take_turnout(&mut self) -> Option<Turnout> {
        self.turnout.take()
    }
    /// What a leader that is asked to end does with its lease (`ReleaseOnCancel`).
    pub fn release(&self, now: Time) -> Option<Intent> {
        let written: &Lease = self.written.as_ref().filter(|_| self.leading)?.downcast()?;
        let spec = LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(1),
            acquire_time: Some(now.to_k8s_micro()),
            renew_time: Some(now.to_k8s_micro()),
            lease_transitions: written.spec.as_ref().and_then(|s| s.lease_transitions),
            ..Default::default()
        };
        Some(Intent::update(Lease { spec: Some(spec), ..written.clone() }))
    }

    fn key(&self) -> Key {
        Key::new("kube-system", self.program)
    }
    fn is_valid(&self, now: Time) -> bool {
        let seconds = self.observed.as_ref().and_then(|s| s.lease_duration_seconds).unwrap_or(0);
        self.observed_at + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)) > now
    }
    fn pause(&mut self) -> Duration {
        if self.leading {
            return RETRY_PERIOD;
        }
        RETRY_PERIOD + Duration::from_millis(self.rng.below(JITTER_MILLIS).into())
    }

    /// The lease with this process as its holder.
    fn held(&self, lease: &Lease, now: Time) -> Lease {
        let old = lease.spec.clone().unwrap_or_default();
        let mine = holder(&old) == self.identity;
        let mut l = lease.clone();
        l.spec = Some(LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: Some(LEASE_DURATION_SECONDS),
            renew_time: Some(now.to_k8s_micro()),
            acquire_time: if mine { old.acquire_time } else { Some(now.to_k8s_micro()) },
            lease_transitions: Some(old.lease_transitions.unwrap_or(0) + i32::from(!mine)),
            ..old
        });
        l
    }

    /// Models `tryAcquireOrRenew`; `None`: somebody else holds the lease.
    fn attempt(&mut self, cx: &Cx) -> Option<Intent> {
        let optimistic = self.written.as_ref().filter(|_| self.leading && self.is_valid(cx.now));
        if let Some(lease) = optimistic.and_then(|o| o.downcast::<Lease>()) {
            return Some(Intent::update(self.held(lease, cx.now)));
        }
        let Some(lease) = cx.view.get::<Lease>(&self.key()) else {
            let metadata = ObjectMeta {
                name: Some(self.program.into()),
                namespace: Some("kube-system".into()),
                ..Default::default()
            };
            let mut lease = self.held(&Lease { metadata, spec: None }, cx.now);
            lease.spec.get_or_insert_default().lease_transitions = Some(0);
            return Some(Intent::create(lease));
        };
        let spec = lease.spec.clone().unwrap_or_default();
        if self.observed.as_ref() != Some(&spec) {
            self.observed = Some(spec.clone());
            self.observed_at = cx.now;
        }
        let of_another = !holder(&spec).is_empty() && holder(&spec) != self.identity;
        (!(of_another && self.is_valid(cx.now))).then(|| Intent::update(self.held(lease, cx.now)))
    }

    fn tell(&self, cx: &Cx, what: &str) -> Option<Intent> {
        let lease = self.written.as_ref().or_else(|| cx.view.get_obj(Lease::KIND_REF, &self.key()))?;
        let message = format!("{} {what}", self.identity);
        Some(Intent::event(&**lease, EventType::Normal, "LeaderElection", message))
    }
}

fn holder(s: &LeaseSpec) -> &str {
    s.holder_identity.as_deref().unwrap_or_default()
}

impl Component for Elector {
    fn name(&self) -> &Arc<str> {
        &self.name
    }
    fn process(&self) -> &str {
        self.program
    }
    fn user(&self) -> &User {
        &self.user
    }
    fn event_source(&self) -> (String, String) {
        (self.event_source.clone(), String::new())
    }
    fn interests(&self) -> Vec<Interest> {
        // It asks every few seconds.
        Vec::new()
    }
    fn start(&mut self, cx: &Cx) {
        // So that two processes on one host are told apart, as upstream's are.
        self.identity = format!("{}_{}", self.host, self.rng.uuid());
        (self.observed, self.written, self.trying_since) = (None, None, None);
        (self.leading, self.news, self.turnout) = (false, None, None);
        self.next = Some(cx.now);
    }
    fn observe(&mut self, _: &Cx, _: &Change) {}
    fn ready_at(&self) -> Option<Time> {
        self.next
    }
    fn step(&mut self, cx: &Cx) -> Option<Step> {
        let step = |intents, notes| Step { item: format!("lease/{}", self.program), intents, notes, ..Step::default() };
        if let Some(intent) = self.news.and_then(|what| self.tell(cx, what)) {
            self.news = None;
            return Some(step(vec![intent], Vec::new()));
        }
        let since = *self.trying_since.get_or_insert(cx.now);
        if self.leading && cx.now.since(since) >= RENEW_DEADLINE {
            let told = self.tell(cx, "stopped leading").into_iter().collect();
            let step = step(told, vec![note!("leader-election.lost", lease = &self.key())]);
            (self.leading, self.turnout, self.next) = (false, Some(Turnout::Lost), None);
            return Some(step);
        }
        let Some(intent) = self.attempt(cx) else {
            self.next = Some(cx.now + self.pause());
            return None;
        };
        Some(Step { item: format!("lease/{}", self.program), intents: vec![intent], ..Step::default() })
    }
    fn settled(&mut self, cx: &Cx, replies: &[Reply], _: Seq) {
        if self.turnout == Some(Turnout::Lost) {
            return;
        }
        match replies.first() {
            Some(Ok(Some(lease))) if lease.kind() == Lease::KIND_REF => {
                self.observed = lease.downcast::<Lease>().and_then(|l| l.spec.clone());
                self.observed_at = cx.now;
                self.written = Some(lease.clone());
                self.trying_since = None;
                self.next = Some(cx.now + RETRY_PERIOD);
                if !self.leading {
                    (self.leading, self.turnout) = (true, Some(Turnout::Won));
                    self.news = Some("became leader");
                    self.next = Some(cx.now);
                }
            }
            // What was told.
            Some(Ok(_)) | None => self.next = Some(cx.now + RETRY_PERIOD),
            // What it believed to be there may not be: it looks, and tries again.
            Some(Err(_)) if self.written.take().is_some() => self.next = Some(cx.now),
            Some(Err(_)) => self.next = Some(cx.now + self.pause()),
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
