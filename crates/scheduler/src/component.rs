//! The live kube-scheduler: it keeps cache and queue true to what it observes, and takes one pod a turn. Models
//! `pkg/scheduler/{scheduler, eventhandlers, schedule_one}.go`.

use crate::binding::VolumeWaits;
use crate::cache::Cache;
use crate::config::{Config, DEFAULT_SCHEDULER_NAME};
use crate::cycle::{Algorithm, Failure};
use crate::delegated::{Answered, Delegated};
use crate::extender::{BindQuestion, Caller};
use crate::framework::changes;
use crate::framework::pod_info::nominated_node;
use crate::framework::storage;
use crate::framework::{ClusterEvent, Framework, Handle, Nominator, Objects, PodInfo};
use crate::informers::{self, shared};
use crate::moment::{self, Kept, Moment};
use crate::queue::{Lists, Queue, QueuedPod};
use crate::record::Record;
use crate::status;
use api::{Obj, ObjectExt, Registered};
use k8s_openapi::Resource;
use k8s_openapi::api::core::v1::{Binding, Node, Pod};
use k8s_openapi::api::resource::v1::ResourceClaim;
use meta::{Duration, Key, Rng, Time, User};
use reconcile::{Change, Component, Cx, EventType, Gauge, Intent, Interest, Reply, Step};
use std::any::Any;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use trace::{Cycle, Recorded, Seq, note};

#[derive(Clone)]
pub struct Scheduler {
    name: Arc<str>,
    user: User,
    config: Config,
    seed: Rng,
    algorithm: Algorithm,
    cache: Cache,
    queue: Queue,
    nominator: Nominator,
    objects: Arc<Objects>,
    /// The pod whose binding has no answer yet, and what was written before it: how to begin when that is refused.
    binding: Option<(Arc<PodInfo>, Vec<String>)>,
    /// Bindings that were refused and still have to be told to the user: pod and message.
    failed: VecDeque<(Arc<PodInfo>, String)>,
    /// Pods with a node whose volumes are not there yet.
    waits: VolumeWaits,
    /// The pod whose volumes were asked for, without an answer yet.
    asking: Option<Key>,
    /// Pods whose binding is an extender's.
    delegated: Delegated,
    /// How extenders are reached, where the host can.
    caller: Option<Arc<dyn Caller>>,
    /// Whose Events this turn's are: every profile has a recorder of its own name.
    speaks_as: Arc<str>,
}

impl Scheduler {
    /// # Errors
    /// A configuration whose plugins cannot be instantiated.
    pub fn new(config: Config, rng: Rng) -> Result<Self, String> {
        Ok(Scheduler {
            name: "kube-scheduler".into(),
            user: User::component("kube-scheduler"),
            algorithm: Algorithm::new(&config, rng.clone())?,
            seed: rng,
            cache: Cache::new(),
            queue: new_queue(&config),
            config,
            nominator: Nominator::default(),
            objects: Arc::default(),
            binding: None,
            failed: VecDeque::new(),
            waits: VolumeWaits::default(),
            asking: None,
            delegated: Delegated::default(),
            caller: None,
            speaks_as: DEFAULT_SCHEDULER_NAME.into(),
        })
    }

    /// The queues in full.
    pub fn queues(&self) -> Lists {
        self.queue.lists(usize::MAX)
    }
    /// At most `limit` rows of each queue, and how long the queues are. The cost depends on `limit` alone.
    pub fn queue_heads(&self, limit: usize) -> Lists {
        self.queue.lists(limit)
    }
    /// What a cycle for `pod` would look at now. A pod that is on a node is looked at as if it had to find one again.
    /// `None` when it is another scheduler's.
    pub fn moment(&self, pod: Arc<Pod>, now: Time) -> Option<Moment> {
        let pod = moment::unbound(pod);
        self.algorithm.profile(pod.scheduler_name())?;
        let mut cache = self.cache.clone();
        cache.remove_pod(&pod.key);
        let attempt = self.queue.attempts(&pod.key) + 1;
        let m = Moment::of(&self.algorithm, cache.snapshot(), &self.objects, &self.nominator, pod);
        Some(Moment { time: now, attempt, ..m })
    }
    /// Where `pod` would go now and why, without anything coming of it. `None` when it is another scheduler's.
    pub fn explain(&self, pod: &Pod) -> Option<Cycle> {
        self.moment(Arc::new(pod.clone()), Time(0)).map(|m| m.decide())
    }
    pub fn config(&self) -> &Config {
        &self.config
    }
    /// From now on a configuration may have extenders. They are asked within a turn, but for bindings, which the host
    /// asks for ([`Scheduler::take_bind_questions`]) and tells of ([`Scheduler::bound_by_extender`]).
    pub fn reach_extenders(&mut self, caller: Arc<dyn Caller>) {
        self.caller = Some(caller);
    }
    pub fn has_bind_questions(&self) -> bool {
        self.delegated.has_questions()
    }
    pub fn take_bind_questions(&mut self) -> Vec<BindQuestion> {
        self.delegated.take_questions()
    }
    pub fn bound_by_extender(&mut self, pod: Key, done: Result<(), String>) {
        self.delegated.answer(pod, done);
    }
    /// Takes another configuration; it counts from the next start on.
    ///
    /// # Errors
    /// Its plugins cannot be instantiated, or it needs what is not here (extenders); then the old one stays.
    pub fn reconfigure(&mut self, config: Config) -> Result<(), String> {
        Algorithm::calling(&config, self.seed.clone(), self.caller.clone())?;
        self.config = config;
        Ok(())
    }

