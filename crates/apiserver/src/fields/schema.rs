//! What the types of objects look like to a merge: which lists are merged and by which key, which maps and structs go
//! as one. Models `structured-merge-diff/schema`; [`api::declared::SCHEMA`] holds what upstream's OpenAPI documents say of the
//! built-in kinds. Times, quantities and what is an integer or a string are `u`ntyped scalars to a merge. In tests
//! `name := type` gives a type another name.

use api::custom::Custom;
use api::declared::SCHEMA as TEXT;
pub use api::declared::type_name;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    Number,
    String,
    Bool,
    Untyped,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// Goes as one.
    Atomic,
    Set,
    Keyed(Vec<String>),
}

#[derive(Clone, Debug)]
pub struct List {
    pub element: TypeRef,
    pub kind: ListKind,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub of: TypeRef,
    pub default: Option<Value>,
    /// In Go a struct and not a pointer to one, or a list that is written as null: so that an empty object has it.
    pub always: bool,
}

#[derive(Clone, Debug, Default)]
pub struct MapType {
    pub fields: BTreeMap<String, Field>,
    /// Of what is not among the fields; `None`: there is nothing else.
    pub element: Option<TypeRef>,
    pub atomic: bool,
}

/// What a value may be.
#[derive(Clone, Debug, Default)]
pub struct Atom {
    pub scalar: Option<Scalar>,
    pub list: Option<List>,
    pub map: Option<MapType>,
}

/// A type's place in its [`Schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeRef(usize);

#[derive(Debug)]
pub struct Schema {
    types: Vec<Atom>,
    names: BTreeMap<String, TypeRef>,
}

/// Anything, its maps merged key by key.
const DEDUCED: TypeRef = TypeRef(4);
const ATOMIC: TypeRef = TypeRef(5);

impl Schema {
    /// Reads the form above.
    pub fn parse(text: &str) -> Schema {
        let scalar = |s| Atom { scalar: Some(s), ..Atom::default() };
        let any = |of, atomic| Atom {
            scalar: Some(Scalar::Untyped),
            list: Some(List { element: ATOMIC, kind: ListKind::Atomic }),
            map: Some(MapType { element: Some(of), atomic, ..MapType::default() }),
        };
        let mut schema = Schema {
            types: vec![
                scalar(Scalar::Number),
                scalar(Scalar::String),
                scalar(Scalar::Bool),
                scalar(Scalar::Untyped),
                any(DEDUCED, false),
                any(ATOMIC, true),
            ],
            names: BTreeMap::new(),
        };
        for (i, name) in ["n", "s", "b", "u", "deduced", "atomic"].iter().enumerate() {
            schema.names.insert((*name).into(), TypeRef(i));
        }
        for (i, name) in [(1, "y"), (3, "t"), (3, "i"), (3, "q")] {
            schema.names.insert(name.into(), TypeRef(i));
        }
        for line in text.lines().filter(|l| !l.is_empty()) {
            if let Some((name, of)) = line.split_once(" := ") {
                let (name, of) = (schema.named(name), schema.of(of));
                schema.types[name.0] = schema.types[of.0].clone();
                continue;
            }
            let mut words = line.split(' ');
            let name = words.next().unwrap_or("");
            let (name, atomic) = name.strip_suffix('!').map_or((name, false), |n| (n, true));
            let fields = words.filter_map(|w| schema.field(w)).collect();
            let map = MapType { fields, element: None, atomic };
            let of = schema.named(name);
            schema.types[of.0] = Atom { map: Some(map), ..Atom::default() };
        }
        schema
    }

    fn field(&mut self, word: &str) -> Option<(String, Field)> {
        let (name, of) = word.split_once(':')?;
        let (always, of) = of.strip_prefix('+').map_or((false, of), |of| (true, of));
        // The sign of a set or of an atomic map is no default.
        let from = of.find(|c: char| c.is_alphanumeric()).unwrap_or(0);
        let (of, default) = match of[from..].find('=') {
            Some(i) => (&of[..from + i], Some(&of[from + i + 1..])),
            None => (of, None),
        };
        let default = default.map(|d| match (of, d) {
            ("n", d) => serde_json::from_str(d).unwrap_or_default(),
            ("b", d) => Value::Bool(d == "true"),
            (_, d) => d.into(),
        });
        Some((name.into(), Field { of: self.of(of), default, always }))
    }

    fn of(&mut self, word: &str) -> TypeRef {
        if let Some(rest) = word.strip_prefix('<') {
            let (atomic, rest) = rest.strip_prefix('=').map_or((false, rest), |r| (true, r));
            let map = MapType { element: Some(self.of(rest)), atomic, ..MapType::default() };
            return self.push(Atom { map: Some(map), ..Atom::default() });
        }
        if let Some(rest) = word.strip_prefix('[') {
            let (kind, rest) = if let Some(rest) = rest.strip_prefix('=') {
                (ListKind::Set, rest)
            } else if let Some((keys, rest)) = rest.split_once(']') {
                (ListKind::Keyed(keys.split(',').map(Into::into).collect()), rest)
            } else {
                (ListKind::Atomic, rest)
            };
            let list = List { element: self.of(rest), kind };
            return self.push(Atom { list: Some(list), ..Atom::default() });
        }
        self.named(word)
    }

