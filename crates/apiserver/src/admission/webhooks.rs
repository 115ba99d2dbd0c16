//! Webhooks: programs outside that are asked about writes. Models `apiserver/pkg/admission/plugin/webhook`. Whether the
//! program is there, and what it says, is known to whoever has the network ([`Callees`]).

pub(crate) mod call;
mod review;

pub use call::{At, Call, Callees, Caller, Said, Target, Trust, WAITS, resolve};

use super::policy::{self, Asked};
use crate::request::Request;
use crate::server::Cx;
use api::Object;
use api::decode::syntax;
use api::kinds::webhooks;
use call::Outcome;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhook, MutatingWebhookConfiguration, RuleWithOperations, ValidatingWebhookConfiguration,
};
use meta::ApiError;
use review::Verdict;
use serde_json::Value;
use std::collections::BTreeSet;

/// What has been called in one request. Models `webhookReinvokeContext`; a hook is named by its place.
#[derive(Default)]
pub(crate) struct Rounds {
    /// The second round has begun: only who is named here is asked.
    again: Option<BTreeSet<usize>>,
    /// Those with `reinvocationPolicy: IfNeeded` since the last change.
    called: BTreeSet<usize>,
    /// Those of before it.
    due: BTreeSet<usize>,
}

impl Rounds {
    fn changed(&mut self) {
        self.due.append(&mut self.called);
    }

    /// Begins the second round; `touched`: others have changed the object, too.
    pub fn again(&mut self, touched: bool) {
        if touched {
            self.changed();
        }
        self.again = Some(std::mem::take(&mut self.due));
    }
}

/// What mutating webhooks may change.
pub(crate) enum Subject<'a> {
    /// There is nothing but the old object.
    Nothing,
    Object(&'a mut Box<dyn Object>),
    /// See [`Asked::body`].
    Body(&'a mut Value),
}

/// What there was before, in the forms that [`Asked`] has it in.
pub(crate) type Before<'a> = (Option<&'a dyn Object>, Option<&'a Value>);

impl Subject<'_> {
    fn asked<'s>(&'s self, (req, operation): (&'s Request, &'static str), before: Before<'s>) -> Asked<'s> {
        let (new, body) = match self {
            Subject::Nothing => (None, None),
            Subject::Object(o) => (Some(&***o), None),
            Subject::Body(body) => (None, Some(&**body)),
        };
        Asked { req, operation, new, old: before.0, body, old_body: before.1 }
    }

    /// Whether it has changed.
    fn become_like(&mut self, tree: Value) -> Result<bool, ApiError> {
        match self {
            Subject::Nothing => Ok(false),
            Subject::Object(o) => {
                let kind = o.kind();
                let mut patched = kind.from_value(tree).map_err(ApiError::internal)?;
                (kind.default)(&mut *patched);
                let differs = !patched.equals(&***o);
                **o = patched;
                Ok(differs)
            }
            Subject::Body(body) => {
                let differs = **body != tree;
                **body = tree;
                Ok(differs)
            }
        }
    }
}

