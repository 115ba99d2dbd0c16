//! CoreDNS as kubeadm installs it. Models `cmd/kubeadm/app/phases/addons/dns/manifests.go`.

use super::manifests::COREDNS;
use api::Object;
use network::policy::DNS_ADDRESS;
use serde_json::{Value, json};

const COREFILE: &str = "\
.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
";

pub fn all() -> Vec<Box<dyn Object>> {
    let read = |value: Value| {
        let kind = api::KINDS.iter().find(|k| k.kind == value["kind"] && k.api_version() == value["apiVersion"])?;
        kind.from_value(value).ok()
    };
    coredns().into_iter().filter_map(read).collect()
}

fn coredns() -> [Value; 6] {
    let rbac = "rbac.authorization.k8s.io";
    let (rbac_v1, name) = (format!("{rbac}/v1"), json!({ "name": "system:coredns" }));
    let own = json!({ "name": "coredns", "namespace": "kube-system" });
    let labels = json!({ "k8s-app": "kube-dns" });
    let rule = |group: &str, resources: &[&str]| json!({ "apiGroups": [group], "resources": resources, "verbs": ["list", "watch"] });
    let port = |name: &str, port: u16, protocol: &str| json!({ "name": name, "port": port, "protocol": protocol, "targetPort": port });
    [
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": own, "data": { "Corefile": COREFILE } }),
        json!({
            "apiVersion": rbac_v1, "kind": "ClusterRole", "metadata": name,
            "rules": [
                rule("", &["endpoints", "services", "pods", "namespaces"]),
                rule("discovery.k8s.io", &["endpointslices"]),
            ],
        }),
        json!({
            "apiVersion": rbac_v1, "kind": "ClusterRoleBinding", "metadata": name,
            "roleRef": { "apiGroup": rbac, "kind": "ClusterRole", "name": "system:coredns" },
            "subjects": [{ "kind": "ServiceAccount", "name": "coredns", "namespace": "kube-system" }],
        }),
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": own }),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": "coredns", "namespace": "kube-system", "labels": labels },
            "spec": {
                "replicas": 2,
                "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 1 } },
                "selector": { "matchLabels": labels },
                "template": { "metadata": { "labels": labels }, "spec": pod() },
            },
        }),
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {
                "name": "kube-dns", "namespace": "kube-system",
                "labels": {
                    "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS",
                },
                "annotations": { "prometheus.io/port": "9153", "prometheus.io/scrape": "true" },
            },
            "spec": {
                "clusterIP": DNS_ADDRESS, "selector": labels,
                "ports": [port("dns", 53, "UDP"), port("dns-tcp", 53, "TCP"), port("metrics", 9153, "TCP")],
            },
        }),
    ]
}

fn pod() -> Value {
    let port =
        |name: &str, port: u16, protocol: &str| json!({ "name": name, "containerPort": port, "protocol": protocol });
    let get = |path: &str, port: &str| json!({ "path": path, "port": port, "scheme": "HTTP" });
    let spread = json!({
        "labelSelector": { "matchExpressions": [{ "key": "k8s-app", "operator": "In", "values": ["kube-dns"] }] },
        "topologyKey": "kubernetes.io/hostname",
    });
    let preferred = json!([{ "weight": 100, "podAffinityTerm": spread }]);
    json!({
        "priorityClassName": "system-cluster-critical",
        "serviceAccountName": "coredns",
        "affinity": { "podAntiAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": preferred } },
        "tolerations": [
            { "key": "CriticalAddonsOnly", "operator": "Exists" },
            { "key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule" },
        ],
        "nodeSelector": { "kubernetes.io/os": "linux" },
        "containers": [{
            "name": "coredns",
            "image": COREDNS,
            "imagePullPolicy": "IfNotPresent",
            "resources": { "limits": { "memory": "170Mi" }, "requests": { "cpu": "100m", "memory": "70Mi" } },
            "args": ["-conf", "/etc/coredns/Corefile"],
            "volumeMounts": [{ "name": "config-volume", "mountPath": "/etc/coredns", "readOnly": true }],
            "ports": [
                port("dns", 53, "UDP"), port("dns-tcp", 53, "TCP"), port("metrics", 9153, "TCP"),
                port("liveness-probe", 8080, "TCP"), port("readiness-probe", 8181, "TCP"),
            ],
            "livenessProbe": {
                "httpGet": get("/health", "liveness-probe"), "initialDelaySeconds": 60, "timeoutSeconds": 5,
                "successThreshold": 1, "failureThreshold": 5,
            },
            "readinessProbe": { "httpGet": get("/ready", "readiness-probe") },
            "securityContext": {
                "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                "capabilities": { "add": ["NET_BIND_SERVICE"], "drop": ["ALL"] },
            },
        }],
        "dnsPolicy": "Default",
        "volumes": [{
            "name": "config-volume",
            "configMap": { "name": "coredns", "items": [{ "key": "Corefile", "path": "Corefile" }] },
        }],
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_of_them_can_be_read() {
        assert_eq!(super::all().len(), super::coredns().len());
    }
}
