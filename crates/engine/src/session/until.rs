//! What can be waited for.

use api::{ObjectExt, pods};
use cluster::Cluster;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Event, Pod};
use meta::{Duration, Key, Time};
use protocol::Until;

/// What has not come after this much virtual time will not come by itself.
const WAIT_MAX: Duration = Duration::from_secs(3600);
/// Nothing but heartbeats for so long is rest: longer than a probe's usual period.
const REST: Duration = Duration::from_secs(90);

pub(crate) struct Watch {
    pub until: Until,
    /// Changes of the store that were looked at.
    revision: u64,
    /// Where the waiting ends.
    pub end: Time,
    fresh: bool,
}

impl Watch {
    pub fn new(until: Until, cluster: &Cluster) -> Watch {
        let end = match until {
            Until::Time { at } => Time(at),
            _ => cluster.now() + WAIT_MAX,
        };
        Watch { until, revision: cluster.revision(), end, fresh: true }
    }

    /// Asked after every turn.
    pub fn is_met(&mut self, cluster: &Cluster) -> bool {
        match &self.until {
            Until::Time { at } => cluster.now() >= Time(*at),
            Until::Idle => cluster.now().since(cluster.quiet_since()) > REST,
            _ => {
                let before = std::mem::replace(&mut self.revision, cluster.revision());
                let changed = before != self.revision || std::mem::take(&mut self.fresh);
                changed && self.holds(cluster, before)
            }
        }
    }

    fn holds(&self, cluster: &Cluster, before: u64) -> bool {
        match &self.until {
            Until::PodReady { namespace, name } if name.is_empty() => {
                all(cluster.view().list_in::<Pod>(namespace).filter(|p| !pods::is_terminal(p)).map(pods::is_ready))
            }
            Until::PodReady { namespace, name } => {
                cluster.view().get::<Pod>(&Key::new(namespace, name)).is_some_and(pods::is_ready)
            }
            Until::Rollout { namespace, name } => {
                let (d, s, e) = (
                    cluster
                        .view()
                        .list_in::<Deployment>(namespace)
                        .map(|o| (o.metadata.name.as_deref(), deployment(o))),
                    cluster.view().list_in::<StatefulSet>(namespace).map(|o| (o.metadata.name.as_deref(), stateful(o))),
                    cluster.view().list_in::<DaemonSet>(namespace).map(|o| (o.metadata.name.as_deref(), daemon(o))),
                );
                all(d
                    .chain(s)
                    .chain(e)
                    .filter(|(n, _)| name.is_empty() || *n == Some(name.as_str()))
                    .map(|(_, done)| done))
            }
            Until::Event { reason } => {
                let events = cluster.store().iter_events_since(before);
                let mut new = events.into_iter().flatten().filter_map(|e| e.new.as_ref());
                new.any(|n| n.value.0.downcast::<Event>().is_some_and(|e| e.reason.as_deref() == Some(reason.as_str())))
            }
            Until::Idle | Until::Time { .. } => false,
        }
    }
}

/// Of none nothing can be said.
fn all(mut of: impl Iterator<Item = bool>) -> bool {
    of.next().is_some_and(|first| first && of.all(|done| done))
}

/// Models `kubectl/pkg/polymorphichelpers/rollout_status.go`, as do those below.
fn deployment(d: &Deployment) -> bool {
    let Some(status) = &d.status else { return false };
    let wanted = d.spec.as_ref().and_then(|s| s.replicas).unwrap_or(1);
    let updated = status.updated_replicas.unwrap_or(0);
    d.metadata.generation <= status.observed_generation
        && updated >= wanted
        && status.replicas.unwrap_or(0) <= updated
        && status.available_replicas.unwrap_or(0) >= updated
}

fn stateful(s: &StatefulSet) -> bool {
    let Some(status) = &s.status else { return false };
    let wanted = s.spec.as_ref().and_then(|s| s.replicas).unwrap_or(1);
    s.metadata.generation <= status.observed_generation
        && status.ready_replicas.unwrap_or(0) >= wanted
        && status.update_revision == status.current_revision
}

fn daemon(d: &DaemonSet) -> bool {
    let Some(status) = &d.status else { return false };
    let wanted = status.desired_number_scheduled;
    d.metadata.generation <= status.observed_generation
        && status.updated_number_scheduled.unwrap_or(0) >= wanted
        && status.number_available.unwrap_or(0) >= wanted
}
