//! Whatever comes over the wire is answered: no panic, a valid HTTP code, JSON that parses.

use crate::world::World;
use apiserver::http::render;
use proptest::prelude::*;

fn method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
}

fn path() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "api",
        "apis",
        "v1",
        "apps",
        "namespaces",
        "default",
        "pods",
        "web",
        "configmaps",
        "deployments",
        "status",
        "scale",
        "binding",
        "eviction",
        "log",
        "proxy",
        "finalize",
        "services",
        "nodes",
        "watch",
        "a:b:c:d",
        "%ff",
        "..",
        "",
        "é",
    ]);
    let any = prop::collection::vec(part, 0..8).prop_map(|p| format!("/{}", p.join("/")));
    let real = prop::sample::select(vec![
        "/api/v1/namespaces/default/pods",
        "/api/v1/namespaces/default/pods/web",
        "/api/v1/namespaces/default/pods/web/binding",
        "/api/v1/namespaces/default/pods/web/eviction",
        "/api/v1/namespaces/default/services",
        "/api/v1/namespaces/default/services/web",
        "/api/v1/namespaces/kube-system",
        "/api/v1/namespaces/default/finalize",
        "/apis/apps/v1/namespaces/default/deployments",
        "/apis/apps/v1/namespaces/default/deployments/web",
        "/apis/apps/v1/namespaces/default/deployments/web/scale",
    ]);
    prop_oneof![1 => any, 3 => real.prop_map(String::from)]
}

fn query() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "limit",
        "continue",
        "labelSelector",
        "fieldSelector",
        "resourceVersion",
        "resourceVersionMatch",
        "watch",
        "dryRun",
        "fieldValidation",
        "gracePeriodSeconds",
        "propagationPolicy",
        "tailLines",
        "pretty",
        "timeoutSeconds",
        "sendInitialEvents",
        "includeObject",
        "verbose",
    ]);
    let value = prop::sample::select(vec![
        "",
        "1",
        "0",
        "-1",
        "true",
        "x",
        "All",
        "Strict",
        "Exact",
        "a=b",
        "a in (b",
        "metadata.name=web",
        "%00",
        "%E9",
        "99999999999999999999",
        "Orphan",
        "Foreground",
        r"a=\,",
    ]);
    prop::collection::vec((key, value), 0..3)
        .prop_map(|pairs| pairs.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("&"))
}

/// JSON with the field names that matter and values of every type.
fn body() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        prop::sample::select(vec!["web", "v1", "Pod", "", "None", "NodePort", "replace", "delete", "10.96.0.7", "é"])
            .prop_map(Into::into),
    ];
    let field = prop::sample::select(vec![
        "metadata",
        "name",
        "namespace",
        "generateName",
        "labels",
        "finalizers",
        "spec",
        "status",
        "replicas",
        "selector",
        "containers",
        "image",
        "ports",
        "port",
        "nodePort",
        "type",
        "clusterIP",
        "kind",
        "apiVersion",
        "$patch",
        "target",
        "$retainKeys",
        "$setElementOrder/containers",
        "$deleteFromPrimitiveList/finalizers",
        "template",
        "matchLabels",
        "deleteOptions",
        "preconditions",
        "uid",
        "resourceVersion",
        "op",
        "path",
        "value",
    ]);
    let tree = leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
            prop::collection::btree_map(field.clone().prop_map(String::from), inner, 0..6)
                .prop_map(|m| m.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    });
    prop_oneof![8 => tree.prop_map(|v| v.to_string()), 1 => Just(String::new()), 1 => ".{0,20}"]
}

fn content_type() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "application/json",
        "application/yaml",
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
        "",
        "text/plain",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_request_is_answered(
        requests in prop::collection::vec((method(), path(), query(), content_type(), body()), 1..12),
    ) {
        let mut w = World::new();
        w.pod("web");
        let service = r#"{"metadata":{"name":"web"},"spec":{"ports":[{"port":80}]}}"#;
        w.ok("POST", "/api/v1/namespaces/default/services", service);
        let deployment = r#"{"metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}"#;
        w.ok("POST", "/apis/apps/v1/namespaces/default/deployments", deployment);
        for (method, path, query, content_type, body) in requests {
            let before = store::Backend::revision(&w.store);
            let (answer, wants) = w.answer(method, &format!("{path}?{query}"), crate::world::TABLE, content_type, &body);
            let r = render(&answer, &wants, w.now);
            prop_assert!((200..=599).contains(&r.code));
            if r.content_type == "application/json" && !r.body.is_empty() {
                prop_assert!(serde_json::from_slice::<serde_json::Value>(&r.body).is_ok());
            }
            // A refusal changes nothing, and every change is told.
            let after = store::Backend::revision(&w.store);
            if r.code >= 400 {
                prop_assert_eq!(before, after);
            }
            prop_assert_eq!(answer.events.last().map_or(before, |e| e.revision), after);
        }
    }
}
