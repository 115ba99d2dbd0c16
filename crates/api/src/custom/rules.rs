//! The rules of schemas, programs in CEL, which run on every object that is otherwise as its schema says. Models
//! `apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go`.

use super::prune::{additional, items, property};
use super::{Custom, CustomObject, each_schema};
use cel::{Expr, Value as Cel};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{JSONSchemaProps, ValidationRule};
use meta::field::FieldErrorType;
use meta::{FieldError, Path};
use serde_json::Value;
use std::collections::BTreeMap;

/// Compiled, by their texts.
#[derive(Default)]
pub(super) struct Rules(BTreeMap<String, Expr>);

fn rules(s: &JSONSchemaProps) -> &[ValidationRule] {
    s.x_kubernetes_validations.as_deref().unwrap_or_default()
}

fn text(s: &Option<String>) -> &str {
    s.as_deref().unwrap_or("")
}

impl Rules {
    pub fn of(schema: &JSONSchemaProps) -> Rules {
        let mut compiled = Rules::default();
        each_schema(schema, &mut |s| {
            for r in rules(s) {
                for program in [r.rule.as_str(), text(&r.message_expression)] {
                    if let Ok(e) = cel::parse(program) {
                        compiled.0.insert(program.into(), e);
                    }
                }
            }
        });
        compiled
    }
}

/// What else is wrong with what came: nothing is said of rules when it is not even of its types.
fn blocks(e: &FieldError) -> bool {
    use FieldErrorType::{NotSupported, Required, TooLong, TooMany, TypeInvalid};
    matches!(e.kind, NotSupported | Required | TooLong | TooMany | TypeInvalid)
}

/// The rules of a custom resource, after the rest of its schema has said `errors`.
pub(super) fn run(d: &Custom, new: &CustomObject, old: Option<&CustomObject>, errors: &mut Vec<FieldError>) {
    if d.rules.0.is_empty() {
        return;
    }
    if errors.iter().any(blocks) {
        let why = "some validation rules were not checked because the object was invalid; correct the existing errors to \
                   complete validation";
        errors.push(FieldError::invalid(&Path::new("<nil>"), Value::Null, why));
        return;
    }
    let tree = |o: &CustomObject| {
        let mut tree = o.tree();
        // Of the metadata programs see the names alone.
        if let Some(meta) = tree["metadata"].as_object_mut() {
            meta.retain(|k, _| k == "name" || k == "generateName");
        }
        tree
    };
    let (new, old) = (tree(new), old.map(tree));
    let mut runner = Runner { rules: &d.rules, errors };
    runner.value(&new, old.as_ref(), &d.schema, &Path::default());
}

struct Runner<'a> {
    rules: &'a Rules,
    errors: &'a mut Vec<FieldError>,
}

