//! What `/etc/kubernetes/manifests` holds. Models `cmd/kubeadm/app/phases/{controlplane/manifests.go,etcd/local.go}` and
//! `cmd/kubeadm/app/util/staticpod`.

use super::NODE;
use crate::bootstrap::API_SERVER_IP;
use k8s_openapi::api::core::v1::Pod;
use kubelet::statics::Manifests;
use serde_json::{Value, json};
use std::sync::Arc;

const API_SERVER: &str = "registry.k8s.io/kube-apiserver:v1.35.0";
const CONTROLLER_MANAGER: &str = "registry.k8s.io/kube-controller-manager:v1.35.0";
const SCHEDULER: &str = "registry.k8s.io/kube-scheduler:v1.35.0";
const ETCD: &str = "registry.k8s.io/etcd:3.6.6-0";
pub const COREDNS: &str = "registry.k8s.io/coredns/coredns:v1.13.1";
pub const IMAGES: [&str; 5] = [API_SERVER, CONTROLLER_MANAGER, SCHEDULER, ETCD, COREDNS];

const PKI: &str = "/etc/kubernetes/pki";
const PROBE_PORT: &str = "probe-port";

pub fn all() -> Manifests {
    let pods = [etcd(), api_server(), controller_manager(), scheduler()];
    let file = |p: &Value| format!("/etc/kubernetes/manifests/{}.yaml", p["metadata"]["name"].as_str().unwrap_or(""));
    let read = |p: Value| Some((file(&p), Arc::new(serde_json::from_value::<Pod>(p).ok()?)));
    pods.into_iter().filter_map(read).collect()
}

/// One component: its program with sorted flags, and what differs between them.
struct Component {
    name: &'static str,
    image: &'static str,
    flags: Vec<(&'static str, String)>,
    port: u16,
    scheme: &'static str,
    /// Of the liveness, the readiness and the startup probe.
    paths: [Option<&'static str>; 3],
    requests: Value,
    /// Name, path, whether it is a file, and whether it is only read.
    mounts: Vec<(&'static str, String, bool, bool)>,
    annotations: Value,
}

impl Component {
    /// Models `ComponentPod`.
    fn pod(self) -> Value {
        let mut command = vec![self.name.to_string()];
        let mut flags = self.flags;
        flags.sort();
        command.extend(flags.iter().map(|(name, value)| format!("--{name}={value}")));
        let host = if self.name == "kube-apiserver" { API_SERVER_IP } else { "127.0.0.1" };
        let get = |path: &str| json!({ "host": host, "path": path, "port": PROBE_PORT, "scheme": self.scheme });
        let probe = |path: &str, delay: u32, period: u32, failures: u32| {
            json!({
                "httpGet": get(path), "initialDelaySeconds": delay, "periodSeconds": period, "timeoutSeconds": 15,
                "failureThreshold": failures,
            })
        };
        let [liveness, readiness, startup] = self.paths;
        let mounts: Vec<Value> = self.mounts.iter().map(|(name, path, _, read_only)| {
            json!({ "name": name, "mountPath": path, "readOnly": read_only.then_some(true) })
        }).collect();
        let volumes: Vec<Value> = self
            .mounts
            .iter()
            .map(|(name, path, is_file, _)| {
                let kind = if *is_file { "FileOrCreate" } else { "DirectoryOrCreate" };
                json!({ "name": name, "hostPath": { "path": path, "type": kind } })
            })
            .collect();
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": self.name, "namespace": "kube-system", "annotations": self.annotations,
                "labels": { "component": self.name, "tier": "control-plane" },
            },
            "spec": {
                "containers": [{
                    "name": self.name, "image": self.image, "imagePullPolicy": "IfNotPresent", "command": command,
                    "ports": [{ "name": PROBE_PORT, "containerPort": self.port, "protocol": "TCP" }],
                    "livenessProbe": liveness.map(|p| probe(p, 10, 10, 8)),
                    "readinessProbe": readiness.map(|p| probe(p, 0, 1, 3)),
                    "startupProbe": startup.map(|p| probe(p, 10, 10, 24)),
                    "resources": { "requests": self.requests },
                    "volumeMounts": mounts,
                }],
                "hostNetwork": true, "priority": 2_000_001_000, "priorityClassName": "system-node-critical",
                "securityContext": { "seccompProfile": { "type": "RuntimeDefault" } },
                "volumes": volumes,
            },
        })
    }
}

