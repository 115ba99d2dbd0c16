//! `kubectl auth reconcile`. Models `kubectl/pkg/cmd/auth/reconcile.go` and
//! `component-helpers/auth/rbac/reconciliation`. Unlike upstream's, a manifest without a namespace gets the usual one.

use crate::builder::{Builder, Info, aggregate};
use crate::client::Request;
use crate::cx::{Cx, DryRun};
use crate::error::Error;
use crate::result::Results;
use serde_json::{Value, json};

const GROUP: &str = "rbac.authorization.k8s.io";

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let b = Builder::of(cx);
    if !b.has_files() {
        return Err(Error::text("must specify one of -f and -k"));
    }
    if !cx.args.is_empty() {
        return Err(Error::text("no arguments are allowed"));
    }
    let dry = cx.dry_run()?;
    if dry == DryRun::Server {
        return Err(Error::text("--dry-run=server for command reconcile is not supported yet"));
    }
    let mut results = Results::of(cx, dry)?.typed();
    let found = Builder { continue_on_error: true, ..b }.find(cx, &[]).await?;
    let mut errors = Vec::new();
    for info in found.infos.iter().filter(|i| i.mapping.group == GROUP) {
        match one(cx, info, dry).await {
            Ok(done) => {
                results.print(cx, &done.object, "reconciled")?;
                let text = done.said(cx);
                cx.err(&text);
            }
            Err(e @ Error::Connection(_)) => return Err(e),
            Err(e) => errors.push(e),
        }
    }
    errors.extend(found.errors);
    aggregate(errors)
}

/// What was to be done for one object.
struct Done {
    object: Value,
    /// `create`, `update` or `recreate`; nothing when all was as it should be.
    operation: &'static str,
    /// Whether the object keeps itself from being changed.
    protected: bool,
    of_roles: bool,
    missing: Vec<Value>,
    extra: Vec<Value>,
}

impl Done {
    /// Models `printResults`.
    fn said(&self, cx: &Cx<'_, '_>) -> String {
        if self.operation.is_empty() {
            return String::new();
        }
        let caveat = if self.protected {
            ", but object opted out (rbac.authorization.kubernetes.io/autoupdate: false)"
        } else {
            ""
        };
        let mut text = format!("\treconciliation required {}{caveat}\n", self.operation);
        let (what, removes) =
            if self.of_roles { ("rules", "remove-extra-permissions") } else { ("subjects", "remove-extra-subjects") };
        let shown = |list: &[Value]| list.iter().map(|v| format!("\t\t{}\n", go(v, self.of_roles))).collect::<String>();
        if !self.missing.is_empty() {
            text.push_str(&format!("\tmissing {what} added:\n{}", shown(&self.missing)));
        }
        if cx.flags.bool(removes) && !self.extra.is_empty() {
            text.push_str(&format!("\textra {what} removed:\n{}", shown(&self.extra)));
        }
        text
    }
}

/// `%+v` of a rule or a subject.
fn go(v: &Value, rule: bool) -> String {
    let list = |k: &str| {
        let words: Vec<&str> = v[k].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        words.join(" ")
    };
    let text = |k: &str| v[k].as_str().unwrap_or("").to_string();
    if rule {
        format!(
            "{{Verbs:[{}] APIGroups:[{}] Resources:[{}] ResourceNames:[{}] NonResourceURLs:[{}]}}",
            list("verbs"),
            list("apiGroups"),
            list("resources"),
            list("resourceNames"),
            list("nonResourceURLs")
        )
    } else {
        format!(
            "{{Kind:{} APIGroup:{} Name:{} Namespace:{}}}",
            text("kind"),
            text("apiGroup"),
            text("name"),
            text("namespace")
        )
    }
}

async fn one(cx: &mut Cx<'_, '_>, info: &Info, dry: DryRun) -> Result<Done, Error> {
    let of_roles = matches!(info.mapping.kind.as_str(), "Role" | "ClusterRole");
    let list = if of_roles { "rules" } else { "subjects" };
    let wanted = items(&info.object[list]);
    let none = Vec::new();
    let Some(existing) = existing(cx, info).await? else {
        let mut object = info.object.clone();
        if dry == DryRun::None {
            object = create(cx, info).await?;
        }
        return Ok(Done { object, operation: "create", protected: false, of_roles, missing: wanted, extra: none });
    };
    let protected =
        existing["metadata"]["annotations"]["rbac.authorization.kubernetes.io/autoupdate"].as_str() == Some("false");
    if !of_roles && existing["roleRef"] != info.object["roleRef"] {
        let mut object = info.object.clone();
        if dry == DryRun::None && !protected {
            let uid = json!({"preconditions": {"uid": existing["metadata"]["uid"]}});
            let r = Request::new("DELETE", info.path()).header("Accept", "application/json").json(&uid);
            cx.send(r).await?;
            object = create(cx, info).await?;
        }
        return Ok(Done { object, operation: "recreate", protected, of_roles, missing: none.clone(), extra: none });
    }
    let had = items(&existing[list]);
    let (missing, mut extra) = if of_roles {
        (uncovered(&had, &wanted), uncovered(&wanted, &had))
    } else {
        (without(&wanted, &had), without(&had, &wanted))
    };
    if is_aggregated(&existing) && is_aggregated(&info.object) {
        extra.clear();
    }
    let mut object = existing.clone();
    // What is there already comes before what is wanted.
    for part in ["labels", "annotations"] {
        for (k, v) in info.object["metadata"][part].as_object().into_iter().flatten() {
            if existing["metadata"][part].get(k).is_none() {
                object["metadata"][part][k.as_str()] = v.clone();
            }
        }
    }
    let removes = cx.flags.bool(if of_roles { "remove-extra-permissions" } else { "remove-extra-subjects" });
    if removes && (!missing.is_empty() || !extra.is_empty()) {
        object[list] = json!(wanted);
    } else if !missing.is_empty() {
        object[list] = json!([had, missing.clone()].concat());
    }
    if of_roles {
        aggregation(&mut object, &info.object, removes);
    }
    let operation = if object == existing { "" } else { "update" };
    if !operation.is_empty() && dry == DryRun::None && !protected {
        object = cx.send(Request::new("PUT", info.path()).header("Accept", "application/json").json(&object)).await?;
    }
    Ok(Done { object, operation, protected, of_roles, missing, extra })
}

