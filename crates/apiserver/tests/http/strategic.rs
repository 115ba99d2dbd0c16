//! Strategic merge patches. Cases modelled on upstream's `strategicpatch/patch_test.go`, on real kinds.

use expect_test::{Expect, expect};
use meta::strategic::strategic_merge;
use serde_json::Value;

fn parse(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).expect("YAML")
}

/// Patches a Pod (or, with `template`, a Deployment) and shows the result.
fn check_kind(kind: &str, object: &str, patch: &str, want: Expect) {
    let text = match strategic_merge(parse(object), &parse(patch), kind) {
        Ok(v) => v.to_string(),
        Err(e) => format!("{} {e}", e.code()),
    };
    want.assert_eq(&text);
}
fn check(object: &str, patch: &str, want: Expect) {
    check_kind("Pod", object, patch, want);
}

#[test]
fn maps_merge_and_nulls_delete() {
    check(
        "{metadata: {labels: {a: x, b: v}}}",
        "{metadata: {labels: {b: null, c: z}}}",
        expect![[r#"{"metadata":{"labels":{"a":"x","c":"z"}}}"#]],
    );
    check("{a: 1}", "{b: {c: null, d: 1}}", expect![[r#"{"a":1,"b":{"d":1}}"#]]);
    check(
        "{metadata: {labels: {a: x}}}",
        "{metadata: {labels: {$patch: replace, b: w}}}",
        expect![[r#"{"metadata":{"labels":{"b":"w"}}}"#]],
    );
    check(
        "{metadata: {labels: {a: x}}, x: 1}",
        "{metadata: {labels: {$patch: delete}}}",
        expect![[r#"{"metadata":{"labels":{}},"x":1}"#]],
    );
    check("{a: 1}", "{$patch: explode}", expect!["500 unknown patch type: explode in map: map[$patch:explode]"]);
}

#[test]
fn lists_merge_by_key() {
    let pod = "{spec: {containers: [{name: a, image: '1', env: [{name: X, value: x}]}, {name: b, image: '1'}]}}";
    check(
        pod,
        "{spec: {containers: [{name: a, image: '2'}]}}",
        expect![[
            r#"{"spec":{"containers":[{"env":[{"name":"X","value":"x"}],"image":"2","name":"a"},{"image":"1","name":"b"}]}}"#
        ]],
    );
    check(
        pod,
        "{spec: {containers: [{name: a, env: [{name: W, value: w}]}]}}",
        expect![[
            r#"{"spec":{"containers":[{"env":[{"name":"W","value":"w"},{"name":"X","value":"x"}],"image":"1","name":"a"},{"image":"1","name":"b"}]}}"#
        ]],
    );
    // A new item comes before the server's own, as upstream orders it.
    check(
        pod,
        "{spec: {containers: [{name: c, image: '3'}]}}",
        expect![[
            r#"{"spec":{"containers":[{"image":"3","name":"c"},{"env":[{"name":"X","value":"x"}],"image":"1","name":"a"},{"image":"1","name":"b"}]}}"#
        ]],
    );
    check(
        pod,
        "{spec: {containers: [{name: a, $patch: delete}]}}",
        expect![[r#"{"spec":{"containers":[{"image":"1","name":"b"}]}}"#]],
    );
    check(
        pod,
        "{spec: {containers: [{$patch: replace}, {name: z, image: '9'}]}}",
        expect![[r#"{"spec":{"containers":[{"image":"9","name":"z"}]}}"#]],
    );
    check(
        pod,
        "{spec: {containers: [{image: '9'}]}}",
        expect!["500 map: map[image:9] does not contain declared merge key: name"],
    );
    check(
        "{}",
        "{spec: {containers: [{name: a, image: null}, {name: b, $patch: delete}]}}",
        expect![[r#"{"spec":{"containers":[{"name":"a"}]}}"#]],
    );
}

#[test]
fn lists_without_a_key_are_replaced() {
    let pod = "{spec: {tolerations: [{key: a}], containers: [{name: a, command: [x, y]}]}}";
    check(
        pod,
        "{spec: {tolerations: [{key: b}], containers: [{name: a, command: [z]}]}}",
        expect![[r#"{"spec":{"containers":[{"command":["z"],"name":"a"}],"tolerations":[{"key":"b"}]}}"#]],
    );
}

#[test]
fn primitive_lists() {
    let pod = "{metadata: {finalizers: [a, b, c]}}";
    check(pod, "{metadata: {finalizers: [c, d]}}", expect![[r#"{"metadata":{"finalizers":["a","b","c","d"]}}"#]]);
    check(
        pod,
        "{metadata: {$deleteFromPrimitiveList/finalizers: [b]}}",
        expect![[r#"{"metadata":{"finalizers":["a","c"]}}"#]],
    );
    check(
        pod,
        "{metadata: {$setElementOrder/finalizers: [c, a], finalizers: [d], $deleteFromPrimitiveList/finalizers: [b]}}",
        expect![[r#"
            500 The order in patch list:
            [d]
             doesn't match $setElementOrder list:
            [c a]
        "#]],
    );
}

#[test]
fn element_order() {
    let pod = "{spec: {containers: [{name: a}, {name: b}, {name: c}]}}";
    check(
        pod,
        "{spec: {$setElementOrder/containers: [{name: c}, {name: a}], containers: [{name: a, image: x}]}}",
        expect![[r#"{"spec":{"containers":[{"name":"b"},{"name":"c"},{"image":"x","name":"a"}]}}"#]],
    );
    check(
        pod,
        "{spec: {$setElementOrder/containers: [{name: b}, {name: a}, {name: c}]}}",
        expect![[r#"{"spec":{"containers":[{"name":"b"},{"name":"a"},{"name":"c"}]}}"#]],
    );
    check(
        pod,
        "{spec: {$setElementOrder/containers: [{name: a}, {name: m}, {name: b}], containers: [{name: m, image: x}]}}",
        expect![[r#"{"spec":{"containers":[{"name":"a"},{"image":"x","name":"m"},{"name":"b"},{"name":"c"}]}}"#]],
    );
}

#[test]
fn retain_keys() {
    let d = "{spec: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}}}";
    check_kind(
        "Deployment",
        d,
        "{spec: {strategy: {$retainKeys: [type], type: Recreate}}}",
        expect![[r#"{"spec":{"strategy":{"type":"Recreate"}}}"#]],
    );
    check_kind(
        "Deployment",
        d,
        "{spec: {strategy: {$retainKeys: [type], rollingUpdate: {}}}}",
        expect!["400 invalid patch format of retainKeys"],
    );
    let pod = "{spec: {volumes: [{name: v, emptyDir: {}}]}}";
    check(
        pod,
        "{spec: {volumes: [{name: v, $retainKeys: [name, hostPath], hostPath: {path: /x}}]}}",
        expect![[r#"{"spec":{"volumes":[{"hostPath":{"path":"/x"},"name":"v"}]}}"#]],
    );
}

#[test]
fn keys_depend_on_the_kind_and_the_place() {
    let s = "{spec: {ports: [{port: 80, name: a}, {port: 81, name: b}]}}";
    check_kind(
        "Service",
        s,
        "{spec: {ports: [{port: 81, name: c}]}}",
        expect![[r#"{"spec":{"ports":[{"name":"a","port":80},{"name":"c","port":81}]}}"#]],
    );
    let d = "{spec: {template: {spec: {containers: [{name: a, ports: [{containerPort: 80}]}]}}}}";
    let p = "{spec: {template: {spec: {containers: [{name: a, ports: [{containerPort: 81}]}]}}}}";
    check_kind(
        "Deployment",
        d,
        p,
        expect![[
            r#"{"spec":{"template":{"spec":{"containers":[{"name":"a","ports":[{"containerPort":81},{"containerPort":80}]}]}}}}"#
        ]],
    );
    let n = "{status: {conditions: [{type: Ready, status: 'True'}, {type: Disk, status: 'False'}]}}";
    check_kind(
        "Node",
        n,
        "{status: {conditions: [{type: Ready, status: 'False'}]}}",
        expect![[r#"{"status":{"conditions":[{"status":"False","type":"Ready"},{"status":"False","type":"Disk"}]}}"#]],
    );
    let e = "{ports: [{port: 80}], endpoints: [{addresses: [a]}]}";
    check_kind(
        "EndpointSlice",
        e,
        "{ports: [{port: 81}], endpoints: [{addresses: [b]}]}",
        expect![[r#"{"endpoints":[{"addresses":["b"]}],"ports":[{"port":81}]}"#]],
    );
}
