use super::{Kinds, is_true};
use crate::decode::Source;
use crate::object::Object;
use crate::registration::KindRef;
use expect_test::expect;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use meta::Time;
use serde_json::{Value, json};

/// A definition that has been established, with this schema for `spec`.
fn definition(spec: Value, more: Value) -> CustomResourceDefinition {
    let mut version = json!({
        "name": "v1", "served": true, "storage": true,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
    });
    for (k, v) in more.as_object().into_iter().flatten() {
        version[k] = v.clone();
    }
    let names = json!({"plural": "crontabs", "singular": "crontab", "kind": "CronTab", "listKind": "CronTabList"});
    serde_json::from_value(json!({
        "metadata": {"name": "crontabs.stable.example.com"},
        "spec": {"group": "stable.example.com", "scope": "Namespaced", "names": names, "versions": [version]},
        "status": {"acceptedNames": names, "conditions": [{"type": "Established", "status": "True"}]},
    }))
    .expect("a definition")
}

fn kind(spec: Value, more: Value) -> KindRef {
    let d = definition(spec, more);
    assert!(is_true(&d, "Established"));
    let mut kinds = Kinds::default();
    kinds.observe("crontabs.stable.example.com", Some(&d));
    kinds.by_api_version("stable.example.com/v1", "CronTab").expect("served")
}

fn object(kind: KindRef, spec: Value) -> (Box<dyn Object>, Vec<String>) {
    let value = json!({"apiVersion": kind.api_version(), "kind": "CronTab", "metadata": {"name": "a", "namespace": "default"}, "spec": spec});
    let d = (kind.decode)(kind, Source::Value(value)).expect("decodes");
    (d.object, d.strict)
}

fn errors(schema: Value, spec: Value) -> String {
    let kind = kind(schema, json!({}));
    let (mut o, _) = object(kind, spec);
    (kind.default)(&mut *o);
    (kind.validate_create)(&*o).iter().map(|e| format!("{e}\n")).collect()
}