fn flags(list: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    list.iter().map(|(name, value)| (*name, (*value).to_string())).collect()
}

fn in_pki(file: &str) -> String {
    format!("{PKI}/{file}")
}

fn etcd() -> Value {
    let url = |port: u16| format!("https://{API_SERVER_IP}:{port}");
    let mut list = flags(&[
        ("client-cert-auth", "true"),
        ("data-dir", "/var/lib/etcd"),
        ("feature-gates", "InitialCorruptCheck=true"),
        ("listen-metrics-urls", "http://127.0.0.1:2381"),
        ("name", NODE),
        ("peer-client-cert-auth", "true"),
        ("snapshot-count", "10000"),
        ("watch-progress-notify-interval", "5s"),
    ]);
    list.extend([
        ("advertise-client-urls", url(2379)),
        ("cert-file", in_pki("etcd/server.crt")),
        ("initial-advertise-peer-urls", url(2380)),
        ("initial-cluster", format!("{NODE}={}", url(2380))),
        ("key-file", in_pki("etcd/server.key")),
        ("listen-client-urls", format!("https://127.0.0.1:2379,{}", url(2379))),
        ("listen-peer-urls", url(2380)),
        ("peer-cert-file", in_pki("etcd/peer.crt")),
        ("peer-key-file", in_pki("etcd/peer.key")),
        ("peer-trusted-ca-file", in_pki("etcd/ca.crt")),
        ("trusted-ca-file", in_pki("etcd/ca.crt")),
    ]);
    Component {
        name: "etcd",
        image: ETCD,
        flags: list,
        port: 2381,
        scheme: "HTTP",
        paths: [Some("/livez"), Some("/readyz"), Some("/readyz")],
        requests: json!({ "cpu": "100m", "memory": "100Mi" }),
        mounts: vec![("etcd-data", "/var/lib/etcd".into(), false, false), ("etcd-certs", in_pki("etcd"), false, false)],
        annotations: json!({ "kubeadm.kubernetes.io/etcd.advertise-client-urls": url(2379) }),
    }
    .pod()
}

fn certificates() -> Vec<(&'static str, String, bool, bool)> {
    [
        ("ca-certs", "/etc/ssl/certs"),
        ("etc-ca-certificates", "/etc/ca-certificates"),
        ("k8s-certs", PKI),
        ("usr-local-share-ca-certificates", "/usr/local/share/ca-certificates"),
        ("usr-share-ca-certificates", "/usr/share/ca-certificates"),
    ]
    .map(|(name, path)| (name, path.to_string(), false, true))
    .into()
}

fn api_server() -> Value {
    let mut list = flags(&[
        ("advertise-address", API_SERVER_IP),
        ("allow-privileged", "true"),
        ("authorization-mode", "Node,RBAC"),
        ("enable-admission-plugins", "NodeRestriction"),
        ("enable-bootstrap-token-auth", "true"),
        ("etcd-servers", "https://127.0.0.1:2379"),
        ("kubelet-preferred-address-types", "InternalIP,ExternalIP,Hostname"),
        ("requestheader-allowed-names", "front-proxy-client"),
        ("requestheader-extra-headers-prefix", "X-Remote-Extra-"),
        ("requestheader-group-headers", "X-Remote-Group"),
        ("requestheader-username-headers", "X-Remote-User"),
        ("secure-port", "6443"),
        ("service-account-issuer", "https://kubernetes.default.svc.cluster.local"),
        ("service-cluster-ip-range", "10.96.0.0/12"),
    ]);
    let files = [
        ("client-ca-file", "ca.crt"),
        ("etcd-cafile", "etcd/ca.crt"),
        ("etcd-certfile", "apiserver-etcd-client.crt"),
        ("etcd-keyfile", "apiserver-etcd-client.key"),
        ("kubelet-client-certificate", "apiserver-kubelet-client.crt"),
        ("kubelet-client-key", "apiserver-kubelet-client.key"),
        ("proxy-client-cert-file", "front-proxy-client.crt"),
        ("proxy-client-key-file", "front-proxy-client.key"),
        ("requestheader-client-ca-file", "front-proxy-ca.crt"),
        ("service-account-key-file", "sa.pub"),
        ("service-account-signing-key-file", "sa.key"),
        ("tls-cert-file", "apiserver.crt"),
        ("tls-private-key-file", "apiserver.key"),
    ];
    list.extend(files.map(|(name, file)| (name, in_pki(file))));
    Component {
        name: "kube-apiserver",
        image: API_SERVER,
        flags: list,
        port: 6443,
        scheme: "HTTPS",
        paths: [Some("/livez"), Some("/readyz"), Some("/livez")],
        requests: json!({ "cpu": "250m" }),
        mounts: certificates(),
        annotations: json!({
            "kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint": format!("{API_SERVER_IP}:6443"),
        }),
    }
    .pod()
}

