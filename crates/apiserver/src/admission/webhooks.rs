//! Webhooks: programs outside that are asked about writes. Models `apiserver/pkg/admission/plugin/webhook` and
//! `pkg/util/proxy/service.go`. Whether the program is there, and what it says, is known to whoever has the network
//! ([`Callees`]).

use super::policy::{self, Asked};
use crate::server::Cx;
use api::kinds::webhooks;
use api::{ObjectExt, Registered};
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhook, MutatingWebhookConfiguration, RuleWithOperations, ServiceReference, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::core::v1::Service;
use meta::ApiError;
use std::collections::BTreeMap;

/// How those take a connection that webhooks lead to, by `address:port`: programs there let everything pass as it is, or the
/// words of Go's HTTP client for what went wrong. Who is not named here refuses connections.
pub type Callees = BTreeMap<String, Result<(), String>>;

/// Asks all mutating webhooks that are about such requests.
///
/// # Errors
/// The refusal.
pub(crate) fn mutate(cx: &mut Cx<'_>, asked: &Asked<'_>) -> Result<(), ApiError> {
    let configurations = policy::stored::<MutatingWebhookConfiguration>(cx, "").into_iter();
    let hooks = configurations.flat_map(|c| c.webhooks.iter().flatten()).filter(|h| by_rule(h.rules.as_deref(), asked));
    ask(cx, asked, hooks.cloned())
}

/// Asks all validating webhooks that are about such requests.
///
/// # Errors
/// The first refusal.
pub(crate) fn validate(cx: &mut Cx<'_>, asked: &Asked<'_>) -> Result<(), ApiError> {
    let configurations = policy::stored::<ValidatingWebhookConfiguration>(cx, "").into_iter();
    let hooks = configurations.flat_map(|c| c.webhooks.iter().flatten()).filter(|h| by_rule(h.rules.as_deref(), asked));
    ask(cx, asked, hooks.map(webhooks::as_mutating))
}

/// Most hooks are about other writes: they are not even copied.
fn by_rule(rules: Option<&[RuleWithOperations]>, asked: &Asked<'_>) -> bool {
    rules.into_iter().flatten().any(|r| {
        let what = [&r.operations, &r.api_groups, &r.api_versions, &r.resources];
        policy::is_about(what, r.scope.as_deref(), asked)
    })
}

fn ask(cx: &Cx<'_>, asked: &Asked<'_>, hooks: impl Iterator<Item = MutatingWebhook>) -> Result<(), ApiError> {
    // Nobody can lock themselves out of these.
    if asked.req.kind.group == policy::GROUP {
        return Ok(());
    }
    for hook in hooks {
        let ignores = hook.failure_policy.as_deref() == Some("Ignore");
        match concerns(cx, &hook, asked) {
            Ok(false) => continue,
            Ok(true) => {}
            Err(_) if ignores => continue,
            Err(why) => {
                let kind = asked.req.kind;
                return Err(ApiError::forbidden(kind.group, kind.plural, asked.name(), &why));
            }
        }
        if cx.dry_run && !["None", "NoneOnDryRun"].contains(&hook.side_effects.as_str()) {
            let why = format!("admission webhook {:?} does not support dry run", hook.name);
            return Err(ApiError::bad_request(why));
        }
        match call(cx, &hook) {
            Err(why) if !ignores => {
                let why = format!("failed calling webhook {:?}: failed to call webhook: {why}", hook.name);
                return Err(ApiError::internal(why));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a hook whose rules name the request is about it. Models `ShouldCallHook`; the error is that of a condition.
fn concerns(cx: &Cx<'_>, hook: &MutatingWebhook, asked: &Asked<'_>) -> Result<bool, String> {
    let concerned = policy::namespace_matches(cx, hook.namespace_selector.as_ref(), asked)
        && policy::object_matches(hook.object_selector.as_ref(), asked);
    let conditions = hook.match_conditions.as_deref().unwrap_or_default();
    if !concerned || conditions.is_empty() {
        return Ok(concerned);
    }
    policy::conditions_hold(conditions, &policy::known(cx, None, asked))
}

/// The error is what Go's HTTP client says.
fn call(cx: &Cx<'_>, hook: &MutatingWebhook) -> Result<(), String> {
    let seconds = hook.timeout_seconds.unwrap_or(10);
    let said = |url: &str, why: String| format!("Post \"{url}?timeout={seconds}s\": {why}");
    if let Some(url) = &hook.client_config.url {
        return Err(said(url, outside(url)));
    }
    let Some(service) = &hook.client_config.service else { return Ok(()) };
    let port = service.port.unwrap_or(443);
    let path = service.path.as_deref().unwrap_or("").trim_start_matches('/');
    let url = format!("https://{}.{}.svc:{port}/{path}", service.name, service.namespace);
    let refused = |address: &str| Err(format!("dial tcp {address}: connect: connection refused"));
    let answer = resolve(cx, service, port)
        .and_then(|address| cx.callees.get(&address).cloned().unwrap_or_else(|| refused(&address)));
    answer.map_err(|why| said(&url, why))
}

/// Models `ResolveCluster`: the address that a Service has.
fn resolve(cx: &Cx<'_>, to: &ServiceReference, port: i32) -> Result<String, String> {
    let found = cx.object(Service::KIND_REF, &to.namespace, &to.name);
    let found = found.and_then(|e| e.value.0.downcast::<Service>());
    let spec = found.and_then(|s| s.spec.as_ref()).ok_or_else(|| format!("service {:?} not found", to.name))?;
    let kind = spec.type_.as_deref().unwrap_or("ClusterIP");
    if kind == "ExternalName" {
        // Names outside the cluster lead nowhere.
        return Err(format!("dial tcp: lookup {}: no such host", spec.external_name.as_deref().unwrap_or("")));
    }
    let ip = spec.cluster_ip.as_deref().unwrap_or("");
    if kind == "ClusterIP" && ip == "None" {
        return Err("cannot route to service with ClusterIP \"None\"".into());
    }
    if !spec.ports.iter().flatten().any(|p| p.port == port) {
        return Err(format!("no service port {port} found for service {:?}", to.name));
    }
    Ok(format!("{ip}:{port}"))
}

/// The world outside has none of the programs that somebody may name.
fn outside(url: &str) -> String {
    let authority = url.trim_start_matches("https://").split('/').next().unwrap_or("");
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    if host.chars().all(|c| c.is_ascii_digit() || c == '.') || host.starts_with('[') {
        return "context deadline exceeded".into();
    }
    format!("dial tcp: lookup {host}: no such host")
}
