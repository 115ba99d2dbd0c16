//! What a kustomization may say: its fields and their types. Models `kustomize/api/types`, read as Go's `json.Decoder`
//! reads them: strictly, with its words, and with names of any case.

use meta::go::json_kind;
use serde_json::{Map, Value};

enum Kind {
    Text,
    Bool,
    Whole,
    List(&'static Kind),
    /// A list of strings that have a type of their own.
    Named(&'static str),
    Pairs(&'static Kind),
    Struct(&'static Struct),
    /// Not looked at.
    Any,
}
use Kind::{Any, Bool, List, Named, Pairs, Text, Whole};

struct Struct {
    name: &'static str,
    fields: &'static [(&'static str, Kind)],
}

const TEXTS: Kind = List(&Text);
const TEXT_PAIRS: Kind = Pairs(&Text);

const OPTIONS: Struct = Struct {
    name: "GeneratorOptions",
    fields: &[
        ("labels", TEXT_PAIRS),
        ("annotations", TEXT_PAIRS),
        ("disableNameSuffixHash", Bool),
        ("immutable", Bool),
    ],
};
const CONFIG_MAP: Struct = Struct {
    name: "ConfigMapArgs",
    fields: &[
        ("namespace", Text),
        ("name", Text),
        ("behavior", Text),
        ("literals", TEXTS),
        ("files", TEXTS),
        ("envs", TEXTS),
        ("env", Text),
        ("options", Kind::Struct(&OPTIONS)),
    ],
};
const SECRET: Struct = Struct {
    name: "SecretArgs",
    fields: &[
        ("namespace", Text),
        ("name", Text),
        ("behavior", Text),
        ("literals", TEXTS),
        ("files", TEXTS),
        ("envs", TEXTS),
        ("env", Text),
        ("options", Kind::Struct(&OPTIONS)),
        ("type", Text),
    ],
};
const FIELD_SPEC: Struct = Struct {
    name: "FieldSpec",
    fields: &[("group", Text), ("version", Text), ("kind", Text), ("path", Text), ("create", Bool)],
};
const LABEL: Struct = Struct {
    name: "Label",
    fields: &[
        ("pairs", TEXT_PAIRS),
        ("includeSelectors", Bool),
        ("includeTemplates", Bool),
        ("fields", List(&Kind::Struct(&FIELD_SPEC))),
    ],
};
const SELECTOR: Struct = Struct {
    name: "Selector",
    fields: &[
        ("group", Text),
        ("version", Text),
        ("kind", Text),
        ("name", Text),
        ("namespace", Text),
        ("annotationSelector", Text),
        ("labelSelector", Text),
    ],
};
const PATCH: Struct = Struct {
    name: "Patch",
    fields: &[("path", Text), ("patch", Text), ("target", Kind::Struct(&SELECTOR)), ("options", Pairs(&Bool))],
};
const IMAGE: Struct = Struct {
    name: "Image",
    fields: &[("name", Text), ("newName", Text), ("tagSuffix", Text), ("newTag", Text), ("digest", Text)],
};
const REPLICA: Struct = Struct { name: "Replica", fields: &[("name", Text), ("count", Whole)] };
const FIELD_OPTIONS: Struct = Struct {
    name: "FieldOptions",
    fields: &[("delimiter", Text), ("index", Whole), ("encoding", Text), ("create", Bool)],
};
const SOURCE: Struct = Struct {
    name: "SourceSelector",
    fields: &[
        ("group", Text),
        ("version", Text),
        ("kind", Text),
        ("name", Text),
        ("namespace", Text),
        ("fieldPath", Text),
        ("options", Kind::Struct(&FIELD_OPTIONS)),
    ],
};
const TARGET: Struct = Struct {
    name: "TargetSelector",
    fields: &[
        ("select", Kind::Struct(&SELECTOR)),
        ("reject", List(&Kind::Struct(&SELECTOR))),
        ("fieldPaths", TEXTS),
        ("options", Kind::Struct(&FIELD_OPTIONS)),
    ],
};
const REPLACEMENT: Struct = Struct {
    name: "ReplacementField",
    fields: &[
        ("source", Kind::Struct(&SOURCE)),
        ("targets", List(&Kind::Struct(&TARGET))),
        ("sourceValue", Text),
        ("path", Text),
    ],
};
const OBJECT_REF: Struct = Struct {
    name: "Target",
    fields: &[
        ("apiVersion", Text),
        ("group", Text),
        ("version", Text),
        ("kind", Text),
        ("name", Text),
        ("namespace", Text),
    ],
};
const FIELD_REF: Struct = Struct { name: "FieldSelector", fields: &[("fieldPath", Text)] };
const VAR: Struct = Struct {
    name: "Var",
    fields: &[("name", Text), ("objref", Kind::Struct(&OBJECT_REF)), ("fieldref", Kind::Struct(&FIELD_REF))],
};
const LEGACY: Struct = Struct { name: "LegacySortOptions", fields: &[("orderFirst", TEXTS), ("orderLast", TEXTS)] };
const SORT: Struct =
    Struct { name: "SortOptions", fields: &[("order", Text), ("legacySortOptions", Kind::Struct(&LEGACY))] };
const METADATA: Struct = Struct {
    name: "ObjectMeta",
    fields: &[("name", Text), ("namespace", Text), ("labels", TEXT_PAIRS), ("annotations", TEXT_PAIRS)],
};
const KUSTOMIZATION: Struct = Struct {
    name: "Kustomization",
    fields: &[
        ("apiVersion", Text),
        ("kind", Text),
        ("metadata", Kind::Struct(&METADATA)),
        ("openapi", TEXT_PAIRS),
        ("namePrefix", Text),
        ("nameSuffix", Text),
        ("namespace", Text),
        ("commonLabels", TEXT_PAIRS),
        ("labels", List(&Kind::Struct(&LABEL))),
        ("commonAnnotations", TEXT_PAIRS),
        ("patchesStrategicMerge", Named("PatchStrategicMerge")),
        ("patchesJson6902", List(&Kind::Struct(&PATCH))),
        ("patches", List(&Kind::Struct(&PATCH))),
        ("images", List(&Kind::Struct(&IMAGE))),
        ("imageTags", List(&Kind::Struct(&IMAGE))),
        ("replacements", List(&Kind::Struct(&REPLACEMENT))),
        ("replicas", List(&Kind::Struct(&REPLICA))),
        ("vars", List(&Kind::Struct(&VAR))),
        ("sortOptions", Kind::Struct(&SORT)),
        ("resources", TEXTS),
        ("components", TEXTS),
        ("crds", TEXTS),
        ("bases", TEXTS),
        ("configMapGenerator", List(&Kind::Struct(&CONFIG_MAP))),
        ("secretGenerator", List(&Kind::Struct(&SECRET))),
        ("helmGlobals", Any),
        ("helmCharts", Any),
        ("helmChartInflationGenerator", Any),
        ("generatorOptions", Kind::Struct(&OPTIONS)),
        ("configurations", TEXTS),
        ("generators", TEXTS),
        ("transformers", TEXTS),
        ("validators", TEXTS),
        ("buildMetadata", TEXTS),
    ],
};

/// A kustomization's fields under their names, without those that are null.
///
/// # Errors
/// Go's words for the first thing that is wrong, in the order of the names.
pub(super) fn checked(v: Value) -> Result<Map<String, Value>, String> {
    checked_as(v, &KUSTOMIZATION)
}

/// A list of replacements, which a file may hold.
pub(super) fn replacements(v: Value) -> Result<Vec<Value>, String> {
    let list = match v {
        Value::Array(list) => list,
        one => vec![one],
    };
    list.into_iter().map(|v| checked_as(v, &REPLACEMENT).map(Value::Object)).collect()
}

fn checked_as(v: Value, as_what: &'static Struct) -> Result<Map<String, Value>, String> {
    let mut reader = Reader { path: Vec::new(), inner: as_what.name, wrong: None };
    let Value::Object(map) = v else {
        if v.is_null() {
            return Ok(Map::new());
        }
        return Err(format!("json: cannot unmarshal {} into Go value of type types.{}", json_kind(&v), as_what.name));
    };
    let known = reader.fields(map, as_what);
    reader.wrong.map_or(Ok(known), Err)
}

struct Reader {
    path: Vec<&'static str>,
    /// The struct whose field is read.
    inner: &'static str,
    wrong: Option<String>,
}

fn go(kind: &Kind) -> String {
    match kind {
        Text => "string".into(),
        Bool => "bool".into(),
        Whole => "int64".into(),
        List(of) => format!("[]{}", go(of)),
        Named(name) => format!("[]types.{name}"),
        Pairs(of) => format!("map[string]{}", go(of)),
        Kind::Struct(s) => format!("types.{}", s.name),
        Any => "interface {}".into(),
    }
}

impl Reader {
    fn refuse(&mut self, what: &str, wanted: &str) {
        let field = self.path.join(".");
        let message =
            format!("json: cannot unmarshal {what} into Go struct field {}.{field} of type {wanted}", self.inner);
        self.wrong.get_or_insert(message);
    }

    fn fields(&mut self, map: Map<String, Value>, s: &'static Struct) -> Map<String, Value> {
        let mut names: Vec<(String, Value)> = map.into_iter().collect();
        names.sort_by(|a, b| a.0.cmp(&b.0));
        let mut known = Map::new();
        for (name, value) in names {
            let exact = s.fields.iter().find(|(n, _)| *n == name);
            let Some((n, kind)) = exact.or_else(|| s.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(&name))) else {
                self.wrong.get_or_insert_with(|| format!("json: unknown field {name:?}"));
                continue;
            };
            let outer = std::mem::replace(&mut self.inner, s.name);
            self.path.push(n);
            let value = self.value(value, kind);
            self.path.pop();
            self.inner = outer;
            if !value.is_null() {
                known.insert((*n).into(), value);
            }
        }
        known
    }

    fn value(&mut self, v: Value, kind: &'static Kind) -> Value {
        match (kind, v) {
            (_, Value::Null) => Value::Null,
            (Any, v) | (Text, v @ Value::String(_)) | (Bool, v @ Value::Bool(_)) => v,
            (Whole, v @ Value::Number(_)) if v.is_i64() => v,
            (Whole, Value::Number(n)) => {
                self.refuse(&format!("number {n}"), "int64");
                Value::Null
            }
            (List(of), Value::Array(list)) => {
                Value::Array(list.into_iter().map(|v| self.value(v, of)).filter(|v| !v.is_null()).collect())
            }
            (Named(name), Value::Array(list)) => {
                if let Some(v) = list.iter().find(|v| !v.is_string()) {
                    self.refuse(json_kind(v), &format!("types.{name}"));
                }
                Value::Array(list)
            }
            (Pairs(of), Value::Object(map)) => Value::Object(
                map.into_iter().map(|(k, v)| (k, self.value(v, of))).filter(|(_, v)| !v.is_null()).collect(),
            ),
            (Kind::Struct(s), Value::Object(map)) => Value::Object(self.fields(map, s)),
            (kind, v) => {
                self.refuse(json_kind(&v), &go(kind));
                Value::Null
            }
        }
    }
}