/// Asks all mutating webhooks that are about such requests. Whether one has changed the object. Models
/// `mutatingDispatcher.Dispatch`.
///
/// # Errors
/// The refusal.
pub(crate) fn mutate(
    cx: &mut Cx<'_>,
    what: (&Request, &'static str),
    mut subject: Subject<'_>,
    before: Before<'_>,
    rounds: &mut Rounds,
) -> Result<bool, ApiError> {
    let configurations = policy::stored::<MutatingWebhookConfiguration>(cx, "").into_iter();
    let asked = subject.asked(what, before);
    let hooks =
        configurations.flat_map(|c| c.webhooks.iter().flatten()).filter(|h| by_rule(h.rules.as_deref(), &asked));
    let hooks: Vec<MutatingWebhook> = hooks.cloned().collect();
    let mut changed = false;
    for (i, hook) in hooks.into_iter().enumerate() {
        let asked = subject.asked(what, before);
        if !concerns(cx, &hook, &asked)? || rounds.again.as_ref().is_some_and(|due| !due.contains(&i)) {
            continue;
        }
        if let Some(verdict) = ask(cx, &hook, &asked, true)?
            && let Some(tree) = patched(&hook, &asked, &verdict)?
            && subject.become_like(tree)?
        {
            changed = true;
            rounds.changed();
        }
        if hook.reinvocation_policy.as_deref() == Some("IfNeeded") {
            rounds.called.insert(i);
        }
    }
    Ok(changed)
}

/// Asks all validating webhooks that are about such requests.
///
/// # Errors
/// The first refusal.
pub(crate) fn validate(cx: &mut Cx<'_>, asked: &Asked<'_>) -> Result<(), ApiError> {
    let configurations = policy::stored::<ValidatingWebhookConfiguration>(cx, "").into_iter();
    let hooks = configurations.flat_map(|c| c.webhooks.iter().flatten()).filter(|h| by_rule(h.rules.as_deref(), asked));
    for hook in hooks.map(webhooks::as_mutating).collect::<Vec<_>>() {
        if concerns(cx, &hook, asked)? {
            ask(cx, &hook, asked, false)?;
        }
    }
    Ok(())
}

/// Most hooks are about other writes: they are not even copied. Nobody can lock themselves out of the configurations.
fn by_rule(rules: Option<&[RuleWithOperations]>, asked: &Asked<'_>) -> bool {
    asked.req.kind.group != policy::GROUP
        && rules.into_iter().flatten().any(|r| {
            let what = [&r.operations, &r.api_groups, &r.api_versions, &r.resources];
            policy::is_about(what, r.scope.as_deref(), asked)
        })
}

fn ignores(hook: &MutatingWebhook) -> bool {
    hook.failure_policy.as_deref() == Some("Ignore")
}

/// Whether a hook whose rules name the request is about it. Models `ShouldCallHook`; the error is that of a condition.
fn concerns(cx: &Cx<'_>, hook: &MutatingWebhook, asked: &Asked<'_>) -> Result<bool, ApiError> {
    let concerned = policy::namespace_matches(cx, hook.namespace_selector.as_ref(), asked)
        && policy::object_matches(hook.object_selector.as_ref(), asked);
    let conditions = hook.match_conditions.as_deref().unwrap_or_default();
    if !concerned || conditions.is_empty() {
        return Ok(concerned);
    }
    match policy::conditions_hold(conditions, &policy::known(cx, None, asked)) {
        Ok(hold) => Ok(hold),
        Err(_) if ignores(hook) => Ok(false),
        Err(why) => {
            let kind = asked.req.kind;
            Err(ApiError::forbidden(kind.group, kind.plural, asked.name(), &why))
        }
    }
}

/// What a hook says; `None`: nothing, and its failure does not matter. Models `callAttrMutatingHook` and `callHook`.
fn ask(
    cx: &mut Cx<'_>,
    hook: &MutatingWebhook,
    asked: &Asked<'_>,
    mutating: bool,
) -> Result<Option<Verdict>, ApiError> {
    if cx.dry_run && !["None", "NoneOnDryRun"].contains(&hook.side_effects.as_str()) {
        let why = format!("admission webhook {:?} does not support dry run", hook.name);
        return Err(ApiError::bad_request(why));
    }
    let version = review::version(hook);
    // Draws only where somebody really reads it.
    let uid = if cx.callees.caller.is_some() { cx.rng.uuid() } else { String::new() };
    let said = match call::ask(cx, hook, || review::question(cx, asked, version, &uid)) {
        Ok(Outcome::Passes) => return Ok(None),
        Ok(Outcome::Waits) => return Err(waits()),
        Ok(Outcome::Said(body)) => review::verdict(&body, version, &uid, mutating)
            .map_err(|why| format!("received invalid webhook response: {why}")),
        Err(why) => Err(format!("failed to call webhook: {why}")),
    };
    match said {
        Ok(verdict) => {
            cx.warnings.extend(verdict.warnings.iter().cloned());
            // There is no audit log for the annotations.
            if verdict.allowed { Ok(Some(verdict)) } else { Err(review::denied(&hook.name, verdict.result)) }
        }
        Err(_) if ignores(hook) => Ok(None),
        Err(why) => Err(failed(hook, &why)),
    }
}

/// The refusal of a request that an answer is missing for.
pub(crate) fn waits() -> ApiError {
    ApiError::new(WAITS, "", "a webhook has not answered yet")
}

fn failed(hook: &MutatingWebhook, why: &str) -> ApiError {
    ApiError::internal(format!("failed calling webhook {:?}: {why}", hook.name))
}

/// The object as the hook wants it.
fn patched(hook: &MutatingWebhook, asked: &Asked<'_>, verdict: &Verdict) -> Result<Option<Value>, ApiError> {
    if verdict.patch.is_empty() {
        return Ok(None);
    }
    let ops: json_patch::Patch = match serde_json::from_slice(&verdict.patch) {
        Ok(ops) => ops,
        Err(_) if ignores(hook) => return Ok(None),
        Err(e) => {
            let why = syntax::words(&verdict.patch, &e);
            return Err(failed(hook, &format!("received undecodable patch in webhook response: {why}")));
        }
    };
    if ops.0.is_empty() {
        return Ok(None);
    }
    // What a connection is about is said by its URL.
    if asked.operation == "CONNECT" || (asked.new.is_none() && asked.body.is_none()) {
        let why = "attempted to modify the object, which is not supported for this operation";
        return Err(ApiError::internal(format!("admission webhook {:?} {why}", hook.name)));
    }
    if verdict.patch_type != "JSONPatch" {
        if ignores(hook) {
            return Ok(None);
        }
        return Err(failed(hook, &format!("unsupported patch type {:?}", verdict.patch_type)));
    }
    let mut tree = asked.new_tree();
    json_patch::patch(&mut tree, &ops).map_err(ApiError::internal)?;
    Ok(Some(tree))
}
