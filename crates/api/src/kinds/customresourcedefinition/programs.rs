//! The programs of a schema's rules: whether their types fit, and what they may cost. Models `apiextensions-apiserver/pkg/apiserver/schema/cel/compilation.go`
//! and `apis/apiextensions/validation/cel_validation.go`.

use super::types;
use cel::{Declared, Type};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{JSONSchemaProps as Schema, ValidationRule};
use meta::field::{FieldErrorType, show};
use meta::{FieldError, Path};
use std::rc::Rc;

/// What objects are called in errors; upstream's number is drawn anew each time.
const OWN_TYPE: &str = "selfType1";

/// In cel-go's units: of one program for all values it may be run on, and of all of a schema.
const COST_MAX: u64 = 10_000_000;
const TOTAL_MAX: u64 = 100_000_000;
/// So many of the most expensive programs are named.
const NAMED_MAX: usize = 4;

/// Where in a definition a schema stands.
#[derive(Clone)]
pub(super) struct Place {
    pub is_root: bool,
    pub repeated: Repeated,
    /// Below this, values cannot be told to be the same as before.
    pub no_old_within: Option<Path>,
}

/// How often a value of the schema may be in an object.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Repeated {
    Times(u64),
    Unbounded,
    /// No programs run there.
    Unknown,
}

impl Place {
    /// Of what is in a value of this schema, which is here.
    pub fn inside(&self, s: &Schema) -> Place {
        let most = match s.type_.as_deref() {
            Some("object") if s.additional_properties.is_some() => s.max_properties,
            Some("array") => s.max_items,
            _ => Some(1),
        };
        let repeated = match (self.repeated, most) {
            (Repeated::Times(n), Some(max)) => Repeated::Times(n.saturating_mul(u64::try_from(max).unwrap_or(0))),
            (Repeated::Times(_), None) => Repeated::Unbounded,
            (other, _) => other,
        };
        Place { is_root: false, repeated, no_old_within: self.no_old_within.clone() }
    }
    pub fn without_old(&self, path: &Path) -> Place {
        let within = self.no_old_within.clone().or_else(|| Some(path.clone()));
        Place { no_old_within: within, ..self.clone() }
    }
}

pub(super) struct Programs {
    costs_checked: bool,
    errors: Vec<FieldError>,
    total: u64,
    /// Those that make up a hundredth of what is allowed or more, the most expensive first.
    expensive: Vec<(Path, u64)>,
}

impl Programs {
    pub fn new(costs_checked: bool) -> Programs {
        Programs { costs_checked, errors: Vec::new(), total: 0, expensive: Vec::new() }
    }

    /// All that is wrong; `path`: the whole schema's.
    pub fn errors(mut self, path: &Path) -> Vec<FieldError> {
        if self.total > TOTAL_MAX {
            let why = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
            self.errors.extend(self.expensive.iter().map(|(at, _)| FieldError::forbidden(at, why)));
            let what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
            self.errors.push(FieldError::forbidden(path, too_expensive(what, self.total, TOTAL_MAX)));
        }
        self.errors
    }

    fn charge(&mut self, what: &str, cost: u64, at: &Path) {
        if self.costs_checked && cost > COST_MAX {
            self.errors.push(FieldError::forbidden(at, too_expensive(what, cost, COST_MAX)));
        }
        self.total = self.total.saturating_add(cost);
        if cost >= TOTAL_MAX / 100 {
            self.expensive.push((at.clone(), cost));
            self.expensive.sort_by_key(|(_, cost)| std::cmp::Reverse(*cost));
            self.expensive.truncate(NAMED_MAX);
        }
    }

    /// The rules of a schema with which nothing else is wrong.
    pub fn check(&mut self, s: &Schema, path: &Path, place: &Place) {
        let Some(rules) = s.x_kubernetes_validations.as_ref().filter(|r| !r.is_empty()) else { return };
        if place.repeated == Repeated::Unknown {
            return;
        }
        let path = path.child("x-kubernetes-validations");
        let Some(own) = types::declared(s, place.is_root || s.x_kubernetes_embedded_resource == Some(true)) else {
            let why = "internal error: failed to construct type information for x-kubernetes-validations rules: unable to \
                       convert structural schema to CEL declarations";
            let kind = FieldErrorType::Internal;
            self.errors.push(FieldError { kind, path, value: String::new(), detail: why.into() });
            return;
        };
        for (i, r) in rules.iter().enumerate() {
            self.rule(r, &own, &path.index(i), place);
        }
    }

