//! The images the simulated registry has: those that documentation's examples use.

/// `name, size in MB, tools, program, ports, how it answers HTTP, memory in MiB, tags besides versions`
macro_rules! images {
    ($( $name:literal, $size:literal, $tools:ident, $program:literal, [$($port:literal),*], $http:expr, $memory:literal,
        [$($tag:literal),*]; )*) => {
        &[$( Image {
            name: $name,
            tags: &["latest", $($tag),*],
            versions: ANY,
            size_mb: $size,
            tools: Tools::$tools,
            extra: &[],
            entrypoint: &[$program],
            cmd: &[],
            servers: {
                static SERVER: Server =
                    Server { memory_mib: $memory, ..server($program, &[$($port),*], $http, &[]) };
                &[&SERVER]
            },
            env: &[],
            files: &[],
        } ),*]
    };
}

mod courses;
mod kiada;
mod kiamol;
mod korean;
mod lunches;
mod near;
mod popular;
mod release;
mod samples;
pub mod servers;
mod table;
mod tools;

use crate::pod::images::ImageRef;
use courses::{COURSES, OPERATORS};
use kiada::KIADA;
use kiamol::KIAMOL;
use korean::KOREAN;
use lunches::LUNCHES;
pub use near::{distance, near};
use popular::POPULAR;
pub use release::{debian, os_release};
use samples::{SAMPLES, SCRIPTS};
pub use servers::{Http, Server};
use std::collections::BTreeSet;
use table::IMAGES;
use tools::TOOLS;

/// Which programs an image brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tools {
    /// Only its own program: no shell.
    None,
    /// `sh` and busybox's applets.
    Busybox,
    /// `bash` and the GNU tools of a slim Debian: neither `wget` nor `nc` nor `ps`.
    Debian,
}

/// One image of the registry.
#[derive(Clone, Copy, Debug)]
pub struct Image {
    /// `docker.io/library/nginx`
    pub name: &'static str,
    /// Tags by name.
    pub tags: &'static [&'static str],
    /// Version tags: major, and the lowest and highest minor: (1, 7, 29) has `1.25`, `1.25.3` and `1.25-alpine`.
    pub versions: &'static [(u32, u32, u32)],
    pub size_mb: u32,
    pub tools: Tools,
    /// Programs beyond the tools.
    pub extra: &'static [&'static str],
    pub entrypoint: &'static [&'static str],
    pub cmd: &'static [&'static str],
    pub servers: &'static [&'static Server],
    pub env: &'static [(&'static str, &'static str)],
    pub files: &'static [(&'static str, &'static str)],
}

/// Every tag that looks like a version is there.
const ANY: &[(u32, u32, u32)] = &[(u32::MAX, 0, 0)];

/// The words that tags are made of besides versions: `1.25-alpine3.20`, `6.2-php8.2-apache`.
const SUFFIXES: &[&str] = &[
    "alpine",
    "apache",
    "bionic",
    "bookworm",
    "bullseye",
    "buster",
    "cli",
    "debian",
    "focal",
    "fpm",
    "glibc",
    "jammy",
    "jdk",
    "jessie",
    "jre",
    "management",
    "musl",
    "noble",
    "openjdk",
    "oracle",
    "otel",
    "perl",
    "php",
    "slim",
    "stretch",
    "temurin",
    "trixie",
    "ubi",
    "uclibc",
    "unprivileged",
];

fn is_suffix(suffix: &str) -> bool {
    let version = |c: char| c.is_ascii_digit() || c == '.';
    suffix.split('-').all(|word| SUFFIXES.contains(&word.trim_end_matches(version)))
}

