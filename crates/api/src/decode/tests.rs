use crate::decode::Source;
use crate::kinds;
use crate::testing::json;
use expect_test::{Expect, expect};

fn check(api_version: &str, kind: &str, json: &[u8], want: &Expect) {
    let kind = kinds::by_api_version(api_version, kind).expect("a registered kind");
    let got = match (kind.decode)(kind, Source::Json(json)) {
        Ok(d) => d.strict.join("\n"),
        Err(e) => format!("{}: {}", e.code(), e.message()),
    };
    want.assert_eq(&got);
}

fn deployment(spec: &str, want: &Expect) {
    let yaml = format!("apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a}}\nspec: {spec}\n");
    check("apps/v1", "Deployment", &json(&yaml), want);
}

#[test]
fn unknown_fields_are_named_by_path() {
    deployment(
        "{foo: 1, template: {spec: {containers: [{name: a}, {name: b, imagee: x, securityContext: {bar: 1}}]}}}",
        &expect![[r#"
            unknown field "spec.foo"
            unknown field "spec.template.spec.containers[1].imagee"
            unknown field "spec.template.spec.containers[1].securityContext.bar""#]],
    );
}

#[test]
fn duplicate_fields_are_named_by_path() {
    let text = br#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a","labels":{"x":"1","x":"2"}},
        "spec":{"replicas":1,"replicas":2,"template":{"spec":{"containers":[{"name":"a","name":"b"}]}}}}"#;
    check(
        "apps/v1",
        "Deployment",
        text,
        &expect![[r#"
        duplicate field "metadata.labels.x"
        duplicate field "spec.replicas"
        duplicate field "spec.template.spec.containers[0].name""#]],
    );
}

#[test]
fn wrong_types_are_told_in_gos_words() {
    deployment(
        "{replicas: three}",
        &expect![[
            r#"400: Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"#
        ]],
    );
    deployment(
        "{replicas: 1.5}",
        &expect![[
            r#"400: Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"#
        ]],
    );
    deployment(
        "{replicas: 5000000000}",
        &expect![[
            r#"400: Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number 5000000000 into Go struct field DeploymentSpec.spec.replicas of type int32"#
        ]],
    );
    deployment(
        "{paused: 1}",
        &expect![[
            r#"400: Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number into Go struct field DeploymentSpec.spec.paused of type bool"#
        ]],
    );
    deployment(
        "nothing",
        &expect![[
            r#"400: Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field Deployment.spec of type v1.DeploymentSpec"#
        ]],
    );
    deployment(
        "{template: {metadata: {labels: {app: 1}}}}",
        &expect![[
            r#"400: Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number into Go struct field ObjectMeta.spec.template.metadata.labels of type string"#
        ]],
    );
    deployment(
        "{template: {spec: {containers: {name: a}}}}",
        &expect![[
            r#"400: Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container"#
        ]],
    );
    deployment(
        "{template: {spec: {containers: [{name: a, env: [{name: A, value: 1}]}]}}}",
        &expect![[
            r#"400: Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string"#
        ]],
    );
    deployment(
        "{strategy: {rollingUpdate: {maxSurge: true}}}",
        &expect![[
            r#"400: Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal bool into Go value of type int32"#
        ]],
    );
}

#[test]
fn quantities_are_checked_and_made_canonical() {
    let limit =
        |q: &str| format!("{{template: {{spec: {{containers: [{{name: a, resources: {{limits: {{cpu: {q}}}}}}}]}}}}}}");
    deployment(
        &limit("lots"),
        &expect![[
            r#"400: Deployment in version "v1" cannot be handled as a Deployment: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"#
        ]],
    );
    deployment(
        &limit("[1]"),
        &expect![[
            r#"400: Deployment in version "v1" cannot be handled as a Deployment: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"#
        ]],
    );
    let o = crate::testing::object(
        "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, resources: {limits: \
         {cpu: 0.5, memory: 1024Mi, example.com/x: 2}}}]}}",
    );
    let limits = o.to_value()["spec"]["containers"][0]["resources"]["limits"].to_string();
    expect![[r#"{"cpu":"500m","example.com/x":"2","memory":"1Gi"}"#]].assert_eq(&limits);
}

#[test]
fn what_is_no_json_is_refused() {
    check(
        "v1",
        "Pod",
        b"{\"metadata\": {",
        &expect!["400: couldn't get version/kind; json parse error: unexpected end of JSON input"],
    );
    check(
        "v1",
        "Pod",
        b"{} x",
        &expect!["400: couldn't get version/kind; json parse error: invalid character 'x' after top-level value"],
    );
}

#[test]
fn ignoring_decodes_the_same_object() {
    for k in kinds::KINDS {
        let json = json(k.sample);
        let strict = (k.decode)(k, Source::Json(&json)).expect("decodes");
        assert!(strict.strict.is_empty(), "{:?}: {:?}", k, strict.strict);
        assert_eq!(k.from_json(&json).expect("decodes").to_value(), strict.object.to_value());
    }
}

#[test]
fn a_null_in_a_map_of_strings_is_empty() {
    let text = "{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {tier: }, annotations: null}, spec: {containers: [{name: a, args: null}]}}";
    let o = crate::testing::object(text);
    assert_eq!(o.to_value()["metadata"]["labels"].to_string(), r#"{"tier":""}"#);
}

#[test]
fn bytes_and_times_are_refused_in_gos_words() {
    for (data, want) in [
        ("cGFzcw==", None),
        ("cGFz\ncw==\n", None),
        ("plain text!", Some("illegal base64 data at input byte 5")),
        ("abc", Some("illegal base64 data at input byte 0")),
        ("YWJjZA", Some("illegal base64 data at input byte 4")),
        ("YWJjZA=", Some("illegal base64 data at input byte 7")),
        ("YWJjZA==x", Some("illegal base64 data at input byte 8")),
        ("=", Some("illegal base64 data at input byte 0")),
    ] {
        assert_eq!(super::go_error::base64(data.as_bytes()).as_deref(), want, "{data}");
    }
    check(
        "v1",
        "Secret",
        br#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"data":{"password":"hunter2!"}}"#,
        &expect![[r#"400: Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 7"#]],
    );
    let time = |t: &str| {
        let text = format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"creationTimestamp":{t}}}}}"#);
        let pod = kinds::by_api_version("v1", "Pod").expect("a kind");
        (pod.decode)(pod, Source::Json(text.as_bytes())).map(drop).map_err(|e| e.message().to_string())
    };
    assert_eq!(time("null"), Ok(()));
    assert_eq!(time(r#""2026-01-01T00:00:00Z""#), Ok(()));
    expect![[r#"
        Err(
            "Pod in version \"v1\" cannot be handled as a Pod: parsing time \"soon\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"soon\" as \"2006\"",
        )
    "#]]
    .assert_debug_eq(&time(r#""soon""#));
    expect![[r#"
        Err(
            "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal number into Go value of type string",
        )
    "#]]
    .assert_debug_eq(&time("5"));
}

#[test]
fn the_last_of_equal_keys_stays_also_among_many() {
    let fields: String = (0..100).map(|i| format!("\"k{i}\":\"v{i}\",")).collect();
    let text = format!(
        r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"a"}},"data":{{{fields}"k7":"new","k99":"newer"}}}}"#
    );
    let kind = kinds::by_api_version("v1", "ConfigMap").expect("a kind");
    let decoded = (kind.decode)(kind, Source::Json(text.as_bytes())).expect("decodes");
    assert_eq!(decoded.strict, [r#"duplicate field "data.k7""#, r#"duplicate field "data.k99""#]);
    let value = decoded.object.to_value();
    assert_eq!((&value["data"]["k7"], &value["data"]["k99"]), (&"new".into(), &"newer".into()));
}

#[test]
fn null_is_the_zero_value() {
    let text = "{apiVersion: v1, kind: Pod, metadata: null, spec: {containers: [null, {name: a, args: [null]}], nodeSelector: null}}";
    let v = crate::testing::object(text).to_value();
    assert_eq!(v["spec"]["containers"].to_string(), r#"[{"name":""},{"args":[""],"name":"a"}]"#);
}