#[test]
fn values_are_refused_in_upstreams_words() {
    let schema = json!({"type": "object", "required": ["image"], "properties": {
        "cronSpec": {"type": "string", "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"},
        "image": {"type": "string", "maxLength": 8, "minLength": 2},
        "replicas": {"type": "integer", "minimum": 1, "maximum": 10},
        "policy": {"type": "string", "enum": ["Allow", "Forbid"]},
        "share": {"type": "number", "multipleOf": 0.5},
        "port": {"x-kubernetes-int-or-string": true},
        "at": {"type": "string", "format": "date-time"},
        "tags": {"type": "array", "maxItems": 2, "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                  "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "n": {"type": "integer"}}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    }});
    let one = |spec: Value| errors(schema.clone(), spec);
    assert_eq!(
        one(json!({"image": "web", "cronSpec": "* * * * */5", "replicas": 3, "port": "http", "tags": ["a", "b"],
        "ports": [{"name": "a"}, {"name": "b"}], "at": "2026-01-01T00:00:00Z", "share": 1.5, "policy": "Allow"})),
        ""
    );
    expect![[r#"
        spec.cronSpec: Invalid value: "* * * *": spec.cronSpec in body should match '^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$'
        spec.replicas: Invalid value: 15: spec.replicas in body should be less than or equal to 10
    "#]].assert_eq(&one(json!({"image": "web", "cronSpec": "* * * *", "replicas": 15})));
    expect![[r#"
        spec.image: Required value
        spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"
    "#]]
    .assert_eq(&one(json!({"replicas": "3"})));
    expect![[r#"
        spec.at: Invalid value: "soon": spec.at in body must be of type date-time: "soon"
        spec.image: Too long: may not be more than 8 bytes
        spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type string: "integer"
        spec.policy: Unsupported value: "Never": supported values: "Allow", "Forbid"
        spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"
        spec.ports[1]: Duplicate value: {"name":"a"}
        spec.share: Invalid value: 0.3: spec.share in body should be a multiple of 0.5
        spec.tags: Too many: 3: must have at most 2 items
        spec.tags[2]: Duplicate value: "a"
    "#]]
    .assert_eq(&one(json!({"image": "web-server", "policy": "Never", "port": true, "at": "soon", "share": 0.3,
        "tags": ["a", "b", "a"], "ports": [{"name": "a"}, {"name": "a"}], "labels": {"a": 1}})));
    expect![[r#"
        spec.image: Invalid value: "x": spec.image in body should be at least 2 chars long
        spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1
    "#]]
    .assert_eq(&one(json!({"image": "x", "replicas": 0})));
}

#[test]
fn alternatives_are_told_without_a_place() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}]});
    assert_eq!(errors(schema.clone(), json!({"a": "x"})), "");
    expect![[r#"
        <nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found none valid
        spec.a: Required value
    "#]]
    .assert_eq(&errors(schema.clone(), json!({})));
    expect![[r#"
        <nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives
    "#]]
    .assert_eq(&errors(schema, json!({"a": "x", "b": "y"})));
}

#[test]
fn unknown_fields_go_and_are_named() {
    let kind = kind(
        json!({"type": "object", "properties": {
            "known": {"type": "object", "properties": {"a": {"type": "string"}}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "map": {"type": "object", "additionalProperties": {"type": "string"}},
            "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
            "freeList": {"type": "array", "x-kubernetes-preserve-unknown-fields": true, "items":
                {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}}}}},
            "template": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
        }}),
        json!({}),
    );
    let (o, strict) = object(
        kind,
        json!({"known": {"a": "1", "b": 2}, "free": {"x": {"y": 1}}, "map": {"k": "v"}, "other": true,
        "list": [{"a": "x"}, {"c": 1}], "freeList": [{"x": {"y": 1}, "a": {"b": "1", "c": 2}}], "template": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {}}}),
    );
    assert_eq!(
        o.to_value()["spec"],
        json!({"known": {"a": "1"}, "free": {"x": {"y": 1}}, "map": {"k": "v"}, "list": [{"a": "x"}, {}],
        "freeList": [{"x": {"y": 1}, "a": {"b": "1"}}],
        "template": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {}}})
    );
    let unknown = ["spec.freeList[0].a.c", "spec.known.b", "spec.list[1].c", "spec.other"]
        .map(|f| format!("unknown field {f:?}"));
    let mut strict = strict;
    strict.sort();
    assert_eq!(strict, unknown);
}

fn with_object_inside() -> KindRef {
    let inside =
        json!({"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true});
    kind(
        json!({"type": "object", "properties": {
            "template": inside.clone(), "list": {"type": "array", "items": inside.clone()},
            "byName": {"type": "object", "additionalProperties": inside},
        }}),
        json!({}),
    )
}

#[test]
fn metadata_of_objects_inside_is_that_of_any_object() {
    let kind = with_object_inside();
    let of = |metadata: Value| json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata});
    let (o, strict) = object(
        kind,
        json!({"template": of(json!({"name": "x", "foo": 1, "creationTimestamp": null})),
            "list": [of(json!({"labels": {"a": "b"}, "bar": {}}))], "byName": {"k": of(json!({"baz": 1}))}}),
    );
    assert_eq!(
        o.to_value()["spec"],
        json!({"template": of(json!({"name": "x"})), "list": [of(json!({"labels": {"a": "b"}}))], "byName": {"k": of(json!({}))}})
    );
    let unknown = ["spec.byName[k].metadata.baz", "spec.list[0].metadata.bar", "spec.template.metadata.foo"];
    assert_eq!(strict, unknown.map(|f| format!("unknown field {f:?}")));
}

#[test]
fn objects_inside_that_are_none_are_refused() {
    let kind = with_object_inside();
    let refused = |template: Value| {
        let value = json!({"apiVersion": kind.api_version(), "kind": "CronTab", "metadata": {"name": "a"}, "spec": {"template": template}});
        (kind.decode)(kind, Source::Value(value)).err().map(|e| e.message().to_string()).unwrap_or_default()
    };
    let begin = "CronTab in version \"v1\" cannot be handled as a CronTab: spec.template";
    assert_eq!(refused(json!({"kind": 1})), format!("{begin}.kind: Invalid value: 1: must be a string"));
    let why = r#".metadata: Invalid value: {"labels":{"a":1}}: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string"#;
    assert_eq!(refused(json!({"metadata": {"labels": {"a": 1}}})), format!("{begin}{why}"));
    let invalid = |template: Value| {
        let (o, _) = object(kind, json!({ "template": template }));
        (kind.validate_create)(&*o).iter().map(|e| format!("{e}\n")).collect::<String>()
    };
    assert_eq!(invalid(json!({"apiVersion": "v1", "kind": "Pod"})), "");
    expect![[r#"
        spec.template.apiVersion: Required value
        spec.template.kind: Required value
    "#]]
    .assert_eq(&invalid(json!({"kind": ""})));
    expect![[r#"
        spec.template.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c
        spec.template.kind: Invalid value: "a.b": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')
        spec.template.metadata.name: Invalid value: "a/b": may not contain '/'
        spec.template.metadata.labels: Invalid value: "-": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
    "#]]
    .assert_eq(&invalid(json!({"apiVersion": "a/b/c", "kind": "a.b", "metadata": {"name": "a/b", "labels": {"-": "x"}}})));
}

#[test]
fn strings_of_a_format_are_checked() {
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "string", "format": "rgbcolor"}, "b": {"type": "string", "format": "no-such"}}});
    assert_eq!(errors(schema.clone(), json!({"a": "rgb(1,2,3)", "b": "x"})), "");
    expect![[r#"
        spec.a: Invalid value: "x": spec.a in body must be of type rgbcolor: "x"
    "#]]
    .assert_eq(&errors(schema, json!({"a": "x"})));
}

#[test]
fn formats_that_nobody_checks_are_warned_of() {
    let d = definition(
        json!({"type": "object", "properties": {
            "a": {"type": "string", "format": "foo"}, "b": {"type": "string", "format": "date-time"},
            "c": {"type": "integer", "format": "foo32"}, "d": {"type": "array", "items": {"type": "string", "format": "foo"}},
            "e": {"type": "object", "additionalProperties": {"type": "string", "format": "bar"}},
        }}),
        json!({}),
    );
    let of = crate::kinds::customresourcedefinition::KIND.warnings;
    assert_eq!(of(&d), ["unrecognized format \"foo\"", "unrecognized format \"bar\""]);
}

#[test]
fn defaults_fill_what_is_missing_or_null() {
    let kind = kind(
        json!({"type": "object", "properties": {
            "cronSpec": {"type": "string", "default": "5 0 * * *"},
            "replicas": {"type": "integer", "default": 1},
            "nothing": {"type": "string", "nullable": true, "default": "x"},
            "image": {"type": "string"},
            "inner": {"type": "object", "default": {}, "properties": {"a": {"type": "string", "default": "b"}}},
        }}),
        json!({}),
    );
    let (mut o, _) = object(kind, json!({"replicas": null, "nothing": null, "image": null}));
    (kind.default)(&mut *o);
    let want = json!({"cronSpec": "5 0 * * *", "replicas": 1, "nothing": null, "inner": {"a": "b"}});
    assert_eq!(o.to_value()["spec"], want);
}

#[test]
fn what_was_wrong_before_is_let_be() {
    let kind = kind(
        json!({"type": "object", "properties": {"n": {"type": "integer", "maximum": 5}, "m": {"type": "integer", "maximum": 5}}}),
        json!({}),
    );
    let (old, new) = (object(kind, json!({"n": 9, "m": 1})).0, object(kind, json!({"n": 9, "m": 7})).0);
    let errors: Vec<String> = (kind.validate_update)(&*new, &*old).iter().map(ToString::to_string).collect();
    assert_eq!(errors, ["spec.m: Invalid value: 7: spec.m in body should be less than or equal to 5"]);
}

#[test]
fn columns_scale_and_status_are_what_the_version_says() {
    let kind = kind(
        json!({"type": "object", "properties": {"cronSpec": {"type": "string"}, "replicas": {"type": "integer"}}}),
        json!({
            "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
            "additionalPrinterColumns": [
                {"name": "Spec", "type": "string", "jsonPath": ".spec.cronSpec", "description": "The cron spec"},
                {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
                {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "priority": 1},
            ],
        }),
    );
    let headers: Vec<String> = kind.columns.iter().map(|c| format!("{} {} {}", c.name, c.kind, c.priority)).collect();
    assert_eq!(headers, ["Name string 0", "Spec string 0", "Replicas integer 0", "Age date 1"]);
    let (mut o, _) = object(kind, json!({"cronSpec": "* * * * *", "replicas": 3}));
    o.meta_mut().creation_timestamp = Some(Time::SIMULATION_START.to_k8s());
    let cells = (kind.cells)(&*o, Time::SIMULATION_START + meta::Duration::from_secs(90));
    assert_eq!(json!(cells), json!(["a", "* * * * *", 3, "90s"]));
    let scale = kind.scale.expect("a scale");
    (scale.set_replicas)(&mut *o, 7);
    assert_eq!(((scale.replicas)(&*o), (scale.status_replicas)(&*o)), (7, 0));
    let names: Vec<&str> = kind.subresources.iter().map(|s| s.name).collect();
    assert_eq!(names, ["scale", "status"]);
}

#[test]
fn a_kind_goes_with_its_definition() {
    let d = definition(json!({"type": "object"}), json!({}));
    let mut kinds = Kinds::default();
    let name = "crontabs.stable.example.com";
    kinds.observe(name, Some(&d));
    let first = kinds.by_plural("stable.example.com", "v1", "crontabs").expect("served");
    let mut changed = d.clone();
    changed.spec.versions[0].deprecated = Some(true);
    kinds.observe(name, Some(&changed));
    let second = kinds.present(first).expect("still there");
    assert!(!std::ptr::eq(first, second) && first == second, "one kind in two forms");
    assert_eq!(second.deprecated, "stable.example.com/v1 CronTab is deprecated");
    kinds.observe(name, None);
    assert_eq!(kinds.present(first), None);
    assert_eq!(kinds.iter().filter(|k| k.custom.is_some()).count(), 0);
}