    fn observe_node(&mut self, now: Time, key: &Key, old: Option<&Node>, new: Option<&Arc<Node>>, cause: Seq) {
        let (event, node) = match (old, new) {
            (None, Some(new)) => (ClusterEvent::NodeAdd(new), Some(new)),
            (Some(old), Some(new)) => (ClusterEvent::NodeUpdate { old, new }, Some(new)),
            (Some(old), None) => (ClusterEvent::NodeDelete(old), None),
            (None, None) => return,
        };
        match node {
            Some(node) => self.cache.update_node(node.clone()),
            None => self.cache.remove_node(key.name()),
        }
        // Heartbeats arrive all the time and help nobody.
        if let (Some(old), Some(new)) = (old, new)
            && changes::of_node(old, new).is_empty()
        {
            return;
        }
        self.queue.move_all(&event, now, &self.algorithm, cause);
    }

    fn observe_pod(&mut self, now: Time, key: &Key, old: Option<&Obj>, new: Option<&Obj>, cause: Seq) {
        // A pod that has ended is gone for the scheduler, as its informer's field selector has it upstream.
        let info = |p: Arc<Pod>| match self.cache.pod(key) {
            Some(before) => PodInfo::renewed(before, p),
            None => PodInfo::new(p),
        };
        let new = new.and_then(shared::<Pod>).map(info).filter(|p| !p.is_terminal());
        let Some(new) = new.map(Arc::new) else { return self.pod_gone(now, key, old, cause) };
        if let Some(node) = new.node_name().map(str::to_string) {
            self.waits.remove(key);
            self.queue.delete(key);
            self.nominator.remove(key);
            let before = self.cache.pod(key).cloned().filter(|_| !self.cache.is_assumed(key));
            self.cache.add_pod(new.clone(), &node);
            let event = match &before {
                Some(old) => ClusterEvent::AssignedPodUpdate { old, new: &new },
                None => ClusterEvent::AssignedPodAdd(&new),
            };
            self.queue.move_all(&event, now, &self.algorithm, cause);
        } else if self.algorithm.profile(new.scheduler_name()).is_some() {
            self.observe_waiting(now, key, old.and_then(shared), new, cause);
        }
    }

    fn observe_waiting(&mut self, now: Time, key: &Key, old: Option<Arc<Pod>>, new: Arc<PodInfo>, cause: Seq) {
        if self.cache.is_assumed(key) {
            if new.is_deleting() {
                self.assumed_pod_leaves(now, key, cause);
            } else if self.queue.contains(key) {
                // Should its volumes not come, this is what is tried again.
                self.waits.renew(&new);
                self.queue.update(new, now, &self.algorithm, cause);
            }
            return;
        }
        let was = old.as_ref().and_then(|p| nominated_node(p));
        match (new.nominated_node(), self.nominator.node_of(key).map(str::to_string)) {
            (Some(node), _) => self.nominator.add(new.clone(), node),
            // An update from before the nomination was written: the room stays reserved.
            (None, Some(node)) if was.is_none() => self.nominator.add(new.clone(), &node),
            (None, _) => self.nominator.remove(key),
        }
        self.queue.update(new.clone(), now, &self.algorithm, cause);
        if let Some(old) = old.as_ref().filter(|_| was.is_some() && was != new.nominated_node()) {
            self.nomination_gone(now, old.clone(), cause);
        }
    }

