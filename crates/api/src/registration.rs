//! What registering a kind means: everything the API server, discovery, kubectl's tables and the page need
//! to know about it, in one file per kind.

use crate::custom::Custom;
use crate::decode::{self, Decoded, Source};
use crate::kinds;
use crate::object::Object;
use crate::table;
use crate::validate::names::{NameRule, rule};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::{Metadata, Resource};
use meta::{ApiError, FieldError, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Kinds live as long as the program (those of CustomResourceDefinitions are leaked once each).
pub type KindRef = &'static Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Namespaced,
    Cluster,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Create,
    Delete,
    DeleteCollection,
    Get,
    List,
    Patch,
    Update,
    Watch,
}

pub const ALL_VERBS: &[Verb] = &[
    Verb::Create,
    Verb::Delete,
    Verb::DeleteCollection,
    Verb::Get,
    Verb::List,
    Verb::Patch,
    Verb::Update,
    Verb::Watch,
];

/// A column of the server-side Table. `priority` 0 is shown always, 1 only with `-o wide`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    /// OpenAPI type: `string`, `integer`, `boolean`, `date`.
    pub kind: &'static str,
    /// `name` for the first column.
    pub format: &'static str,
    pub description: &'static str,
    pub priority: i32,
}

impl Column {
    pub const fn new(name: &'static str, kind: &'static str, priority: i32) -> Self {
        Column { name, kind, format: "", description: "", priority }
    }
    pub const NAME: Column =
        Column { name: "Name", kind: "string", format: "name", description: table::NAME_DESCRIPTION, priority: 0 };
    pub const AGE: Column = Column::new("Age", "string", 0).describe(table::AGE_DESCRIPTION);

    /// The same column with a description.
    #[must_use]
    pub const fn describe(self, description: &'static str) -> Self {
        Column { description, ..self }
    }
}

/// A table cell: JSON, a string or a number.
pub type Cell = serde_json::Value;

/// Which subresources a kind has, besides itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subresource {
    /// `status`, `scale`, `binding`, `eviction`, `log`, `exec`, `finalize`, `token`, `proxy`...
    pub name: &'static str,
    /// Group, version and kind of its body when these differ from the parent's.
    pub gvk: Option<(&'static str, &'static str, &'static str)>,
    pub verbs: &'static [Verb],
}

/// The `id` of a kind that is not in the table (one made at run time).
pub const UNLISTED: u16 = u16::MAX;

/// A registered kind with its type erased. Made by [`Kind::of`]; never built by hand.
pub struct Kind {
    /// The position in [`crate::KINDS`]; beyond it for kinds of CustomResourceDefinitions; [`UNLISTED`] for a kind that is not
    /// listed anywhere.
    pub id: u16,
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
    pub plural: &'static str,
    pub singular: &'static str,
    pub short_names: &'static [&'static str],
    pub categories: &'static [&'static str],
    pub scope: Scope,
    pub verbs: &'static [Verb],
    pub subresources: &'static [Subresource],
    pub columns: &'static [Column],
    /// A small valid manifest (YAML) to start from.
    pub sample: &'static str,
    /// False: a question that is answered at once, of which nothing is kept.
    pub stored: bool,
    /// Whether `metadata.generation` counts spec changes.
    pub has_generation: bool,
    /// Whether a delete that says nothing about dependents leaves them.
    pub orphans_by_default: bool,
    /// What `metadata.name` may be.
    pub name_rule: NameRule,
    /// Graceful deletion: the period to use when the request names none; `None` deletes at once. `Some(0)`
    /// also overrides a longer period that the request names (a pod that never ran, or has finished).
    pub default_grace_seconds: fn(&dyn Object) -> Option<i64>,
    /// The one way from JSON to an object of the kind, so that each type's decoder is compiled once.
    pub decode: fn(KindRef, Source<'_>) -> Result<Decoded, ApiError>,
    pub default: fn(&mut dyn Object),
    pub prepare_create: fn(&mut dyn Object),
    pub prepare_update: fn(&mut dyn Object, &dyn Object),
    pub prepare_status: fn(&mut dyn Object, &dyn Object),
    pub merge_status: fn(&mut dyn Object, &dyn Object) -> bool,
    pub validate_create: fn(&dyn Object) -> Vec<FieldError>,
    pub validate_update: fn(&dyn Object, &dyn Object) -> Vec<FieldError>,
    pub validate_status: fn(&dyn Object, &dyn Object) -> Vec<FieldError>,
    pub warnings: fn(&dyn Object) -> Vec<String>,
    pub cells: fn(&dyn Object, Time) -> Vec<Cell>,
    pub fields: fn(&dyn Object) -> Vec<(&'static str, String)>,
    pub scale: Option<Scale>,
    pub alias: Option<Alias>,
    /// What everyone who asks for the kind is warned of; empty: nothing.
    pub deprecated: &'static str,
    /// Of a kind that a CustomResourceDefinition makes.
    pub custom: Option<&'static Custom>,
}

/// A kind that is another form of what is stored as `of`.
#[derive(Clone, Copy)]
pub struct Alias {
    pub of: KindRef,
    pub to_stored: fn(Box<dyn Object>) -> Box<dyn Object>,
    pub from_stored: fn(&dyn Object) -> Box<dyn Object>,
}

/// How `/scale` reads and writes a kind.
#[derive(Clone, Copy)]
pub struct Scale {
    pub replicas: fn(&dyn Object) -> i32,
    pub set_replicas: fn(&mut dyn Object, i32),
    pub status_replicas: fn(&dyn Object) -> i32,
    /// The label selector as a query string (`app=web`).
    pub selector: fn(&dyn Object) -> String,
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        // A definition's versions, and what it was before it changed, are one kind: their objects lie in one place.
        std::ptr::eq(self, other) || (self.custom.is_some() && other.custom.is_some() && self.id == other.id)
    }
}
impl Eq for Kind {}
impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{} {}", self.group, self.version, self.kind)
    }
}