/// Images whose `USER` is not root, by their repositories' beginnings. Manifests often ask for that (`runAsNonRoot`).
const USERS: &[(&str, i64)] = &[
    ("apache/kafka", 1000),
    ("argoproj/", 999),
    ("bitnami/", 1001),
    ("brancz/kube-rbac-proxy", 65532),
    ("confluentinc/", 1000),
    ("coredns/coredns", 65532),
    ("dexidp/dex", 1001),
    ("external-dns/external-dns", 65532),
    ("eck/eck-operator", 65532),
    ("fluxcd/", 65534),
    ("grafana/grafana", 472),
    ("grafana/loki", 10001),
    ("hashicorp/http-echo", 65532),
    ("ingress-nginx/controller", 101),
    ("ingress-nginx/kube-webhook-certgen", 65532),
    ("jaegertracing/", 10001),
    ("jetstack/cert-manager", 1000),
    ("jimmidyson/configmap-reload", 65534),
    ("kiali/kiali", 1000),
    ("kiamol/ch13-elasticsearch", 1000),
    ("kube-state-metrics/kube-state-metrics", 65534),
    ("kubebuilder/kube-rbac-proxy", 65532),
    ("library/elasticsearch", 1000),
    ("library/haproxy", 99),
    ("library/memcached", 11211),
    ("library/sonarqube", 1000),
    ("metrics-server/metrics-server", 65534),
    ("nginx/nginx-ingress", 101),
    ("nginxinc/nginx-unprivileged", 101),
    ("oauth2-proxy/oauth2-proxy", 65532),
    ("openpolicyagent/", 65532),
    ("prom/", 65534),
    ("prometheus/", 65534),
    ("prometheus-adapter/", 65534),
    ("prometheus-operator/", 65534),
    ("rabbitmqoperator/cluster-operator", 1000),
    ("sonatype/nexus3", 200),
    ("tigera/operator", 10001),
];

/// The user that an image's processes have unless the pod says otherwise; most are root's.
pub fn user(r: &ImageRef) -> i64 {
    let name = r.repository.as_str();
    if r.tag.contains("nonroot") {
        return 65532;
    }
    if let Some((_, user)) = USERS.iter().find(|(beginning, _)| name.starts_with(beginning)) {
        return *user;
    }
    match name.rsplit('/').next().and_then(|last| last.strip_prefix("examples-bookinfo-")) {
        Some("mongodb" | "mysqldb") | None => 0,
        Some(program) => 1000 + i64::from(program.starts_with("reviews")),
    }
}

/// Why an image cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The registry has no such repository.
    Repository,
    /// The repository has no such tag.
    Tag,
    /// There is no such registry.
    Registry,
    /// The registry gives nothing to strangers.
    Credentials,
}

/// Registries whose host begins with `private.` have what Docker Hub has, for those who come with credentials: any user of
/// an `imagePullSecrets` entry for that host.
pub fn is_private(r: &ImageRef) -> bool {
    r.registry.starts_with("private.")
}

const REGISTRIES: &[&str] = &[
    "docker.io",
    "registry.k8s.io",
    "k8s.gcr.io",
    "gcr.io",
    "quay.io",
    "ghcr.io",
    "mcr.microsoft.com",
    "public.ecr.aws",
    "us-docker.pkg.dev",
    "registry.istio.io",
    "docker.elastic.co",
];

/// # Errors
/// What is missing.
pub fn find(r: &ImageRef) -> Result<&'static Image, Missing> {
    let mut name = r.name();
    if is_private(r) {
        let library = if r.repository.contains('/') { "" } else { "library/" };
        name = format!("docker.io/{library}{}", r.repository);
    }
    // Old names lead to the present ones.
    for (old, new) in [
        ("k8s.gcr.io/", "registry.k8s.io/"),
        ("gcr.io/google_containers/", "registry.k8s.io/"),
        ("gcr.io/google-containers/", "registry.k8s.io/"),
        ("gcr.io/kubernetes-e2e-test-images/", "registry.k8s.io/e2e-test-images/"),
        ("us.gcr.io/k8s-artifacts-prod/", "registry.k8s.io/"),
        ("gcr.io/google_samples/", "gcr.io/google-samples/"),
        ("us-central1-docker.pkg.dev/online-boutique-ci/", "us-central1-docker.pkg.dev/google-samples/"),
        ("gcr.io/google-samples/microservices-demo/", "us-central1-docker.pkg.dev/google-samples/microservices-demo/"),
        ("public.ecr.aws/docker/library/", "docker.io/library/"),
        ("public.ecr.aws/bitnami/", "docker.io/bitnami/"),
        ("docker.io/bitnamilegacy/", "docker.io/bitnami/"),
        ("registry.istio.io/release/", "docker.io/istio/"),
    ] {
        if let Some(rest) = name.strip_prefix(old) {
            name = format!("{new}{rest}");
        }
    }
    // A repository may have several entries, when its tags behave differently.
    let lists = [IMAGES, POPULAR, TOOLS, SAMPLES, SCRIPTS, COURSES, OPERATORS, KIADA, KIAMOL, LUNCHES, KOREAN];
    let mut entries = lists.into_iter().flatten().filter(|i| i.name == name).peekable();
    if entries.peek().is_none() {
        let known = REGISTRIES.contains(&r.registry.as_str()) || r.registry.ends_with(".pkg.dev");
        return Err(if known { Missing::Repository } else { Missing::Registry });
    }
    // A digest says which image it is, whatever the tag.
    entries.find(|i| !r.digest.is_empty() || r.tag.is_empty() || i.has_tag(&r.tag)).ok_or(Missing::Tag)
}

