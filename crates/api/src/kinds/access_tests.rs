//! The kinds of RBAC and of limits. Cases after `pkg/apis/rbac/validation/validation_test.go` and
//! `pkg/apis/core/validation/validation_test.go`.

use crate::testing::{create_errors, created, row, update_errors};
use expect_test::expect;

const RBAC: &str = "apiVersion: rbac.authorization.k8s.io/v1";

fn role(kind: &str, rules: &str) -> String {
    create_errors(&format!("{{{RBAC}, kind: {kind}, metadata: {{name: a}}, rules: {rules}}}"))
}

#[test]
fn rules() {
    assert_eq!(role("Role", "[{verbs: [get], apiGroups: [''], resources: [pods], resourceNames: [a]}]"), "");
    assert_eq!(role("ClusterRole", "[{verbs: [get], nonResourceURLs: [/healthz]}]"), "");
    let got = [
        role("Role", "[{verbs: [], apiGroups: [''], resources: [pods]}]"),
        role("Role", "[{verbs: [get]}]"),
        role("Role", "[{verbs: [get], nonResourceURLs: [/x]}]"),
        role("ClusterRole", "[{verbs: [get], nonResourceURLs: [/x], resources: [pods]}]"),
    ];
    expect![[r#"
        rules[0].verbs: Required value: verbs must contain at least one value
        rules[0].apiGroups: Required value: resource rules must supply at least one api group
        rules[0].resources: Required value: resource rules must supply at least one resource
        rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs
        rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs
    "#]]
    .assert_eq(&got.concat());
    let aggregated = |rule: &str| {
        create_errors(&format!("{{{RBAC}, kind: ClusterRole, metadata: {{name: a}}, aggregationRule: {rule}}}"))
    };
    expect![[r#"
        aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil
    "#]]
    .assert_eq(&aggregated("{clusterRoleSelectors: []}"));
    assert_eq!(aggregated("{clusterRoleSelectors: [{matchLabels: {a: b}}]}"), "");
}

fn binding(kind: &str, rest: &str) -> String {
    format!("{{{RBAC}, kind: {kind}, metadata: {{name: 'a:b'}}, {rest}}}")
}

#[test]
fn bindings() {
    let role = "roleRef: {kind: ClusterRole, name: r}";
    let made = created(&binding(
        "RoleBinding",
        &format!("{role}, subjects: [{{kind: User, name: u}}, {{kind: ServiceAccount, name: s}}]"),
    ));
    let subjects = made.to_value()["subjects"].to_string();
    assert_eq!(made.to_value()["roleRef"]["apiGroup"], "rbac.authorization.k8s.io");
    expect![[
        r#"[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"u"},{"kind":"ServiceAccount","name":"s"}]"#
    ]]
    .assert_eq(&subjects);
    let got = [
        create_errors(&binding("RoleBinding", "roleRef: {kind: Thing, name: '', apiGroup: x}")),
        create_errors(&binding("ClusterRoleBinding", "roleRef: {kind: Role, name: a/b}")),
        create_errors(&binding(
            "RoleBinding",
            &format!("{role}, subjects: [{{kind: User, name: '', apiGroup: x}}, {{kind: X, name: z}}]"),
        )),
        create_errors(&binding(
            "ClusterRoleBinding",
            &format!("{role}, subjects: [{{kind: ServiceAccount, name: Bad, apiGroup: x}}]"),
        )),
        update_errors(&binding("RoleBinding", role), &binding("RoleBinding", "roleRef: {kind: Role, name: r}")),
    ];
    expect![[r#"
        roleRef.apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"
        roleRef.kind: Unsupported value: "Thing": supported values: "Role", "ClusterRole"
        roleRef.name: Required value
        roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"
        roleRef.name: Invalid value: "a/b": may not contain '/'
        subjects[0].name: Required value
        subjects[0].apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"
        subjects[1].kind: Unsupported value: "X": supported values: "ServiceAccount", "User", "Group"
        subjects[0].name: Invalid value: "Bad": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
        subjects[0].apiGroup: Unsupported value: "x": supported values: ""
        subjects[0].namespace: Required value
        roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"r"}: cannot change roleRef
    "#]].assert_eq(&got.concat());
    let shown = row(&binding(
        "ClusterRoleBinding",
        &format!(
            "{role}, subjects: [{{kind: Group, name: g}}, {{kind: Group, name: h}}, {{kind: ServiceAccount, name: s, namespace: ns}}]"
        ),
    ));
    expect![[r#"Name="a:b" Role="ClusterRole/r" Age="<unknown>" Users="" Groups="g, h" ServiceAccounts="ns/s""#]]
        .assert_eq(&shown);
}

#[test]
fn limit_ranges() {
    let range =
        |item: &str| format!("{{apiVersion: v1, kind: LimitRange, metadata: {{name: a}}, spec: {{limits: [{item}]}}}}");
    let made = created(&range("{type: Container, max: {cpu: 2}, min: {cpu: 100m, memory: 1Mi}}"));
    expect![[r#"{"default":{"cpu":"2"},"defaultRequest":{"cpu":"2","memory":"1Mi"},"max":{"cpu":"2"},"min":{"cpu":"100m","memory":"1Mi"},"type":"Container"}"#]].assert_eq(&made.to_value()["spec"]["limits"][0].to_string());
    let got = [
        "{type: Pod, default: {cpu: 1}, defaultRequest: {cpu: 1}}",
        "{type: Container, min: {cpu: 2}, max: {cpu: 1}}",
        "{type: Container, min: {cpu: 1}, max: {cpu: 2}, default: {cpu: 3}, defaultRequest: {cpu: 500m}}",
        "{type: Container, max: {cpu: 2}, min: {cpu: 1}, maxLimitRequestRatio: {cpu: 3}}",
        "{type: Pod, maxLimitRequestRatio: {cpu: 800m}}",
        "{type: PersistentVolumeClaim}",
        "{type: Thing, max: {cpu: 1}}, {type: Thing}",
        "{type: Container, max: {fizz: 1}}",
        "{type: Container, default: {example.com/gpu: 1}, defaultRequest: {example.com/gpu: 2}}",
    ]
    .map(|item| create_errors(&range(item)));
    expect![[r#"
        spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'
        spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod'
        spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1
        spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request value 1
        spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1
        spec.limits[0].defaultRequest[cpu]: Invalid value: "500m": min value 1 is greater than default request value 500m
        spec.limits[0].default[cpu]: Invalid value: "2": default value 3 is greater than max value 2
        spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000
        spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "800m": ratio 800m is less than 1
        spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided
        spec.limits[0].type: Invalid value: "Thing": must be a standard limit type or fully qualified
        spec.limits[1].type: Invalid value: "Thing": must be a standard limit type or fully qualified
        spec.limits[1].type: Duplicate value: "Thing"
        spec.limits[0].max[fizz]: Invalid value: "fizz": must be a standard resource type or fully qualified
        spec.limits[0].max[fizz]: Invalid value: "fizz": must be a standard resource for containers
        spec.limits[0].default[fizz]: Invalid value: "fizz": must be a standard resource type or fully qualified
        spec.limits[0].default[fizz]: Invalid value: "fizz": must be a standard resource for containers
        spec.limits[0].defaultRequest[fizz]: Invalid value: "fizz": must be a standard resource type or fully qualified
        spec.limits[0].defaultRequest[fizz]: Invalid value: "fizz": must be a standard resource for containers
        spec.limits[0].defaultRequest[example.com/gpu]: Invalid value: "2": default request value 2 is greater than default limit value 1
        spec.limits[0].defaultRequest[example.com/gpu]: Invalid value: "2": default value 1 must equal to defaultRequest value 2 in example.com/gpu
    "#]].assert_eq(&got.concat());
}
