//! Rules of pod specs that one meets less often, in upstream's words and order.

use super::{errors, pod, update_errors, with};
use crate::testing::{created, warnings};
use expect_test::expect;

#[test]
fn volumes_with_a_fault_cannot_be_mounted() {
    let mounted = |volume: &str| {
        with(", volumeMounts: [{name: v, mountPath: /v}]", &format!(", volumes: [{{name: v, {volume}}}]"))
    };
    errors(
        &mounted("secret: {}"),
        &expect![[r#"
        spec.volumes[0].secret.secretName: Required value
        spec.containers[0].volumeMounts[0].name: Not found: "v"
    "#]],
    );
    errors(
        &mounted("hostPath: {path: '', type: Odd}, nfs: {server: a, path: b}"),
        &expect![[r#"
        spec.volumes[0].hostPath.path: Required value
        spec.volumes[0].nfs: Forbidden: may not specify more than 1 volume type
        spec.containers[0].volumeMounts[0].name: Not found: "v"
    "#]],
    );
    errors(
        &mounted("csi: {driver: ''}"),
        &expect![[r#"
        spec.volumes[0].csi.driver: Required value
        spec.containers[0].volumeMounts[0].name: Not found: "v"
    "#]],
    );
    errors(
        &mounted("gitRepo: {repository: '', directory: ../a}"),
        &expect![[r#"
        spec.volumes[0].gitRepo.repository: Required value
        spec.volumes[0].gitRepo.directory: Invalid value: "../a": must not contain '..'
        spec.containers[0].volumeMounts[0].name: Not found: "v"
    "#]],
    );
    errors(
        &mounted("image: {reference: '', pullPolicy: Odd}"),
        &expect![[r#"
        spec.volumes[0].image.reference: Required value
        spec.volumes[0].image.pullPolicy: Unsupported value: "Odd": supported values: "Always", "IfNotPresent", "Never"
        spec.containers[0].volumeMounts[0].name: Not found: "v"
    "#]],
    );
    errors(
        &with("", ", volumes: [{name: e, ephemeral: {}}, {name: c, persistentVolumeClaim: {claimName: a-e}}]"),
        &expect![[r#"
            spec.volumes[0].ephemeral.volumeClaimTemplate: Required value
            spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "a-e": must not reference a PVC that gets created for an ephemeral volume
        "#]],
    );
}

#[test]
fn mounts_and_devices() {
    errors(
        &with(
            ", volumeMounts: [{name: v, mountPath: /v, recursiveReadOnly: Enabled, mountPropagation: HostToContainer}, \
             {name: v, mountPath: /w, recursiveReadOnly: Odd}], volumeDevices: [{name: v, devicePath: /v}, {name: d, \
             devicePath: ../x}]",
            ", volumes: [{name: v}]",
        ),
        &expect![[r#"
            spec.containers[0].volumeMounts[0].name: Invalid value: "v": must not already exist in volumeDevices
            spec.containers[0].volumeMounts[0].mountPath: Invalid value: "/v": must not already exist as a path in volumeDevices
            spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true
            spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or not specified
            spec.containers[0].volumeMounts[1].name: Invalid value: "v": must not already exist in volumeDevices
            spec.containers[0].volumeMounts.recursiveReadOnly: Unsupported value: "Odd": supported values: "Disabled", "Enabled", "IfPossible"
            spec.containers[0].volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode
            spec.containers[0].volumeDevices[0].name: Invalid value: "v": must not already exist in volumeMounts
            spec.containers[0].volumeDevices[0].devicePath: Invalid value: "/v": must not already exist as a path in volumeMounts
            spec.containers[0].volumeDevices[1].name: Not found: "d"
            spec.containers[0].volumeDevices[1].devicePath: Invalid value: "../x": can not contain backsteps ('..')
        "#]],
    );
}

#[test]
fn file_keys() {
    errors(
        &with(
            ", env: [{name: A, valueFrom: {fileKeyRef: {key: a=b, path: ../x, volumeName: v}}}, {name: B, valueFrom: \
             {fileKeyRef: {key: k, path: p, volumeName: none}}}]",
            ", volumes: [{name: v, configMap: {name: c}}]",
        ),
        &expect![[r#"
            spec.containers[0].env[0].valueFrom.fileKeyRef.key: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='
            spec.containers[0].env[0].valueFrom.fileKeyRef.path: Invalid value: "../x": must not contain '..'
            spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Invalid value: "v": referenced volume must be of type emptyDir
            spec.containers[0].env[1].valueFrom.fileKeyRef.volumeName: Not found: "none"
        "#]],
    );
}

#[test]
fn downward_fields() {
    let field = |f: &str| with(&format!(", env: [{{name: A, valueFrom: {{fieldRef: {f}}}}}]"), "");
    errors(&field("{fieldPath: spec.host}"), &expect![[r#""#]]);
    errors(&field("{fieldPath: \"metadata.labels['a']\"}"), &expect![[r#""#]]);
    errors(
        &field("{fieldPath: \"metadata.annotations['A b']\"}"),
        &expect![[r#"
        spec.containers[0].env[0].valueFrom.fieldRef: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
    "#]],
    );
    errors(
        &field("{fieldPath: \"status.phase['a']\"}"),
        &expect![[r#"
        spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "status.phase['a']": error converting fieldPath: field label does not support subscript: status.phase['a']
    "#]],
    );
    errors(
        &field("{fieldPath: status.phase}"),
        &expect![[r#"
        spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"
    "#]],
    );
    errors(
        &field("{apiVersion: v2, fieldPath: metadata.name}"),
        &expect![[r#"
        spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod version: v2
    "#]],
    );
}

#[test]
fn restart_rules() {
    errors(
        &with(
            ", restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [1]}}]",
            ", initContainers: [{name: i, image: x, restartPolicy: Always, restartPolicyRules: [{action: Restart}]}, \
             {name: j, image: x, restartPolicy: Odd, restartPolicyRules: [{action: Stop}, {action: Restart, exitCodes: \
             {operator: Odd}}]}]",
        ),
        &expect![[r#"
            spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used
            spec.initContainers[0].restartPolicyRules: Forbidden: restartPolicyRules are not allowed for init containers with restart policy Always
            spec.initContainers[1].restartPolicy: Unsupported value: "Odd": supported values: "Always", "Never", "OnFailure"
            spec.initContainers[1].restartPolicyRules[0].action: Unsupported value: "Stop": supported values: "Restart"
            spec.initContainers[1].restartPolicyRules[0].exitCodes: Required value: must be specified
            spec.initContainers[1].restartPolicyRules[1].exitCodes.operator: Unsupported value: "Odd": supported values: "In", "NotIn"
        "#]],
    );
}

#[test]
fn init_containers_share_names_and_report_ports_on_the_first() {
    errors(
        &with(
            "",
            ", initContainers: [{name: c, image: x}, {name: i, image: x, livenessProbe: {exec: {command: [a]}}, ports: \
             [{containerPort: 1, hostPort: 5}, {containerPort: 2, hostPort: 5}]}]",
        ),
        &expect![[r#"
            spec.initContainers[0].name: Duplicate value: "c"
            spec.initContainers[0].ports[1].hostPort: Duplicate value: "TCP//5"
            spec.initContainers[1].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always
        "#]],
    );
}

#[test]
fn pod_level_amounts() {
    let res = |own: &str, pod: &str| with(&format!(", resources: {own}"), &format!(", resources: {pod}"));
    errors(&res("{requests: {cpu: 2}}", "{limits: {memory: 1Gi}}"), &expect![[r#""#]]);
    errors(
        &res("{requests: {cpu: 2}}", "{requests: {cpu: 1}, claims: [{name: x}]}"),
        &expect![[r#"
        spec.resources.claims: Forbidden: claims may not be set for Resources at pod-level
        spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2
    "#]],
    );
    errors(
        &res("{limits: {cpu: 2}}", "{limits: {cpu: 1, odd: 1, a/b: 1, ephemeral-storage: 1}}"),
        &expect![[r#"
        spec.resources.limits[a/b]: Unsupported value: "a/b": supported values: "cpu", "hugepages-", "memory"
        spec.resources.limits[ephemeral-storage]: Unsupported value: "ephemeral-storage": supported values: "cpu", "hugepages-", "memory"
        spec.resources.limits[odd]: Invalid value: "odd": must be a standard resource type or fully qualified
        spec.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1
        spec.resources.containers[0][cpu].limits: Invalid value: "2": must be less than or equal to pod limits of 1
    "#]],
    );
}

#[test]
fn claims() {
    errors(
        &with(
            ", resources: {claims: [{name: a}, {name: a}, {name: b, request: X}, {name: ''}, {name: z}]}",
            ", resourceClaims: [{name: a, resourceClaimName: one}, {name: a, resourceClaimName: one}, {name: b}, {name: C, \
             resourceClaimName: one, resourceClaimTemplateName: t}]",
        ),
        &expect![[r#"
            spec.resourceClaims[1].name: Duplicate value: "a"
            spec.resourceClaims[2]: Invalid value: {"Name":"b","ResourceClaimName":null,"ResourceClaimTemplateName":null}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`
            spec.resourceClaims[3].name: Invalid value: "C": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
            spec.resourceClaims[3]: Invalid value: {"Name":"C","ResourceClaimName":"one","ResourceClaimTemplateName":"t"}: at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified
            spec.containers[0].resources.claims[1]: Duplicate value: "a"
            spec.containers[0].resources.claims[2].request: Invalid value: "X": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
            spec.containers[0].resources.claims[3]: Required value
            spec.containers[0].resources.claims[4]: Not found: "z": must be one of the names in pod.spec.resourceClaims: C, a, b
        "#]],
    );
}

#[test]
fn host_users_and_names() {
    errors(
        &with("", ", hostUsers: false, hostNetwork: true, hostPID: true, hostIPC: true"),
        &expect![[r#"
        spec.hostNetwork: Forbidden: when `hostUsers` is false
        spec.HostPID: Forbidden: when `hostUsers` is false
        spec.HostIPC: Forbidden: when `hostUsers` is false
    "#]],
    );
    errors(
        &with(
            "",
            ", hostnameOverride: Bad_, setHostnameAsFQDN: true, hostNetwork: true, shareProcessNamespace: true, hostPID: true",
        ),
        &expect![[r#"
            spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled
            spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true
            spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true
            spec.hostnameOverride: Invalid value: "Bad_": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
        "#]],
    );
}

#[test]
fn security_profiles() {
    errors(
        &with(
            ", securityContext: {appArmorProfile: {type: Localhost}, windowsOptions: {}}",
            ", os: {name: linux}, securityContext: {appArmorProfile: {type: Odd}, seLinuxChangePolicy: MountOption, \
             sysctls: [{name: net.ipv4.tcp_syncookies, value: '1'}]}, hostNetwork: true",
        ),
        &expect![[r#"
            spec.containers[0].securityContext.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost
            spec.securityContext.sysctls[0].name: Invalid value: "net.ipv4.tcp_syncookies": may not be specified when 'hostNetwork' is true
            spec.securityContext.appArmorProfile.type: Unsupported value: "Odd": supported values: "Localhost", "RuntimeDefault", "Unconfined"
            spec.securityContext.seLinuxChangePolicy: Unsupported value: "MountOption": supported values: "Recursive"
            spec.containers[0].securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod
        "#]],
    );
}

#[test]
fn spread_and_affinity_keys() {
    let spread = |c: &str| {
        with(
            "",
            &format!(
                ", topologySpreadConstraints: [{{maxSkew: 1, topologyKey: a b, whenUnsatisfiable: DoNotSchedule, {c}}}]"
            ),
        )
    };
    errors(
        &spread("matchLabelKeys: [app]"),
        &expect![[r#"
        spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set
    "#]],
    );
    errors(&spread("matchLabelKeys: [app], labelSelector: {matchLabels: {app: x}}"), &expect![[r#""#]]);
    errors(
        &spread(
            "matchLabelKeys: [app], labelSelector: {matchLabels: {app: x}, matchExpressions: [{key: app, operator: Exists}]}",
        ),
        &expect![[r#"
            spec.topologySpreadConstraints[0][0]: Invalid value: "app": exists in both matchLabelKeys and labelSelector
        "#]],
    );
    errors(
        &with(
            "",
            ", affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: '', \
             matchLabelKeys: [a], mismatchLabelKeys: [a, 'b c'], labelSelector: {}}]}}",
        ),
        &expect![[r#"
            spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].mismatchLabelKeys[1]: Invalid value: "b c": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
            spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys[0]: Invalid value: "a": exists in both matchLabelKeys and mismatchLabelKeys
            spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty
            spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must be non-empty
            spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        "#]],
    );
}

#[test]
fn comparing_tolerations_are_known_but_off() {
    errors(
        &with("", ", tolerations: [{key: a, operator: Gt, value: '1'}, {key: a, operator: Odd}]"),
        &expect![[r#"
            spec.tolerations[0].operator: Unsupported value: "Gt": supported values: "Equal", "Exists", "Lt", "Gt"
            spec.tolerations[1].operator: Unsupported value: "Odd": supported values: "Equal", "Exists"
        "#]],
    );
}

#[test]
fn search_domains() {
    errors(
        &with("", ", dnsConfig: {searches: [_a.b, '.', 'a..b'], nameservers: [1.2.3]}"),
        &expect![[r#"
        spec.dnsConfig.nameservers[0]: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
        spec.dnsConfig.searches[2]: Invalid value: "a..b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')
    "#]],
    );
}

#[test]
fn statuses() {
    let old = with("", ", restartPolicy: Never, nodeName: one");
    let status = |s: &str| {
        let (old, new) = (crate::testing::created(&old), crate::testing::created(&old));
        let mut old_value = old.to_value();
        let mut new_value = new.to_value();
        let text = "{containerStatuses: [{name: c, ready: false, restartCount: 0, image: x, imageID: '', state: \
                    {terminated: {exitCode: 0}}}], qosClass: BestEffort}";
        old_value["status"] = serde_saphyr::from_str(text).expect("YAML");
        new_value["status"] = serde_saphyr::from_str(s).expect("YAML");
        let kind = old.kind();
        let (old, new) = (kind.from_value(old_value).expect("a pod"), kind.from_value(new_value).expect("a pod"));
        (kind.validate_status)(&*new, &*old).iter().map(|e| format!("{e}\n")).collect::<String>()
    };
    expect![[r#"
        status.conditions[0].observedGeneration: Invalid value: -1: must be a non-negative integer
        status.conditions[1].Type: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node
        status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state
        status.hostIPs[0].ip: Invalid value: "2.2.2.2": must be equal to `hostIP`
    "#]].assert_eq(&status(
        "{qosClass: BestEffort, conditions: [{type: Ready, status: 'True', observedGeneration: -1}, {type: a b, status: \
         'True'}], nominatedNodeName: m, hostIP: 1.1.1.1, hostIPs: [{ip: 2.2.2.2}], containerStatuses: [{name: c, ready: \
         true, restartCount: 0, image: x, imageID: '', state: {running: {}}}]}",
    ));
}

#[test]
fn gated_pods_may_only_be_narrowed() {
    let gated = |selector: &str| with("", &format!(", schedulingGates: [{{name: g}}], nodeSelector: {selector}"));
    expect![[r#"
        spec.nodeSelector: Invalid value: {"a":"c"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)
    "#]].assert_eq(&update_errors(&gated("{a: b}"), &gated("{a: c}")));
}

#[test]
fn warnings_of_pods() {
    let warn = |yaml: &str, want: &expect_test::Expect| want.assert_eq(&warnings(yaml));
    warn(
        &pod("{containers: [{name: c, image: x}]}").replace("name: a}", "name: a.b}"),
        &expect![[r#"
        metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]
    "#]],
    );
    warn(
        &with(
            ", ports: [{name: web, containerPort: 80, hostIP: 1.2.3.4}, {name: web, containerPort: 81}]",
            ", dnsConfig: {nameservers: [010.1.2.3, '::FFFF:1.2.3.4']}, hostAliases: [{ip: '2001:DB8::1'}], overhead: \
             {memory: 100m}",
        ),
        &expect![[r#"
            spec.overhead[memory]: fractional byte value "100m" is invalid, must be an integer
            spec.containers[0].ports[0]: hostIP set without hostPort: {Name:web HostPort:0 ContainerPort:80 Protocol:TCP HostIP:1.2.3.4}
            spec.containers[0].ports[1]: duplicate port name "web" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]
            spec.dnsConfig.nameservers[0]: non-standard IP address "010.1.2.3" will be considered invalid in a future Kubernetes release: use "10.1.2.3"
            spec.dnsConfig.nameservers[1]: non-standard IP address "::FFFF:1.2.3.4" will be considered invalid in a future Kubernetes release: use "1.2.3.4"
            spec.hostAliases[0].ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")
        "#]],
    );
    warn(
        &with(
            "",
            ", volumes: [{name: v, configMap: {name: m, items: [{key: a, path: x}, {key: b, path: x/y}]}}, {name: p, \
             projected: {sources: [{secret: {name: s, items: [{key: a, path: x}]}}, {configMap: {name: m, items: [{key: \
             a, path: x}]}}, {}]}}]",
        ),
        &expect![[r#"
            volume "v" (ConfigMap "m"): overlapping paths: "x/y" with "x"
            volume "p" (Projected): overlapping paths: "x" (ConfigMap "m") with "x" (Secret "s")
            volume "p" (Projected) has no sources provided
        "#]],
    );
}

/// What the docs of these volume types give as their defaults, for a pod and for a PersistentVolume.
#[test]
fn volumes_of_disks_have_defaults_of_their_own() {
    let sources = "azureDisk: {diskName: d, diskURI: u}; iscsi: {targetPortal: p, iqn: iqn.2026-01.com.example, lun: 0}; \
                   rbd: {monitors: [m], image: i}; scaleIO: {gateway: g, system: s, volumeName: v, secretRef: {name: x}}";
    let filled = [
        r#"{"cachingMode":"ReadWrite","diskName":"d","diskURI":"u","fsType":"ext4","kind":"Shared","readOnly":false}"#,
        r#"{"iqn":"iqn.2026-01.com.example","iscsiInterface":"default","lun":0,"targetPortal":"p"}"#,
        r#"{"image":"i","keyring":"/etc/ceph/keyring","monitors":["m"],"pool":"rbd","user":"admin"}"#,
        r#"{"fsType":"xfs","gateway":"g","secretRef":{"name":"x"},"storageMode":"ThinProvisioned","system":"s","volumeName":"v"}"#,
    ];
    for (source, filled) in sources.split("; ").zip(filled) {
        let of_pod = created(&with("", &format!(", volumes: [{{name: v, {source}}}]"))).to_value().to_string();
        assert!(of_pod.contains(filled), "{of_pod}");
        let of_volume = created(&format!(
            "{{apiVersion: v1, kind: PersistentVolume, metadata: {{name: a}}, spec: {{capacity: {{storage: 1Gi}}, accessModes: \
             [ReadWriteOnce], {source}}}}}"
        )).to_value().to_string();
        assert!(of_volume.contains(filled), "{of_volume}");
    }
}