    fn named(&mut self, name: &str) -> TypeRef {
        if let Some(of) = self.names.get(name) {
            return *of;
        }
        let of = self.push(Atom::default());
        self.names.insert(name.into(), of);
        of
    }

    fn push(&mut self, atom: Atom) -> TypeRef {
        self.types.push(atom);
        TypeRef(self.types.len() - 1)
    }

    pub fn atom(&self, of: TypeRef) -> &Atom {
        &self.types[of.0]
    }

    /// A type by its name; one that nothing is said of is taken as it comes.
    pub fn get(&self, name: &str) -> TypeRef {
        self.names.get(name).copied().unwrap_or(DEDUCED)
    }

    /// What an object of the type looks like in Go when nothing has been set.
    pub fn zero(&self, of: TypeRef) -> Value {
        let Some(map) = &self.atom(of).map else { return Value::Null };
        let fields = map.fields.iter();
        let always = fields.filter(|(_, f)| f.always).map(|(name, f)| (name.clone(), self.zero(f.of)));
        Value::Object(always.collect())
    }

    /// The type of what lies at `name` in a map.
    pub fn step(map: &MapType, name: &str) -> TypeRef {
        map.fields.get(name).map(|f| f.of).or(map.element).unwrap_or(DEDUCED)
    }
}

/// The built-in kinds' types.
pub fn built_in() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| Schema::parse(TEXT))
}

/// A custom resource's type, made of its definition's schema once. Models `managedfields` over `schemaconv.ToSchema`.
pub fn of_custom(custom: &'static Custom) -> super::walk::Typed<'static> {
    let made = custom.derived.get_or_init(|| {
        let meta: Vec<&str> = TEXT.lines().filter(|l| l.starts_with("meta.v1.")).collect();
        let mut schema = Schema::parse(&meta.join("\n"));
        let root = schema.resource(&custom.schema);
        Box::new((schema, root))
    });
    match made.downcast_ref::<(Schema, TypeRef)>() {
        Some((schema, of)) => super::walk::Typed { schema, of: *of },
        None => super::walk::Typed { schema: built_in(), of: DEDUCED },
    }
}

impl Schema {
    /// A whole resource: its metadata is every object's.
    fn resource(&mut self, s: &JSONSchemaProps) -> TypeRef {
        let mut map = self.map_of(s);
        let plain = |of| Field { of, default: None, always: false };
        let (text, meta) = (self.named("s"), self.named("meta.v1.ObjectMeta"));
        map.fields.insert("apiVersion".into(), plain(text));
        map.fields.insert("kind".into(), plain(text));
        map.fields.insert("metadata".into(), plain(meta));
        self.push(Atom { map: Some(map), ..Atom::default() })
    }

    fn map_of(&mut self, s: &JSONSchemaProps) -> MapType {
        let mut map = MapType { atomic: s.x_kubernetes_map_type.as_deref() == Some("atomic"), ..MapType::default() };
        for (name, p) in s.properties.iter().flatten() {
            let of = self.custom(p);
            let default = p.default.as_ref().map(|d| d.0.clone());
            map.fields.insert(name.clone(), Field { of, default, always: false });
        }
        map.element = match &s.additional_properties {
            Some(JSONSchemaPropsOrBool::Schema(of)) => Some(self.custom(of)),
            Some(JSONSchemaPropsOrBool::Bool(true)) => Some(DEDUCED),
            _ => (s.x_kubernetes_preserve_unknown_fields == Some(true)).then_some(DEDUCED),
        };
        map
    }

    fn custom(&mut self, s: &JSONSchemaProps) -> TypeRef {
        if s.x_kubernetes_int_or_string == Some(true) {
            return self.named("u");
        }
        match s.type_.as_deref() {
            Some("object") if s.x_kubernetes_embedded_resource == Some(true) => self.resource(s),
            Some("object") => {
                let map = self.map_of(s);
                self.push(Atom { map: Some(map), ..Atom::default() })
            }
            Some("array") => {
                let element = match &s.items {
                    Some(JSONSchemaPropsOrArray::Schema(of)) => self.custom(of),
                    _ => ATOMIC,
                };
                let kind = match s.x_kubernetes_list_type.as_deref() {
                    Some("set") => ListKind::Set,
                    Some("map") => ListKind::Keyed(s.x_kubernetes_list_map_keys.clone().unwrap_or_default()),
                    _ => ListKind::Atomic,
                };
                self.push(Atom { list: Some(List { element, kind }), ..Atom::default() })
            }
            Some("string") => self.named("s"),
            Some("integer" | "number") => self.named("n"),
            Some("boolean") => self.named("b"),
            _ => DEDUCED,
        }
    }
}
