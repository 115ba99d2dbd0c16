//! Roles and their bindings. Rules are taken apart and put together again: one line for each resource.

use super::sort::sort;
use super::view::View;
use super::writer::put;
use super::{Describer, parts, show};
use crate::error::Error;

/// A rule of one resource or one URL.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rule {
    verbs: Vec<String>,
    group: Option<String>,
    resource: Option<String>,
    name: Option<String>,
    url: Option<String>,
}

impl Describer<'_> {
    pub fn role(&self, role: View<'_>) -> Result<String, Error> {
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", role.name());
        parts::metadata(&mut w, role);
        put!(w, 0, "PolicyRule:\n");
        put!(w, 1, "Resources\tNon-Resource URLs\tResource Names\tVerbs\n");
        put!(w, 1, "---------\t-----------------\t--------------\t-----\n");
        for rule in compacted(role) {
            let (urls, names) = (show::slice(&rule.url), show::slice(&rule.name));
            put!(w, 1, "{}\t{urls}\t{names}\t{}\n", rule.resource_and_group(), show::slice(&rule.verbs));
        }
        Ok(w.finish())
    }

    pub fn role_binding(&self, binding: View<'_>) -> Result<String, Error> {
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", binding.name());
        parts::metadata(&mut w, binding);
        put!(w, 0, "Role:\n");
        put!(w, 1, "Kind:\t{}\n", binding.s("roleRef.kind"));
        put!(w, 1, "Name:\t{}\n", binding.s("roleRef.name"));
        put!(w, 0, "Subjects:\n");
        put!(w, 1, "Kind\tName\tNamespace\n");
        put!(w, 1, "----\t----\t---------\n");
        for s in binding.list("subjects") {
            put!(w, 1, "{}\t{}\t{}\n", s.s("kind"), s.s("name"), s.s("namespace"));
        }
        Ok(w.finish())
    }
}

impl Rule {
    /// Models `CombineResourceGroup`: `deployments.apps/scale`.
    fn resource_and_group(&self) -> String {
        let Some(resource) = &self.resource else { return String::new() };
        let (name, sub) = match resource.split_once('/') {
            Some((name, sub)) => (name, format!("/{sub}")),
            None => (resource.as_str(), String::new()),
        };
        match self.group.as_deref() {
            None | Some("") => format!("{name}{sub}"),
            Some(group) => format!("{name}.{group}{sub}"),
        }
    }

    /// What rules are sorted by: the text of the type's generated `String`.
    fn text(&self) -> String {
        format!(
            "&PolicyRule{{Verbs:{},APIGroups:{},Resources:{},ResourceNames:{},NonResourceURLs:{},}}",
            show::slice(&self.verbs),
            show::slice(&self.group),
            show::slice(&self.resource),
            show::slice(&self.name),
            show::slice(&self.url)
        )
    }
}

/// Models `BreakdownRule`, `CompactRules` and `SortableRuleSlice`.
fn compacted(role: View) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut by_resource: Vec<Rule> = Vec::new();
    for single in role.list("rules").into_iter().flat_map(broken_down) {
        if single.url.is_some() {
            rules.push(single);
            continue;
        }
        let same = |r: &&mut Rule| (&r.group, &r.resource, &r.name) == (&single.group, &single.resource, &single.name);
        match by_resource.iter_mut().find(same) {
            Some(rule) => {
                for verb in single.verbs {
                    if !rule.verbs.contains(&verb) {
                        rule.verbs.push(verb);
                    }
                }
            }
            None => by_resource.push(single),
        }
    }
    rules.extend(by_resource);
    let mut keyed: Vec<(String, Rule)> = rules.into_iter().map(|r| (r.text(), r)).collect();
    // Rules of equal texts are equal, so that any sort will do.
    sort(&mut keyed, |a, b| a.0 < b.0);
    keyed.into_iter().map(|(_, r)| r).collect()
}

fn broken_down(rule: View) -> Vec<Rule> {
    let own = |s: &str| Some(s.to_string());
    let (verbs, names) = (rule.strings("verbs"), rule.strings("resourceNames"));
    let mut out = Vec::new();
    for group in rule.strings("apiGroups") {
        for resource in rule.strings("resources") {
            for verb in &verbs {
                let single = Rule {
                    verbs: vec![verb.to_string()],
                    group: own(group),
                    resource: own(resource),
                    ..Rule::default()
                };
                if names.is_empty() {
                    out.push(single);
                } else {
                    out.extend(names.iter().map(|name| Rule { name: own(name), ..single.clone() }));
                }
            }
        }
    }
    for url in rule.strings("nonResourceURLs") {
        out.extend(verbs.iter().map(|verb| Rule { verbs: vec![verb.to_string()], url: own(url), ..Rule::default() }));
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::describe::testing::described;
    use serde_json::json;

    #[test]
    fn one_line_for_each_resource() {
        let role = json!({"metadata": {"name": "r"}, "rules": [
            {"apiGroups": ["", "apps"], "resources": ["pods", "deployments/scale"], "verbs": ["get", "list"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]},
            {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a", "b"], "verbs": ["get"]},
            {"nonResourceURLs": ["/healthz"], "verbs": ["get", "post"]},
        ]});
        assert_eq!(
            described("rbac.authorization.k8s.io", "ClusterRole", &role, &[]),
            "Name:         r
Labels:       <none>
Annotations:  <none>
PolicyRule:
  Resources               Non-Resource URLs  Resource Names  Verbs
  ---------               -----------------  --------------  -----
  pods                    []                 []              [get list watch]
  deployments/scale       []                 []              [get list]
  deployments.apps/scale  []                 []              [get list]
  pods.apps               []                 []              [get list]
                          [/healthz]         []              [get]
  secrets                 []                 [a]             [get]
  secrets                 []                 [b]             [get]
                          [/healthz]         []              [post]
"
        );
    }

    #[test]
    fn subjects_of_a_binding() {
        let binding = json!({
            "metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": "r"},
            "subjects": [{"kind": "User", "name": "jane"}, {"kind": "ServiceAccount", "name": "s", "namespace": "n"}],
        });
        let text = described("rbac.authorization.k8s.io", "RoleBinding", &binding, &[]);
        assert!(text.ends_with("  User            jane  \n  ServiceAccount  s     n\n"), "{text}");
    }
}
