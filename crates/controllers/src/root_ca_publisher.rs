//! root-ca-certificate-publisher-controller: every namespace has a ConfigMap `kube-root-ca.crt`, by which pods
//! recognize the API server. Models `pkg/controller/certificates/rootcacertpublisher`.

use crate::owner::watch_self;
use crate::service_account::is_active;
use api::Registered;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Key, User};
use reconcile::{Change, Controller, Cx, Intent, Outcome, Tolerate, View, Watch};
use std::collections::BTreeMap;
use trace::note;

const NAME: &str = "kube-root-ca.crt";
const DESCRIPTION: &str = "kubernetes.io/description";
const DESCRIPTION_TEXT: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
    endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across \
    distributions of Kubernetes clusters.";
/// Where the API server publishes the cluster's CA.
pub(crate) const CA_SOURCE: &str = "kube-system/extension-apiserver-authentication";

#[derive(Clone, Default)]
pub struct RootCaPublisher;

/// Upstream reads `--root-ca-file`, or takes the CA of its own kubeconfig. Here there are no files: the CA is the one
/// that the API server itself publishes. Where there is no TLS there is no CA, and the bundle is empty, as upstream's
/// is when neither has one.
pub(crate) fn root_ca(view: &View) -> String {
    let source = view.get::<ConfigMap>(&CA_SOURCE.into());
    source.and_then(|c| c.data.as_ref()?.get("client-ca-file").cloned()).unwrap_or_default()
}

fn config_map_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    if change.key.as_str() == CA_SOURCE {
        keys.extend(cx.view.list::<Namespace>().filter_map(|n| n.metadata.name.as_deref()).map(|n| Key::new("", n)));
    } else if change.key.name() == NAME {
        keys.push(Key::new("", change.key.namespace()));
    }
}

impl Controller for RootCaPublisher {
    const NAME: &'static str = "root-ca-certificate-publisher-controller";

    fn user() -> User {
        User::controller("root-ca-cert-publisher")
    }

    fn watches() -> Vec<Watch> {
        vec![watch_self(Namespace::KIND_REF), Watch { kind: ConfigMap::KIND_REF, keys: config_map_changed }]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        if !cx.view.get::<Namespace>(key).is_some_and(is_active) {
            return out;
        }
        let data = BTreeMap::from([("ca.crt".to_string(), root_ca(cx.view))]);
        let annotation = (DESCRIPTION.to_string(), DESCRIPTION_TEXT.to_string());
        match cx.view.get::<ConfigMap>(&Key::new(key.name(), NAME)) {
            None => {
                if cx.recording {
                    out.note(note!("root-ca.publish", namespace = key.name()));
                }
                let metadata = ObjectMeta {
                    name: Some(NAME.into()),
                    namespace: Some(key.name().into()),
                    annotations: Some(BTreeMap::from([annotation])),
                    ..Default::default()
                };
                let map = ConfigMap { metadata, data: Some(data), ..Default::default() };
                out.push(Intent::create(map).tolerate(Tolerate::AlreadyExists));
            }
            Some(map) => {
                let described = map.metadata.annotations.as_ref().and_then(|a| a.get(DESCRIPTION));
                if map.data.as_ref() != Some(&data) || described != Some(&annotation.1) {
                    if cx.recording {
                        out.note(note!("root-ca.restore", namespace = key.name()));
                    }
                    let mut map = map.clone();
                    map.data = Some(data);
                    map.metadata.annotations.get_or_insert_default().insert(annotation.0, annotation.1);
                    out.push(Intent::update(map));
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::RootCaPublisher;
    use crate::testing::World;
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn published_everywhere_and_restored() {
        let mut w = World::<RootCaPublisher>::new([
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"client-ca-file": "PEM"},
                   "metadata": {"name": "extension-apiserver-authentication", "namespace": "kube-system"}}),
        ]);
        expect![[r##"
            # root-ca.publish namespace=a
            create {"apiVersion":"v1","data":{"ca.crt":"PEM"},"kind":"ConfigMap","metadata":{"annotations":{"kubernetes.io/description":"Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."},"name":"kube-root-ca.crt","namespace":"a"}}
        "##]].assert_eq(&w.run("a"));
        let queued = w.put(json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {},
                                  "metadata": {"name": "kube-root-ca.crt", "namespace": "a"}}));
        assert_eq!(format!("{queued:?}"), "[a]");
        assert!(w.run("a").contains("update configmaps a/kube-root-ca.crt"));
    }
}
