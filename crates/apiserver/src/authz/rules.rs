//! What a rule allows, and whether rules cover other rules. Models `pkg/apis/rbac/v1/evaluation_helpers.go` and
//! `component-helpers/auth/rbac/validation`.

use super::Attributes;
use k8s_openapi::api::rbac::v1::PolicyRule;
use std::collections::{BTreeMap, BTreeSet};

const ALL: &str = "*";

fn list(l: &Option<Vec<String>>) -> &[String] {
    l.as_deref().unwrap_or_default()
}

fn has(set: &[String], one: &str) -> bool {
    set.iter().any(|s| s == one)
}

/// Models `RuleAllows`.
pub fn allows(rule: &PolicyRule, a: &Attributes<'_>) -> bool {
    if !(has(&rule.verbs, a.verb) || has(&rule.verbs, ALL)) {
        return false;
    }
    if let Some(path) = a.path {
        return list(&rule.non_resource_urls).iter().any(|u| u == ALL || url_covers(u, path));
    }
    let groups = list(&rule.api_groups);
    let names = list(&rule.resource_names);
    (has(groups, a.group) || has(groups, ALL))
        && list(&rule.resources).iter().any(|r| resource_matches(r, a.resource, a.subresource))
        && (names.is_empty() || has(names, a.name))
}

/// `pods/log`, `*/log` and `*` stand for `pods/log`.
fn resource_matches(rule: &str, resource: &str, subresource: &str) -> bool {
    if rule == ALL {
        return true;
    }
    match rule.split_once('/') {
        None => subresource.is_empty() && rule == resource,
        Some((r, s)) => !subresource.is_empty() && s == subresource && (r == resource || r == ALL),
    }
}

fn url_covers(owner: &str, path: &str) -> bool {
    owner == path || (owner.ends_with(ALL) && path.starts_with(owner.trim_end_matches('*')))
}

/// Whether an owner of `owned` has all that `wanted` gives; otherwise what is missing. Models `Covers`.
pub fn missing(owned: &[PolicyRule], wanted: &[PolicyRule]) -> Vec<PolicyRule> {
    let single = wanted.iter().flat_map(breakdown);
    single.filter(|w| !owned.iter().any(|o| covers(o, w))).collect()
}

/// Models `BreakdownRule`: rules of one verb, one resource and at most one name each.
fn breakdown(rule: &PolicyRule) -> Vec<PolicyRule> {
    let one = |s: &str| Some(vec![s.to_string()]);
    let mut out = Vec::new();
    for group in list(&rule.api_groups) {
        for resource in list(&rule.resources) {
            for verb in &rule.verbs {
                let base = PolicyRule {
                    api_groups: one(group),
                    resources: one(resource),
                    verbs: vec![verb.clone()],
                    ..Default::default()
                };
                match list(&rule.resource_names) {
                    [] => out.push(base),
                    names => out.extend(names.iter().map(|n| PolicyRule { resource_names: one(n), ..base.clone() })),
                }
            }
        }
    }
    for url in list(&rule.non_resource_urls) {
        let of =
            |verb: &String| PolicyRule { non_resource_urls: one(url), verbs: vec![verb.clone()], ..Default::default() };
        out.extend(rule.verbs.iter().map(of));
    }
    out
}

/// `part` is one of [`breakdown`].
fn covers(owner: &PolicyRule, part: &PolicyRule) -> bool {
    let all = |set: &[String], wanted: &[String]| wanted.iter().all(|w| has(set, w));
    let resource = |wanted: &String| {
        let of_any = wanted.split_once('/').map(|(_, s)| format!("*/{s}"));
        has(list(&owner.resources), wanted) || of_any.is_some_and(|any| has(list(&owner.resources), &any))
    };
    let url = |wanted: &String| list(&owner.non_resource_urls).iter().any(|o| url_covers(o, wanted));
    let names = match list(&part.resource_names) {
        [] => list(&owner.resource_names).is_empty(),
        names => list(&owner.resource_names).is_empty() || all(list(&owner.resource_names), names),
    };
    (has(&owner.verbs, ALL) || all(&owner.verbs, &part.verbs))
        && (has(list(&owner.api_groups), ALL) || all(list(&owner.api_groups), list(&part.api_groups)))
        && (has(list(&owner.resources), ALL) || list(&part.resources).iter().all(resource))
        && names
        && list(&part.non_resource_urls).iter().all(url)
}

/// Verbs for the same thing become one rule, as a refusal shows them. Models `CompactRules` and `CompactString`.
pub fn describe(rules: &[PolicyRule]) -> String {
    let mut simple: BTreeMap<[&[String]; 3], Vec<String>> = BTreeMap::new();
    let mut lines = BTreeSet::new();
    for r in rules {
        if list(&r.non_resource_urls).is_empty() {
            let of = [list(&r.api_groups), list(&r.resources), list(&r.resource_names)];
            simple.entry(of).or_default().extend(r.verbs.iter().cloned());
        } else {
            lines.insert(compact_string(&[], &[], list(&r.non_resource_urls), &[], &r.verbs));
        }
    }
    for ([groups, resources, names], verbs) in simple {
        lines.insert(compact_string(groups, resources, &[], names, &verbs));
    }
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

fn compact_string(
    groups: &[String],
    resources: &[String],
    urls: &[String],
    names: &[String],
    verbs: &[String],
) -> String {
    let parts = [
        ("APIGroups", groups),
        ("Resources", resources),
        ("NonResourceURLs", urls),
        ("ResourceNames", names),
        ("Verbs", verbs),
    ];
    let parts = parts.iter().filter(|(_, l)| !l.is_empty()).map(|(name, l)| format!("{name}:{}", go_list(l)));
    format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
}

/// A list as Go's `%q` prints it: `["a" "b"]`.
pub fn go_list(l: &[String]) -> String {
    format!("[{}]", l.iter().map(|s| format!("{s:?}")).collect::<Vec<_>>().join(" "))
}