    /// A pod that has a node and is not bound yet is to be deleted: its room is free, although its binding goes on and
    /// fails. Models handleAssumedPodDeletion.
    fn assumed_pod_leaves(&mut self, now: Time, key: &Key, cause: Seq) {
        if let Some(assumed) = self.cache.remove_pod(key) {
            self.queue.move_all(&ClusterEvent::AssignedPodDelete(&assumed), now, &self.algorithm, cause);
        }
    }

    /// The room that was kept for the pod is free for those that are not more important.
    fn nomination_gone(&mut self, now: Time, old: Arc<Pod>, cause: Seq) {
        let old = PodInfo::new(old);
        self.queue.move_up_to(old.priority, &ClusterEvent::AssignedPodDelete(&old), now, &self.algorithm, cause);
    }

    fn pod_gone(&mut self, now: Time, key: &Key, old: Option<&Obj>, cause: Seq) {
        self.waits.remove(key);
        self.nominator.remove(key);
        self.queue.delete(key);
        if let Some(pod) = self.cache.remove_pod(key) {
            self.forget_devices(&pod);
            self.queue.move_all(&ClusterEvent::AssignedPodDelete(&pod), now, &self.algorithm, cause);
        } else if let Some(pod) = old.and_then(shared).filter(|p| nominated_node(p).is_some()) {
            self.nomination_gone(now, pod, cause);
        }
    }

    fn schedule(&mut self, cx: &Cx, q: &QueuedPod, step: &mut Step) {
        let pod = &q.pod;
        let Some(framework) = self.algorithm.profile(pod.scheduler_name()).cloned() else {
            return self.queue.done(&pod.key);
        };
        if pod.is_deleting() {
            self.queue.done(&pod.key);
            let message = format!("skip schedule deleting pod: {}/{}", pod.namespace(), pod.name());
            step.intents.push(Intent::event(&*pod.pod, EventType::Warning, "FailedScheduling", message));
            return;
        }
        let kept = cx.recording.then(|| {
            let kept = Kept::of(&self.algorithm, &mut self.cache, &self.objects, &self.nominator, pod.clone());
            kept.at(cx.now, q.attempts)
        });
        // Extenders are asked once, so that what they said is kept.
        let mut record = kept.is_some().then(|| match framework.extenders {
            None => Record::outcome(q.attempts),
            Some(_) => Record::whole(q.attempts),
        });
        let h = Handle { snapshot: self.cache.snapshot(), objects: &self.objects, nominator: &self.nominator };
        let decision = self.algorithm.schedule(h, &framework, pod, record.as_mut());
        step.cycle = record.zip(kept).map(|(record, kept)| {
            let made = framework.extenders.is_some().then(|| Arc::new(record.cycle.clone()));
            let digest = record.digest();
            Recorded::new(record.cycle, digest, Arc::new(kept.with(made)))
        });
        match decision {
            Ok(node) => {
                self.nominator.remove(&pod.key);
                self.cache.assume_pod(pod.clone(), &node);
                if let Err(why) = self.reserve_devices(pod, &node) {
                    let message = format!("running Reserve plugin \"DynamicResources\": {why}");
                    return self.unbind(cx, pod, &message, step);
                }
                match self.ask_for_volumes(cx, &framework, pod, &node) {
                    Ok(intents) if intents.is_empty() => self.bind(cx, pod, &node, step),
                    Ok(intents) => {
                        step.notes.push(note!("scheduler.volumes", pod = &pod.key, node = &node));
                        // The wait may be long. Models NominatedNodeNameForExpectation, on since v1.35.
                        step.intents.extend(status::nominate(pod, &node));
                        step.intents.extend(intents);
                        self.asking = Some(pod.key.clone());
                    }
                    Err(why) => self.give_up(cx, pod, &why, step),
                }
            }
            Err(failure) => self.handle_failure(cx, pod, failure, step),
        }
    }

    /// PreBind of VolumeBinding, when the profile has it: what has to be written before the pod can be bound.
    fn ask_for_volumes(
        &mut self,
        cx: &Cx,
        framework: &Framework,
        pod: &Arc<PodInfo>,
        node: &str,
    ) -> Result<Vec<Intent>, String> {
        let Some(until) = framework.volume_binding_timeout().filter(|_| uses_claims(pod)) else {
            return Ok(Vec::new());
        };
        let Some(info) = self.cache.snapshot().get(node).cloned() else { return Ok(Vec::new()) };
        self.waits.ask(&self.objects, pod, &info.node, cx.now + until)
    }

