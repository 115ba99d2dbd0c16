//! What in a policy's expressions cannot be right for the kinds that it names. Models
//! `k8s.io/apiserver/pkg/admission/plugin/policy/validating/typechecking.go`.

use super::programs::Programs;
use crate::custom::Kinds;
use crate::declared::declared;
use crate::registration::KindRef;
use cel::Type;
use k8s_openapi::api::admissionregistration::v1::{ExpressionWarning, ParamKind, ValidatingAdmissionPolicy};
use meta::Path;

/// Of one rule.
const KINDS_MAX: usize = 10;

/// One for each expression with which something is wrong.
pub fn warnings(policy: &ValidatingAdmissionPolicy, kinds: &Kinds) -> Vec<ExpressionWarning> {
    let Some(spec) = &policy.spec else { return Vec::new() };
    let mut seen: Vec<(KindRef, Programs)> = Vec::new();
    for kind in named(policy, kinds) {
        let Some(object) = declared(kind) else { continue };
        let object = object.named(&format!("{}1", kind.kind));
        let params = spec.param_kind.as_ref().and_then(|p| params(p, kinds));
        let mut programs = Programs::typed(&object, params).with_variables(Vec::new());
        for v in spec.variables.iter().flatten() {
            let t = programs.compile(&Path::default(), &v.expression, &[]).unwrap_or(Type::Dyn);
            programs.declare(&v.name, &t);
        }
        seen.push((kind, programs));
    }
    let mut warnings = Vec::new();
    let mut check = |at: Path, program: &str| {
        let said = seen.iter().filter_map(|(kind, programs)| {
            let why = programs.fault(program)?;
            let version = if kind.group.is_empty() { format!("/{}", kind.version) } else { kind.api_version() };
            Some(format!("{version}, Kind={}: {why}\n", kind.kind))
        });
        let said: Vec<String> = said.collect();
        if !said.is_empty() {
            warnings.push(ExpressionWarning { field_ref: at.to_string(), warning: said.join("\n") });
        }
    };
    let at = Path::new("spec").child("validations");
    for (i, v) in spec.validations.iter().flatten().enumerate() {
        check(at.index(i).child("expression"), &v.expression);
        if let Some(program) = v.message_expression.as_deref().filter(|p| !p.is_empty()) {
            check(at.index(i).child("messageExpression"), program);
        }
    }
    warnings
}

/// The type of parameters; `None`: there is no such kind, so there are no parameters either.
fn params(of: &ParamKind, kinds: &Kinds) -> Option<Type> {
    let (version, name) = (of.api_version.as_deref().unwrap_or(""), of.kind.as_deref().unwrap_or(""));
    let kind = kinds.by_api_version(version, name)?;
    Some(declared(kind).map_or(Type::Dyn, |t| t.named(&format!("{name}2"))))
}

/// The kinds that a policy names: not by an asterisk. In order. Models `typesToCheck`.
fn named(policy: &ValidatingAdmissionPolicy, kinds: &Kinds) -> Vec<KindRef> {
    let mut found: Vec<KindRef> = Vec::new();
    let rules = policy.spec.as_ref().and_then(|s| s.match_constraints.as_ref()?.resource_rules.as_ref());
    for rule in rules.into_iter().flatten() {
        let sorted = |list: &Option<Vec<String>>| {
            let mut list = list.clone().unwrap_or_default();
            list.sort();
            list
        };
        let whole = |list: &Option<Vec<String>>| {
            let list = sorted(list);
            if list.iter().any(|v| v.contains('*')) { Vec::new() } else { list }
        };
        let (groups, versions, resources) =
            (whole(&rule.api_groups), whole(&rule.api_versions), sorted(&rule.resources));
        let resources: Vec<&String> = resources.iter().filter(|r| !r.contains(['*', '/'])).collect();
        let mut count = 0;
        for (group, version) in groups.iter().flat_map(|g| versions.iter().map(move |v| (g, v))) {
            for kind in resources.iter().filter_map(|r| kinds.by_plural(group, version, r)) {
                if !found.contains(&kind) {
                    found.push(kind);
                }
                count += 1;
                if count == KINDS_MAX {
                    return ordered(found);
                }
            }
        }
    }
    ordered(found)
}