    fn rule(&mut self, r: &ValidationRule, own: &Rc<Declared>, at: &Path, place: &Place) {
        let t = own.named(OWN_TYPE);
        let old = if r.optional_old_self == Some(true) { Type::optional(t.clone()) } else { t.clone() };
        let variables = [("self", t), ("oldSelf", old)];
        let rule_at = at.child("rule");
        let mut uses_old = false;
        match cel::check(&r.rule, &variables) {
            Err(why) => self.invalid(&rule_at, r, format!("compilation failed: {why}")),
            Ok(checked) if checked.result != Type::Bool => {
                self.invalid(&rule_at, r, "cel expression must evaluate to a bool".into());
            }
            Ok(checked) => {
                uses_old = checked.uses("oldSelf");
                // Without limits a value is repeated as often as there is room for in a request.
                let times = match place.repeated {
                    Repeated::Times(n) => n,
                    _ => types::REQUEST_MAX / (own.min_size + 1),
                };
                self.charge("estimated rule cost", checked.cost(own).saturating_mul(times), &rule_at);
                if let Some(program) = r.message_expression.as_deref().filter(|p| !p.is_empty()) {
                    self.message(program, r, (own, &variables), &at.child("messageExpression"));
                }
            }
        }
        match (uses_old, &place.no_old_within, r.optional_old_self) {
            (true, Some(within), _) => {
                let why = format!("oldSelf cannot be used on the uncorrelatable portion of the schema within {within}");
                self.errors.push(FieldError::invalid(&rule_at, r.rule.as_str(), why));
            }
            (false, _, Some(optional)) => {
                let why = "may not be set if oldSelf is not used in rule";
                self.errors.push(FieldError::invalid(&at.child("optionalOldSelf"), optional, why));
            }
            _ => {}
        }
    }

    fn message(
        &mut self,
        program: &str,
        r: &ValidationRule,
        (own, variables): (&Rc<Declared>, &cel::Variables),
        at: &Path,
    ) {
        match cel::check(program, variables) {
            Err(why) => self.invalid(at, r, format!("messageExpression compilation failed: {why}")),
            Ok(checked) if checked.result != Type::Text => {
                self.invalid(at, r, "messageExpression must evaluate to a string".into());
            }
            Ok(checked) => self.charge("estimated messageExpression cost", checked.cost(own), at),
        }
    }

    fn invalid(&mut self, at: &Path, r: &ValidationRule, why: String) {
        self.errors.push(FieldError { value: in_go(r), ..FieldError::invalid(at, "", why) });
    }
}

/// Models `getCostErrorMessage`.
fn too_expensive(what: &str, cost: u64, max: u64) -> String {
    let factor = cost as f64 / max as f64;
    let factor = if factor > 100.0 {
        "more than 100x".into()
    } else if factor < 1.5 {
        format!("{factor:.6}x")
    } else {
        format!("{factor:.1}x")
    };
    format!(
        "{what} exceeds budget by factor of {factor} (try simplifying the rule, or adding maxItems, maxProperties, and \
         maxLength where arrays, maps, and strings are declared)"
    )
}

/// The rule as Go's `%#v` prints upstream's type.
fn in_go(r: &ValidationRule) -> String {
    let text = |t: Option<&str>| show(&t.unwrap_or("").into());
    // Of what is pointed to, only the address would be shown.
    let pointer = |of: &str, is_set: bool| format!("({of})({})", if is_set { "0xc000000000" } else { "nil" });
    format!(
        "apiextensions.ValidationRule{{Rule:{}, Message:{}, MessageExpression:{}, Reason:{}, FieldPath:{}, \
         OptionalOldSelf:{}}}",
        text(Some(&r.rule)),
        text(r.message.as_deref()),
        text(r.message_expression.as_deref()),
        pointer("*apiextensions.FieldValueErrorReason", r.reason.is_some()),
        text(r.field_path.as_deref()),
        pointer("*bool", r.optional_old_self.is_some()),
    )
}

#[cfg(test)]
mod tests {
    use super::super::schema::validate;
    use super::*;
    use serde_json::{Value, json};

    fn said(schema: Value) -> Vec<String> {
        let schema: Schema = serde_json::from_value(schema).expect("a schema");
        let mut errors = Vec::new();
        validate(&schema, &Path::new("s"), true, &mut errors);
        errors.iter().map(ToString::to_string).collect()
    }

    /// A schema whose `spec` has these properties and this rule.
    fn spec(properties: Value, rule: Value) -> Value {
        json!({"type": "object", "properties": {"spec": {
            "type": "object", "properties": properties, "x-kubernetes-validations": [rule]}}})
    }