    /// Reserve of DynamicResources. Most pods want no devices, and then nothing is looked up.
    fn reserve_devices(&mut self, pod: &PodInfo, node: &str) -> Result<(), String> {
        if !uses_devices(pod) {
            return Ok(());
        }
        let Some(info) = self.cache.snapshot().get(node).cloned() else { return Ok(()) };
        Arc::make_mut(&mut self.objects).devices.reserve(&pod.pod, &info.node)?;
        self.queue.devices = self.objects.devices.clone();
        Ok(())
    }

    /// Devices that were reserved for the pod are free, or written by now.
    fn forget_devices(&mut self, pod: &PodInfo) {
        if uses_devices(pod) {
            Arc::make_mut(&mut self.objects).devices.forget(&pod.pod);
            self.queue.devices = self.objects.devices.clone();
        }
    }

    /// PreBind of DynamicResources, then the binding.
    fn bind(&mut self, cx: &Cx, pod: &Arc<PodInfo>, node: &str, step: &mut Step) {
        let mut before = Vec::new();
        if uses_devices(pod) {
            match self.objects.devices.writings(&pod.pod) {
                Ok(all) => all.into_iter().for_each(|w| {
                    step.intents.push(w.intent);
                    before.push(w.refused);
                }),
                Err(why) => {
                    let message = format!("running PreBind plugin \"DynamicResources\": {why}");
                    return self.unbind(cx, pod, &message, step);
                }
            }
            self.forget_devices(pod);
        }
        self.bind_with(pod, node, before, step);
    }

    fn bind_with(&mut self, pod: &Arc<PodInfo>, node: &str, before: Vec<String>, step: &mut Step) {
        let framework = self.algorithm.profile(pod.scheduler_name()).cloned();
        let Some((framework, binding)) = framework.and_then(|f| f.bind(pod, node).map(|b| (f, b))) else {
            self.cache.forget_pod(&pod.key);
            return self.queue.done(&pod.key);
        };
        if let Some(question) = framework.extenders.as_ref().and_then(|e| e.bind_question(&pod.pod, &binding)) {
            return self.delegated.ask(pod, node, question);
        }
        self.post_binding(pod, node, binding, before, step);
    }

    fn post_binding(&mut self, pod: &Arc<PodInfo>, node: &str, binding: Binding, before: Vec<String>, step: &mut Step) {
        let target = binding.target.name.unwrap_or_default();
        step.intents.push(Intent::bind(pod.key.clone(), binding.metadata.uid, &target));
        announce(pod, node, step);
        self.binding = Some((pod.clone(), before));
    }

    /// What an extender that was to bind a pod has said.
    fn bound_elsewhere(&mut self, cx: &Cx, answered: Answered) -> Step {
        let Answered { pod, node, done } = answered;
        self.speaks_as = pod.scheduler_name().into();
        let mut step = Step { item: pod.key.as_str().into(), ..Step::default() };
        match done {
            Some(Ok(())) => {
                self.queue.done(&pod.key);
                announce(&pod, &node, &mut step);
            }
            Some(Err(why)) => self.unbind(cx, &pod, &why, &mut step),
            None => match self.algorithm.profile(pod.scheduler_name()).and_then(|f| f.bind(&pod, &node)) {
                Some(binding) => self.post_binding(&pod, &node, binding, Vec::new(), &mut step),
                None => self.queue.done(&pod.key),
            },
        }
        step
    }

    /// The volumes will not come.
    fn give_up(&mut self, cx: &Cx, pod: &Arc<PodInfo>, why: &str, step: &mut Step) {
        let message = format!("running PreBind plugin \"VolumeBinding\": binding volumes: {why}");
        self.unbind(cx, pod, &message, step);
    }

    /// A pod that had a node does not get there: its room is free again, and it is tried again after a back-off.
    fn unbind(&mut self, cx: &Cx, pod: &Arc<PodInfo>, message: &str, step: &mut Step) {
        self.forget_devices(pod);
        self.cache.forget_pod(&pod.key);
        let freed = ClusterEvent::AssignedPodDelete(pod);
        self.queue.move_all(&freed, cx.now, &self.algorithm, step.cause);
        self.queue.add_unschedulable(&pod.key, BTreeSet::new(), cx.now, &self.algorithm);
        let event = status::truncate(message);
        step.intents.push(Intent::event(&*pod.pod, EventType::Warning, "FailedScheduling", event));
        step.intents.extend(status::not_scheduled(pod, "SchedulerError", message, Some(""), cx.now));
    }

