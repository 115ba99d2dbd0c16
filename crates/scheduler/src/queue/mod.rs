//! Whose turn it is: the active, back-off and unschedulable queues. Models `pkg/scheduler/backend/queue`.
//!
//! As upstream since v1.33 (SchedulerPopFromBackoffQ), an empty active queue lets pods out of back-off early, except
//! those whose last attempt ended in an error.

mod lists;

pub use lists::{Lengths, Lists, Row};

use crate::cycle::Algorithm;
use crate::devices::Devices;
use crate::framework::{ClusterEvent, Hint, PodInfo, SortKey};
use meta::{Duration, Key, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use trace::Seq;

/// Upstream's `DefaultPodMaxInUnschedulablePodsDuration`.
const MAX_UNSCHEDULABLE: Duration = Duration::from_secs(5 * 60);
/// Pods whose back-off ends within one such window leave it together, at the window's end, so that they go by
/// priority.
const WINDOW: Duration = Duration::from_secs(1);

/// A waiting pod and its history. Models `framework.QueuedPodInfo`.
#[derive(Clone, Debug)]
pub struct QueuedPod {
    pub pod: Arc<PodInfo>,
    /// When it entered the queue it is in, or was last found unschedulable.
    pub timestamp: Time,
    pub attempts: u32,
    pub initial_attempt: Option<Time>,
    /// Attempts that ended in a refusal, and errors in a row: they set the back-off.
    pub unschedulable_count: u32,
    pub consecutive_errors: u32,
    /// The plugins that refused it.
    pub plugins: BTreeSet<&'static str>,
    /// The plugin whose PreEnqueue holds it back.
    pub gated_by: Option<&'static str>,
    /// What moved it to where it is: `UnschedulablePodAdd`, `NodeAdd`, `ScheduleAttemptFailure`.
    pub event: &'static str,
    /// The plugin that found `event` promising; empty when none was asked.
    pub hint: &'static str,
    /// The trace entry behind `event`.
    pub cause: Seq,
}

impl QueuedPod {
    /// What moved it out of the unschedulable pods stays the reason why it is tried again.
    fn backed_off(&mut self) {
        if self.event == "ScheduleAttemptFailure" {
            self.event = "BackoffComplete";
        }
    }
}

/// Where a pod is, with its key there.
#[derive(Clone, Copy, Debug)]
enum Place {
    Active(SortKey, u64),
    Backoff(Time, SortKey, u64),
    ErrorBackoff(Time, SortKey, u64),
    Unschedulable,
    Gated,
    InFlight,
}

#[derive(Clone, Debug)]
pub struct Queue {
    /// What PreEnqueue is told of devices.
    pub devices: Devices,
    initial_backoff: Duration,
    max_backoff: Duration,
    sequence: u64,
    places: BTreeMap<Key, Place>,
    active: BTreeMap<(SortKey, u64), QueuedPod>,
    backoff: BTreeMap<(Time, SortKey, u64), QueuedPod>,
    error_backoff: BTreeMap<(Time, SortKey, u64), QueuedPod>,
    unschedulable: BTreeMap<Key, QueuedPod>,
    /// The same pods, longest wait first.
    oldest: BTreeSet<(Time, Key)>,
    gated: BTreeMap<Key, QueuedPod>,
    in_flight: BTreeMap<Key, QueuedPod>,
}

impl Queue {
    pub fn new(initial_backoff: Duration, max_backoff: Duration) -> Self {
        Queue {
            devices: Devices::default(),
            initial_backoff,
            max_backoff,
            sequence: 0,
            places: BTreeMap::new(),
            active: BTreeMap::new(),
            backoff: BTreeMap::new(),
            error_backoff: BTreeMap::new(),
            unschedulable: BTreeMap::new(),
            oldest: BTreeSet::new(),
            gated: BTreeMap::new(),
            in_flight: BTreeMap::new(),
        }
    }

    /// How often the pod was tried; 0 when it is not here.
    pub fn attempts(&self, key: &Key) -> u32 {
        let found = match self.places.get(key) {
            None => None,
            Some(Place::Active(sort, n)) => self.active.get(&(*sort, *n)),
            Some(Place::Backoff(until, sort, n)) => self.backoff.get(&(*until, *sort, *n)),
            Some(Place::ErrorBackoff(until, sort, n)) => self.error_backoff.get(&(*until, *sort, *n)),
            Some(Place::Unschedulable) => self.unschedulable.get(key),
            Some(Place::Gated) => self.gated.get(key),
            Some(Place::InFlight) => self.in_flight.get(key),
        };
        found.map_or(0, |q| q.attempts)
    }

    pub fn contains(&self, key: &Key) -> bool {
        self.places.contains_key(key)
    }

    /// A new pod: to the active queue, unless PreEnqueue holds it back.
    pub fn add(&mut self, pod: Arc<PodInfo>, now: Time, algorithm: &Algorithm, cause: Seq) {
        self.delete(&pod.key);
        let queued = QueuedPod {
            pod,
            timestamp: now,
            attempts: 0,
            initial_attempt: None,
            unschedulable_count: 0,
            consecutive_errors: 0,
            plugins: BTreeSet::new(),
            gated_by: None,
            event: "UnschedulablePodAdd",
            hint: "",
            cause,
        };
        self.requeue(queued, now, algorithm);
    }

    /// The pod changed. One that was found unschedulable moves when the change may help.
    pub fn update(&mut self, pod: Arc<PodInfo>, now: Time, algorithm: &Algorithm, cause: Seq) {
        let Some(place) = self.places.get(&pod.key).copied() else {
            return self.add(pod, now, algorithm, cause);
        };
        let key = pod.key.clone();
        match place {
            Place::InFlight => {
                if let Some(q) = self.in_flight.get_mut(&key) {
                    q.pod = pod;
                }
            }
            Place::Active(..) | Place::Backoff(..) | Place::ErrorBackoff(..) => {
                let Some(mut q) = self.take(&key) else { return };
                q.pod = pod;
                match place {
                    // It keeps its place among pods of the same priority and age.
                    Place::Active(_, n) => self.activate(q, n, algorithm),
                    Place::Backoff(until, ..) => self.hold_back(q, until, false, algorithm),
                    _ => {
                        let until = self.backoff_until(&q);
                        self.hold_back(q, until, true, algorithm);
                    }
                }
            }
            Place::Gated => {
                let Some(mut q) = self.take(&key) else { return };
                let old = std::mem::replace(&mut q.pod, pod);
                let event = ClusterEvent::TargetPodUpdate { old: &old, new: &q.pod };
                (q.event, q.cause) = (event.label(q.gated_by.unwrap_or_default()), cause);
                // The gates may have gone: PreEnqueue is asked again.
                self.requeue(q, now, algorithm);
            }
            Place::Unschedulable => {
                let Some(mut q) = self.take(&key) else { return };
                let old = std::mem::replace(&mut q.pod, pod);
                let event = ClusterEvent::TargetPodUpdate { old: &old, new: &q.pod };
                if let Some(hint) = worth_requeuing(&q, &event, algorithm) {
                    (q.event, q.hint, q.cause) = (event.label(hint), hint, cause);
                    self.requeue(q, now, algorithm);
                } else {
                    self.put_unschedulable(q);
                }
            }
        }
    }

    pub fn delete(&mut self, key: &Key) -> Option<QueuedPod> {
        self.take(key)
    }

    /// The next pod to schedule; it stays in flight until `done` or one of the two ways back.
    pub fn pop(&mut self, now: Time, algorithm: &Algorithm) -> Option<QueuedPod> {
        self.flush(now, algorithm);
        let (_, mut q) = match self.active.pop_first() {
            Some(((key, n), q)) => ((key, n), q),
            None => self.backoff.pop_first().map(|((_, key, n), q)| ((key, n), q))?,
        };
        q.attempts += 1;
        q.initial_attempt.get_or_insert(now);
        self.places.insert(q.pod.key.clone(), Place::InFlight);
        self.in_flight.insert(q.pod.key.clone(), q.clone());
        Some(q)
    }

    /// The attempt is over and the pod needs no queue any more.
    pub fn done(&mut self, key: &Key) {
        if self.in_flight.remove(key).is_some() {
            self.places.remove(key);
        }
    }

    /// The attempt failed. Refusals wait for an event that may help the plugins that refused; an error, and a
    /// refusal by no plugin at all, is tried again after a back-off. Models AddUnschedulableIfNotPresent.
    pub fn add_unschedulable(&mut self, key: &Key, plugins: BTreeSet<&'static str>, now: Time, algorithm: &Algorithm) {
        let Some(mut q) = self.in_flight.remove(key) else { return };
        self.places.remove(key);
        q.timestamp = now;
        (q.event, q.hint) = ("ScheduleAttemptFailure", "");
        let refused = !plugins.is_empty();
        q.plugins = plugins;
        if refused {
            q.unschedulable_count += 1;
            q.consecutive_errors = 0;
            self.put_unschedulable(q);
        } else {
            q.consecutive_errors += 1;
            self.requeue(q, now, algorithm);
        }
    }

    /// Something happened: pods whose refusing plugins find it promising move to the active or back-off queue.
    /// Returns how many did. Models MoveAllToActiveOrBackoffQueue.
    pub fn move_all(&mut self, event: &ClusterEvent, now: Time, algorithm: &Algorithm, cause: Seq) -> usize {
        self.move_up_to(i32::MAX, event, now, algorithm, cause)
    }

    /// The same for pods of at most this priority. Models its `preCheck`.
    pub fn move_up_to(
        &mut self,
        priority: i32,
        event: &ClusterEvent,
        now: Time,
        algorithm: &Algorithm,
        cause: Seq,
    ) -> usize {
        let unschedulable = self.unschedulable.iter().filter(|(_, q)| q.pod.priority <= priority);
        let unschedulable = unschedulable.filter_map(|(k, q)| Some((k.clone(), worth_requeuing(q, event, algorithm)?)));
        // The plugin that holds a pod back may wait for just this.
        let gated = self.gated.iter().filter(|(_, q)| q.pod.priority <= priority);
        let gated = gated.filter_map(|(k, q)| {
            let (plugin, framework) = (q.gated_by?, algorithm.profile(q.pod.scheduler_name())?);
            (framework.hint(plugin, &q.pod, event) == Hint::Queue).then(|| (k.clone(), plugin))
        });
        let moved: Vec<(Key, &'static str)> = unschedulable.chain(gated).collect();
        for (key, hint) in &moved {
            if let Some(mut q) = self.take(key) {
                (q.event, q.hint, q.cause) = (event.label(hint), *hint, cause);
                self.requeue(q, now, algorithm);
            }
        }
        moved.len()
    }

    /// Moves what has waited long enough.
    pub fn flush(&mut self, now: Time, algorithm: &Algorithm) {
        let due = |(until, _, _): &(Time, SortKey, u64)| *until <= now;
        while self.backoff.first_key_value().is_some_and(|(k, _)| due(k)) {
            if let Some((_, q)) = self.backoff.pop_first() {
                self.back_off_is_over(q, algorithm);
            }
        }
        while self.error_backoff.first_key_value().is_some_and(|(k, _)| due(k)) {
            if let Some((_, q)) = self.error_backoff.pop_first() {
                self.back_off_is_over(q, algorithm);
            }
        }
        while let Some((_, key)) = self.oldest.first().filter(|(since, _)| *since + MAX_UNSCHEDULABLE <= now).cloned() {
            let Some(mut q) = self.take(&key) else { break };
            (q.event, q.hint) = (ClusterEvent::UnschedulableTimeout.label(""), "");
            self.requeue(q, now, algorithm);
        }
    }

    /// When `pop` will have something; `None` when only an event can change that.
    pub fn ready_at(&self) -> Option<Time> {
        if let Some(q) = self.active.values().next() {
            return Some(q.timestamp);
        }
        if let Some(q) = self.backoff.values().next() {
            return Some(q.timestamp);
        }
        let error = self.error_backoff.keys().next().map(|(until, _, _)| *until);
        let late = self.oldest.first().map(|(since, _)| *since + MAX_UNSCHEDULABLE);
        error.into_iter().chain(late).min()
    }

    pub fn active_len(&self) -> usize {
        self.active.len()
    }
    pub fn backoff_len(&self) -> usize {
        self.backoff.len() + self.error_backoff.len()
    }

    /// The end of the back-off: doubled for every failed attempt, up to the maximum, and then to the end of the
    /// window. Models `backoffQueue.{getBackoffTime, isPodBackingoff}`.
    fn backoff_until(&self, q: &QueuedPod) -> Time {
        let count = if q.consecutive_errors > 0 { q.consecutive_errors } else { q.unschedulable_count };
        if count == 0 || self.max_backoff == Duration::ZERO {
            return q.timestamp;
        }
        let factor = 1u64.checked_shl(count - 1).unwrap_or(u64::MAX);
        let backoff = self.initial_backoff.0.saturating_mul(factor).min(self.max_backoff.0);
        let end = q.timestamp + Duration(backoff);
        Time(end.0 / WINDOW.0 * WINDOW.0) + WINDOW
    }

    /// PreEnqueue first, then what is left of the back-off. Models moveToBackoffQ and moveToActiveQ.
    fn requeue(&mut self, mut q: QueuedPod, now: Time, algorithm: &Algorithm) {
        let gate = algorithm.profile(q.pod.scheduler_name()).and_then(|f| f.pre_enqueue(&self.devices, &q.pod).err());
        q.gated_by = gate.map(|s| s.plugin);
        let until = self.backoff_until(&q);
        if q.gated_by.is_some() {
            self.places.insert(q.pod.key.clone(), Place::Gated);
            self.gated.insert(q.pod.key.clone(), q);
        } else if until > now {
            let error = q.plugins.is_empty();
            self.hold_back(q, until, error, algorithm);
        } else {
            let n = self.next();
            self.activate(q, n, algorithm);
        }
    }

    /// It has passed PreEnqueue before.
    fn back_off_is_over(&mut self, mut q: QueuedPod, algorithm: &Algorithm) {
        q.backed_off();
        let n = self.next();
        self.activate(q, n, algorithm);
    }

    fn hold_back(&mut self, q: QueuedPod, until: Time, error: bool, algorithm: &Algorithm) {
        let sort = sort_key(&q, algorithm);
        let n = self.next();
        if error {
            self.places.insert(q.pod.key.clone(), Place::ErrorBackoff(until, sort, n));
            self.error_backoff.insert((until, sort, n), q);
        } else {
            self.places.insert(q.pod.key.clone(), Place::Backoff(until, sort, n));
            self.backoff.insert((until, sort, n), q);
        }
    }

    fn activate(&mut self, q: QueuedPod, n: u64, algorithm: &Algorithm) {
        let sort = sort_key(&q, algorithm);
        self.places.insert(q.pod.key.clone(), Place::Active(sort, n));
        self.active.insert((sort, n), q);
    }

    fn put_unschedulable(&mut self, q: QueuedPod) {
        self.places.insert(q.pod.key.clone(), Place::Unschedulable);
        self.oldest.insert((q.timestamp, q.pod.key.clone()));
        self.unschedulable.insert(q.pod.key.clone(), q);
    }

    fn take(&mut self, key: &Key) -> Option<QueuedPod> {
        match self.places.remove(key)? {
            Place::Active(sort, n) => self.active.remove(&(sort, n)),
            Place::Backoff(until, sort, n) => self.backoff.remove(&(until, sort, n)),
            Place::ErrorBackoff(until, sort, n) => self.error_backoff.remove(&(until, sort, n)),
            Place::Unschedulable => {
                let q = self.unschedulable.remove(key)?;
                self.oldest.remove(&(q.timestamp, q.pod.key.clone()));
                Some(q)
            }
            Place::Gated => self.gated.remove(key),
            Place::InFlight => self.in_flight.remove(key),
        }
    }

    fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

fn sort_key(q: &QueuedPod, algorithm: &Algorithm) -> SortKey {
    match algorithm.profile(q.pod.scheduler_name()) {
        Some(f) => f.sort_key(&q.pod, q.timestamp),
        None => SortKey(0, q.timestamp.0),
    }
}

/// Models isPodWorthRequeuing: any of the refusing plugins may say so, and then its name is told; an empty one when none
/// had to be asked.
fn worth_requeuing(q: &QueuedPod, event: &ClusterEvent, algorithm: &Algorithm) -> Option<&'static str> {
    if q.plugins.is_empty() || matches!(event, ClusterEvent::UnschedulableTimeout) {
        return Some("");
    }
    let framework = algorithm.profile(q.pod.scheduler_name())?;
    q.plugins.iter().copied().find(|p| framework.hint(p, &q.pod, event) == Hint::Queue)
}
