//! What the page's node menu does, as the API requests kubectl would make: cordon, drain, delete.

use crate::{Cluster, requests};
use api::ObjectExt;
use api::kinds::{node, pod};
use apiserver::{Body, PatchType, Request};
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::policy::v1::Eviction;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{DeleteOptions, ObjectMeta};
use meta::{ApiError, Key, User};

impl Cluster {
    fn as_admin(&mut self, req: Request) -> Result<(), ApiError> {
        self.request(req).into_result().map(|_| ())
    }

    /// `kubectl cordon` and `uncordon`.
    ///
    /// # Errors
    /// The API server's refusal, "not found" for instance.
    pub fn cordon(&mut self, node: &str, on: bool) -> Result<(), ApiError> {
        let value = if on { serde_json::Value::Bool(true) } else { serde_json::Value::Null };
        let patch = serde_json::json!({ "spec": { "unschedulable": value } });
        let key = Key::from(node);
        self.as_admin(requests::patch(User::admin(), &node::KIND, &key, "", PatchType::Strategic, patch))
    }

    /// `kubectl drain --ignore-daemonsets --delete-emptydir-data --force`: cordons, then evicts every pod that no
    /// DaemonSet manages and that has not ended. kubectl tries those again that a budget protects; here the next drain
    /// does.
    ///
    /// # Errors
    /// The first refusal. One by a disruption budget (429) does not keep the other pods from being evicted.
    pub fn drain(&mut self, node: &str) -> Result<(), ApiError> {
        self.cordon(node, true)?;
        let evicted: Vec<Key> = self
            .view
            .pods_on_node(node)
            .filter(|p| {
                let p: &dyn api::Object = *p;
                !p.is_terminating() && p.controller_ref().is_none_or(|r| r.kind != "DaemonSet")
            })
            .map(|p: &Pod| (p as &dyn api::Object).key())
            .collect();
        let mut protected = Ok(());
        for key in evicted {
            let eviction = Eviction {
                metadata: ObjectMeta {
                    name: Some(key.name().into()),
                    namespace: Some(key.namespace().into()),
                    ..Default::default()
                },
                ..Default::default()
            };
            let body = Body::Eviction(Box::new(eviction));
            let req = requests::post(User::admin(), &pod::KIND, &key, "eviction", body);
            match self.as_admin(req) {
                Err(e) if e.code() == 429 => protected = protected.and(Err(e)),
                other => other?,
            }
        }
        protected
    }

    /// Power off and `kubectl delete node`.
    ///
    /// # Errors
    /// The API server's refusal; the machine is gone all the same.
    pub fn remove_node(&mut self, node: &str) -> Result<(), ApiError> {
        self.remove_machine(node);
        if self.view.get::<Node>(&Key::from(node)).is_none() {
            return Ok(());
        }
        self.as_admin(requests::delete(User::admin(), &node::KIND, &Key::from(node), DeleteOptions::default()))
    }
}