impl Image {
    fn has_tag(&self, tag: &str) -> bool {
        if self.tags.contains(&tag) {
            return true;
        }
        if self.versions == ANY {
            return tag.trim_start_matches(['v', 'V']).starts_with(|c: char| c.is_ascii_digit());
        }
        let (version, suffix) = tag.split_once('-').unwrap_or((tag, ""));
        if !suffix.is_empty() && !is_suffix(suffix) {
            return false;
        }
        if is_suffix(tag) && !self.versions.is_empty() {
            return true;
        }
        let mut numbers = version.strip_prefix('v').unwrap_or(version).split('.').map(str::parse::<u32>);
        let (Some(Ok(major)), minor, rest) = (numbers.next(), numbers.next(), numbers) else { return false };
        if rest.into_iter().any(|n| n.is_err()) {
            return false;
        }
        let mut of_major = self.versions.iter().filter(|v| v.0 == major);
        match minor {
            None => of_major.next().is_some(),
            Some(Ok(m)) => of_major.any(|v| (v.1..=v.2).contains(&m)),
            Some(Err(_)) => false,
        }
    }

    /// The program `name` of this image that serves.
    pub fn server(&self, name: &str) -> Option<&'static Server> {
        self.servers.iter().copied().find(|s| s.program == name)
    }
}

/// containerd's words for an image that cannot be resolved. The kubelet leaves the code of an unknown gRPC error out.
pub fn pull_error(r: &ImageRef, why: Missing) -> String {
    let full = r.full();
    let head = format!("failed to pull and unpack image {full:?}: failed to resolve reference {full:?}: ");
    match why {
        // These let anybody look.
        Missing::Repository if matches!(r.registry.as_str(), "registry.k8s.io" | "k8s.gcr.io" | "gcr.io") => {
            pull_error(r, Missing::Tag)
        }
        Missing::Repository => format!(
            "{head}pull access denied, repository does not exist or may require authorization: \
             server message: insufficient_scope: authorization failed"
        ),
        Missing::Credentials => format!(
            "{head}pull access denied, repository does not exist or may require authorization: \
             authorization failed: no basic auth credentials"
        ),
        Missing::Tag => format!("rpc error: code = NotFound desc = {head}{full}: not found"),
        Missing::Registry => {
            let (host, path, what) = (&r.registry, &r.repository, if r.tag.is_empty() { &r.digest } else { &r.tag });
            format!(
                "{head}failed to do request: Head \"https://{host}/v2/{path}/manifests/{what}\": \
                 dial tcp: lookup {host}: no such host"
            )
        }
    }
}

/// The runtime's words when the image is among those that no registry gives, by its full reference or its repository.
pub fn blocked(list: &BTreeSet<String>, image: &str) -> Option<String> {
    let r = ImageRef::parse(image).ok()?;
    (list.contains(&r.full()) || list.contains(&r.name())).then(|| pull_error(&r, Missing::Tag))
}

/// The files that an image is known to have: its own, and those that every image with such tools has.
pub fn files(reference: &str) -> Vec<(&'static str, String)> {
    let Ok(r) = ImageRef::parse(reference) else { return Vec::new() };
    let Ok(image) = find(&r) else { return Vec::new() };
    let mut out: Vec<(&str, String)> = image.files.iter().map(|(path, text)| (*path, (*text).to_string())).collect();
    if let Some((users, groups)) = super::owners::accounts(image.tools) {
        out.extend([("/etc/passwd", users.into()), ("/etc/group", groups.into())]);
    }
    out.extend(os_release(image, &r.tag).map(|text| ("/etc/os-release", text)));
    out
}