const AGGREGATION: &str = "aggregationRule";

fn is_aggregated(role: &Value) -> bool {
    role[AGGREGATION].is_object()
}

/// Models what `computeReconciledRole` does about `aggregationRule`.
fn aggregation(role: &mut Value, expected: &Value, removes: bool) {
    let selectors = |role: &Value| items(&role[AGGREGATION]["clusterRoleSelectors"]);
    let (had, wanted) = (selectors(role), selectors(expected));
    let (missing, extra) = (without(&wanted, &had), without(&had, &wanted));
    if !is_aggregated(expected) {
        if let Some(role) = role.as_object_mut() {
            role.remove(AGGREGATION);
        }
    } else if removes && (!missing.is_empty() || !extra.is_empty()) {
        role[AGGREGATION] = expected[AGGREGATION].clone();
    } else if !missing.is_empty() {
        role[AGGREGATION]["clusterRoleSelectors"] = json!([had, missing].concat());
    }
}

async fn existing(cx: &Cx<'_, '_>, info: &Info) -> Result<Option<Value>, Error> {
    match cx.get(info.path()).await {
        Ok(v) => Ok(Some(v)),
        Err(e) if e.is_not_found() => Ok(None),
        Err(e) => Err(e),
    }
}

/// Creates the object, and its namespace where there is none. Models `tryEnsureNamespace`.
async fn create(cx: &Cx<'_, '_>, info: &Info) -> Result<Value, Error> {
    let post = |path: String, object: &Value| {
        cx.send(Request::new("POST", path).header("Accept", "application/json").json(object))
    };
    if info.mapping.namespaced {
        let path = "/api/v1/namespaces";
        match cx.get(format!("{path}/{}", info.namespace)).await {
            Ok(_) => {}
            Err(e) if e.is_not_found() => {
                let metadata = json!({"name": info.namespace});
                let made = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
                match post(path.into(), &made).await {
                    Err(e) if !matches!(e.status().map(|s| s.reason()), Some("AlreadyExists" | "Forbidden")) => {
                        return Err(e);
                    }
                    _ => {}
                }
            }
            Err(e) => return Err(e),
        }
    }
    post(info.mapping.path(Some(&info.namespace), None), &info.object).await
}

fn without(a: &[Value], b: &[Value]) -> Vec<Value> {
    a.iter().filter(|v| !b.contains(v)).cloned().collect()
}

fn items(v: &Value) -> Vec<Value> {
    v.as_array().cloned().unwrap_or_default()
}

/// What `rules` do not allow of what `wanted` does, a verb and a resource at a time. Models `validation.Covers`.
fn uncovered(rules: &[Value], wanted: &[Value]) -> Vec<Value> {
    wanted.iter().flat_map(single).filter(|w| !rules.iter().any(|r| covers(r, w))).collect()
}

/// Models `BreakdownRule`.
fn single(rule: &Value) -> Vec<Value> {
    let mut out = Vec::new();
    for group in items(&rule["apiGroups"]) {
        for resource in items(&rule["resources"]) {
            for verb in items(&rule["verbs"]) {
                let one = json!({"apiGroups": [group], "resources": [resource], "verbs": [verb]});
                let names = items(&rule["resourceNames"]);
                if names.is_empty() {
                    out.push(one.clone());
                }
                for name in names {
                    let mut one = one.clone();
                    one["resourceNames"] = json!([name]);
                    out.push(one);
                }
            }
        }
    }
    for url in items(&rule["nonResourceURLs"]) {
        for verb in items(&rule["verbs"]) {
            out.push(json!({"nonResourceURLs": [url], "verbs": [verb]}));
        }
    }
    out
}

/// Models `ruleCovers` for a rule of one thing each.
fn covers(rule: &Value, one: &Value) -> bool {
    let has = |key: &str| {
        let (of, wanted) = (items(&rule[key]), items(&one[key]));
        of.iter().any(|v| v == "*") || wanted.iter().all(|w| of.contains(w))
    };
    let resource = one["resources"][0].as_str().unwrap_or("");
    // `*/log` allows the part of everything.
    let part = resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
    let resources =
        has("resources") || part.is_some_and(|p| items(&rule["resources"]).iter().any(|r| *r == p.as_str()));
    let names =
        items(&rule["resourceNames"]).is_empty() || (!items(&one["resourceNames"]).is_empty() && has("resourceNames"));
    let urls = items(&one["nonResourceURLs"]).iter().all(|u| {
        let url = u.as_str().unwrap_or("");
        items(&rule["nonResourceURLs"])
            .iter()
            .filter_map(Value::as_str)
            .any(|r| r == url || r.strip_suffix('*').is_some_and(|head| url.starts_with(head)))
    });
    has("verbs") && has("apiGroups") && resources && names && urls
}