impl Runner<'_> {
    fn value(&mut self, v: &Value, old: Option<&Value>, s: &JSONSchemaProps, path: &Path) {
        // What was let be stays so.
        if v.is_null() || old == Some(v) {
            return;
        }
        for r in rules(s) {
            self.rule(r, v, old, s, path);
        }
        match v {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let Some(of) = property(s, name) else { continue };
                    let known = s.properties.as_ref().is_some_and(|p| p.contains_key(name));
                    let at = if known || additional(s).is_none() { path.child(name) } else { path.key(name) };
                    self.value(value, old.and_then(|o| o.get(name)), of, &at);
                }
            }
            Value::Array(list) => {
                let Some(of) = items(s) else { return };
                let before = old.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                let keys = s.x_kubernetes_list_map_keys.as_deref().unwrap_or_default();
                for (i, item) in list.iter().enumerate() {
                    let same = |o: &&Value| !keys.is_empty() && keys.iter().all(|k| o.get(k) == item.get(k));
                    self.value(item, before.iter().find(same), of, &path.index(i));
                }
            }
            _ => {}
        }
    }

    fn rule(&mut self, r: &ValidationRule, v: &Value, old: Option<&Value>, s: &JSONSchemaProps, path: &Path) {
        let Some(program) = self.rules.0.get(&r.rule) else { return };
        let optional = r.optional_old_self == Some(true);
        let before = match (old, optional) {
            (Some(old), false) => Cel::of_json(old),
            (old, true) => Cel::Optional(old.map(|o| std::rc::Rc::new(Cel::of_json(o)))),
            // It is about a change, and there is none.
            (None, false) if cel::mentions(program, "oldSelf") => return,
            (None, false) => Cel::Null,
        };
        let variables = [("self", Cel::of_json(v)), ("oldSelf", before)];
        let message = text(&r.message).trim();
        let (rule, named) = (r.rule.trim(), if message.is_empty() { r.rule.trim() } else { message });
        let detail = match cel::evaluate(program, &variables) {
            Ok(Cel::Bool(true)) => return,
            Ok(_) => {
                let said = self.rules.0.get(text(&r.message_expression)).map(|e| cel::evaluate(e, &variables));
                match said {
                    Some(Ok(Cel::Text(t))) if !t.trim().is_empty() && !t.contains('\n') => t.to_string(),
                    _ if message.is_empty() => format!("failed rule: {rule}"),
                    _ => message.to_string(),
                }
            }
            Err(e) if e == "no such overload" => {
                format!(
                    "call arguments did not match a supported operator, function or macro signature for rule: {named}"
                )
            }
            Err(e) => format!("{e} evaluating rule: {named}"),
        };
        let field = text(&r.field_path).trim_start_matches('.');
        let at = match (path.as_str(), field) {
            ("", "") => Path::new("<nil>"),
            ("", field) => Path::new(field),
            (_, "") => path.clone(),
            (_, field) => path.child(field),
        };
        let of = s.type_.as_deref().unwrap_or("");
        self.errors.push(match text(&r.reason) {
            "FieldValueRequired" => FieldError::required(&at, detail),
            "FieldValueForbidden" => FieldError::forbidden(&at, detail),
            "FieldValueDuplicate" => FieldError { detail, ..FieldError::duplicate(&at, of) },
            _ => FieldError::invalid(&at, of, detail),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema(value: Value) -> JSONSchemaProps {
        serde_json::from_value(value).expect("a schema")
    }

    fn errors(schema: &JSONSchemaProps, new: &Value, old: Option<&Value>) -> Vec<String> {
        let (compiled, mut errors) = (Rules::of(schema), Vec::new());
        Runner { rules: &compiled, errors: &mut errors }.value(new, old, schema, &Path::new("spec"));
        errors.iter().map(ToString::to_string).collect()
    }

    /// The documentation's examples.
    #[test]
    fn rules_hold() {
        let of = |rule: &str, more: Value| {
            let mut r = json!({"rule": rule});
            r.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let any = json!({"x-kubernetes-preserve-unknown-fields": true});
            schema(json!({"type": "object", "additionalProperties": any, "x-kubernetes-validations": [r]}))
        };
        for (rule, good, bad) in [
            (
                "self.minReplicas <= self.replicas",
                json!({"minReplicas": 1, "replicas": 2}),
                json!({"minReplicas": 3, "replicas": 2}),
            ),
            ("'Available' in self.stateCounts", json!({"stateCounts": {"Available": 1}}), json!({"stateCounts": {}})),
            (
                "(self.list1.size() == 0) != (self.list2.size() == 0)",
                json!({"list1": [], "list2": [1]}),
                json!({"list1": [], "list2": []}),
            ),
            (
                "self.envars.filter(e, e.name == 'MY_ENV').all(e, e.value.matches('^[a-zA-Z]*$'))",
                json!({"envars": [{"name": "MY_ENV", "value": "a"}]}),
                json!({"envars": [{"name": "MY_ENV", "value": "1"}]}),
            ),
            (
                "!has(self.expired) || self.expired > self.created",
                json!({"created": 1}),
                json!({"created": 2, "expired": 1}),
            ),
            ("self.health.startsWith('ok')", json!({"health": "ok!"}), json!({"health": "bad"})),
            (
                "self.widgets.exists(w, w.key == 'x' && w.foo < 10)",
                json!({"widgets": [{"key": "x", "foo": 9}]}),
                json!({"widgets": [{"key": "x", "foo": 10}]}),
            ),
            (
                "isURL(self.url) && url(self.url).getHostname() == 'example.com'",
                json!({"url": "https://example.com:80/"}),
                json!({"url": "https://other.com/"}),
            ),
            ("self.?port.orValue(80) == 80", json!({}), json!({"port": 81})),
            ("self.x__dash__y == 1", json!({"x-y": 1}), json!({"x-y": 2})),
            (
                "cidr(self.net).containsIP(self.ip)",
                json!({"net": "10.0.0.0/8", "ip": "10.1.2.3"}),
                json!({"net": "10.0.0.0/8", "ip": "11.1.2.3"}),
            ),
            (
                "cidr(self.net).masked() == cidr('10.1.0.0/16') && cidr('10.0.0.0/8').containsCIDR(self.net)",
                json!({"net": "10.1.2.3/16"}),
                json!({"net": "10.0.0.0/8"}),
            ),
            (
                "ip(self.a).isLinkLocalUnicast() && ip('8.8.8.8').isGlobalUnicast() && ip('ff02::1').isLinkLocalMulticast()",
                json!({"a": "fe80::1"}),
                json!({"a": "10.0.0.1"}),
            ),
            ("format.dns1123Label().validate(self.n) == optional.none()", json!({"n": "a-b"}), json!({"n": "A"})),
            (
                "format.named('uuid').value().validate(self.n).orValue([]) == ['does not match the UUID format']",
                json!({"n": "x"}),
                json!({"n": "123e4567-e89b-12d3-a456-426614174000"}),
            ),
            (
                "sets.contains(self.l, [1, 2]) && sets.equivalent([1], [1, 1]) && !sets.intersects([1], self.m)",
                json!({"l": [3, 2, 1], "m": [2]}),
                json!({"l": [1], "m": [2]}),
            ),
            (
                "self.l.all(i, v, v == i + 1) && self.l.existsOne(i, v, v == 1)",
                json!({"l": [1, 2]}),
                json!({"l": [2, 1]}),
            ),
            (
                "self.m.transformMap(k, v, v > 1, k + '!') == {'b': 'b!'} && self.m.transformList(k, v, k) == ['a', 'b']",
                json!({"m": {"a": 1, "b": 2}}),
                json!({"m": {"a": 1}}),
            ),
            (
                "self.m.transformMapEntry(k, v, {v: k}) == {'x': 'a'}",
                json!({"m": {"a": "x"}}),
                json!({"m": {"b": "x"}}),
            ),
            (
                "url(self.u).getQuery()['x'] == ['1', 'a b']",
                json!({"u": "https://a/?x=1&x=a+b"}),
                json!({"u": "https://a/?x=2"}),
            ),
            ("ip.isCanonical(self.a)", json!({"a": "::1"}), json!({"a": "0:0::1"})),
            (
                "strings.quote(self.s) == '\"a\\\\n\"' && b'\\101' == bytes('A') && size(b'é') == 2 && .5 < 1.0",
                json!({"s": "a\n"}),
                json!({"s": "a"}),
            ),
            (
                "type(self.x) == int ? self.x < 5 : type(self.x) == string && int(self.x.replace('%', '')) < 50",
                json!({"x": "49%"}),
                json!({"x": 5}),
            ),
            (
                "self.l.sortBy(v, -v)[0] == 3 && self.l.distinct().sort() == [1, 2, 3] && self.l.slice(0, 1) == [self.l.first().value()]",
                json!({"l": [2, 3, 2, 1]}),
                json!({"l": [2, 1]}),
            ),
            (
                "[?self.?a, 'b'] == ['b'] && {?'k': self.?a, 'l': 1} == {'l': 1} && lists.range(2).reverse() == [1, 0]",
                json!({"b": 1}),
                json!({"a": "a"}),
            ),
            ("quantity(self.q).isLessThan(quantity('1Gi'))", json!({"q": "1Mi"}), json!({"q": "2Gi"})),
        ] {
            let s = of(rule, json!({}));
            assert_eq!(errors(&s, &good, None), Vec::<String>::new(), "{rule}");
            assert_eq!(errors(&s, &bad, None), [format!("spec: Invalid value: \"object\": failed rule: {rule}")]);
        }
        let s =
            of("self.a == 1", json!({"message": "a must be one", "fieldPath": ".a", "reason": "FieldValueForbidden"}));
        assert_eq!(errors(&s, &json!({"a": 2}), None), ["spec.a: Forbidden: a must be one"]);
        let s = of("self.a == 1", json!({"messageExpression": "'not ' + string(self.a)"}));
        assert_eq!(errors(&s, &json!({"a": 2}), None), ["spec: Invalid value: \"object\": not 2"]);
        assert_eq!(
            errors(&s, &json!({}), None),
            ["spec: Invalid value: \"object\": no such key: a evaluating rule: self.a == 1"]
        );
    }

    #[test]
    fn rules_about_changes_need_one() {
        let s = schema(
            json!({"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "is immutable"}]}),
        );
        assert_eq!(errors(&s, &json!("a"), None), Vec::<String>::new());
        assert_eq!(errors(&s, &json!("a"), Some(&json!("a"))), Vec::<String>::new());
        assert_eq!(errors(&s, &json!("b"), Some(&json!("a"))), ["spec: Invalid value: \"string\": is immutable"]);
    }

    #[test]
    fn durations_have_an_order_and_parts() {
        let rule = "!(has(self.all) && duration(self.all) != duration('0s') && duration(self.one) > duration(self.all)) \
                    && duration(self.one).getSeconds() < 60 && matches(self.name, 'v1.[0-3].\\\\d+')";
        let s = schema(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true,
                              "x-kubernetes-validations": [{"rule": rule, "message": "no"}]}));
        let of = |all: &str, one: &str| errors(&s, &json!({"all": all, "one": one, "name": "v1.2.30"}), None).len();
        assert_eq!((of("10s", "500ms"), of("0s", "1m0.5s"), of("1s", "2s")), (0, 1, 1));
    }
}