    /// Models handleSchedulingFailure, and prepareCandidate for the victims.
    fn handle_failure(&mut self, cx: &Cx, pod: &Arc<PodInfo>, failure: Failure, step: &mut Step) {
        let node = failure.nominate.as_deref().unwrap_or_default();
        let victims: Vec<_> = failure.victims.iter().filter(|v| !v.is_deleting()).collect();
        if !victims.is_empty() {
            // Less important pods that were promised the node may not fit any more: they look for another at once.
            let out = self.nominator.on_node(node).iter().filter(|p| p.priority < pod.priority);
            step.intents.extend(out.filter_map(|p| status::no_nomination(p)));
        }
        for victim in victims {
            step.intents.extend(status::evict(victim, pod, node, cx.now));
            step.notes.push(note!("scheduler.preempts", victim = &victim.key, node = node));
        }
        step.intents.extend(failure.deallocate.and_then(|claim| self.objects.devices.deallocation(&claim)));
        match failure.nominate.as_deref() {
            Some("") => self.nominator.remove(&pod.key),
            Some(node) => self.nominator.add(pod.clone(), node),
            None => {}
        }
        let reason = if failure.is_error { "SchedulerError" } else { "Unschedulable" };
        let event = status::truncate(&failure.message);
        step.intents.push(Intent::event(&*pod.pod, EventType::Warning, "FailedScheduling", event));
        let nominate = failure.nominate.as_deref();
        step.intents.extend(status::not_scheduled(pod, reason, &failure.message, nominate, cx.now));
        step.notes.push(note!("scheduler.unschedulable", pod = &pod.key, reason = reason));
        self.queue.add_unschedulable(&pod.key, failure.plugins, cx.now, &self.algorithm);
    }
}

fn announce(pod: &PodInfo, node: &str, step: &mut Step) {
    let message = format!("Successfully assigned {}/{} to {node}", pod.namespace(), pod.name());
    step.intents.push(Intent::event(&*pod.pod, EventType::Normal, "Scheduled", message));
    step.notes.push(note!("scheduler.assigned", pod = &pod.key, node = node));
}

/// Most pods have none, and then nothing is looked up.
fn uses_claims(pod: &PodInfo) -> bool {
    storage::volumes(&pod.pod).iter().any(|v| v.persistent_volume_claim.is_some() || v.ephemeral.is_some())
}

fn uses_devices(pod: &PodInfo) -> bool {
    pod.pod.spec.as_ref().is_some_and(|s| s.resource_claims.as_ref().is_some_and(|c| !c.is_empty()))
}

fn new_queue(config: &Config) -> Queue {
    let seconds = |n: i64| Duration::from_secs(u64::try_from(n).unwrap_or(0));
    Queue::new(seconds(config.pod_initial_backoff_seconds), seconds(config.pod_max_backoff_seconds))
}

