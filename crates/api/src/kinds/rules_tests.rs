//! Rules of the other kinds that one meets less often, in upstream's words and order.

use crate::testing::{create_errors, created, update_errors, warnings};
use expect_test::{Expect, expect};

fn service(spec: &str) -> String {
    format!("{{apiVersion: v1, kind: Service, metadata: {{name: a}}, spec: {spec}}}")
}

fn errors(yaml: &str, want: &Expect) {
    want.assert_eq(&create_errors(yaml));
}

#[test]
fn cluster_ips() {
    let ips = |rest: &str| service(&format!("{{ports: [{{port: 80}}], {rest}}}"));
    errors(
        &ips("clusterIPs: [10.96.0.5]"),
        &expect![[r#"
        spec.clusterIPs: Invalid value: ["10.96.0.5"]: must be empty when `clusterIP` is not specified
    "#]],
    );
    errors(
        &ips("clusterIP: None, clusterIPs: [None, 10.96.0.5]"),
        &expect![[r#"
        spec.clusterIPs: Invalid value: ["None","10.96.0.5"]: 'None' must be the first and only value
    "#]],
    );
    errors(
        &ips("clusterIP: 10.96.0.5, clusterIPs: [10.96.0.5, None]"),
        &expect![[r#"
        spec.clusterIPs[1]: Invalid value: "None": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
    "#]],
    );
    errors(
        &ips("clusterIP: 10.96.0.5, ipFamilies: [IPv6]"),
        &expect![[r#"
        spec.clusterIPs[0]: Invalid value: "10.96.0.5": expected an IPv6 value as indicated by `ipFamilies[0]`
    "#]],
    );
    errors(
        &ips("clusterIP: 10.96.0.5, clusterIPs: [10.96.0.5, 10.96.0.6, 10.96.0.7]"),
        &expect![[r#"
        spec.clusterIPs: Invalid value: ["10.96.0.5","10.96.0.6","10.96.0.7"]: may only hold up to 2 values
        spec.clusterIPs: Invalid value: ["10.96.0.5","10.96.0.6","10.96.0.7"]: may specify no more than one IP for each IP family
    "#]],
    );
}

#[test]
fn what_services_may_change() {
    let ips = |rest: &str| service(&format!("{{ports: [{{port: 80}}], {rest}}}"));
    let change = |old: &str, new: &str, want: &Expect| want.assert_eq(&update_errors(&ips(old), &ips(new)));
    change(
        "clusterIP: 10.96.0.5",
        "clusterIP: 10.96.0.6",
        &expect![[r#"
        spec.clusterIPs[0]: Invalid value: ["10.96.0.6"]: may not change once set
    "#]],
    );
    change(
        "clusterIP: None",
        "clusterIP: 10.96.0.6",
        &expect![[r#"
        spec.clusterIPs[0]: Invalid value: ["10.96.0.6"]: may not change once set
    "#]],
    );
    change(
        "clusterIP: 10.96.0.5, ipFamilies: [IPv4]",
        "clusterIP: 10.96.0.5, ipFamilies: [IPv6]",
        &expect![[r#"
        spec.ipFamilies[0]: Invalid value: ["IPv6"]: may not change once set
        spec.clusterIPs[0]: Invalid value: "10.96.0.5": expected an IPv6 value as indicated by `ipFamilies[0]`
    "#]],
    );
    change(
        "clusterIP: 10.96.0.5, clusterIPs: [10.96.0.5, 'fd00::5'], ipFamilies: [IPv4, IPv6]",
        "clusterIP: 10.96.0.5, clusterIPs: [10.96.0.5], ipFamilies: [IPv4]",
        &expect![[r#"
            spec.ipFamilyPolicy: Invalid value: null: must be set to 'SingleStack' when releasing the secondary clusterIP
            spec.ipFamilyPolicy: Invalid value: null: must be set to 'SingleStack' when releasing the secondary ipFamily
        "#]],
    );
}

#[test]
fn annotations_of_services() {
    errors(
        "{apiVersion: v1, kind: Service, metadata: {name: a, annotations: {service.kubernetes.io/topology-mode: Auto, \
         service.kubernetes.io/topology-aware-hints: 'none', service.beta.kubernetes.io/load-balancer-source-ranges: \
         '1.2.3.4/33, 10.0.0.0/8'}}, spec: {ports: [{port: 80}]}}",
        &expect![[r#"
            metadata.annotations[service.kubernetes.io/topology-mode]: Invalid value: "Auto": must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified
            metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Forbidden: may only be used when `type` is 'LoadBalancer'
            metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Invalid value: "1.2.3.4/33": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)
        "#]],
    );
}

#[test]
fn warnings_of_services() {
    let warn = |spec: &str, want: &Expect| want.assert_eq(&warnings(&service(spec)));
    warn(
        "{type: LoadBalancer, ports: [{port: 80}], externalIPs: [001.2.3.4], loadBalancerSourceRanges: [10.0.0.1/8, \
         '2001:DB8::/32'], externalName: x}",
        &expect![[r#"
            spec.externalIPs[0]: non-standard IP address "001.2.3.4" will be considered invalid in a future Kubernetes release: use "1.2.3.4"
            spec.loadBalancerSourceRanges[0]: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)
            spec.loadBalancerSourceRanges[1]: IPv6 CIDR value "2001:DB8::/32" should be in RFC 5952 canonical format ("2001:db8::/32")
            spec.externalName is ignored when spec.type is not "ExternalName"
        "#]],
    );
    warn(
        "{clusterIP: None, sessionAffinity: ClientIP, externalIPs: [1.2.3.4]}",
        &expect![[r#"
        spec.externalIPs is ignored for headless services
        spec.SessionAffinity is ignored for headless services
    "#]],
    );
}

#[test]
fn warnings_of_volumes_claims_and_classes() {
    let warn = |yaml: &str, want: &Expect| want.assert_eq(&warnings(yaml));
    warn(
        "{apiVersion: v1, kind: PersistentVolume, metadata: {name: a, annotations: \
         {volume.beta.kubernetes.io/storage-class: x, volume.beta.kubernetes.io/mount-options: ro}}, spec: {accessModes: \
         [ReadWriteOnce], persistentVolumeReclaimPolicy: Recycle, capacity: {storage: 500m}, rbd: {image: a, monitors: [b]}, \
         nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: beta.kubernetes.io/os, operator: Exists}]}]}}}}",
        &expect![[r#"
            metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead
            metadata.annotations[volume.beta.kubernetes.io/mount-options]: deprecated since v1.31; use "mountOptions" attribute instead
            spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.
            spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead
            spec.capacity[storage]: fractional byte value "500m" is invalid, must be an integer
            spec.rbd: deprecated in v1.28, non-functional in v1.31+
        "#]],
    );
    warn(
        "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a, annotations: \
         {volume.beta.kubernetes.io/storage-class: x}}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 0.5}}}}",
        &expect![[r#"
            metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead
            spec.resources.requests[storage]: fractional byte value "500m" is invalid, must be an integer
        "#]],
    );
    warn(
        "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: a}, provisioner: x, allowedTopologies: \
         [{matchLabelExpressions: [{key: failure-domain.beta.kubernetes.io/zone, values: [a]}]}]}",
        &expect![[r#"
            allowedTopologies[0].matchLabelExpressions[0].key: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead
        "#]],
    );
    warn(
        "{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: a}, handler: x, scheduling: {nodeSelector: \
         {beta.kubernetes.io/os: linux}}}",
        &expect![[r#"
            scheduling.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead
        "#]],
    );
    let ingress = |spec: &str| {
        format!(
            "{{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {{name: a, annotations: {{kubernetes.io/ingress.class: \
             nginx}}}}, spec: {{{spec} defaultBackend: {{service: {{name: a, port: {{number: 80}}}}}}}}}}"
        )
    };
    warn(
        &ingress(""),
        &expect![[r#"
        annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead
    "#]],
    );
    warn(&ingress("ingressClassName: nginx,"), &expect![[r#""#]]);
}

#[test]
fn endpoints_hints_and_notation() {
    errors(
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}, addressType: IPv6, endpoints: \
         [{addresses: ['2001:DB8::1', '::ffff:1.2.3.4', 1.2.3.4]}, {addresses: ['fe80::1'], hints: {forZones: [{name: a}, \
         {name: a}, {name: 'b c'}]}}]}",
        &expect![[r#"
            endpoints[0].addresses[0]: Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")
            endpoints[0].addresses[1]: Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address
            endpoints[0].addresses: Invalid value: "1.2.3.4": must be an IPv6 address
            endpoints[1].addresses[0]: Invalid value: "fe80::1": may not be in the link-local range (169.254.0.0/16, fe80::/10)
            endpoints[1].hints.forZones[1].name: Duplicate value: "a"
            endpoints[1].hints.forZones[2].name: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')
        "#]],
    );
    errors(
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}, addressType: FQDN, endpoints: \
         [{addresses: [a, a.b.]}]}",
        &expect![[r#"
            endpoints[0].addresses[0]: Invalid value: "a": should be a domain with at least two segments separated by dots
        "#]],
    );
    let managed = "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}, addressType: IPv4, \
                   endpoints: [{addresses: [010.0.0.1]}]}";
    expect![[r#"
        endpoints[0].addresses[0]: non-standard IP address "010.0.0.1" will be considered invalid in a future Kubernetes release: use "10.0.0.1"
    "#]].assert_eq(&warnings(managed));
}

#[test]
fn selectors_that_cannot_be_read() {
    errors(
        "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: a}, spec: {selector: {matchExpressions: [{key: a, \
         operator: Odd}]}, template: {metadata: {labels: {a: b}}, spec: {containers: []}}}}",
        &expect![[r#"
            spec.selector.matchExpressions[0].operator: Invalid value: "Odd": not a valid selector operator
            spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"Odd"}]}: invalid label selector
        "#]],
    );
}

#[test]
fn events() {
    errors(
        "{apiVersion: v1, kind: Event, metadata: {name: a, namespace: default}, eventTime: \
         '2026-01-01T00:00:00.000000Z', involvedObject: {namespace: other}}",
        &expect![[r#"
            reportingComponent: Required value
            reportingComponent: Invalid value: "": name part must be non-empty
            reportingComponent: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
            reportingInstance: Required value
            action: Required value
            reason: Required value
        "#]],
    );
}

#[test]
fn what_strategies_drop() {
    let spec = |yaml: &str, pointer: &str| created(yaml).to_value().pointer(pointer).cloned();
    let lease = "{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: a}, spec: {strategy: Odd, \
                 preferredHolder: me}}";
    assert_eq!(spec(lease, "/spec"), Some(serde_json::json!({})));
    let account = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: a}, secrets: [{name: s, namespace: two}]}";
    assert_eq!(spec(account, "/secrets"), Some(serde_json::json!([{"name": "s"}])));
    let slice = "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}, addressType: IPv4, \
                 endpoints: [{addresses: [10.0.0.1], deprecatedTopology: {a: b}}]}";
    assert_eq!(spec(slice, "/endpoints/0/deprecatedTopology"), None);
}

#[test]
fn nodes() {
    let node = |spec: &str| format!("{{apiVersion: v1, kind: Node, metadata: {{name: a}}, spec: {spec}}}");
    expect![[r#"
        metadata.taints[0].key: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        metadata.taints[0].effect: Unsupported value: "Odd": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"
        metadata.taints[0].key: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        metadata.taints[0].effect: Unsupported value: "Odd": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"
    "#]].assert_eq(&update_errors(&node("{}"), &node("{taints: [{key: a b, effect: Odd}]}")));
    expect![[r#"
        spec.externalID: this field is deprecated, and is unused by Kubernetes
        spec.podCIDRs[0]: CIDR value "10.0.0.1/24" is ambiguous in this context (should be "10.0.0.0/24" or "10.0.0.1/32"?)
    "#]].assert_eq(&warnings(&node("{podCIDRs: [10.0.0.1/24], externalID: x}")));
}

#[test]
fn workloads_with_dots_in_their_names() {
    expect![[r#"
        metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]
    "#]].assert_eq(&warnings(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a.b}, spec: {selector: {matchLabels: {a: b}}, \
         template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}}}",
    ));
}