fn ordered(mut kinds: Vec<KindRef>) -> Vec<KindRef> {
    kinds.sort_by_key(|k| (k.group, k.version, k.kind));
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn said(rules: Value, more: Value) -> Vec<String> {
        let mut spec = json!({"matchConstraints": {"resourceRules": rules}});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let policy = serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).unwrap();
        let all = warnings(&policy, &Kinds::default());
        all.into_iter().map(|w| format!("{}: {}", w.field_ref, w.warning)).collect()
    }

    fn of(expression: &str) -> Value {
        json!({"validations": [{"expression": expression}]})
    }

    fn rule(groups: &[&str], versions: &[&str], resources: &[&str]) -> Value {
        json!([{"apiGroups": groups, "apiVersions": versions, "resources": resources, "operations": ["*"]}])
    }

    #[test]
    fn the_documentations_example_says_what_is_not_there() {
        let apps = || rule(&["apps"], &["v1"], &["replicasets", "deployments", "deployments/scale"]);
        let mark = " | object.replicas > 1\n | ......^\n";
        let one = |kind: &str| format!("apps/v1, Kind={kind}: ERROR: <input>:1:7: undefined field 'replicas'\n{mark}");
        let want = format!("spec.validations[0].expression: {}\n{}", one("Deployment"), one("ReplicaSet"));
        assert_eq!(said(apps(), of("object.replicas > 1")), [want]);
        assert_eq!(said(apps(), of("object.spec.replicas > 1")), [""; 0]);
        // Whoever says everything is not checked.
        assert_eq!(said(rule(&["*"], &["v1"], &["deployments"]), of("object.replicas > 1")), [""; 0]);
        assert_eq!(said(rule(&["apps"], &["v1"], &["*"]), of("object.replicas > 1")), [""; 0]);
    }

    #[test]
    fn fields_have_the_types_of_openapi() {
        let why = |resource: &str, program: &str| {
            let all = said(rule(&[""], &["v1"], &[resource]), of(program));
            all.first().map(|w| w.lines().next().unwrap_or("").split("<input>:").nth(1).unwrap_or("").to_string())
        };
        for (resource, program) in [
            (
                "pods",
                "object.spec.containers.all(c, c.image.startsWith('a') && !(has(c.securityContext.privileged) && c.securityContext.privileged))",
            ),
            (
                "pods",
                "object.metadata.creationTimestamp < timestamp('2026-01-01T00:00:00Z') && object.metadata.labels['a'] == 'b'",
            ),
            ("pods", "oldObject == null || object.spec.priority > oldObject.spec.priority"),
            ("services", "object.spec.ports.all(p, type(p.targetPort) == int || p.targetPort == 'http')"),
            ("secrets", "object.data.all(k, size(object.data[k]) < 10) && object.data['a'] == b'x'"),
            ("pods", "authorizer.serviceAccount('a', 'b').group('').resource('pods').check('get').allowed()"),
            ("pods", "request.userInfo.username == namespaceObject.metadata.name"),
        ] {
            assert_eq!(why(resource, program), None, "{program}");
        }
        for (resource, program, want) in [
            (
                "pods",
                "object.spec.containers.all(c, c.resources.limits['memory'] != '')",
                "1:42: undefined field 'limits'",
            ),
            (
                "pods",
                "object.spec.priority == '1'",
                "1:22: found no matching overload for '_==_' applied to '(int, string)'",
            ),
            (
                "configmaps",
                "object.data.a == 1",
                "1:15: found no matching overload for '_==_' applied to '(string, int)'",
            ),
            ("pods", "params.a == 1", "1:1: undeclared reference to 'params' (in container '')"),
        ] {
            assert_eq!(why(resource, program).as_deref(), Some(want), "{program}");
        }
    }

    #[test]
    fn variables_parameters_and_messages_are_looked_at() {
        let variables =
            json!([{"name": "n", "expression": "object.spec.replicas"}, {"name": "bad", "expression": "object.a"}]);
        let validations = json!([
            {"expression": "variables.n > params.data.max", "messageExpression": "'a' + variables.n"},
            {"expression": "variables.bad == 1 && variables.other == 1"}]);
        let params = json!({"apiVersion": "v1", "kind": "ConfigMap"});
        let more = json!({"variables": variables, "validations": validations, "paramKind": params});
        let all = said(rule(&["apps"], &["v1"], &["deployments"]), more);
        let heads: Vec<&str> = all.iter().map(|w| w.lines().next().unwrap_or("")).collect();
        assert_eq!(
            heads,
            [
                "spec.validations[0].expression: apps/v1, Kind=Deployment: ERROR: <input>:1:13: found no matching overload for '_>_' applied to '(int, string)'",
                "spec.validations[0].messageExpression: apps/v1, Kind=Deployment: ERROR: <input>:1:5: found no matching overload for '_+_' applied to '(string, int)'",
                "spec.validations[1].expression: apps/v1, Kind=Deployment: ERROR: <input>:1:32: undefined field 'other'",
            ]
        );
    }

    #[test]
    fn ten_kinds_of_a_rule_are_enough() {
        let resources = [
            "configmaps",
            "endpoints",
            "events",
            "limitranges",
            "namespaces",
            "nodes",
            "persistentvolumeclaims",
            "persistentvolumes",
            "pods",
            "podtemplates",
            "secrets",
            "services",
        ];
        let all = said(rule(&[""], &["v1"], &resources), of("object.nothing == 1"));
        assert_eq!(all[0].matches("undefined field").count(), 10);
    }
}
