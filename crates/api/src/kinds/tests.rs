use super::{KINDS, by_gvk, by_plural, index};
use crate::testing::{create_errors, created, row, update_errors, warnings};
use expect_test::{Expect, expect};

#[test]
fn ids_are_positions() {
    for (i, k) in KINDS.iter().enumerate() {
        assert_eq!(index(k), i, "{k:?}");
        assert_eq!(by_gvk(k.group, k.version, k.kind), Some(*k));
        assert_eq!(by_plural(k.group, k.version, k.plural), Some(*k));
    }
}

#[test]
fn samples_are_valid_and_defaulting_them_twice_changes_nothing() {
    for k in KINDS {
        assert_eq!(create_errors(k.sample), "", "{k:?}");
        assert_eq!(warnings(k.sample), "", "{k:?}");
        let mut o = created(k.sample);
        let before = o.to_value();
        (k.default)(&mut *o);
        assert_eq!(o.to_value(), before, "{k:?}");
        assert_eq!((k.cells)(&*o, crate::testing::now()).len(), k.columns.len(), "{k:?}");
    }
}

fn errors(yaml: &str, want: &Expect) {
    want.assert_eq(&create_errors(yaml));
}

#[test]
fn object_meta() {
    errors(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: Bad_Name, labels: {a b: 'x y'}}}",
        &expect![[r#"
        metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
        metadata.labels: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        metadata.labels: Invalid value: "x y": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')
    "#]],
    );
    errors(
        "{apiVersion: v1, kind: ConfigMap, metadata: {generateName: a-, annotations: {a/b/c: x}}}",
        &expect![[r#"
            metadata.name: Required value: name or generateName is required
            metadata.annotations: Invalid value: "a/b/c": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')
        "#]],
    );
    errors(
        "{apiVersion: v1, kind: Namespace, metadata: {name: a.b, namespace: x}}",
        &expect![[r#"
        metadata.name: Invalid value: "a.b": must not contain dots
        metadata.namespace: Forbidden: not allowed on this type
    "#]],
    );
    errors(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, finalizers: [x], ownerReferences: [{apiVersion: v1, \
         kind: Pod, name: p, uid: u, controller: true}, {apiVersion: v1, kind: Pod, name: q, uid: '', controller: \
         true}]}}",
        &expect![[r#"
            metadata.ownerReferences.uid: Invalid value: "": must not be empty
            metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"Pod","name":"p","uid":"u","controller":true},{"apiVersion":"v1","kind":"Pod","name":"q","uid":"","controller":true}]: Only one reference can have Controller set to true. Found "true" in references for Pod/p and Pod/q
            metadata.finalizers[0]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified
        "#]],
    );
    let update = update_errors(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, uid: u}}",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, uid: v}}",
    );
    expect![[r#"
        metadata.uid: Invalid value: "v": field is immutable
    "#]]
    .assert_eq(&update);
}

fn deployment(spec: &str) -> String {
    let template = "template: {metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: nginx}]}}";
    format!("{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: a}}, spec: {{{spec}, {template}}}}}")
}

#[test]
fn deployments() {
    let selector = "selector: {matchLabels: {app: a}}";
    errors(
        &deployment("replicas: 1"),
        &expect![[r#"
        spec.selector: Required value
        spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`
    "#]],
    );
    errors(
        &deployment("selector: {matchLabels: {app: b}}, replicas: -1"),
        &expect![[r#"
        spec.replicas: Invalid value: -1: must be greater than or equal to 0
        spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`
    "#]],
    );
    let strategy = |s: &str| deployment(&format!("{selector}, strategy: {s}"));
    errors(
        &strategy("{rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}"),
        &expect![[r#"
        spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0
    "#]],
    );
    errors(
        &strategy("{rollingUpdate: {maxSurge: 10, maxUnavailable: 120%}}"),
        &expect![[r#"
        spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "120%": must not be greater than 100%
    "#]],
    );
    errors(
        &strategy("{rollingUpdate: {maxSurge: '5', maxUnavailable: -1}}"),
        &expect![[r#"
        spec.strategy.rollingUpdate.maxUnavailable: Invalid value: -1: must be greater than or equal to 0
        spec.strategy.rollingUpdate.maxSurge: Invalid value: "5": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')
    "#]],
    );
    errors(
        &strategy("{type: Recreate, rollingUpdate: {maxSurge: 1}}"),
        &expect![[r#"
        spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'
    "#]],
    );
    errors(
        &strategy("{type: Wild}"),
        &expect![[r#"
        spec.strategy: Unsupported value: {"Type":"Wild","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"
    "#]],
    );
    errors(
        &deployment(&format!("{selector}, minReadySeconds: 700")),
        &expect![[r#"
        spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds
    "#]],
    );
    let moved = update_errors(
        &deployment(selector),
        &deployment("selector: {matchExpressions: [{key: app, operator: Exists}]}"),
    );
    expect![[r#"
        spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"Exists"}]}: field is immutable
    "#]]
    .assert_eq(&moved);
    let o = created(&deployment(selector));
    let spec = o.to_value()["spec"].to_string();
    expect![[r#"{"progressDeadlineSeconds":600,"replicas":1,"revisionHistoryLimit":10,"selector":{"matchLabels":{"app":"a"}},"strategy":{"rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"},"type":"RollingUpdate"},"template":{"metadata":{"labels":{"app":"a"}},"spec":{"containers":[{"image":"nginx","imagePullPolicy":"Always","name":"c","resources":{},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}],"dnsPolicy":"ClusterFirst","restartPolicy":"Always","schedulerName":"default-scheduler","securityContext":{},"terminationGracePeriodSeconds":30}}}"#]].assert_eq(&spec);
    expect![[r#"Name="a" Ready="0/3" Up-to-date=0 Available=0 Age="<unknown>" Containers="c" Images="nginx" Selector="app=a""#]].assert_eq(&row(&deployment(&format!("{selector}, replicas: 3"))));
}

#[test]
fn replica_sets() {
    errors(
        "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: a}, spec: {replicas: -2}}",
        &expect![[r#"
        spec.replicas: Invalid value: -2: must be greater than or equal to 0
        spec.selector: Required value
        spec.template: Required value
    "#]],
    );
    errors(
        "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: a}, spec: {selector: {matchLabels: {a: b}}, template: \
         {metadata: {labels: {a: b}}, spec: {restartPolicy: Never, activeDeadlineSeconds: 5, containers: [{name: c, \
         image: x}]}}}}",
        &expect![[r#"
            spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"
            spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported
        "#]],
    );
}

fn service(spec: &str) -> String {
    format!("{{apiVersion: v1, kind: Service, metadata: {{name: a}}, spec: {spec}}}")
}

#[test]
fn services() {
    errors(
        &service("{}"),
        &expect![[r#"
        spec.ports: Required value
    "#]],
    );
    errors(&service("{clusterIP: None}"), &expect![[r#""#]]);
    errors(
        &service("{ports: [{port: 80}, {port: 80}]}"),
        &expect![[r#"
        spec.ports[0].name: Required value
        spec.ports[1].name: Required value
        spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}
    "#]],
    );
    errors(
        &service("{ports: [{port: 0, targetPort: toolongportname1, protocol: X, name: A}]}"),
        &expect![[r#"
        spec.ports[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
        spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive
        spec.ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"
        spec.ports[0].targetPort: Invalid value: "toolongportname1": must be no more than 15 bytes
    "#]],
    );
    errors(
        &service("{ports: [{port: 80, nodePort: 30000}], type: Odd}"),
        &expect![[r#"
        spec.type: Unsupported value: "Odd": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"
    "#]],
    );
    errors(
        &service("{ports: [{port: 80, nodePort: 30000}]}"),
        &expect![[r#"
        spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'
    "#]],
    );
    errors(
        &service("{type: ExternalName}"),
        &expect![[r#"
        spec.externalName: Required value
    "#]],
    );
    errors(&service("{type: ExternalName, externalName: my.database.example.com}"), &expect![[r#""#]]);
    errors(
        &service("{ports: [{port: 80}], clusterIP: x, externalTrafficPolicy: Local}"),
        &expect![[r#"
        spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
        spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services
    "#]],
    );
    errors(
        "{apiVersion: v1, kind: Service, metadata: {name: 1a}, spec: {ports: [{port: 80}]}}",
        &expect![[r#"
        metadata.name: Invalid value: "1a": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')
    "#]],
    );
    let moved = update_errors(
        &service("{ports: [{port: 80}], clusterIP: 10.0.0.1}"),
        &service("{ports: [{port: 80}], clusterIP: 10.0.0.2}"),
    );
    expect![[r#"
        spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set
    "#]]
    .assert_eq(&moved);
    assert_eq!(
        update_errors(&service("{ports: [{port: 80}], clusterIP: 10.0.0.1}"), &service("{ports: [{port: 81}]}")),
        ""
    );
    expect![[r#"Name="a" Type="ClusterIP" Cluster-IP="10.0.0.1" External-IP="<none>" Port(s)="80/TCP" Age="<unknown>" Selector="app=a""#]].assert_eq(&row(&service("{ports: [{port: 80}], clusterIP: 10.0.0.1, selector: {app: a}}")));
    expect![[r#"Name="a" Type="LoadBalancer" Cluster-IP="<none>" External-IP="<pending>" Port(s)="80:30080/TCP,53/UDP" Age="<unknown>" Selector="<none>""#]].assert_eq(&row(&service(
        "{type: LoadBalancer, ports: [{port: 80, nodePort: 30080}, {port: 53, protocol: UDP}]}",
    )));
    expect![[r#"Name="a" Type="ExternalName" Cluster-IP="<none>" External-IP="example.com" Port(s)="<none>" Age="<unknown>" Selector="<none>""#]].assert_eq(&row(&service("{type: ExternalName, externalName: example.com}")));
}

#[test]
fn a_services_node_port_survives_an_update_that_leaves_it_out() {
    let old = created(&service("{type: NodePort, clusterIP: 10.0.0.1, ports: [{port: 80, nodePort: 30080}]}"));
    let spec_after = |yaml: &str| {
        let mut new = created(&service(yaml));
        (new.kind().prepare_update)(&mut *new, &*old);
        let v = new.to_value();
        format!("{} {}", v["spec"]["clusterIP"], v["spec"]["ports"][0]["nodePort"])
    };
    assert_eq!(spec_after("{type: NodePort, ports: [{port: 81}]}"), "\"10.0.0.1\" 30080");
    assert_eq!(spec_after("{ports: [{port: 80, nodePort: 30080}]}"), "\"10.0.0.1\" null");
    assert_eq!(spec_after("{type: ExternalName, externalName: a.b}"), "null null");
}

#[test]
fn nodes() {
    let node =
        |spec: &str, rest: &str| format!("{{apiVersion: v1, kind: Node, metadata: {{name: n1{rest}}}, spec: {spec}}}");
    errors(
        &node("{taints: [{key: a, effect: NoSchedule}, {key: a, effect: NoSchedule}, {key: '', effect: Nope}]}", ""),
        &expect![[r#"
            metadata.taints[1]: Duplicate value: {"Key":"a","Value":"","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair
            metadata.taints[2].key: Invalid value: "": name part must be non-empty
            metadata.taints[2].key: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
            metadata.taints[2].effect: Unsupported value: "Nope": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"
        "#]],
    );
    errors(
        &node("{podCIDR: 10.0.0.0/40}", ""),
        &expect![[r#"
        spec.podCIDRs[0]: Invalid value: "10.0.0.0/40": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)
    "#]],
    );
    let status = "status: {conditions: [{type: Ready, status: 'True'}], addresses: [{type: InternalIP, address: \
                  10.1.1.1}], nodeInfo: {kubeletVersion: v1.35.0, osImage: '', kernelVersion: '6.1', \
                  containerRuntimeVersion: containerd://2.0}, capacity: {cpu: 4}}";
    let full = format!(
        "{{apiVersion: v1, kind: Node, metadata: {{name: n1, creationTimestamp: '2026-01-01T00:00:00Z', labels: \
         {{node-role.kubernetes.io/control-plane: '', kubernetes.io/role: x}}}}, spec: {{unschedulable: true}}, {status}}}"
    );
    expect![[r#"Name="n1" Status="Ready,SchedulingDisabled" Roles="control-plane,x" Age="10m" Version="v1.35.0" Internal-IP="10.1.1.1" External-IP="<none>" OS-Image="<unknown>" Kernel-Version="6.1" Container-Runtime="containerd://2.0""#]].assert_eq(&row(&full));
    expect![[r#"Name="n1" Status="Unknown" Roles="<none>" Age="<unknown>" Version="" Internal-IP="<none>" External-IP="<none>" OS-Image="<unknown>" Kernel-Version="<unknown>" Container-Runtime="<unknown>""#]].assert_eq(&row(&node("{}", "")));
    assert_eq!(created(&full).to_value()["status"]["allocatable"].to_string(), r#"{"cpu":"4"}"#);
}

#[test]
fn secrets_and_config_maps() {
    let o =
        created("{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {a: b}, data: {a: eA==, c: eA==}}");
    expect![[r#"{"apiVersion":"v1","data":{"a":"Yg==","c":"eA=="},"kind":"Secret","metadata":{"name":"a","namespace":"default"},"type":"Opaque"}"#]].assert_eq(&o.to_value().to_string());
    errors(
        "{apiVersion: v1, kind: Secret, metadata: {name: a}, type: kubernetes.io/tls, data: {'a b': eA==}}",
        &expect![[r#"
            data[a b]: Invalid value: "a b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')
            data[tls.crt]: Required value
            data[tls.key]: Required value
        "#]],
    );
    errors(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {..x: z}}",
        &expect![[r#"
        data[..x]: Invalid value: "..x": must not start with '..'
    "#]],
    );
    let typed = |t: &str| format!("{{apiVersion: v1, kind: Secret, metadata: {{name: a}}, type: {t}}}");
    expect![[r#"
        type: Invalid value: "z": field is immutable
    "#]]
    .assert_eq(&update_errors(&typed("x"), &typed("z")));
    expect![[r#"Name="a" Type="Opaque" Data=1 Age="<unknown>""#]]
        .assert_eq(&row("{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: eA==}}"));
}

#[test]
fn namespaces() {
    let o = created("{apiVersion: v1, kind: Namespace, metadata: {name: dev}}");
    expect![[r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"labels":{"kubernetes.io/metadata.name":"dev"},"name":"dev"},"spec":{"finalizers":["kubernetes"]},"status":{"phase":"Active"}}"#]].assert_eq(&o.to_value().to_string());
}

#[test]
fn endpoint_slices() {
    let slice =
        |rest: &str| format!("{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {{name: a}}, {rest}}}");
    errors(
        &slice("endpoints: [{addresses: []}]"),
        &expect![[r#"
        addressType: Required value
        endpoints[0].addresses: Required value: must contain at least 1 address
    "#]],
    );
    errors(
        &slice("addressType: IPv4, endpoints: [{addresses: ['::1', 127.0.0.1]}], ports: [{port: 1}, {port: 2}]"),
        &expect![[r#"
            ports[1].name: Duplicate value: ""
            endpoints[0].addresses: Invalid value: "::1": must be an IPv4 address
            endpoints[0].addresses[0]: Invalid value: "::1": may not be in the loopback range (127.0.0.0/8, ::1/128)
            endpoints[0].addresses[1]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)
        "#]],
    );
    expect![[
        r#"Name="a" AddressType="IPv4" Ports="80" Endpoints="10.0.0.1,10.0.0.2,10.0.0.3 + 1 more..." Age="<unknown>""#
    ]]
    .assert_eq(&row(&slice(
        "addressType: IPv4, endpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2]}, {addresses: [10.0.0.3]}, \
         {addresses: [10.0.0.4]}], ports: [{port: 80}]",
    )));
    expect![[r#"Name="a" AddressType="IPv4" Ports="<unset>" Endpoints="<unset>" Age="<unknown>""#]]
        .assert_eq(&row(&slice("addressType: IPv4, endpoints: []")));
}

#[test]
fn events_and_leases() {
    let event = "{apiVersion: v1, kind: Event, metadata: {name: a.1, namespace: default}, involvedObject: {kind: Pod, \
                 name: web, namespace: default, fieldPath: 'spec.containers{c}'}, reason: Pulled, type: Normal, count: 3, \
                 message: 'done ', source: {component: kubelet, host: n1}, firstTimestamp: '2026-01-01T00:00:00Z', \
                 lastTimestamp: '2026-01-01T00:09:30Z'}";
    expect![[r#"Last Seen="30s" Type="Normal" Reason="Pulled" Object="pod/web" Subobject="spec.containers{c}" Source="kubelet, n1" Message="done" First Seen="10m" Count=3 Name="a.1""#]].assert_eq(&row(event));
    errors(
        "{apiVersion: v1, kind: Event, metadata: {name: a}, involvedObject: {namespace: other}}",
        &expect![[r#"
        involvedObject.namespace: Invalid value: "other": does not match event.namespace
    "#]],
    );
    let lease = "{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: a}, spec: {holderIdentity: n1, \
                 leaseDurationSeconds: 0}}";
    errors(
        lease,
        &expect![[r#"
        spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0
    "#]],
    );
    expect![[r#"Name="a" Holder="n1" Age="<unknown>""#]].assert_eq(&row(lease));
}
