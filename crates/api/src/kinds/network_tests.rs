//! What the network kinds and the autoscaler refuse and show. Cases modelled on upstream's `validation_test.go` and
//! `printers_test.go` files.

use crate::testing::{create_errors, created, row, update_errors};
use expect_test::{Expect, expect};

fn all(cases: &[String], want: &Expect) {
    let text: String = cases.iter().map(|c| format!("--\n{}", create_errors(c))).collect();
    want.assert_eq(&text);
}

fn ingress(spec: &str) -> String {
    format!("{{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {{name: a}}, spec: {{{spec}}}}}")
}

fn rule(path: &str) -> String {
    ingress(&format!("rules: [{{host: foo.bar.com, http: {{paths: [{path}]}}}}]"))
}

const BACKEND: &str = "backend: {service: {name: web, port: {number: 80}}}";

#[test]
fn ingresses() {
    all(
        &[
            ingress(""),
            ingress("rules: [{host: 127.0.0.1}, {host: '*.foo.com'}, {host: '*'}, {host: 'foo.*'}, {host: 'foo:80'}]"),
            ingress("defaultBackend: {}, ingressClassName: 'a b', tls: [{hosts: ['*.a.b', 'a b'], secretName: A}]"),
            ingress(
                "defaultBackend: {service: {name: web, port: {number: 80}}, resource: {apiGroup: a.b, kind: K, name: nn}}",
            ),
            ingress("defaultBackend: {resource: {apiGroup: 'a/b', kind: 'a/b', name: ''}}"),
            ingress("rules: [{http: {paths: []}}]"),
            rule(&format!("{{path: /a, pathType: Prefix, {BACKEND}}}")),
            rule(&format!("{{path: /a, {BACKEND}}}")),
            rule(&format!("{{path: a, pathType: Exact, {BACKEND}}}")),
            rule(&format!("{{path: a, pathType: ImplementationSpecific, {BACKEND}}}")),
            rule(&format!("{{path: '', pathType: ImplementationSpecific, {BACKEND}}}")),
            rule(&format!("{{path: '/a//b%2fc/..', pathType: Prefix, {BACKEND}}}")),
            rule(&format!("{{path: /a, pathType: Other, {BACKEND}}}")),
            rule("{path: /, pathType: Exact, backend: {service: {name: '', port: {}}}}"),
            rule("{path: /, pathType: Exact, backend: {service: {name: 1a, port: {name: a, number: 1}}}}"),
            rule("{path: /, pathType: Exact, backend: {service: {name: a, port: {name: 'a_b', number: 0}}}}"),
            rule("{path: /, pathType: Exact, backend: {service: {name: a, port: {number: 70000}}}}"),
        ],
        &expect![[r#"
            --
            spec: Invalid value: null: either `defaultBackend` or `rules` must be specified
            --
            spec.rules[0].host: Invalid value: "127.0.0.1": must be a DNS name, not an IP address
            spec.rules[2].host: Invalid value: "*": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
            spec.rules[3].host: Invalid value: "foo.*": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
            spec.rules[4].host: Invalid value: "foo:80": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
            --
            spec.defaultBackend: Invalid value: "": resource or service backend is required
            spec.tls[0].hosts[1]: Invalid value: "a b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
            spec.tls[0].secretName: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
            spec.ingressClassName: Invalid value: "a b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
            --
            spec.defaultBackend: Invalid value: "": cannot set both resource and service backends
            --
            spec.defaultBackend.resource.apiGroup: Invalid value: "a/b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
            spec.defaultBackend.resource.kind: Invalid value: "a/b": may not contain '/'
            spec.defaultBackend.resource.name: Required value
            --
            spec.rules[0].http.paths: Required value
            --
            --
            spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified
            --
            spec.rules[0].http.paths[0].path: Invalid value: "a": must be an absolute path
            --
            spec.rules[0].http.paths[0].path: Invalid value: "a": must be an absolute path
            --
            --
            spec.rules[0].http.paths[0].path: Invalid value: "/a//b%2fc/..": must not contain '//'
            spec.rules[0].http.paths[0].path: Invalid value: "/a//b%2fc/..": must not contain '%2f'
            spec.rules[0].http.paths[0].path: Invalid value: "/a//b%2fc/..": cannot end with '/..'
            --
            spec.rules[0].http.paths[0].pathType: Unsupported value: "Other": supported values: "Exact", "ImplementationSpecific", "Prefix"
            --
            spec.rules[0].http.paths[0].backend.service.name: Required value
            spec.rules[0].http.paths[0].backend: Required value: port name or number is required
            --
            spec.rules[0].http.paths[0].backend.service.name: Invalid value: "1a": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')
            spec.rules[0].http.paths[0].backend: Invalid value: "": cannot set both port name & port number
            --
            spec.rules[0].http.paths[0].backend.service.port.name: Invalid value: "a_b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)
            --
            spec.rules[0].http.paths[0].backend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive
        "#]],
    );
    let both = "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a, annotations: \
                {kubernetes.io/ingress.class: x}}, spec: {ingressClassName: other, defaultBackend: {service: {name: a, port: {number: 1}}}}}";
    all(
        &[both.into()],
        &expect![[r#"
        --
        annotations.kubernetes.io/ingress.class: Invalid value: "x": must match `ingressClassName` when both are specified
    "#]],
    );
    let with = |status: &str| {
        let rules = "rules: [{host: a.com}, {host: b.com}, {http: {paths: []}}, {host: c.com}, {host: d.com}], tls: [{hosts: [a.com]}]";
        row(&format!(
            "{{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {{name: a}}, spec: {{{rules}}}, status: {status}}}"
        ))
    };
    expect![[r#"Name="a" Class="<none>" Hosts="a.com,b.com,c.com + 2 more..." Address="10.0.0.1,10.0..." Ports="80, 443" Age="<unknown>""#]]
        .assert_eq(&with("{loadBalancer: {ingress: [{ip: 10.0.0.2}, {ip: 10.0.0.1}, {hostname: long.example.com}]}}"));
    expect![[r#"Name="a" Class="nginx" Hosts="*" Address="" Ports="80" Age="<unknown>""#]]
        .assert_eq(&row(&ingress("ingressClassName: nginx")));
}

#[test]
fn ingress_classes() {
    let class = |spec: &str| {
        format!("{{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {{name: a}}, spec: {{{spec}}}}}")
    };
    all(
        &[
            class(""),
            class("controller: foo.co/bar"),
            class("controller: foo"),
            class("controller: foo.co/bar/baz"),
            class("controller: foo.co/b ar"),
            class("controller: Foo/bar"),
            class(&format!("controller: foo.co/{}", "a".repeat(250))),
            class("controller: a.b/c, parameters: {kind: '', name: '', scope: Namespace}"),
            class("controller: a.b/c, parameters: {kind: K, name: nn, namespace: a}"),
            class("controller: a.b/c, parameters: {apiGroup: a.b, kind: K, name: nn, scope: Other}"),
        ],
        &expect![[r#"
            --
            spec.controller: Required value
            --
            --
            spec.controller: Invalid value: "foo": must be a domain-prefixed path (such as "acme.io/foo")
            --
            --
            spec.controller: Invalid value: "b ar": Invalid path (e.g. regex used for validation is '[A-Za-z0-9/\-._~%!$&'()*+,;=:]+')
            --
            spec.controller: Invalid value: "Foo": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
            --
            spec.controller: Too long: may not be more than 250 bytes
            --
            spec.parameters.kind: Required value
            spec.parameters.name: Required value
            spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'
            --
            spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'
            --
            spec.parameters.scope: Unsupported value: "Other": supported values: "Cluster", "Namespace"
        "#]],
    );
    expect![[r#"
        spec.controller: Invalid value: "a.b/d": field is immutable
    "#]]
    .assert_eq(&update_errors(&class("controller: a.b/c"), &class("controller: a.b/d")));
    expect![[r#"Name="a" Controller="a.b/c" Parameters="K.g.io/nn" Age="<unknown>""#]]
        .assert_eq(&row(&class("controller: a.b/c, parameters: {apiGroup: g.io, kind: K, name: nn}")));
}

#[test]
fn network_policies() {
    let policy = |spec: &str| {
        format!("{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: a}}, spec: {{{spec}}}}}")
    };
    let from = |peer: &str| policy(&format!("podSelector: {{}}, ingress: [{{from: [{peer}]}}]"));
    let port = |port: &str| policy(&format!("podSelector: {{}}, egress: [{{ports: [{port}]}}]"));
    all(
        &[
            policy("podSelector: {matchLabels: {a: b}}, ingress: [{}], egress: [{}]"),
            policy("podSelector: {matchLabels: {'a b': 'c d'}}, policyTypes: [Ingress, Egress, Ingress]"),
            policy("podSelector: {}, policyTypes: [Other]"),
            from("{}"),
            from("{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}"),
            from("{podSelector: {}, namespaceSelector: {matchExpressions: [{key: a, operator: Is}]}}"),
            from("{ipBlock: {cidr: ''}}"),
            from("{ipBlock: {cidr: 300.0.0.0/8, except: [10.0.0.0/9]}}"),
            from("{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16, 11.0.0.0/16, 10.0.0.0/8, x]}}"),
            port("{port: 80}"),
            port("{protocol: ICMP, port: 0}"),
            port("{port: http, endPort: 90}"),
            port("{port: 'a_b'}"),
            port("{port: 80, endPort: 79}"),
            port("{endPort: 79}"),
        ],
        &expect![[r#"
            --
            --
            spec.podSelector.matchLabels: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
            spec.podSelector.matchLabels: Invalid value: "c d": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')
            spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes
            --
            spec.policyTypes[0]: Unsupported value: "Other": supported values: "Egress", "Ingress"
            --
            spec.ingress[0].from[0]: Required value: must specify a peer
            --
            spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer
            --
            spec.ingress[0].from[0].namespaceSelector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator
            --
            spec.ingress[0].from[0].ipBlock.cidr: Required value
            --
            spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "300.0.0.0/8": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)
            --
            spec.ingress[0].from[0].ipBlock.except[1]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`
            spec.ingress[0].from[0].ipBlock.except[2]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`
            spec.ingress[0].from[0].ipBlock.except[3]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)
            --
            --
            spec.egress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"
            spec.egress[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive
            --
            spec.egress[0].ports[0].endPort: Invalid value: 90: may not be specified when `port` is non-numeric
            --
            spec.egress[0].ports[0].port: Invalid value: "a_b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)
            --
            spec.egress[0].ports[0].endPort: Invalid value: 79: must be greater than or equal to `port`
            --
            spec.egress[0].ports[0].endPort: Invalid value: 79: may not be specified when `port` is not specified
        "#]],
    );
    let defaulted = created(&policy("podSelector: {}, egress: [{ports: [{port: 1}]}]")).to_value()["spec"].to_string();
    expect![[
        r#"{"egress":[{"ports":[{"port":1,"protocol":"TCP"}]}],"podSelector":{},"policyTypes":["Ingress","Egress"]}"#
    ]]
    .assert_eq(&defaulted);
    expect![[r#"Name="a" Pod-Selector="a=b" Age="<unknown>""#]]
        .assert_eq(&row(&policy("podSelector: {matchLabels: {a: b}}")));
}

#[test]
fn endpoints() {
    let of =
        |subsets: &str| format!("{{apiVersion: v1, kind: Endpoints, metadata: {{name: a}}, subsets: [{subsets}]}}");
    all(
        &[
            of("{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}"),
            of("{}"),
            of(
                "{addresses: [{ip: 127.0.0.1}, {ip: 169.254.1.1}, {ip: x, hostname: A, nodeName: 'a b'}], ports: [{port: 80}]}",
            ),
            of("{addresses: [{ip: 10.0.0.1}], ports: [{port: 0, protocol: X}, {name: A, port: 1}]}"),
        ],
        &expect![[r#"
            --
            --
            subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`
            --
            subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)
            subsets[0].addresses[1].ip: Invalid value: "169.254.1.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)
            subsets[0].addresses[2].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
            subsets[0].addresses[2].hostname: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
            subsets[0].addresses[2].nodeName: Invalid value: "a b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
            --
            subsets[0].ports[0].name: Required value
            subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive
            subsets[0].ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"
            subsets[0].ports[1].name: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
        "#]],
    );
    let many = "addresses: [{ip: 10.0.0.1}, {ip: 10.0.0.2}], ports: [{name: a, port: 80}, {name: b, port: 90}]";
    expect![[r#"Name="a" Endpoints="10.0.0.1:80,10.0.0.2:80,10.0.0.1:90 + 1 more..." Age="<unknown>""#]]
        .assert_eq(&row(&of(&format!("{{{many}}}"))));
    expect![[r#"Name="a" Endpoints="<none>" Age="<unknown>""#]]
        .assert_eq(&row("{apiVersion: v1, kind: Endpoints, metadata: {name: a}}"));
}

#[test]
fn autoscalers() {
    let of = |spec: &str| {
        format!(
            "{{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {{name: a}}, spec: {{{spec}}}}}"
        )
    };
    let target = "scaleTargetRef: {kind: Deployment, name: web}";
    let metric = |m: &str| of(&format!("{target}, maxReplicas: 5, metrics: [{m}]"));
    let behavior = |b: &str| of(&format!("{target}, maxReplicas: 5, behavior: {b}"));
    all(
        &[
            of(""),
            of(&format!("{target}, minReplicas: 0, maxReplicas: 5")),
            of(&format!("{target}, minReplicas: 7, maxReplicas: 5")),
            metric("{}"),
            metric("{type: Resource}"),
            metric("{type: Resource, resource: {name: '', target: {type: Utilization}}}"),
            metric(
                "{type: Resource, resource: {name: cpu, target: {type: Mine, averageUtilization: 0, averageValue: '0'}}}",
            ),
            metric("{type: Pods, pods: {metric: {name: a/b}, target: {type: Value, value: 1}}}"),
            metric(
                "{type: Object, object: {describedObject: {kind: '', name: ''}, metric: {name: ''}, target: {type: Value}}}",
            ),
            metric("{type: External, external: {metric: {name: q}, target: {type: Value, value: 1, averageValue: 1}}}"),
            metric(
                "{type: ContainerResource, containerResource: {name: cpu, container: A, target: {type: Utilization, averageUtilization: 1}}}",
            ),
            metric(
                "{type: Pods, resource: {name: cpu, target: {type: Utilization, averageUtilization: 1}}, pods: {metric: {name: a}, target: {type: AverageValue, averageValue: 1}}}",
            ),
            behavior("{scaleUp: {stabilizationWindowSeconds: -1, selectPolicy: Most, policies: []}}"),
            behavior(
                "{scaleDown: {stabilizationWindowSeconds: 3601, policies: [{type: X, value: 0, periodSeconds: 0}, {type: Pods, value: 1, periodSeconds: 1801}]}}",
            ),
        ],
        &expect![[r#"
            --
            spec.maxReplicas: Invalid value: 0: must be greater than 0
            spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`
            spec.scaleTargetRef.kind: Required value
            spec.scaleTargetRef.name: Required value
            --
            spec.minReplicas: Invalid value: 0: must be greater than or equal to 1
            spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas
            --
            spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`
            --
            spec.metrics[0].type: Required value: must specify a metric source type
            spec.metrics[0].type: Unsupported value: "": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"
            spec.metrics[0].type: Unsupported value: "": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"
            --
            spec.metrics[0].resource: Required value: must populate information for the given metric source
            --
            spec.metrics[0].resource.name: Required value: must specify a resource name
            spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization
            --
            spec.metrics[0].resource.target.type: Invalid value: "Mine": must be either Utilization, Value, or AverageValue
            spec.metrics[0].resource.target.averageValue: Invalid value: "0": must be positive
            spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0
            spec.metrics[0].resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization
            --
            spec.metrics[0].pods.metric.name: Invalid value: "a/b": may not contain '/'
            spec.metrics[0].pods.target.averageValue: Required value: must specify a positive target averageValue
            --
            spec.metrics[0].object.describedObject.kind: Required value
            spec.metrics[0].object.describedObject.name: Required value
            spec.metrics[0].object.metric.name: Required value: must specify a metric name
            spec.metrics[0].object.target.averageValue: Required value: must set either a target value or averageValue
            --
            spec.metrics[0].external.target.value: Forbidden: may not set both a target value for metric and a per-pod target
            --
            spec.metrics[0].containerResource.container: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
            --
            spec.metrics[0].resource: Forbidden: must populate the given metric source only
            --
            spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: -1: must be greater than or equal to zero
            spec.behavior.scaleUp.selectPolicy: Unsupported value: "Most": supported values: "Disabled", "Max", "Min"
            spec.behavior.scaleUp.policies: Required value: must specify at least one Policy
            --
            spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600
            spec.behavior.scaleDown.policies[0].type: Unsupported value: "X": supported values: "Percent", "Pods"
            spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero
            spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 0: must be greater than zero
            spec.behavior.scaleDown.policies[1].periodSeconds: Invalid value: 1801: must be less than or equal to 1800
        "#]],
    );
    let spec = |yaml: &str| created(yaml).to_value()["spec"].to_string();
    expect![[r#"{"behavior":{"scaleDown":{"policies":[{"periodSeconds":15,"type":"Percent","value":100}],"selectPolicy":"Max"},"scaleUp":{"policies":[{"periodSeconds":15,"type":"Pods","value":4},{"periodSeconds":15,"type":"Percent","value":100}],"selectPolicy":"Max","stabilizationWindowSeconds":30}},"maxReplicas":5,"metrics":[{"resource":{"name":"cpu","target":{"averageUtilization":80,"type":"Utilization"}},"type":"Resource"}],"minReplicas":1,"scaleTargetRef":{"kind":"Deployment","name":"web"}}"#]].assert_eq(&spec(&behavior("{scaleUp: {stabilizationWindowSeconds: 30}}")));
    let shown = format!(
        "{target}, minReplicas: 2, maxReplicas: 5, metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, \
         averageUtilization: 50}}}}}}, {{type: Pods, pods: {{metric: {{name: hits}}, target: {{type: AverageValue, averageValue: 10}}}}}}, \
         {{type: Resource, resource: {{name: memory, target: {{type: AverageValue, averageValue: 1Gi}}}}}}]"
    );
    let status = "{currentReplicas: 3, currentMetrics: [{type: Resource, resource: {name: cpu, current: {averageUtilization: 20, averageValue: 10m}}}]}";
    let yaml = of(&shown);
    expect![[r#"Name="a" Reference="Deployment/web" Targets="cpu: 20%/50%, <unknown>/10 + 1 more..." MinPods="2" MaxPods="5" Replicas="3" Age="<unknown>""#]].assert_eq(&row(&format!("{}, status: {status}}}", &yaml[..yaml.len() - 1])));
}

#[test]
fn the_two_forms_of_an_autoscaler_and_of_an_event() {
    let there = |yaml: &str| {
        let o = created(yaml);
        let alias = o.kind().alias.expect("another form");
        let stored = (alias.to_stored)(o);
        let back = (alias.from_stored)(&*stored);
        format!("{}\n{}\n", stored.to_value(), back.to_value())
    };
    let cpu = "{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {name: a}, spec: {maxReplicas: 3, \
               scaleTargetRef: {kind: Deployment, name: web}, targetCPUUtilizationPercentage: 60}}";
    expect![[r#"
        {"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"a","namespace":"default"},"spec":{"maxReplicas":3,"metrics":[{"resource":{"name":"cpu","target":{"averageUtilization":60,"type":"Utilization"}},"type":"Resource"}],"minReplicas":1,"scaleTargetRef":{"kind":"Deployment","name":"web"}},"status":{"currentMetrics":null,"currentReplicas":0,"desiredReplicas":0}}
        {"apiVersion":"autoscaling/v1","kind":"HorizontalPodAutoscaler","metadata":{"name":"a","namespace":"default"},"spec":{"maxReplicas":3,"minReplicas":1,"scaleTargetRef":{"kind":"Deployment","name":"web"},"targetCPUUtilizationPercentage":60},"status":{"currentReplicas":0,"desiredReplicas":0}}
    "#]].assert_eq(&there(cpu));
    let kind = crate::by_gvk("autoscaling", "v1", "HorizontalPodAutoscaler").expect("registered");
    let two = created(
        "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}, spec: {maxReplicas: 3, \
         scaleTargetRef: {kind: Deployment, name: web}, metrics: [{type: Resource, resource: {name: memory, target: {type: \
         Utilization, averageUtilization: 70}}}]}}",
    );
    let alias = kind.alias.expect("another form");
    let one = (alias.from_stored)(&*two);
    expect![[r#"{"apiVersion":"autoscaling/v1","kind":"HorizontalPodAutoscaler","metadata":{"annotations":{"autoscaling.alpha.kubernetes.io/metrics":"[{\"resource\":{\"name\":\"memory\",\"target\":{\"averageUtilization\":70,\"type\":\"Utilization\"}},\"type\":\"Resource\"}]"},"name":"a","namespace":"default"},"spec":{"maxReplicas":3,"minReplicas":1,"scaleTargetRef":{"kind":"Deployment","name":"web"}},"status":{"currentReplicas":0,"desiredReplicas":0}}"#]].assert_eq(&one.to_value().to_string());
    assert_eq!((alias.to_stored)(one).to_value()["spec"], two.to_value()["spec"]);
    expect![[r#"
        {"action":"Noting","apiVersion":"v1","eventTime":"2026-01-01T00:00:00.000000Z","firstTimestamp":null,"involvedObject":{"apiVersion":"v1","kind":"Pod","name":"nginx","namespace":"default"},"kind":"Event","lastTimestamp":null,"message":"An event written by hand","metadata":{"name":"nginx.example-v1","namespace":"default"},"reason":"Noted","reportingComponent":"example.com/by-hand","reportingInstance":"by-hand-1","type":"Normal"}
        {"action":"Noting","apiVersion":"events.k8s.io/v1","deprecatedFirstTimestamp":null,"deprecatedLastTimestamp":null,"eventTime":"2026-01-01T00:00:00.000000Z","kind":"Event","metadata":{"name":"nginx.example-v1","namespace":"default"},"note":"An event written by hand","reason":"Noted","regarding":{"apiVersion":"v1","kind":"Pod","name":"nginx","namespace":"default"},"reportingController":"example.com/by-hand","reportingInstance":"by-hand-1","type":"Normal"}
    "#]].assert_eq(&there(super::event_v1::KIND.sample));
}
