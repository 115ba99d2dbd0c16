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
        &expect![[r#"
            spec.devices.requests[0].name: Invalid value: "R": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
            spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required
            spec.devices.requests[1].exactly.deviceClassName: Required value
            spec.devices.requests[1].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'
            spec.devices.requests[2].firstAvailable[0].deviceClassName: Invalid value: "a_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
            spec.devices.requests[2].firstAvailable[0].allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount"
            spec.devices.requests[2]: Duplicate value: "r"
            spec.devices.constraints[0].requests[0]: Invalid value: "x": must be the name of a request in the claim or the name of a request and a subrequest separated by '/'
            spec.devices.constraints[0].matchAttribute: Invalid value: "numa": a fully qualified name must be a domain and a name separated by a slash
            spec.devices.constraints[1].matchAttribute: Required value
            spec.devices.config[0].requests[0]: Invalid value: "r/s/t": must be the name of a request in the claim or the name of a request and a subrequest separated by '/'
            spec.devices.config[0].opaque: Required value
        "#]],
    );
    errors(
        &claim(
            "requests: [{name: r, exactly: {deviceClassName: gpu, selectors: [{}, {cel: {expression: 'device.driver =='}}, \
             {cel: {expression: 'devices.driver == \"a\"'}}, {cel: {expression: 'cel.bind(d, device.attributes[\"a\"], d.x)'}}]}}]",
        ),
        &expect![[r#"
            spec.devices.requests[0].exactly.selectors[0].cel: Required value
            spec.devices.requests[0].exactly.selectors[1].cel.expression: Invalid value: "device.driver ==": compilation failed: ERROR: <input>:1:17: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}
             | device.driver ==
             | ................^
            spec.devices.requests[0].exactly.selectors[2].cel.expression: Invalid value: "devices.driver == \"a\"": compilation failed: ERROR: <input>:1:1: undeclared reference to 'devices' (in container '')
             | devices.driver == "a"
             | ^
        "#]],
    );
}

#[test]
fn a_claim_does_not_change() {
    let old = claim("requests: [{name: r, exactly: {deviceClassName: gpu}}]");
    let new = claim("requests: [{name: r, exactly: {deviceClassName: nic, count: 2}}]");
    expect![[r#"
        spec: Invalid value: {"Devices":{"Requests":[{"Name":"r","Exactly":{"DeviceClassName":"nic","Selectors":null,"AllocationMode":"ExactCount","Count":2,"AdminAccess":null,"Tolerations":null,"Capacity":null},"FirstAvailable":null}],"Constraints":null,"Config":null}}: field is immutable
    "#]].assert_eq(&update_errors(&old, &new));
}

#[test]
fn requests_get_a_count() {
    let o = created(&claim("requests: [{name: r, exactly: {deviceClassName: gpu}}]"));
    expect![[r#"{"devices":{"requests":[{"exactly":{"allocationMode":"ExactCount","count":1,"deviceClassName":"gpu"},"name":"r"}]}}"#]].assert_eq(&o.to_value()["spec"].to_string());
}

#[test]
fn slices() {
    let pool = "driver: gpu.example.com, pool: {name: p, generation: 1, resourceSliceCount: 1}";
    errors(
        &slice(&format!("{pool}, nodeName: n1, devices: [{{name: d, attributes: {{m: {{string: x}}}}}}]")),
        &expect![""],
    );
    errors(
        &slice(
            "driver: 'a b', pool: {name: '', generation: -1, resourceSliceCount: 0}, nodeName: n1, allNodes: true, devices: \
             [{name: D, attributes: {'a/b': {}, '1x': {int: 1}, v: {version: '1.2'}, two: {int: 1, bool: true}}}, {name: D}]",
        ),
        &expect![[r#"
            spec.driver: Invalid value: "a b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
            spec.pool.name: Required value
            spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero
            spec.pool.generation: Invalid value: -1: must be greater than or equal to zero
            spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required, but multiple fields are set
            spec.devices[0].name: Invalid value: "D": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
            spec.devices[0].attributes: Invalid value: "1x": a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')
            spec.devices[0].attributes[a/b]: Invalid value: "": exactly one value must be specified
            spec.devices[0].attributes[two]: Invalid value: {"bool":true,"int":1}: exactly one value must be specified
            spec.devices[0].attributes[v].version: Invalid value: "1.2": must be a string compatible with semver.org spec 2.0.0
            spec.devices[1].name: Invalid value: "D": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
            spec.devices[1]: Duplicate value: "D"
        "#]],
    );
    errors(
        &slice(pool),
        &expect![[r#"
        spec: Required value: exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required
    "#]],
    );
    errors(
        &slice(&format!("{pool}, nodeSelector: {{nodeSelectorTerms: []}}")),
        &expect![[r#"
        spec.nodeSelector.nodeSelectorTerms: Required value: must have at least one node selector term
        spec.nodeSelector.nodeSelectorTerms: Invalid value: []: must have exactly one node selector term
    "#]],
    );
}

#[test]
fn the_columns() {
    let o = claim("requests: [{name: r, exactly: {deviceClassName: gpu}}]");
    expect![[r#"Name="a" State="pending" Age="<unknown>""#]].assert_eq(&row(&o));
}