/// Where a container of the image begins, unless its pod says so.
pub fn working_dir<'a>(said: &'a str, image: &Image) -> &'a str {
    match said {
        "" if image.server("apache2-foreground").is_some() => "/var/www/html",
        "" => "/",
        said => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(image: &str) -> Result<&'static str, Missing> {
        ImageRef::parse(image).map_err(|_| Missing::Repository).and_then(|r| find(&r)).map(|i| i.name)
    }

    #[test]
    fn documentations_images_are_there_and_typos_are_not() {
        for image in [
            "nginx",
            "nginx:1.14.2",
            "nginx:1.16.1",
            "nginx:1.7.9",
            "nginx:1.21",
            "nginx:1.25-alpine",
            "nginx:alpine",
            "httpd:2.4",
            "redis:5.0.4",
            "redis:7-alpine",
            "busybox:1.28",
            "busybox:1.36.1",
            "alpine:3.20",
            "mysql:8.0",
            "mysql:5.6",
            "postgres:16",
            "mongo:4.0.8",
            "perl:5.34.0",
            "python:3.12-slim",
            "wordpress:6.2.1-apache",
            "gcr.io/google-samples/hello-app:1.0",
            "gcr.io/google-samples/hello-app:2.0",
            "us-docker.pkg.dev/google-samples/containers/gke/hello-app:1.0",
            "registry.k8s.io/pause:3.10",
            "registry.k8s.io/e2e-test-images/agnhost:2.40",
            "registry.k8s.io/hpa-example",
            "k8s.gcr.io/nginx-slim:0.8",
            "registry.k8s.io/nginx-slim:0.24",
            "quay.io/fluentd_elasticsearch/fluentd:v2.5.2",
            "gcr.io/google-samples/kubernetes-bootcamp:v1",
            "registry.k8s.io/busybox",
            "registry.k8s.io/busybox:1.27.2",
            "gcr.io/google-samples/gb-frontend:v5",
            "registry.k8s.io/e2e-test-images/nginx:1.14-2",
            "docker.io/redis:6.0.5",
            "gcr.io/google-samples/hello-go-gke:1.0",
            "gcr.io/google-samples/hello-frontend:1.0",
            "bprashanth/nginxhttps:1.0",
            "hashicorp/http-echo:1.0",
            "registry.k8s.io/goproxy:0.1",
            "docker.io/alpine/socat:1.8.0.3",
            "wordpress:5-php8.0-apache",
            "rabbitmq:3.6.8-management",
            "busybox:1.38.0@sha256:fd8d9aa63ba2f0982b5304e1ee8d3b90a210bc1ffb5314d980eb6962f1a9715d",
            "us-central1-docker.pkg.dev/online-boutique-ci/microservices-demo/frontend:v0.10.6",
            "gcr.io/google-samples/microservices-demo/cartservice:v0.3.9",
            "gcr.io/kubernetes-e2e-test-images/dnsutils:1.3",
            "radial/busyboxplus:curl",
            "public.ecr.aws/docker/library/busybox:latest",
            "quay.io/crio/artifact:v2",
            "infoblox/dnstools",
            "lachlanevenson/k8s-kubectl:v1.23.2",
            "progrium/stress",
            "dgkanatsios/simpleapp",
            "prom/prometheus:v2.30.3",
            "grafana/grafana",
        ] {
            assert!(has(image).is_ok(), "{image}: {:?}", has(image));
        }
        assert_eq!(has("nginx:1.161"), Err(Missing::Tag));
        assert_eq!(has("nginx:1.91"), Err(Missing::Tag));
        assert_eq!(has("nginx:1.25-alpin"), Err(Missing::Tag));
        assert_eq!(has("prom/prometheus:latst"), Err(Missing::Tag));
        assert_eq!(has("nginxx"), Err(Missing::Repository));
        assert_eq!(has("registry.example.com/a"), Err(Missing::Registry));
    }

    #[test]
    fn failures_read_as_containerds() {
        let message = |image: &str| {
            let r = ImageRef::parse(image).unwrap();
            pull_error(&r, find(&r).unwrap_err())
        };
        assert_eq!(
            message("nosuch"),
            "failed to pull and unpack image \"docker.io/library/nosuch:latest\": failed to resolve reference \
             \"docker.io/library/nosuch:latest\": pull access denied, repository does not exist or may require \
             authorization: server message: insufficient_scope: authorization failed"
        );
        assert_eq!(
            message("registry.k8s.io/nosuch:1"),
            "rpc error: code = NotFound desc = failed to pull and unpack image \"registry.k8s.io/nosuch:1\": failed to \
             resolve reference \"registry.k8s.io/nosuch:1\": registry.k8s.io/nosuch:1: not found"
        );
        assert_eq!(
            message("nginx:1.161"),
            "rpc error: code = NotFound desc = failed to pull and unpack image \"docker.io/library/nginx:1.161\": \
             failed to resolve reference \"docker.io/library/nginx:1.161\": docker.io/library/nginx:1.161: not found"
        );
    }
}
