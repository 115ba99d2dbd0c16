//! What kube-aggregator, a part of kube-apiserver, does about APIServices: every served version of a CustomResourceDefinition
//! has one, and those of other servers say whether these can be reached. Models `pkg/controlplane/controller/crdregistration`
//! and `kube-aggregator/pkg/controllers/{autoregister, status}`.

mod available;

pub use available::{PROCESS_MISSING, RemoteAvailable, is_served_by_process};

use crate::definitions::{PROCESS, user};
use api::kinds::apiservice::{MANAGED, local};
use api::{ObjectExt, Registered};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition as Definition;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use meta::{Key, User};
use reconcile::{Change, Controller, Cx, Intent, Outcome, View, Watch};

/// Custom resources come after everything else.
const PRIORITIES: (i32, i32) = (1000, 100);

#[derive(Clone, Default)]
pub struct Autoregister;

fn definition_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    for d in change.old.iter().chain(&change.new).filter_map(|o| o.downcast::<Definition>()) {
        keys.extend(d.spec.versions.iter().map(|v| Key::new("", &format!("{}.{}", v.name, d.spec.group))));
    }
}

/// Of what is written once at the start nobody takes care any more.
fn managed(o: &APIService) -> bool {
    o.metadata.labels.as_ref().and_then(|l| l.get(MANAGED)).is_some_and(|v| v == "true")
}

fn managed_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let both = change.old.iter().chain(&change.new);
    if both.filter_map(|o| o.downcast::<APIService>()).any(managed) {
        keys.push(change.key.clone());
    }
}

fn is_served(view: &View, group: &str, version: &str) -> bool {
    let mut all = view.list::<Definition>().filter(|d| d.spec.group == group);
    all.any(|d| d.spec.versions.iter().any(|v| v.served && v.name == version))
}

impl Controller for Autoregister {
    const NAME: &'static str = "autoregister";
    const PROCESS: &'static str = PROCESS;

    fn user() -> User {
        user()
    }
    fn watches() -> Vec<Watch> {
        vec![
            Watch { kind: Definition::KIND_REF, keys: definition_changed },
            Watch { kind: APIService::KIND_REF, keys: managed_changed },
        ]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some((version, group)) = key.name().split_once('.') else { return out };
        out.looked_at(cx.view.count(Definition::KIND_REF));
        let wanted = is_served(cx.view, group, version).then(|| local(group, version, "true", PRIORITIES));
        match (cx.view.get::<APIService>(key), wanted) {
            (None, None) => {}
            (None, Some(wanted)) => out.push(Intent::create(wanted)),
            (Some(now), _) if !managed(now) => {}
            (Some(now), None) => out.push(Intent::delete(now)),
            (Some(now), Some(wanted)) if now.spec == wanted.spec => {}
            (Some(now), Some(wanted)) => out.push(Intent::update(APIService { spec: wanted.spec, ..now.clone() })),
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use serde_json::{Value, json};

    fn definition(served: bool) -> Value {
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
               "metadata": {"name": "crontabs.example.com"},
               "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "crontabs", "kind": "CronTab"},
                        "versions": [{"name": "v1", "served": served, "storage": true}]}})
    }

    #[test]
    fn a_served_version_has_an_object_and_one_that_is_not_has_none() {
        let mut w = World::<Autoregister>::default();
        assert_eq!(format!("{:?}", w.put(definition(true))), "[v1.example.com]");
        assert_eq!(w.acts("v1.example.com"), "create apiservices v1.example.com\n");
        let queued = w.put(serde_json::to_value(local("example.com", "v1", "true", PRIORITIES)).unwrap());
        assert_eq!(format!("{queued:?}"), "[v1.example.com]");
        assert_eq!(w.acts("v1.example.com"), "");
        w.put(definition(false));
        assert_eq!(w.acts("v1.example.com"), "delete apiservices v1.example.com\n");
        // What somebody else has written is left alone.
        w.put(serde_json::to_value(local("example.com", "v1", "", PRIORITIES)).unwrap());
        assert_eq!(w.acts("v1.example.com"), "");
    }
}
