//! `/metrics` of kube-apiserver: what it has answered since it began, and what it holds. In Prometheus' text format and with
//! upstream's names (`apiserver/pkg/endpoints/metrics`, `storage/etcd3/metrics`, `component-base/metrics`). Requests take no
//! virtual time, so there are no durations.

use crate::Cluster;
use api::KindRef;
use apiserver::authn::{ISSUER_PATH, KEYS_PATH};
use apiserver::http::{HttpResponse, NO_CACHE};
use apiserver::{PatchType, Request, RequestVerb};
use meta::Time;
use std::collections::BTreeMap;
use std::fmt::Write;

pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What requests are told apart by; numbers first, so that most comparisons are short.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asked {
    kind_id: u16,
    code: u16,
    dry_run: bool,
    verb: &'static str,
    scope: &'static str,
    subresource: &'static str,
    /// Kinds that are not listed share a number.
    plural: &'static str,
}

/// How often something was asked.
pub(crate) type Counts = BTreeMap<Asked, (KindRef, u64)>;

/// All of a request that is counted, before it is consumed.
pub(crate) fn asked(req: &Request) -> (Asked, KindRef) {
    let verb = match req.verb {
        RequestVerb::Get => "GET",
        RequestVerb::List => "LIST",
        RequestVerb::Watch => "WATCH",
        RequestVerb::Create => "POST",
        RequestVerb::Update => "PUT",
        RequestVerb::Patch(PatchType::Apply) => "APPLY",
        RequestVerb::Patch(_) => "PATCH",
        RequestVerb::Delete => "DELETE",
        RequestVerb::DeleteCollection => "DELETECOLLECTION",
    };
    let verb = match req.subresource {
        "exec" | "attach" | "portforward" | "proxy" => "CONNECT",
        _ => verb,
    };
    // Models `CleanScope`.
    let scope = match (req.name.is_empty() && req.verb != RequestVerb::Create, req.namespace.is_empty()) {
        (false, _) => "resource",
        (true, false) => "namespace",
        (true, true) => "cluster",
    };
    let kind = req.kind;
    let (dry_run, subresource) = (req.options.dry_run, req.subresource);
    let asked = Asked { kind_id: kind.id, code: 0, dry_run, verb, scope, subresource, plural: kind.plural };
    (asked, kind)
}

pub(crate) fn count(counts: &mut Counts, (asked, kind): (Asked, KindRef), code: u16) {
    counts.entry(Asked { code, ..asked }).or_insert((kind, 0)).1 += 1;
}

pub(crate) fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// A sample's labels, in the order of their names; values here hold nothing that would have to be escaped.
pub(crate) fn sample(out: &mut String, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
    let labels: Vec<String> = labels.iter().map(|(k, v)| format!("{k}=\"{v}\"")).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(out, "{name}{labels} {value}");
}

impl Cluster {
    /// What the API server says of itself: `/metrics`, `/metrics/slis`, and who issues its tokens.
    pub(crate) fn telemetry(&self, path: &str) -> Option<HttpResponse> {
        let host = format!("{}:6443", crate::bootstrap::API_SERVER_IP);
        let (content_type, body) = match path.trim_end_matches('/') {
            "/metrics" => (CONTENT_TYPE, self.metrics_text()),
            "/metrics/slis" => (CONTENT_TYPE, slis()),
            ISSUER_PATH => ("application/json", self.api.authn().issuer(&host).to_string()),
            KEYS_PATH => ("application/jwk-set+json", self.api.authn().key_set().to_string()),
            _ => return None,
        };
        // Models `OpenIDMetadataServer`, whose documents may be kept.
        let kept = path.starts_with(ISSUER_PATH) || path.starts_with(KEYS_PATH);
        let cache_control = if kept { "public, max-age=3600" } else { NO_CACHE };
        Some(HttpResponse { code: 200, content_type, cache_control, warnings: Vec::new(), body: body.into_bytes() })
    }

    fn metrics_text(&self) -> String {
        let mut out = String::new();
        self.request_metrics(&mut out);
        self.storage_metrics(&mut out);
        self.process_metrics(&mut out, self.config.start);
        let name = "workqueue_depth";
        head(&mut out, name, "gauge", "[ALPHA] Current depth of workqueue");
        for slot in self.slots().filter(|s| *s.process == *controllers::definitions::PROCESS) {
            sample(&mut out, name, &[("name", slot.component.name())], self.gauge(slot).queued);
        }
        out
    }

    /// What every program of Kubernetes says of itself.
    pub(crate) fn process_metrics(&self, out: &mut String, started: Time) {
        let name = "kubernetes_build_info";
        head(
            out,
            name,
            "gauge",
            "[ALPHA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
        );
        let build = [("compiler", "rustc"), ("git_version", "v1.35.0"), ("major", "1"), ("minor", "35")];
        sample(out, name, &build, 1);
        let name = "process_start_time_seconds";
        head(out, name, "gauge", "[ALPHA] Start time of the process since unix epoch in seconds.");
        sample(out, name, &[], started.as_secs());
    }

    fn request_metrics(&self, out: &mut String) {
        let name = "apiserver_request_total";
        head(
            out,
            name,
            "counter",
            "[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.",
        );
        for (a, (kind, n)) in &self.requests {
            let code = a.code.to_string();
            let labels = [
                ("code", code.as_str()),
                ("component", "apiserver"),
                ("dry_run", if a.dry_run { "All" } else { "" }),
                ("group", kind.group),
                ("resource", kind.plural),
                ("scope", a.scope),
                ("subresource", a.subresource),
                ("verb", a.verb),
                ("version", kind.version),
            ];
            sample(out, name, &labels, n);
        }
    }

    fn storage_metrics(&self, out: &mut String) {
        let stored = || {
            let built_in = api::KINDS.iter().copied().filter(|k| k.stored && k.alias.is_none());
            built_in.chain(self.view.kinds().custom())
        };
        let name = "apiserver_resource_objects";
        head(
            out,
            name,
            "gauge",
            "[ALPHA] Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.",
        );
        for k in stored() {
            sample(out, name, &[("group", k.group), ("resource", k.plural)], self.view.count(k));
        }
        let name = "apiserver_storage_objects";
        head(
            out,
            name,
            "gauge",
            "[STABLE] (Deprecated since 1.34.0) Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.",
        );
        for k in stored() {
            let resource = if k.group.is_empty() { k.plural.to_string() } else { format!("{}.{}", k.plural, k.group) };
            sample(out, name, &[("resource", &resource)], self.view.count(k));
        }
    }
}

fn slis() -> String {
    let mut out = String::new();
    let name = "kubernetes_healthcheck";
    head(&mut out, name, "gauge", "[STABLE] This metric records the result of a single healthcheck.");
    for endpoint in ["healthz", "livez", "readyz"] {
        for check in apiserver::http::health_checks(endpoint) {
            sample(&mut out, name, &[("name", check), ("type", endpoint)], 1);
        }
    }
    out
}