impl Component for Scheduler {
    fn name(&self) -> &Arc<str> {
        &self.name
    }
    fn process(&self) -> &str {
        "kube-scheduler"
    }
    fn user(&self) -> &User {
        &self.user
    }
    fn event_source(&self) -> (String, String) {
        (self.speaks_as.to_string(), String::new())
    }
    fn interests(&self) -> Vec<Interest> {
        [Node::KIND_REF, Pod::KIND_REF].into_iter().chain(informers::kinds()).map(Interest::Kind).collect()
    }
    fn start(&mut self, cx: &Cx) {
        // The configuration built once, so it builds again.
        if let Ok(algorithm) = Algorithm::calling(&self.config, self.seed.clone(), self.caller.clone()) {
            self.algorithm = algorithm;
        }
        self.cache = Cache::new();
        self.queue = new_queue(&self.config);
        self.nominator = Nominator::default();
        self.binding = None;
        self.failed.clear();
        self.waits.clear();
        self.asking = None;
        self.delegated = Delegated::default();
        self.objects = Arc::default();
        for object in informers::kinds().flat_map(|k| cx.view.list_obj(k)) {
            informers::follow(Arc::make_mut(&mut self.objects), object.kind(), &object.key(), Some(object));
        }
        self.queue.devices = self.objects.devices.clone();
        for node in cx.view.list_obj(Node::KIND_REF).filter_map(shared) {
            self.cache.add_node(node);
        }
        for object in cx.view.list_obj(Pod::KIND_REF) {
            self.observe_pod(cx.now, &object.key(), None, Some(object), 0);
        }
    }
    fn observe(&mut self, cx: &Cx, change: &Change) {
        let (old, new) = (change.old.as_ref(), change.new.as_ref());
        if change.kind == Node::KIND_REF {
            let (old, new) = (old.and_then(|o| o.downcast()), new.and_then(shared));
            self.observe_node(cx.now, &change.key, old, new.as_ref(), change.cause);
        } else if change.kind == Pod::KIND_REF {
            self.observe_pod(cx.now, &change.key, old, new, change.cause);
        } else {
            informers::follow(Arc::make_mut(&mut self.objects), change.kind, &change.key, new);
            if change.kind.group == ResourceClaim::GROUP {
                self.queue.devices = self.objects.devices.clone();
            }
            if let Some(event) = informers::event(&self.objects, change.kind, old, new) {
                self.waits.look(&self.objects);
                self.queue.move_all(&event, cx.now, &self.algorithm, change.cause);
            }
        }
    }
    fn ready_at(&self) -> Option<Time> {
        let next = [self.queue.ready_at(), self.waits.ready_at()].into_iter().flatten().min();
        if self.failed.is_empty() && !self.delegated.is_due() { next } else { Some(Time(0)) }
    }
    fn step(&mut self, cx: &Cx) -> Option<Step> {
        if let Some((pod, message)) = self.failed.pop_front() {
            self.speaks_as = pod.scheduler_name().into();
            let mut step = Step { item: pod.key.as_str().into(), ..Step::default() };
            let event = status::truncate(&message);
            step.intents.push(Intent::event(&*pod.pod, EventType::Warning, "FailedScheduling", event));
            step.intents.extend(status::not_scheduled(&pod, "SchedulerError", &message, Some(""), cx.now));
            return Some(step);
        }
        if let Some((pod, outcome)) = self.waits.pop(cx.now) {
            self.speaks_as = pod.scheduler_name().into();
            let mut step = Step { item: pod.key.as_str().into(), ..Step::default() };
            match outcome {
                Ok(node) => self.bind(cx, &pod, &node, &mut step),
                Err(why) => self.give_up(cx, &pod, &why, &mut step),
            }
            return Some(step);
        }
        if let Some(answered) = self.delegated.pop() {
            return Some(self.bound_elsewhere(cx, answered));
        }
        let q = self.queue.pop(cx.now, &self.algorithm)?;
        if *self.speaks_as != *q.pod.scheduler_name() {
            self.speaks_as = q.pod.scheduler_name().into();
        }
        let mut step = Step { item: q.pod.key.as_str().into(), cause: q.cause, ..Step::default() };
        if q.attempts > 1 {
            step.notes.push(match q.hint {
                "" => note!("scheduler.retry", attempt = q.attempts, event = q.event),
                plugin => note!("scheduler.retry-hinted", attempt = q.attempts, event = q.event, plugin = plugin),
            });
        }
        self.schedule(cx, &q, &mut step);
        Some(step)
    }
    fn settled(&mut self, cx: &Cx, replies: &[Reply], seq: Seq) {
        if let (Some(key), Some(Err(error))) = (self.asking.take(), replies.last()) {
            self.waits.fail(&key, error.to_string());
        }
        let Some((pod, before)) = self.binding.take() else { return };
        // The first refusal ends the turn; what follows the binding are events, which are never refused.
        let refused = replies.iter().enumerate().find_map(|(i, r)| r.as_ref().err().map(|e| (i, e)));
        let Some((i, error)) = refused.filter(|(i, _)| *i <= before.len()) else { return self.queue.done(&pod.key) };
        self.cache.forget_pod(&pod.key);
        // Its room is free again for the others.
        let freed = ClusterEvent::AssignedPodDelete(&pod);
        self.queue.move_all(&freed, cx.now, &self.algorithm, seq);
        self.queue.add_unschedulable(&pod.key, BTreeSet::new(), cx.now, &self.algorithm);
        if !error.is_not_found() {
            let message = match before.get(i) {
                Some(what) => format!("running PreBind plugin \"DynamicResources\": {what}: {error}"),
                None => format!("running Bind plugin \"DefaultBinder\": {error}"),
            };
            self.failed.push_back((pod, message));
        }
    }
    fn gauge(&self, _: Time) -> Gauge {
        Gauge { queued: self.queue.active_len() + self.failed.len(), delayed: self.queue.backoff_len() }
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