fn controller_manager() -> Value {
    let config = "/etc/kubernetes/controller-manager.conf";
    let mut list = flags(&[
        ("allocate-node-cidrs", "true"),
        ("authentication-kubeconfig", config),
        ("authorization-kubeconfig", config),
        ("bind-address", "127.0.0.1"),
        ("cluster-cidr", "10.244.0.0/16"),
        ("cluster-name", "kubernetes"),
        ("controllers", "*,bootstrapsigner,tokencleaner"),
        ("kubeconfig", config),
        ("leader-elect", "true"),
        ("service-cluster-ip-range", "10.96.0.0/12"),
        ("use-service-account-credentials", "true"),
    ]);
    let files = [
        ("client-ca-file", "ca.crt"),
        ("cluster-signing-cert-file", "ca.crt"),
        ("cluster-signing-key-file", "ca.key"),
        ("requestheader-client-ca-file", "front-proxy-ca.crt"),
        ("root-ca-file", "ca.crt"),
        ("service-account-private-key-file", "sa.key"),
    ];
    list.extend(files.map(|(name, file)| (name, in_pki(file))));
    let mut mounts = certificates();
    mounts.push(("flexvolume-dir", "/usr/libexec/kubernetes/kubelet-plugins/volume/exec".into(), false, false));
    mounts.push(("kubeconfig", config.into(), true, true));
    Component {
        name: "kube-controller-manager",
        image: CONTROLLER_MANAGER,
        flags: list,
        port: 10257,
        scheme: "HTTPS",
        paths: [Some("/healthz"), None, Some("/healthz")],
        requests: json!({ "cpu": "200m" }),
        mounts,
        annotations: json!({}),
    }
    .pod()
}

fn scheduler() -> Value {
    let config = "/etc/kubernetes/scheduler.conf";
    let list = flags(&[
        ("authentication-kubeconfig", config),
        ("authorization-kubeconfig", config),
        ("bind-address", "127.0.0.1"),
        ("kubeconfig", config),
        ("leader-elect", "true"),
    ]);
    Component {
        name: "kube-scheduler",
        image: SCHEDULER,
        flags: list,
        port: 10259,
        scheme: "HTTPS",
        paths: [Some("/livez"), Some("/readyz"), Some("/livez")],
        requests: json!({ "cpu": "100m" }),
        mounts: vec![("kubeconfig", config.into(), true, true)],
        annotations: json!({}),
    }
    .pod()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubelet_takes_all_of_them() {
        let all = all();
        let files: Vec<&str> = all.keys().map(String::as_str).collect();
        assert_eq!(
            files,
            [
                "/etc/kubernetes/manifests/etcd.yaml",
                "/etc/kubernetes/manifests/kube-apiserver.yaml",
                "/etc/kubernetes/manifests/kube-controller-manager.yaml",
                "/etc/kubernetes/manifests/kube-scheduler.yaml",
            ]
        );
        for (file, pod) in &all {
            kubelet::statics::read(pod, file, NODE).expect(file);
        }
    }
}
