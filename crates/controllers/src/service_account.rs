//! serviceaccount-controller: every active namespace has a `default` ServiceAccount. Models
//! `pkg/controller/serviceaccount/serviceaccounts_controller.go`.

use crate::owner::watch_self;
use api::Registered;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Key, User};
use reconcile::{Change, Controller, Cx, Intent, Outcome, Tolerate, Watch};
use trace::note;

pub const NAME: &str = "serviceaccount-controller";
const DEFAULT: &str = "default";

#[derive(Clone, Default)]
pub struct ServiceAccountController;

/// A namespace takes new content until its deletion starts.
pub fn is_active(ns: &Namespace) -> bool {
    let phase = ns.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or("Active");
    ns.metadata.deletion_timestamp.is_none() && phase == "Active"
}

fn deleted(_cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    if change.new.is_none() && change.key.name() == DEFAULT {
        keys.push(Key::new("", change.key.namespace()));
    }
}

impl Controller for ServiceAccountController {
    const NAME: &'static str = NAME;

    fn user() -> User {
        User::controller("service-account-controller")
    }

    fn watches() -> Vec<Watch> {
        vec![watch_self(Namespace::KIND_REF), Watch { kind: ServiceAccount::KIND_REF, keys: deleted }]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let active = cx.view.get::<Namespace>(key).is_some_and(is_active);
        if !active || cx.view.get::<ServiceAccount>(&Key::new(key.name(), DEFAULT)).is_some() {
            return out;
        }
        if cx.recording {
            out.note(note!("serviceaccount.create", namespace = key.name()));
        }
        let metadata =
            ObjectMeta { name: Some(DEFAULT.into()), namespace: Some(key.name().into()), ..Default::default() };
        let account = ServiceAccount { metadata, ..Default::default() };
        out.push(Intent::create(account).tolerate(Tolerate::AlreadyExists));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::ServiceAccountController;
    use crate::testing::World;
    use serde_json::json;

    #[test]
    fn active_namespaces_get_one_and_keep_it() {
        let ns = |name: &str, phase: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "status": {"phase": phase}});
        let mut w = World::<ServiceAccountController>::new([ns("a", "Active"), ns("b", "Terminating")]);
        assert_eq!(
            w.run("a"),
            "# serviceaccount.create namespace=a\ncreate {\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\
             \"metadata\":{\"name\":\"default\",\"namespace\":\"a\"}}\n"
        );
        assert_eq!(w.run("b"), "");
        w.put(json!({"apiVersion": "v1", "kind": "ServiceAccount",
                     "metadata": {"name": "default", "namespace": "a"}}));
        assert_eq!(w.run("a"), "");
        assert_eq!(format!("{:?}", w.delete("v1", "ServiceAccount", "a/default")), "[a]");
    }
}