impl Kind {
    pub fn namespaced(&self) -> bool {
        self.scope == Scope::Namespaced
    }
    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        crate::object::api_version(self)
    }
    /// An object from a tree; unknown fields are ignored.
    ///
    /// # Errors
    /// In the words of Go's JSON decoder.
    pub fn from_value(&'static self, value: serde_json::Value) -> Result<Box<dyn Object>, ApiError> {
        (self.decode)(self, Source::Value(value)).map(|d| d.object)
    }
    /// An object from JSON; unknown and duplicate fields are ignored.
    ///
    /// # Errors
    /// In the words of Go's JSON decoder.
    pub fn from_json(&'static self, json: &[u8]) -> Result<Box<dyn Object>, ApiError> {
        (self.decode)(self, Source::Json(json)).map(|d| d.object)
    }
    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|s| s.name == name)
    }
}

/// A type that has a registration; the way from a Rust type to its [`Kind`].
pub trait Registered:
    Resource
    + Metadata<Ty = ObjectMeta>
    + Serialize
    + DeserializeOwned
    + Clone
    + Default
    + PartialEq
    + Send
    + Sync
    + 'static
{
    const KIND_REF: KindRef;
}

/// What a kind's file writes. Only the names and the cells are required; the rest defaults to "nothing special".
/// The order of a write: decode, `default`, `prepare_*`, admission, `validate_*`, commit.
pub trait Registration: 'static {
    type Type: Registered;
    const PLURAL: &'static str;
    const SINGULAR: &'static str;
    /// The kind's file, where several kinds have the same singular.
    const FILE: &'static str = Self::SINGULAR;
    const ALIAS: Option<Alias> = None;
    /// Models `APILifecycleDeprecated`.
    const DEPRECATED: &'static str = "";
    const SHORT_NAMES: &'static [&'static str] = &[];
    const CATEGORIES: &'static [&'static str] = &[];
    const SCOPE: Scope = Scope::Namespaced;
    const VERBS: &'static [Verb] = ALL_VERBS;
    const SUBRESOURCES: &'static [Subresource] = &[];
    const COLUMNS: &'static [Column];
    const SAMPLE: &'static str;
    /// False: a question that is answered at once, of which nothing is kept.
    const STORED: bool = true;
    const HAS_GENERATION: bool = false;
    /// Models a `DefaultGarbageCollectionPolicy` of `OrphanDependents`.
    const ORPHANS_BY_DEFAULT: bool = false;
    const SCALE: Option<Scale> = None;
    const NAME_RULE: NameRule = rule::subdomain;

    /// Shows every quantity in the object to `f`: they are checked and made canonical on decoding.
    fn quantities(_o: &mut Self::Type, _f: &mut dyn FnMut(&mut Quantity)) {}
    fn default_grace_seconds(_o: &Self::Type) -> Option<i64> {
        None
    }
    /// Models `SetDefaults_*`.
    fn default(_o: &mut Self::Type) {}
    /// Models the strategy's `PrepareForCreate`: what a user may not set is cleared.
    fn prepare_create(_o: &mut Self::Type) {}
    /// Models `PrepareForUpdate` of a main-resource write: status is kept from `old`.
    fn prepare_update(_new: &mut Self::Type, _old: &Self::Type) {}
    /// Models `PrepareForUpdate` of a /status write: all but status is kept from `old` (metadata labels and
    /// annotations included, as most status strategies do).
    fn prepare_status(_new: &mut Self::Type, _old: &Self::Type) {}
    /// A merge patch of the status that comes typed: completes `new`, which has what changes, from `old`. False when
    /// the kind has no typed way.
    fn merge_status(_new: &mut Self::Type, _old: &Self::Type) -> bool {
        false
    }
    /// Beyond ObjectMeta, which the API server validates for every kind.
    fn validate_create(_o: &Self::Type) -> Vec<FieldError> {
        Vec::new()
    }
    fn validate_update(_new: &Self::Type, _old: &Self::Type) -> Vec<FieldError> {
        Vec::new()
    }
    fn validate_status(_new: &Self::Type, _old: &Self::Type) -> Vec<FieldError> {
        Vec::new()
    }
    /// `Warning` headers.
    fn warnings(_o: &Self::Type) -> Vec<String> {
        Vec::new()
    }
    /// One per column, in order. `now` is for ages.
    fn cells(o: &Self::Type, now: Time) -> Vec<Cell>;
    /// Field selectors beyond `metadata.name` and `metadata.namespace`.
    fn fields(_o: &Self::Type) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// The registry hands every function objects of its own kind only.
