//! Creates, updates and patches. Cases modelled on upstream's `endpoints/apiserver_test.go` and
//! `registry/generic/registry/store_test.go`.

use crate::world::{World, outcome, summary};
use expect_test::{Expect, expect};

const PODS: &str = "/api/v1/namespaces/default/pods";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn check(requests: &[(&str, &str, &str)], want: Expect) {
    let mut w = World::new();
    let lines: Vec<String> = requests.iter().map(|(m, p, b)| format!("{m} {p}\n{}\n", w.line(m, p, b))).collect();
    want.assert_eq(&lines.join(""));
}

#[test]
fn creates() {
    check(
        &[
            ("POST", MAPS, r#"{"metadata":{"name":"a"},"data":{"k":"v"}}"#),
            ("POST", MAPS, r#"{"metadata":{"name":"a"}}"#),
            ("POST", MAPS, r#"{"metadata":{"generateName":"b-"}}"#),
            ("POST", MAPS, r#"{"metadata":{}}"#),
            ("POST", MAPS, r#"{"metadata":{"name":"A_b"}}"#),
            ("POST", MAPS, r#"{"metadata":{"name":"c","labels":{"a b":"x y"}}}"#),
            ("POST", MAPS, r#"{"metadata":{"name":"c","namespace":"other"}}"#),
            ("POST", MAPS, r#"{"metadata":{"name":"c","resourceVersion":"7"}}"#),
            ("POST", MAPS, r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"c"}}"#),
            ("POST", MAPS, r#"{"apiVersion":"v2","kind":"Zebra","metadata":{"name":"c"}}"#),
            ("POST", MAPS, r#"{"metadata":"#),
            ("POST", MAPS, r#"{"metadata":{"name":7}}"#),
            ("POST", MAPS, ""),
            ("POST", "/api/v1/namespaces/missing/configmaps", r#"{"metadata":{"name":"c"}}"#),
            ("POST", "/api/v1/configmaps", r#"{"metadata":{"name":"c"}}"#),
            ("POST", "/api/v1/namespaces", r#"{"metadata":{"name":"a.b"}}"#),
        ],
        expect![[r#"
            POST /api/v1/namespaces/default/configmaps
            201 ConfigMap a
            POST /api/v1/namespaces/default/configmaps
            409 AlreadyExists: configmaps "a" already exists
            POST /api/v1/namespaces/default/configmaps
            201 ConfigMap b-4v6hr
            POST /api/v1/namespaces/default/configmaps
            422 Invalid: ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required
            POST /api/v1/namespaces/default/configmaps
            422 Invalid: ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
            POST /api/v1/namespaces/default/configmaps
            422 Invalid: ConfigMap "c" is invalid: [metadata.labels: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'), metadata.labels: Invalid value: "x y": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')]
            POST /api/v1/namespaces/default/configmaps
            400 BadRequest: the namespace of the provided object does not match the namespace sent on the request
            POST /api/v1/namespaces/default/configmaps
            500 : resourceVersion should not be set on objects to be created
            POST /api/v1/namespaces/default/configmaps
            400 BadRequest: Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion
            POST /api/v1/namespaces/default/configmaps
            400 BadRequest: Zebra in version "v2" cannot be handled as a ConfigMap: no kind "Zebra" is registered for version "v2" in scheme "pkg/api/legacyscheme/scheme.go:30"
            POST /api/v1/namespaces/default/configmaps
            400 BadRequest: the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input ({"metadata":)
            POST /api/v1/namespaces/default/configmaps
            400 BadRequest: ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string
            POST /api/v1/namespaces/default/configmaps
            400 BadRequest: the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)
            POST /api/v1/namespaces/missing/configmaps
            404 NotFound: namespaces "missing" not found
            POST /api/v1/configmaps
            405 MethodNotAllowed: the server does not allow this method on the requested resource
            POST /api/v1/namespaces
            422 Invalid: Namespace "a.b" is invalid: metadata.name: Invalid value: "a.b": must not contain dots
        "#]],
    );
}

#[test]
fn the_system_fills_in_its_fields() {
    let mut w = World::new();
    let o = w.ok(
        "POST",
        MAPS,
        r#"{"metadata":{"name":"a","uid":"mine","selfLink":"/x","deletionTimestamp":"2020-01-01T00:00:00Z","labels":{},"managedFields":[]}}"#,
    );
    expect![[r#"
        {
          "creationTimestamp": "2026-01-01T00:00:00Z",
          "managedFields": [
            {
              "apiVersion": "v1",
              "fieldsType": "FieldsV1",
              "fieldsV1": {
                "f:metadata": {
                  "f:deletionTimestamp": {},
                  "f:labels": {}
                }
              },
              "manager": "kubectl",
              "operation": "Update",
              "time": "2026-01-01T00:00:00Z"
            }
          ],
          "name": "a",
          "namespace": "default",
          "resourceVersion": "6",
          "uid": "3d32d603-0615-464e-8bad-4e556615b6b5"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&o["metadata"]).unwrap());
}

#[test]
fn updates() {
    check(
        &[
            ("PUT", &format!("{MAPS}/a"), r#"{"metadata":{"name":"a"}}"#),
            ("POST", MAPS, r#"{"metadata":{"name":"a"},"data":{"k":"v"}}"#),
            ("PUT", &format!("{MAPS}/a"), r#"{"metadata":{"name":"a"},"data":{"k":"w"}}"#),
            ("PUT", &format!("{MAPS}/a"), r#"{"metadata":{"name":"a","resourceVersion":"3"}}"#),
            ("PUT", &format!("{MAPS}/a"), r#"{"metadata":{"name":"b"}}"#),
            ("PUT", &format!("{MAPS}/a"), r#"{"metadata":{}}"#),
            ("PUT", &format!("{MAPS}/a"), r#"{"metadata":{"name":"a","namespace":"kube-system"}}"#),
            ("PUT", &format!("{MAPS}/a"), r#"{"metadata":{"name":"a","uid":"11"}}"#),
            ("PUT", MAPS, r#"{"metadata":{"name":"a"}}"#),
            ("PUT", "/apis/coordination.k8s.io/v1/namespaces/default/leases/l", r#"{"metadata":{"name":"l"}}"#),
            ("PUT", "/apis/coordination.k8s.io/v1/namespaces/default/leases/l", r#"{"metadata":{"name":"l"}}"#),
        ],
        expect![[r#"
            PUT /api/v1/namespaces/default/configmaps/a
            404 NotFound: configmaps "a" not found
            POST /api/v1/namespaces/default/configmaps
            201 ConfigMap a
            PUT /api/v1/namespaces/default/configmaps/a
            200 ConfigMap a
            PUT /api/v1/namespaces/default/configmaps/a
            409 Conflict: Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again
            PUT /api/v1/namespaces/default/configmaps/a
            400 BadRequest: the name of the object (b) does not match the name on the URL (a)
            PUT /api/v1/namespaces/default/configmaps/a
            400 BadRequest: name must be provided
            PUT /api/v1/namespaces/default/configmaps/a
            400 BadRequest: the namespace of the provided object does not match the namespace sent on the request
            PUT /api/v1/namespaces/default/configmaps/a
            409 Conflict: Operation cannot be fulfilled on configmaps "a": StorageError: invalid object, Code: 4, Key: /registry/configmaps/default/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: 11, UID in object meta: 3d32d603-0615-464e-8bad-4e556615b6b5
            PUT /api/v1/namespaces/default/configmaps
            405 MethodNotAllowed: the server does not allow this method on the requested resource
            PUT /apis/coordination.k8s.io/v1/namespaces/default/leases/l
            201 Lease l
            PUT /apis/coordination.k8s.io/v1/namespaces/default/leases/l
            422 Invalid: leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update
        "#]],
    );
}

#[test]
fn a_write_that_changes_nothing_makes_no_revision() {
    let mut w = World::new();
    w.ok("POST", MAPS, r#"{"metadata":{"name":"a"},"data":{"k":"v"}}"#);
    let before = store::Backend::revision(&w.store);
    w.ok("PUT", &format!("{MAPS}/a"), r#"{"metadata":{"name":"a"},"data":{"k":"v"}}"#);
    w.ok("PATCH", &format!("{MAPS}/a"), r#"{"data":{"k":"v"}}"#);
    assert_eq!(store::Backend::revision(&w.store), before);
    w.ok("PATCH", &format!("{MAPS}/a"), r#"{"data":{"k":"w"}}"#);
    assert_eq!(store::Backend::revision(&w.store), before + 1);
}

#[test]
fn a_dry_run_leaves_no_trace() {
    let mut w = World::new();
    let before = store::Backend::revision(&w.store);
    let mut out = String::new();
    for (m, p, b) in [
        ("POST", format!("{MAPS}?dryRun=All"), r#"{"metadata":{"name":"a"}}"#),
        ("POST", format!("{MAPS}?dryRun=Some"), r#"{"metadata":{"name":"a"}}"#),
        ("GET", format!("{MAPS}/a"), ""),
        ("DELETE", "/api/v1/namespaces/default/serviceaccounts/default?dryRun=All".into(), ""),
        ("DELETE", "/api/v1/namespaces/default/serviceaccounts/default".into(), r#"{"dryRun":["All"]}"#),
    ] {
        out.push_str(&w.line(m, &p, b));
        out.push('\n');
    }
    assert_eq!(store::Backend::revision(&w.store), before);
    expect![[r#"
        201 ConfigMap a
        422 Invalid: CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"
        404 NotFound: configmaps "a" not found
        200 ServiceAccount default
        200 ServiceAccount default
    "#]]
    .assert_eq(&out);
}

#[test]
fn field_validation() {
    let pod = r#"{"metadata":{"name":"x"},"spec":{"foo":1,"containers":[{"name":"c","image":"i","imagee":"j"}],"nodeName":"a","nodeName":"b"}}"#;
    let mut out = String::new();
    for mode in ["Strict", "Warn", "Ignore", "Loud"] {
        let mut w = World::new();
        out.push_str(&format!("{mode}: {}\n", w.line("POST", &format!("{PODS}?fieldValidation={mode}"), pod)));
    }
    let mut w = World::new();
    w.pod("web");
    for mode in ["Strict", "Warn", "Ignore"] {
        let r = w.line("PATCH", &format!("{PODS}/web?fieldValidation={mode}"), r#"{"metadata":{"labelz":{"a":"b"}}}"#);
        out.push_str(&format!("patch {mode}: {}\n", &r[..r.len().min(200)]));
    }
    expect![[r#"
        Strict: 400 BadRequest: Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.foo", unknown field "spec.containers[0].imagee", duplicate field "spec.nodeName"
        Warn: 201 Pod x
          warning 299 - "unknown field \"spec.foo\""
          warning 299 - "unknown field \"spec.containers[0].imagee\""
          warning 299 - "duplicate field \"spec.nodeName\""
        Ignore: 201 Pod x
        Loud: 422 Invalid: CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Loud": supported values: "", "Ignore", "Strict", "Warn"
        patch Strict: 422 Invalid:  "" is invalid: patch: Invalid value: "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"creationTimestamp\":\"2026-01-01T00:00:00Z\",\"generation\":1,\"labelz\":{\"a\":\"b\"},\"nam
        patch Warn: 200 Pod web
          warning 299 - "unknown field \"metadata.labelz\""
        patch Ignore: 200 Pod web
    "#]].assert_eq(&out);
}

#[test]
fn patches() {
    let mut w = World::new();
    w.ok("POST", MAPS, r#"{"metadata":{"name":"a","labels":{"x":"1","y":"2"}},"data":{"k":"v"}}"#);
    let mut out = String::new();
    for (how, body) in [
        ("merge-patch", r#"{"metadata":{"labels":{"x":null,"z":"3"}}}"#),
        ("json-patch", r#"[{"op":"add","path":"/data/n","value":"m"},{"op":"remove","path":"/metadata/labels/y"}]"#),
        ("json-patch", r#"[{"op":"remove","path":"/data/none"}]"#),
        ("json-patch", r#"{"op":"remove"}"#),
        ("json-patch", "[1]"),
        ("json-patch", r#"[{"op":5}]"#),
        ("json-patch", r#"[{"op":"add"}]"#),
        ("json-patch", r#"[{"op":"foo","path":"/data/a"}]"#),
        ("merge-patch", "[]"),
        ("apply-patch", "a: b: c"),
        ("strategic-merge-patch", r#"{"data":{"k":null,"q":"r"}}"#),
        ("strategic-merge-patch", r#"{"metadata":{"labels":"invalid"}}"#),
        ("strategic-merge-patch", r#"{"data":"#),
        ("merge-patch", r#"{"data":"#),
        ("merge-patch", r#"{"metadata":{"resourceVersion":"2"}}"#),
        ("merge-patch", r#"{"metadata":{"name":"b"}}"#),
        ("merge-patch", r#"{"kind":"Secret"}"#),
        ("merge-patch", r#"{"data":[1]}"#),
        ("apply-patch", r#"{}"#),
        ("zip", r#"{}"#),
    ] {
        let kind = if how.starts_with("apply") { "yaml" } else { "json" };
        let content_type = format!("application/{how}+{kind}");
        let manager = if body.contains(": ") && how.starts_with("apply") { "?fieldManager=me" } else { "" };
        let r = w.http("PATCH", &format!("{MAPS}/a{manager}"), "", &content_type, body);
        out.push_str(&format!("{how} {body}\n  {}\n", summary(&r)));
    }
    let o = w.get(&format!("{MAPS}/a"));
    out.push_str(&format!("{} {}\n", o["metadata"]["labels"], o["data"]));
    expect![[r#"
        merge-patch {"metadata":{"labels":{"x":null,"z":"3"}}}
          200 ConfigMap a
        json-patch [{"op":"add","path":"/data/n","value":"m"},{"op":"remove","path":"/metadata/labels/y"}]
          200 ConfigMap a
        json-patch [{"op":"remove","path":"/data/none"}]
          422 Invalid: the server rejected our request due to an error in our request
        json-patch {"op":"remove"}
          400 BadRequest: error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp
        json-patch [1]
          400 BadRequest: error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp
        json-patch [{"op":5}]
          400 BadRequest: error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string
        json-patch [{"op":"add"}]
          422 Invalid: the server rejected our request due to an error in our request
        json-patch [{"op":"foo","path":"/data/a"}]
          422 Invalid: the server rejected our request due to an error in our request
        merge-patch []
          400 BadRequest: error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}
        apply-patch a: b: c
          400 BadRequest: error decoding YAML: error converting YAML to JSON: yaml: mapping values are not allowed in this context
        strategic-merge-patch {"data":{"k":null,"q":"r"}}
          200 ConfigMap a
        strategic-merge-patch {"metadata":{"labels":"invalid"}}
          422 Invalid:  "" is invalid: patch: Invalid value: "map[metadata:map[labels:invalid]]": cannot restore map from string
        strategic-merge-patch {"data":
          400 BadRequest: unexpected end of JSON input
        merge-patch {"data":
          400 BadRequest: error decoding patch: unexpected end of JSON input
        merge-patch {"metadata":{"resourceVersion":"2"}}
          409 Conflict: Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again
        merge-patch {"metadata":{"name":"b"}}
          400 BadRequest: the name of the object (b) does not match the name on the URL (a)
        merge-patch {"kind":"Secret"}
          400 BadRequest: Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion
        merge-patch {"data":[1]}
          422 Invalid:  "" is invalid: patch: Invalid value: "{\"apiVersion\":\"v1\",\"data\":[1],\"kind\":\"ConfigMap\",\"metadata\":{\"creationTimestamp\":\"2026-01-01T00:00:00Z\",\"labels\":{\"z\":\"3\"},\"name\":\"a\",\"namespace\":\"default\",\"resourceVersion\":\"9\",\"uid\":\"3d32d603-0615-464e-8bad-4e556615b6b5\"}}": json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string
        apply-patch {}
          422 Invalid: PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch
        zip {}
          415 UnsupportedMediaType: the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml
        {"z":"3"} {"n":"m","q":"r"}
    "#]].assert_eq(&out);
}

#[test]
fn yaml_bodies() {
    let mut w = World::new();
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: |\n    two\n    lines\n";
    let r = w.http("POST", MAPS, "", "application/yaml", yaml);
    assert_eq!(summary(&r), "201 ConfigMap a");
    assert_eq!(w.get(&format!("{MAPS}/a"))["data"]["k"], "two\nlines\n");
    let r = w.http("POST", MAPS, "", "application/vnd.kubernetes.protobuf", "k8s");
    expect!["415 UnsupportedMediaType: the body of the request was in an unknown format - accepted media types include: application/json, application/yaml"].assert_eq(&summary(&r));
}

#[test]
fn the_typed_path_answers_as_the_json_one() {
    use apiserver::{Body, RequestVerb};
    let mut w = World::new();
    let pod = k8s_openapi::api::core::v1::Pod::default();
    let a =
        w.handle(World::request(RequestVerb::Create, "Pod", "default", "").body(Body::Object(Box::new(pod.clone()))));
    expect![[r#"422 Invalid: Pod "" is invalid: [metadata.name: Required value: name or generateName is required, spec.containers: Required value]"#]]
        .assert_eq(&outcome(&a));
    let a = w.handle(World::request(RequestVerb::Create, "Node", "", "").body(Body::Object(Box::new(pod))));
    expect![[r#"400 BadRequest: Pod in version "v1" cannot be handled as a Node: converting (v1.Pod) to (core.Node): unknown conversion"#]].assert_eq(&outcome(&a));
}

/// Models `--event-ttl`: an hour, and up to a minute more that events written together share.
#[test]
fn events_expire_an_hour_after_they_were_last_written() {
    let mut w = World::new();
    let event = |name: &str| {
        format!(
            r#"{{"metadata":{{"name":"{name}"}},"involvedObject":{{"kind":"Pod","namespace":"default","name":"web"}},
                "reason":"Killing","type":"Normal"}}"#
        )
    };
    let events = "/api/v1/namespaces/default/events";
    w.ok("POST", events, &event("once"));
    w.ok("POST", events, &event("again"));
    w.advance(1800);
    let patch = r#"{"count":2}"#;
    let (a, _) = w.answer("PATCH", &format!("{events}/again"), "", "application/merge-patch+json", patch);
    assert_eq!(a.code, 200);
    let left = |w: &mut World| {
        w.store.expire_leases(w.now.as_micros());
        ["once", "again"].map(|name| w.store.get_ref(&format!("/registry/events/default/{name}")).is_some())
    };
    w.advance(1800);
    assert_eq!(left(&mut w), [true, true], "the lease lasts a little longer than the hour");
    w.advance(60);
    assert_eq!(left(&mut w), [false, true]);
    w.advance(1800);
    assert_eq!(left(&mut w), [false, false]);
    assert!(w.store.next_expiry().is_none());
}
