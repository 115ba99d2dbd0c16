//! Images of tools and languages: they start a shell, or what the pod says.

use super::{ANY, Image, Tools};

macro_rules! images {
    ($( $name:literal, $size:literal, $tools:ident, [$($entry:literal),*] [$($cmd:literal),*], [$($extra:literal),*],
        [$($tag:literal),*]; )*) => {
        &[$( Image {
            name: $name,
            tags: &["latest", $($tag),*],
            versions: ANY,
            size_mb: $size,
            tools: Tools::$tools,
            extra: &[$($extra),*],
            entrypoint: &[$($entry),*],
            cmd: &[$($cmd),*],
            servers: &[],
            env: &[],
            files: &[],
        } ),*]
    };
}

/// `name, size in MB, tools, entrypoint and command, further programs, tags besides versions`
pub static TOOLS: &[Image] = images! {
    "docker.io/library/php", 180, Debian, [] ["php", "-a"], ["php"], ["cli", "alpine"];
    "docker.io/library/rust", 550, Debian, [] ["bash"], ["cargo", "rustc", "curl", "wget"], ["slim", "alpine"];
    "docker.io/library/maven", 250, Debian, [] ["mvn"], ["mvn", "java", "curl"], [];
    "docker.io/library/gradle", 350, Debian, [] ["gradle"], ["gradle", "java", "curl"], [];
    "docker.io/library/eclipse-temurin", 150, Debian, [] ["jshell"], ["java", "curl"], ["17-jre", "21-jre", "17-jre-alpine"];
    "docker.io/library/amazonlinux", 60, Debian, [] ["/bin/bash"], ["curl"], [];
    "docker.io/library/rockylinux", 70, Debian, [] ["/bin/bash"], ["curl"], [];
    "docker.io/library/almalinux", 70, Debian, [] ["/bin/bash"], ["curl"], [];
    "docker.io/library/oraclelinux", 90, Debian, [] ["/bin/bash"], ["curl"], [];
    "docker.io/mstormo/suse", 90, Debian, [] [], [], [];
    "docker.io/library/docker", 130, Busybox, [] ["sh"], ["docker"], ["dind", "cli"];
    "docker.io/library/buildpack-deps", 300, Debian, [] ["bash"], ["curl", "wget", "git"], ["curl", "bookworm", "jammy"];
    "docker.io/alpine/git", 20, Busybox, ["git"] [], ["git"], [];
    "docker.io/alpine/curl", 5, Busybox, ["/entrypoint.sh"] ["curl"], ["curl"], [];
    "docker.io/alpine/k8s", 250, Busybox, [] ["bash"], ["kubectl", "curl", "bash"], [];
    "docker.io/minio/mc", 25, Busybox, ["mc"] [], ["mc"], [];
    "quay.io/minio/mc", 25, Busybox, ["mc"] [], ["mc"], [];
    "docker.io/appropriate/curl", 3, Busybox, ["curl"] [], ["curl"], [];
    "docker.io/byrnedo/alpine-curl", 3, Busybox, ["curl"] [], ["curl"], [];
    "docker.io/yauritux/busybox-curl", 10, Busybox, [] ["sh"], ["curl"], [];
    "docker.io/tutum/dnsutils", 80, Debian, [] ["bash"], ["nslookup", "dig", "host"], [];
    "docker.io/bitnami/kubectl", 60, Debian, ["kubectl"] [], ["kubectl"], [];
    "docker.io/lachlanevenson/k8s-kubectl", 20, Busybox, ["kubectl"] [], ["kubectl"], [];
    "docker.io/infoblox/dnstools", 10, Busybox, [] ["/bin/sh"], ["dig", "host", "nslookup", "curl", "jq"], [];
    "docker.io/progrium/stress", 90, Debian, ["/usr/bin/stress", "--verbose"] [], ["stress", "/usr/bin/stress"], [];
    "docker.io/google/cloud-sdk", 900, Debian, [] ["bash"], ["gcloud", "kubectl", "curl"], ["slim", "alpine"];
    "docker.io/nvidia/cuda", 1200, Debian, [] ["/bin/bash"], ["nvidia-smi"], [];
    "docker.io/pytorch/pytorch", 3000, Debian, [] ["/bin/bash"], ["python", "python3"], [];
    "docker.io/tensorflow/tensorflow", 600, Debian, [] ["/bin/bash"], ["python", "python3"], ["latest-gpu"];
    "registry.k8s.io/e2e-test-images/dnsutils", 110, Busybox, [] ["sleep", "infinity"], ["dig", "host"], [];
    "registry.k8s.io/e2e-test-images/nonewprivs", 5, Busybox, [] ["/nnp"], ["/nnp"], [];
    "registry.k8s.io/debian-base", 20, Debian, [] ["/bin/bash"], [], [];
    "registry.k8s.io/kubectl", 30, None, ["kubectl"] [], ["kubectl"], [];
    "registry.k8s.io/ubuntu-slim", 25, Debian, [] ["/bin/bash"], [], [];
    "gcr.io/distroless/static", 1, None, [] [], [], ["nonroot", "debug"];
    "gcr.io/distroless/static-debian12", 1, None, [] [], [], ["nonroot"];
    "gcr.io/distroless/base", 8, None, [] [], [], ["nonroot", "debug"];
    "mcr.microsoft.com/dotnet/runtime", 70, Debian, [] [], ["dotnet"], [];
    "mcr.microsoft.com/azure-cli", 400, Busybox, [] ["bash"], ["az", "curl", "bash"], [];
    "public.ecr.aws/amazonlinux/amazonlinux", 60, Debian, [] ["/bin/bash"], ["curl"], [];
    "quay.io/centos/centos", 76, Debian, [] ["/bin/bash"], ["curl"], ["stream9", "stream8"];
    "quay.io/fedora/fedora", 60, Debian, [] ["/bin/bash"], ["curl"], [];
    "docker.io/luksa/batch-job", 2, Busybox, [] ["sh", "-c", "echo \"$(date) Batch job starting\"; sleep 120; echo \"$(date) Finished succesfully\""], [], [];
    "docker.io/tutum/curl", 90, Debian, [] ["/bin/bash"], ["curl"], [];
    "docker.io/giantswarm/tiny-tools", 40, Busybox, [] ["sh"], ["curl", "dig", "bash"], [];
    "docker.io/calico/cni", 90, Busybox, ["/opt/cni/bin/install"] [], ["/opt/cni/bin/install"], [];
    "registry.k8s.io/ingress-nginx/kube-webhook-certgen", 20, None, ["/kube-webhook-certgen"] [], ["/kube-webhook-certgen"], [];
    "docker.io/jettech/kube-webhook-certgen", 15, None, ["/kube-webhook-certgen"] [], ["/kube-webhook-certgen"], [];
    "docker.io/flannel/flannel-cni-plugin", 5, Busybox, [] [], [], [];
};
