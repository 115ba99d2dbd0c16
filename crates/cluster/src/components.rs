//! ComponentStatus: the API server asks its neighbours how they are. Models `pkg/registry/core/componentstatus` and
//! `serversToValidate` of the control plane.

use crate::{Cluster, Lamp};
use api::kinds::componentstatus;
use api::{Object, Registered};
use apiserver::response::LiveQuery;
use apiserver::{Answer, Response};
use k8s_openapi::api::core::v1::ComponentStatus;
use meta::ApiError;
use std::sync::Arc;

/// Name, process, and the port where it says how it is.
const NEIGHBOURS: [(&str, &str, u16); 2] =
    [("scheduler", "kube-scheduler", 10259), ("controller-manager", "kube-controller-manager", 10257)];

impl Cluster {
    pub(crate) fn component_statuses(&self, q: &LiveQuery) -> Answer {
        let neighbours = NEIGHBOURS
            .iter()
            .map(|(name, process, port)| componentstatus::of(name, self.health(process, *port).map(|()| "ok")));
        // The store is in the API server's own process.
        let all = neighbours.chain([componentstatus::of("etcd-0", Ok("ok"))]);
        let kind = ComponentStatus::KIND_REF;
        if q.name.is_empty() {
            let items = all.filter(|o| q.filter.matches(o)).map(|o| Arc::new(o) as api::Obj).collect();
            let (resource_version, continue_token, remaining) = (0, String::new(), None);
            return Answer::new(200, Response::List { kind, items, resource_version, continue_token, remaining });
        }
        let found = all.into_iter().find(|o| o.meta().name.as_deref() == Some(&q.name));
        let found = found.ok_or_else(|| ApiError::not_found(kind.group, kind.plural, &q.name));
        found.map_or_else(Answer::refusal, |o| Answer::new(200, Response::Object(Arc::new(o))))
    }

    /// Whether the process answers; one that waits for its turn to lead does.
    fn health(&self, process: &str, port: u16) -> Result<(), String> {
        let lamps: Vec<Lamp> = self.slots().filter(|s| *s.process == *process).map(|s| s.lamp).collect();
        let url = format!("https://127.0.0.1:{port}/healthz");
        if lamps.contains(&Lamp::Paused) {
            return Err(format!("Get {url:?}: net/http: TLS handshake timeout"));
        }
        if lamps.iter().any(|l| matches!(l, Lamp::Running | Lamp::Standby)) {
            return Ok(());
        }
        Err(format!("Get {url:?}: dial tcp 127.0.0.1:{port}: connect: connection refused"))
    }
}
