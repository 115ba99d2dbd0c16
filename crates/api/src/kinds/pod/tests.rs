use crate::testing::{create_errors, created, object, row, update_errors, warnings};
use expect_test::{Expect, expect};
use k8s_openapi::api::core::v1::Pod;
use proptest::prelude::*;

mod rules;

fn pod(spec: &str) -> String {
    format!("{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {spec}}}")
}

/// A pod of one container with these fields more.
fn with(container: &str, rest: &str) -> String {
    pod(&format!("{{containers: [{{name: c, image: nginx{container}}}]{rest}}}"))
}

fn errors(yaml: &str, want: &Expect) {
    want.assert_eq(&create_errors(yaml));
}

#[test]
fn defaults() {
    let o = created(&with(
        ", ports: [{containerPort: 80}], resources: {limits: {cpu: 1}}, livenessProbe: {httpGet: {port: 80}}",
        ", hostNetwork: true, volumes: [{name: a}, {name: b, configMap: {name: x}}], serviceAccount: robot",
    ));
    expect![[r#"
        {
          "apiVersion": "v1",
          "kind": "Pod",
          "metadata": {
            "name": "a",
            "namespace": "default"
          },
          "spec": {
            "containers": [
              {
                "image": "nginx",
                "imagePullPolicy": "Always",
                "livenessProbe": {
                  "failureThreshold": 3,
                  "httpGet": {
                    "path": "/",
                    "port": 80,
                    "scheme": "HTTP"
                  },
                  "periodSeconds": 10,
                  "successThreshold": 1,
                  "timeoutSeconds": 1
                },
                "name": "c",
                "ports": [
                  {
                    "containerPort": 80,
                    "hostPort": 80,
                    "protocol": "TCP"
                  }
                ],
                "resources": {
                  "limits": {
                    "cpu": "1"
                  },
                  "requests": {
                    "cpu": "1"
                  }
                },
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File"
              }
            ],
            "dnsPolicy": "ClusterFirst",
            "enableServiceLinks": true,
            "hostNetwork": true,
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "serviceAccount": "robot",
            "serviceAccountName": "robot",
            "terminationGracePeriodSeconds": 30,
            "volumes": [
              {
                "emptyDir": {},
                "name": "a"
              },
              {
                "configMap": {
                  "defaultMode": 420,
                  "name": "x"
                },
                "name": "b"
              }
            ]
          },
          "status": {
            "phase": "Pending",
            "qosClass": "Burstable"
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&o.to_value()).expect("JSON"));
}

#[test]
fn pull_policy_follows_the_tag() {
    for (image, policy) in [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.25", "IfNotPresent"),
        ("registry:5000/a/nginx", "Always"),
        ("registry:5000/a/nginx:1", "IfNotPresent"),
        ("nginx@sha256:00", "IfNotPresent"),
        ("nginx:latest@sha256:00", "Always"),
        ("", "IfNotPresent"),
    ] {
        assert_eq!(super::defaults::pull_policy(image), policy, "{image}");
    }
}

#[test]
fn containers() {
    errors(
        &pod("{containers: []}"),
        &expect![[r#"
        spec.containers: Required value
    "#]],
    );
    errors(
        &pod("{containers: [{name: A, image: ''}, {name: b, image: x}, {name: b, image: ' x'}]}"),
        &expect![[r#"
            spec.containers[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
            spec.containers[0].image: Required value
            spec.containers[2].name: Duplicate value: "b"
            spec.containers[2].image: Invalid value: " x": must not have leading or trailing whitespace
        "#]],
    );
    errors(
        &pod(
            "{initContainers: [{name: c, image: x, livenessProbe: {tcpSocket: {port: 1}}}], containers: [{name: c, image: x}]}",
        ),
        &expect![[r#"
            spec.initContainers[0].name: Duplicate value: "c"
            spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always
        "#]],
    );
    errors(
        &with(
            ", imagePullPolicy: Sometimes, terminationMessagePolicy: X, restartPolicy: Odd",
            ", restartPolicy: Odd, dnsPolicy: Odd",
        ),
        &expect![[r#"
            spec.containers[0].terminationMessagePolicy: Unsupported value: "X": supported values: "File", "FallbackToLogsOnError"
            spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"
            spec.containers[0].restartPolicy: Unsupported value: "Odd": supported values: "Always", "Never", "OnFailure"
            spec.restartPolicy: Unsupported value: "Odd": supported values: "Always", "OnFailure", "Never"
            spec.dnsPolicy: Unsupported value: "Odd": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"
        "#]],
    );
    errors(
        &with(
            ", ports: [{containerPort: 0}, {containerPort: 70000, name: p, hostPort: 80}, {containerPort: 1, name: p, hostPort: 80, protocol: tcp}, {containerPort: 2, hostPort: 80}]",
            "",
        ),
        &expect![[r#"
            spec.containers[0].ports[0].containerPort: Required value
            spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive
            spec.containers[0].ports[2].name: Duplicate value: "p"
            spec.containers[0].ports[2].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"
            spec.containers[0].ports[3].hostPort: Duplicate value: "TCP//80"
        "#]],
    );
    errors(
        &with(
            ", env: [{name: ''}, {name: 'a=b'}, {name: A, value: x, valueFrom: {}}, {name: B, valueFrom: {fieldRef: {fieldPath: spec.foo}}}, {name: C, valueFrom: {fieldRef: {fieldPath: metadata.labels}}}]",
            "",
        ),
        &expect![[r#"
            spec.containers[0].env[0].name: Required value
            spec.containers[0].env[1].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='
            spec.containers[0].env[2].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`
            spec.containers[0].env[3].valueFrom.fieldRef.fieldPath: Invalid value: "spec.foo": error converting fieldPath: field label not supported: spec.foo
            spec.containers[0].env[4].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"
        "#]],
    );
    errors(
        &with(", envFrom: [{}, {configMapRef: {name: ''}}]", ""),
        &expect![[r#"
        spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`
        spec.containers[0].envFrom[1].configMapRef.name: Required value
    "#]],
    );
    errors(
        &with(
            ", volumeMounts: [{name: x, mountPath: /a}, {name: v, mountPath: /a, subPath: ../b}]",
            ", volumes: [{name: v, emptyDir: {}, secret: {secretName: s}}, {name: v, hostPath: {path: ''}}]",
        ),
        &expect![[r#"
            spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type
            spec.volumes[1].hostPath.path: Required value
            spec.containers[0].volumeMounts[0].name: Not found: "x"
            spec.containers[0].volumeMounts[1].name: Not found: "v"
            spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique
            spec.containers[0].volumeMounts.subPath: Invalid value: "../b": must not contain '..'
        "#]],
    );
}

#[test]
fn probes() {
    errors(
        &with(", livenessProbe: {}, readinessProbe: {exec: {command: []}, tcpSocket: {port: 1}}", ""),
        &expect![[r#"
            spec.containers[0].livenessProbe: Required value: must specify a handler type
            spec.containers[0].readinessProbe.exec.command: Required value
            spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type
        "#]],
    );
    errors(
        &with(", livenessProbe: {successThreshold: 2, periodSeconds: -1, httpGet: {port: 0, scheme: FTP}}", ""),
        &expect![[r#"
            spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive
            spec.containers[0].livenessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"
            spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0
            spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1
        "#]],
    );
    errors(
        &with(", lifecycle: {preStop: {sleep: {seconds: 60}}}", ""),
        &expect![[r#"
        spec.containers[0].lifecycle.preStop.sleep: Invalid value: 60: must be non-negative and less than terminationGracePeriodSeconds (30)
    "#]],
    );
}

#[test]
fn resources() {
    let r = |r: &str| with(&format!(", resources: {r}"), "");
    errors(
        &r("{limits: {cpu: 1}, requests: {cpu: 2}}"),
        &expect![[r#"
        spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1
    "#]],
    );
    errors(
        &r("{limits: {cpu: -1, foo: 1}}"),
        &expect![[r#"
        spec.containers[0].resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0
        spec.containers[0].resources.limits[foo]: Invalid value: "foo": must be a standard resource type or fully qualified
        spec.containers[0].resources.limits[foo]: Invalid value: "foo": must be a standard resource for containers
        spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0
        spec.containers[0].resources.requests[foo]: Invalid value: "foo": must be a standard resource type or fully qualified
        spec.containers[0].resources.requests[foo]: Invalid value: "foo": must be a standard resource for containers
    "#]],
    );
    errors(
        &r("{requests: {example.com/gpu: 1500m}}"),
        &expect![[r#"
        spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "1500m": must be an integer
        spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources
    "#]],
    );
    errors(
        &r("{limits: {hugepages-2Mi: 3Mi}}"),
        &expect![[r#"
            spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi
            spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi
            spec.containers[0].resources: Forbidden: HugePages require cpu or memory
        "#]],
    );
}

#[test]
fn scheduling() {
    errors(
        &with(
            "",
            ", tolerations: [{operator: Equal}, {key: a, operator: Exists, value: x}, {key: a, tolerationSeconds: 1, effect: NoSchedule}, {key: a, operator: X, effect: Odd}]",
        ),
        &expect![[r#"
            spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"
            spec.tolerations[1].operator: Invalid value: "x": value must be empty when `operator` is 'Exists'
            spec.tolerations[2].effect: Invalid value: "NoSchedule": effect must be 'NoExecute' when `tolerationSeconds` is set
            spec.tolerations[3].operator: Unsupported value: "X": supported values: "Equal", "Exists"
            spec.tolerations[3].effect: Unsupported value: "Odd": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"
        "#]],
    );
    errors(
        &with("", ", schedulingGates: [{name: a}, {name: a}], nodeName: n1"),
        &expect![[r#"
        spec.schedulingGates[1]: Duplicate value: "a"
        spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared
    "#]],
    );
    errors(
        &with(
            "",
            ", nodeSelector: {a: 'b c'}, affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In}, {key: b, operator: Gt, values: ['1', '2']}, {key: c, operator: X}]}]}, preferredDuringSchedulingIgnoredDuringExecution: [{weight: 0, preference: {}}]}}",
        ),
        &expect![[r#"
            spec.nodeSelector: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')
            spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'
            spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[1].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'
            spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[2].operator: Invalid value: "X": not a valid selector operator
            spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100
        "#]],
    );
    errors(
        &with(
            "",
            ", affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: ''}]}}",
        ),
        &expect![[r#"
            spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty
            spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must be non-empty
            spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        "#]],
    );
    errors(
        &with(
            "",
            ", topologySpreadConstraints: [{maxSkew: 0, topologyKey: zone, whenUnsatisfiable: X}, {maxSkew: 1, topologyKey: z, whenUnsatisfiable: ScheduleAnyway, minDomains: 2}]",
        ),
        &expect![[r#"
            spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero
            spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "X": supported values: "DoNotSchedule", "ScheduleAnyway"
            spec.topologySpreadConstraints[1].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway
        "#]],
    );
}

#[test]
fn updates() {
    let base = with("", "");
    assert_eq!(update_errors(&base, &base.replace("nginx", "httpd")), "");
    expect![[r#"
        spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)
        @@ -1,6 +1,9 @@
         {
           "Containers": [
             {
        +      "Command": [
        +        "sleep"
        +      ],
               "Image": "nginx",
               "ImagePullPolicy": "Always",
               "Name": "c",

    "#]].assert_eq(&update_errors(&base, &with(", command: [sleep]", "")));
    expect![[r#"
        spec.containers: Forbidden: pod updates may not add or remove containers
    "#]]
    .assert_eq(&update_errors(&base, &pod("{containers: [{name: c, image: a}, {name: d, image: b}]}")));
    let tolerating = |t: &str| with("", &format!(", tolerations: [{t}]"));
    assert_eq!(
        update_errors(
            &tolerating("{key: a, operator: Exists}"),
            &tolerating("{key: a, operator: Exists}, {key: b, operator: Exists}")
        ),
        ""
    );
    expect![[r#"
        spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds
    "#]]
    .assert_eq(&update_errors(&tolerating("{key: a, operator: Exists}"), &base));
    let gated = |rest: &str| with("", &format!(", schedulingGates: [{{name: g}}]{rest}"));
    assert_eq!(update_errors(&gated(""), &gated(", nodeSelector: {a: b}")), "");
    assert_eq!(update_errors(&gated(""), &base), "");
    expect![[r#"
        spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'
    "#]]
    .assert_eq(&update_errors(&base, &gated("")));
    expect![[r#"
        spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value
    "#]]
    .assert_eq(&update_errors(&with("", ", activeDeadlineSeconds: 5"), &with("", ", activeDeadlineSeconds: 6")));
}

#[test]
fn warns() {
    let got = warnings(&with(
        ", env: [{name: A, value: x}, {name: A, value: w}, {name: A, value: $(A)z}], ports: [{containerPort: 80}, {containerPort: 80, hostPort: 1}]",
        ", nodeSelector: {beta.kubernetes.io/os: linux}, topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: ScheduleAnyway}]",
    ));
    expect![[r#"
        spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead
        spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod
        spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply
        spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]
    "#]]
    .assert_eq(&got);
}

fn status(status: &str, want: &Expect) {
    status_of("", "", status, want);
}

fn status_of(meta: &str, spec: &str, status: &str, want: &Expect) {
    want.assert_eq(&row(&format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: a, creationTimestamp: '2026-01-01T00:00:00Z'{meta}}}, spec: \
         {{containers: [{{name: c}}, {{name: d}}]{spec}}}, status: {status}}}"
    )));
}

#[test]
fn table_rows() {
    let c = |name: &str, state: &str| {
        format!("{{name: {name}, ready: {}, restartCount: 3, state: {state}}}", state.contains("running"))
    };
    status(
        "{phase: Pending}",
        &expect![[
            r#"Name="a" Ready="0/2" Status="Pending" Restarts="0" Age="10m" IP="<none>" Node="<none>" Nominated Node="<none>" Readiness Gates="<none>""#
        ]],
    );
    status(
        &format!(
            "{{phase: Running, podIPs: [{{ip: 10.0.0.1}}], containerStatuses: [{}, {}]}}",
            c("c", "{running: {}}"),
            c("d", "{running: {}}")
        ),
        &expect![[
            r#"Name="a" Ready="2/2" Status="Running" Restarts="6" Age="10m" IP="10.0.0.1" Node="<none>" Nominated Node="<none>" Readiness Gates="<none>""#
        ]],
    );
    status(
        &format!(
            "{{phase: Running, containerStatuses: [{}, {{name: d, restartCount: 2, state: {{waiting: {{reason: CrashLoopBackOff}}}}, lastState: {{terminated: {{exitCode: 1, finishedAt: '2026-01-01T00:05:00Z'}}}}}}]}}",
            c("c", "{running: {}}")
        ),
        &expect![[
            r#"Name="a" Ready="1/2" Status="CrashLoopBackOff" Restarts="5 (5m ago)" Age="10m" IP="<none>" Node="<none>" Nominated Node="<none>" Readiness Gates="<none>""#
        ]],
    );
    status(
        &format!(
            "{{phase: Running, containerStatuses: [{}, {}]}}",
            c("c", "{running: {}}"),
            c("d", "{terminated: {reason: Completed}}")
        ),
        &expect![[
            r#"Name="a" Ready="1/2" Status="NotReady" Restarts="6" Age="10m" IP="<none>" Node="<none>" Nominated Node="<none>" Readiness Gates="<none>""#
        ]],
    );
    status(
        &format!("{{phase: Failed, containerStatuses: [{}]}}", c("c", "{terminated: {exitCode: 3}}")),
        &expect![[
            r#"Name="a" Ready="0/2" Status="ExitCode:3" Restarts="3" Age="10m" IP="<none>" Node="<none>" Nominated Node="<none>" Readiness Gates="<none>""#
        ]],
    );
    status(
        &format!("{{phase: Failed, containerStatuses: [{}]}}", c("c", "{terminated: {signal: 9}}")),
        &expect![[
            r#"Name="a" Ready="0/2" Status="Signal:9" Restarts="3" Age="10m" IP="<none>" Node="<none>" Nominated Node="<none>" Readiness Gates="<none>""#
        ]],
    );
    status(
        "{phase: Failed, reason: Evicted}",
        &expect![[
            r#"Name="a" Ready="0/2" Status="Evicted" Restarts="0" Age="10m" IP="<none>" Node="<none>" Nominated Node="<none>" Readiness Gates="<none>""#
        ]],
    );
    status(
        "{phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: SchedulingGated}]}",
        &expect![[
            r#"Name="a" Ready="0/2" Status="SchedulingGated" Restarts="0" Age="10m" IP="<none>" Node="<none>" Nominated Node="<none>" Readiness Gates="<none>""#
        ]],
    );
    status_of(
        ", deletionTimestamp: '2026-01-01T00:09:00Z'",
        "",
        "{phase: Running}",
        &expect![[
            r#"Name="a" Ready="0/2" Status="Terminating" Restarts="0" Age="10m" IP="<none>" Node="<none>" Nominated Node="<none>" Readiness Gates="<none>""#
        ]],
    );
    status_of(
        ", deletionTimestamp: '2026-01-01T00:09:00Z'",
        "",
        "{phase: Running, reason: NodeLost}",
        &expect![[
            r#"Name="a" Ready="0/2" Status="Unknown" Restarts="0" Age="10m" IP="<none>" Node="<none>" Nominated Node="<none>" Readiness Gates="<none>""#
        ]],
    );
    status_of(
        ", deletionTimestamp: '2026-01-01T00:09:00Z'",
        "",
        "{phase: Succeeded}",
        &expect![[
            r#"Name="a" Ready="0/2" Status="Succeeded" Restarts="0" Age="10m" IP="<none>" Node="<none>" Nominated Node="<none>" Readiness Gates="<none>""#
        ]],
    );
    let init = ", initContainers: [{name: i}, {name: j}]";
    status_of(
        "",
        init,
        "{phase: Pending, initContainerStatuses: [{name: i, state: {running: {}}}, {name: j, state: {waiting: {}}}]}",
        &expect![[
            r#"Name="a" Ready="0/2" Status="Init:0/2" Restarts="0" Age="10m" IP="<none>" Node="<none>" Nominated Node="<none>" Readiness Gates="<none>""#
        ]],
    );
    status_of(
        "",
        init,
        "{phase: Pending, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 0}}}, {name: j, restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}}]}",
        &expect![[
            r#"Name="a" Ready="0/2" Status="Init:CrashLoopBackOff" Restarts="1" Age="10m" IP="<none>" Node="<none>" Nominated Node="<none>" Readiness Gates="<none>""#
        ]],
    );
    status_of(
        "",
        init,
        "{phase: Failed, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 2}}}]}",
        &expect![[
            r#"Name="a" Ready="0/2" Status="Init:ExitCode:2" Restarts="0" Age="10m" IP="<none>" Node="<none>" Nominated Node="<none>" Readiness Gates="<none>""#
        ]],
    );
    let sidecar = ", initContainers: [{name: s, restartPolicy: Always}], readinessGates: [{conditionType: g}, {conditionType: h}], nodeName: n1";
    status_of(
        "",
        sidecar,
        "{phase: Running, nominatedNodeName: n2, conditions: [{type: g, status: 'True'}], initContainerStatuses: [{name: s, started: true, ready: true, restartCount: 1, state: {running: {}}}], containerStatuses: [{name: c, ready: true, state: {running: {}}}]}",
        &expect![[
            r#"Name="a" Ready="2/3" Status="Running" Restarts="1" Age="10m" IP="<none>" Node="n1" Nominated Node="n2" Readiness Gates="1/2""#
        ]],
    );
}

#[test]
fn quality_of_service() {
    let class = |c: &str| {
        let o = created(&with(c, ""));
        o.to_value()["status"]["qosClass"].as_str().unwrap_or("").to_string()
    };
    assert_eq!(class(""), "BestEffort");
    assert_eq!(class(", resources: {requests: {cpu: 1}}"), "Burstable");
    assert_eq!(class(", resources: {limits: {cpu: 1}}"), "Burstable");
    assert_eq!(class(", resources: {limits: {cpu: 1, memory: 1Gi}}"), "Guaranteed");
    assert_eq!(class(", resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 500m}}"), "Burstable");
}

#[test]
fn requests_take_the_larger_of_init_and_main() {
    let o = object(&pod(
        "{initContainers: [{name: s, restartPolicy: Always, resources: {requests: {cpu: 100m}}}, {name: i, resources: \
         {requests: {cpu: 1, memory: 10Mi}}}], containers: [{name: c, resources: {requests: {cpu: 200m, memory: 20Mi}}}], \
         overhead: {cpu: 10m}}",
    ));
    let pod = o.as_any().downcast_ref::<Pod>().expect("a pod");
    let got: Vec<String> = crate::pods::requests(pod).iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(got, ["cpu=1110m", "memory=20Mi"]);
}

#[test]
fn conditions_keep_their_transition_time() {
    use k8s_openapi::api::core::v1::{PodCondition, PodStatus};
    let mut s = PodStatus::default();
    let at = |secs| meta::Time::from_secs(secs);
    let c = |status: &str, reason: &str| PodCondition {
        type_: "Ready".into(),
        status: status.into(),
        reason: Some(reason.into()),
        ..Default::default()
    };
    assert!(crate::pods::set_condition(&mut s, c("False", "a"), at(1)));
    assert!(!crate::pods::set_condition(&mut s, c("False", "a"), at(2)));
    assert!(crate::pods::set_condition(&mut s, c("False", "b"), at(3)));
    let time = |s: &PodStatus| {
        let t = s.conditions.as_ref().and_then(|c| c[0].last_transition_time.as_ref().map(meta::Time::from_k8s));
        t.expect("a time")
    };
    assert_eq!(time(&s), at(1));
    assert!(crate::pods::set_condition(&mut s, c("True", "b"), at(4)));
    assert_eq!(time(&s), at(4));
}

/// Fields of a container, any of them missing.
fn container_strategy() -> impl Strategy<Value = String> {
    let field = |choices: &'static [&'static str]| proptest::sample::select(choices);
    (
        field(&["nginx", "nginx:1", "a/b@sha256:0", "''"]),
        field(&["", ", ports: [{containerPort: 80}, {containerPort: 53, protocol: UDP, hostPort: 53}]"]),
        field(&[
            "",
            ", resources: {limits: {cpu: 0.1, memory: 1.5Gi}}",
            ", resources: {requests: {cpu: 100u}, limits: {cpu: 1}}",
            ", resources: {limits: {}}",
        ]),
        field(&["", ", livenessProbe: {httpGet: {port: http}}", ", readinessProbe: {grpc: {port: 1}}"]),
        field(&[
            "",
            ", env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
            ", imagePullPolicy: Never",
        ]),
    )
        .prop_map(|(image, a, b, c, d)| format!("{{name: c, image: {image}{a}{b}{c}{d}}}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn defaulting_twice_is_defaulting_once(
        containers in proptest::collection::vec(container_strategy(), 0..3),
        init in proptest::collection::vec(container_strategy(), 0..2),
        rest in proptest::sample::select(&[
            "", ", hostNetwork: true", ", serviceAccount: x", ", restartPolicy: Never, dnsPolicy: Default",
            ", volumes: [{name: a}, {name: b, projected: {sources: [{serviceAccountToken: {path: t}}]}}]",
            ", resources: {limits: {cpu: 2, memory: 2Gi}}",
        ][..]),
    ) {
        let mut o = object(&pod(&format!(
            "{{containers: [{}], initContainers: [{}]{rest}}}", containers.join(", "), init.join(", ")
        )));
        let kind = o.kind();
        (kind.default)(&mut *o);
        let once = o.to_value();
        (kind.default)(&mut *o);
        prop_assert_eq!(once, o.to_value());
    }
}