fn typed<T: Registered>(o: &dyn Object) -> &T {
    o.as_any().downcast_ref().expect("an object of the registered kind")
}
fn typed_mut<T: Registered>(o: &mut dyn Object) -> &mut T {
    o.as_any_mut().downcast_mut().expect("an object of the registered kind")
}

impl Kind {
    pub const fn of<R: Registration>() -> Kind {
        Kind {
            id: kinds::id(R::FILE),
            group: <R::Type as Resource>::GROUP,
            version: <R::Type as Resource>::VERSION,
            kind: <R::Type as Resource>::KIND,
            plural: R::PLURAL,
            singular: R::SINGULAR,
            short_names: R::SHORT_NAMES,
            categories: R::CATEGORIES,
            scope: R::SCOPE,
            verbs: R::VERBS,
            subresources: R::SUBRESOURCES,
            columns: R::COLUMNS,
            sample: R::SAMPLE,
            stored: R::STORED,
            has_generation: R::HAS_GENERATION,
            orphans_by_default: R::ORPHANS_BY_DEFAULT,
            name_rule: R::NAME_RULE,
            default_grace_seconds: |o| R::default_grace_seconds(typed(o)),
            decode: decode::decode_kind::<R>,
            default: |o| R::default(typed_mut(o)),
            prepare_create: |o| R::prepare_create(typed_mut(o)),
            prepare_update: |n, o| R::prepare_update(typed_mut(n), typed(o)),
            prepare_status: |n, o| R::prepare_status(typed_mut(n), typed(o)),
            merge_status: |n, o| R::merge_status(typed_mut(n), typed(o)),
            validate_create: |o| R::validate_create(typed(o)),
            validate_update: |n, o| R::validate_update(typed(n), typed(o)),
            validate_status: |n, o| R::validate_status(typed(n), typed(o)),
            warnings: |o| R::warnings(typed(o)),
            cells: |o, now| R::cells(typed(o), now),
            fields: |o| R::fields(typed(o)),
            scale: R::SCALE,
            alias: R::ALIAS,
            deprecated: R::DEPRECATED,
            custom: None,
        }
    }
}