    fn one(properties: Value, rule: &str) -> String {
        let mut all = said(spec(properties, json!({"rule": rule})));
        // Of what they cost other tests speak.
        all.retain(|e| !e.contains(": Forbidden: "));
        assert!(all.len() < 2, "{all:?}");
        let first = all.pop().unwrap_or_default();
        first.rsplit_once("OptionalOldSelf:(*bool)(nil)}: ").map_or(first.clone(), |(_, why)| why.into())
    }

    fn all_types() -> Value {
        json!({
            "i": {"type": "integer"}, "n": {"type": "number"}, "b": {"type": "boolean"}, "s": {"type": "string", "maxLength": 10},
            "d": {"type": "string", "format": "duration"}, "t": {"type": "string", "format": "date-time"},
            "y": {"type": "string", "format": "byte", "maxLength": 10}, "x": {"x-kubernetes-int-or-string": true},
            "l": {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 10}},
            "m": {"type": "object", "maxProperties": 10, "additionalProperties": {"type": "integer"}},
            "o": {"type": "object", "properties": {"a-b": {"type": "string", "maxLength": 10}, "namespace": {"type": "string", "maxLength": 9}}},
            "any": {"x-kubernetes-preserve-unknown-fields": true},
            "e": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
        })
    }

    #[test]
    fn fitting_types_are_let_through() {
        for rule in [
            "self.i > 1 && self.n < 2.5 && self.i < self.n && !self.b && self.s.startsWith('a')",
            "self.d > duration('1s') && self.t < timestamp('2030-01-01T00:00:00Z') && self.y == b'a'",
            "type(self.x) == int ? self.x < 5 : self.x.matches('^[0-9]+%$')",
            "self.l.all(v, v.size() > 1) && self.l.exists_one(i, v, v == string(i)) && 'a' in self.l && self.l[0] == 'b'",
            "self.m.all(k, self.m[k] > 0) && 'a' in self.m && self.m.a == 1 && self.m.map(k, k + '!').size() < 2",
            "self.o.a__dash__b == self.o.__namespace__ && self.o.namespace == 'a' && has(self.o.a__dash__b)",
            "self.e.metadata.name == 'x' && self.e.kind.lowerAscii() == 'y'",
            "self.?s.orValue('') == 'a' && self.o.?a__dash__b.hasValue() && self.m[?'a'].orValue(1) > 0",
            "self.s.split(',').map(p, int(p)).sum() > 3 && self.l.filter(v, v != 'a').isSorted()",
            "isURL(self.s) && url(self.s).getQuery()['a'] == ['b'] && ip(self.s).family() == 4",
            "cidr(self.s).containsIP(self.s) && quantity(self.s).isLessThan(quantity('1Gi')) && semver(self.s).major() == 1",
            "format.dns1123Label().validate(self.s).hasValue() || !format.named('uuid').hasValue()",
            "sets.contains(self.l, ['a']) && self.l.transformMap(i, v, v + 'x')[0] == 'ax' && '%s %d'.format([self.s, self.i]) != ''",
            "optional.of(self.s).optMap(v, v.size()).orValue(0) > 1 && [] == self.l && {} != self.m && [1, 2].max() == 2",
            "self.t.getFullYear() > 2000 && self.d.getSeconds() > 1 && dyn(self.i) == 'a' && self.x == 'a' && self.x == 1",
            "lists.range(3).all(n, n < 5) && self.l.distinct().sort().slice(0, 1).reverse() == ['a'] && [[1]].flatten() == [1]",
            "self.l.sortBy(v, v.size())[0] == 'a' && self.l.first().value() == 'b' && -1 < self.i && - self.i < 0",
        ] {
            assert_eq!(one(all_types(), rule), "", "{rule}");
        }
    }

    #[test]
    fn types_that_do_not_fit_are_shown_with_their_place() {
        for (rule, why) in [
            (
                "self.i == 'a'",
                "found no matching overload for '_==_' applied to '(int, string)'\n | self.i == 'a'\n | .......^",
            ),
            ("self.s.foo == 1", "type 'string' does not support field selection\n | self.s.foo == 1\n | ......^"),
            ("has(self.nothing)", "undefined field 'nothing'\n | has(self.nothing)\n | ...^"),
            ("self.any == 1", "undefined field 'any'\n | self.any == 1\n | ....^"),
            ("self.i && true", "expected type 'bool' but found 'int'\n | self.i && true\n | ....^"),
            (
                "self.s.size('a') > 1",
                "found no matching overload for 'size' applied to 'string.(string)'\n | self.s.size('a') > 1\n | ...........^",
            ),
            (
                "self.l == self.m",
                "found no matching overload for '_==_' applied to '(list(string), map(string, int))'\n | self.l == self.m\n | .......^",
            ),
            (
                "self.o == self.e",
                "found no matching overload for '_==_' applied to '(selfType1.o, selfType1.e)'\n | self.o == self.e\n | .......^",
            ),
            (
                "self.s.all(c, c == 'a')",
                "expression of type 'string' cannot be range of a comprehension (must be list, map, or dynamic)\n | self.s.all(c, c == 'a')\n | ....^",
            ),
            (
                "self.l.all(v, v > 1)",
                "found no matching overload for '_>_' applied to '(string, int)'\n | self.l.all(v, v > 1)\n | ................^",
            ),
            ("other == 1", "undeclared reference to 'other' (in container '')\n | other == 1\n | ^"),
            ("self.s.frob()", "undeclared reference to 'frob' (in container '')\n | self.s.frob()\n | ...........^"),
            (
                "self.s in [1, 2]",
                "found no matching overload for '@in' applied to '(string, list(int))'\n | self.s in [1, 2]\n | .......^",
            ),
            ("[1, 'a'].size() > 1", "expected type 'int' but found 'string'\n | [1, 'a'].size() > 1\n | ....^"),
            ("duration('x') == self.d", "invalid duration argument\n | duration('x') == self.d\n | .........^"),
            (
                "self.s == null",
                "found no matching overload for '_==_' applied to '(string, null)'\n | self.s == null\n | .......^",
            ),
            (
                "self.i ==",
                "Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | self.i ==\n | .........^",
            ),
            ("has(self)", "invalid argument to has() macro\n | has(self)\n | ....^"),
        ] {
            let column = why.rsplit_once("| ").map_or(0, |(_, dots)| dots.len());
            assert_eq!(
                one(all_types(), rule),
                format!("compilation failed: ERROR: <input>:1:{column}: {why}"),
                "{rule}"
            );
        }
        assert_eq!(one(all_types(), "self.s"), "cel expression must evaluate to a bool");
        assert_eq!(one(all_types(), "self.x"), "cel expression must evaluate to a bool");
    }

    #[test]
    fn all_that_is_wrong_is_said_in_the_order_of_places() {
        let all = said(spec(all_types(), json!({"rule": "self.a == 1 &&\n\tself.c > x", "message": "m"})));
        assert!(
            all[0].starts_with(
                "s.properties[spec].x-kubernetes-validations[0].rule: Invalid value: apiextensions.ValidationRule{Rule:\"self.a \
                 == 1 &&\\n\\tself.c > x\", Message:\"m\", MessageExpression:\"\", \
                 Reason:(*apiextensions.FieldValueErrorReason)(nil), FieldPath:\"\", OptionalOldSelf:(*bool)(nil)}: \
                 compilation failed: ERROR: "
            ),
            "{all:?}"
        );
        assert!(all[0].ends_with("compilation failed: ERROR: <input>:1:5: undefined field 'a'\n | self.a == 1 &&\n | ....^\nERROR: <input>:2:6: undefined field 'c'\n |  self.c > x\n | .....^\nERROR: <input>:2:11: undeclared reference to 'x' (in container '')\n |  self.c > x\n | ..........^"), "{all:?}");
    }

    #[test]
    fn messages_are_texts() {
        let with = |program: &str| said(spec(all_types(), json!({"rule": "self.i > 1", "messageExpression": program})));
        assert_eq!(with("'no %d'.format([self.i])"), Vec::<String>::new());
        // As the documentation has it.
        assert_eq!(with("'no ' + string(self.i)"), Vec::<String>::new());
        assert!(with("self.i")[0].ends_with("messageExpression must evaluate to a string"));
        let wrong = &with("'a' + self.i")[0];
        assert!(
            wrong
                .starts_with("s.properties[spec].x-kubernetes-validations[0].messageExpression: Invalid value: apiext")
        );
        assert!(wrong.contains("messageExpression compilation failed: ERROR: <input>:1:5: found no matching overload for '_+_' applied to '(string, int)'"), "{wrong}");
    }

    #[test]
    fn what_was_before_needs_a_place_of_its_own() {
        let list = |kind: &str| {
            json!({"type": "object", "properties": {"l": {"type": "array", "maxItems": 3, "x-kubernetes-list-type": kind,
                "x-kubernetes-list-map-keys": if kind == "map" { json!(["k"]) } else { Value::Null },
                "items": {"type": "object", "x-kubernetes-map-type": "atomic", "required": ["k"],
                          "properties": {"k": {"type": "string", "maxLength": 9}},
                          "x-kubernetes-validations": [{"rule": "self.k == oldSelf.k"}]}}}})
        };
        assert_eq!(said(list("map")), Vec::<String>::new());
        assert_eq!(
            said(list("atomic")),
            ["s.properties[l].items.x-kubernetes-validations[0].rule: Invalid value: \"self.k == oldSelf.k\": \
            oldSelf cannot be used on the uncorrelatable portion of the schema within s.properties[l]"]
        );
        let optional = |rule: &str| said(spec(all_types(), json!({"rule": rule, "optionalOldSelf": true})));
        assert_eq!(optional("!oldSelf.hasValue() || self.i >= oldSelf.value().i"), Vec::<String>::new());
        assert_eq!(
            optional("self.i > 1"),
            [
                "s.properties[spec].x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule"
            ]
        );
    }

    #[test]
    fn without_types_there_are_no_programs() {
        let loose = json!({"type": "object", "properties": {"a": {"x-kubernetes-preserve-unknown-fields": true,
            "x-kubernetes-validations": [{"rule": "self.b == 1"}]}}});
        assert!(said(loose)[0].ends_with("unable to convert structural schema to CEL declarations"));
        let broken =
            json!({"type": "object", "properties": {"a": {}}, "x-kubernetes-validations": [{"rule": "nothing"}]});
        assert_eq!(
            said(broken),
            ["s.properties[a].type: Required value: must not be empty for specified object fields"]
        );
    }

    /// Upstream's `TestCostEstimation`: the cost without a limit, then with one.
    #[test]
    fn costs_are_upstream_s() {
        let list = |of: &str, rule: &str| json!({"type": "array", "items": {"type": of}, "x-kubernetes-validations": [{"rule": rule}]});
        let map = |of: Value, rule: &str| json!({"type": "object", "additionalProperties": of, "x-kubernetes-validations": [{"rule": rule}]});
        let text = |rule: &str| json!({"type": "string", "x-kubernetes-validations": [{"rule": rule}]});
        for (schema, limit, free, limited) in [
            (list("number", "self.all(x, true)"), ("maxItems", 10), 4_718_591, 32),
            (list("string", "self.all(x, true)"), ("maxItems", 20), 3_145_727, 62),
            (map(json!({"type": "number"}), "self.all(x, true)"), ("maxProperties", 10), 1_348_169, 32),
            (map(json!({"type": "number"}), "has(self.x)"), ("maxProperties", 100), 1, 1),
            (text("self.contains('test')"), ("maxLength", 10), 314_574, 5),
            (text("self.startsWith('test')"), ("maxLength", 15), 2, 2),
            (text("size(self + \"hello\") > size(\"hello\")"), ("maxLength", 4), 314_578, 7),
            (list("string", "self[1] == self[1]"), ("maxItems", 8), 314_577, 314_577),
            (
                map(json!({"type": "string", "format": "date-time"}), "self[\"a\"] == self[\"b\"]"),
                ("maxProperties", 7),
                8,
                8,
            ),
        ] {
            let cost = |schema: Value| {
                let schema: Schema = serde_json::from_value(schema).expect("a schema");
                let rule = &schema.x_kubernetes_validations.as_ref().expect("rules")[0].rule;
                let own = types::declared(&schema, false).expect("types");
                let t = own.named(OWN_TYPE);
                cel::check(rule, &[("self", t.clone()), ("oldSelf", t)]).map(|c| c.cost(&own)).expect("a program")
            };
            let mut with = schema.clone();
            with[limit.0] = limit.1.into();
            assert_eq!((cost(schema.clone()), cost(with)), (free, limited), "{schema}");
        }
    }

    #[test]
    fn what_costs_too_much_is_refused() {
        let nested = "self.l.all(x, self.l.all(y, x == y))";
        let with = |limits: Value| {
            let mut list = json!({"type": "array", "items": {"type": "string"}});
            list.as_object_mut().expect("a map").extend(limits.as_object().expect("a map").clone());
            said(spec(json!({"l": list}), json!({"rule": nested})))
        };
        let advice = "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";
        assert_eq!(with(json!({})), [
            format!("s.properties[spec].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x {advice}"),
            "s.properties[spec].x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema".into(),
            format!("s: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x {advice}"),
        ]);
        assert_eq!(with(json!({"maxItems": 10, "items": {"type": "string", "maxLength": 10}})), Vec::<String>::new());
        assert_eq!(
            too_expensive("x", 12_345_678, COST_MAX),
            format!("x exceeds budget by factor of 1.234568x {advice}")
        );
        assert_eq!(too_expensive("x", 26_000_000, COST_MAX), format!("x exceeds budget by factor of 2.6x {advice}"));
    }
}
