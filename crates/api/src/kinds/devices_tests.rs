//! What the kinds of resource.k8s.io refuse. Cases modelled on upstream's `validation_resourceclaim_test.go` and
//! `validation_resourceslice_test.go`.

use crate::testing::{create_errors, created, row, update_errors};
use expect_test::{Expect, expect};

fn errors(yaml: &str, want: &Expect) {
    want.assert_eq(&create_errors(yaml));
}

fn claim(devices: &str) -> String {
    format!(
        "{{apiVersion: resource.k8s.io/v1, kind: ResourceClaim, metadata: {{name: a}}, spec: {{devices: {{{devices}}}}}}}"
    )
}

fn slice(spec: &str) -> String {
    format!("{{apiVersion: resource.k8s.io/v1, kind: ResourceSlice, metadata: {{name: a}}, spec: {{{spec}}}}}")
}

#[test]
fn claims() {
    errors(&claim("requests: [{name: r, exactly: {deviceClassName: gpu}}]"), &expect![""]);
    errors(
        &claim(
            "requests: [{name: R}, {name: r, exactly: {deviceClassName: '', allocationMode: All, count: 2}}, {name: r, \
             firstAvailable: [{name: s, deviceClassName: a_b, allocationMode: Some}]}], constraints: [{requests: [x, r/s], \
             matchAttribute: numa}, {}], config: [{requests: [r/s/t]}]",
        ),
        &expect![[r#""#]],
    );
    errors(
        &claim(
            "requests: [{name: r, exactly: {deviceClassName: gpu, selectors: [{}, {cel: {expression: 'device.driver =='}}, \
             {cel: {expression: 'devices.driver == \"a\"'}}, {cel: {expression: 'cel.bind(d, device.attributes[\"a\"], d.x)'}}]}}]",
        ),
        &expect![[r#""#]],
    );
}

#[test]
fn a_claim_does_not_change() {
    let old = claim("requests: [{name: r, exactly: {deviceClassName: gpu}}]");
    let new = claim("requests: [{name: r, exactly: {deviceClassName: nic, count: 2}}]");
    expect![[r#""#]].assert_eq(&update_errors(&old, &new));
}

#[test]
fn requests_get_a_count() {
    let o = created(&claim("requests: [{name: r, exactly: {deviceClassName: gpu}}]"));
    expect![[r#""#]].assert_eq(&o.to_value()["spec"].to_string());
}

#[test]
fn slices() {
    let pool = "driver: gpu.example.com, pool: {name: p, generation: 1, resourceSliceCount: 1}";
    errors(&slice(&format!("{pool}, nodeName: n, devices: [{{name: d, attributes: {{m: {{string: x}}}}}}]")), &expect![""]);
    errors(
        &slice(
            "driver: 'a b', pool: {name: '', generation: -1, resourceSliceCount: 0}, nodeName: n, allNodes: true, devices: \
             [{name: D, attributes: {'a/b': {}, '1x': {int: 1}, v: {version: '1.2'}, two: {int: 1, bool: true}}}, {name: D}]",
        ),
        &expect![[r#""#]],
    );
    errors(&slice(pool), &expect![[r#""#]]);
    errors(&slice(&format!("{pool}, nodeSelector: {{nodeSelectorTerms: []}}")), &expect![[r#""#]]);
}

#[test]
fn the_columns() {
    let o = claim("requests: [{name: r, exactly: {deviceClassName: gpu}}]");
    expect![[r#""#]].assert_eq(&row(&o));
}
