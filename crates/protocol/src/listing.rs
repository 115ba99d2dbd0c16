//! The list of all objects: which part of it the page shows, and what the engine says of that part.

use crate::view::ObjectId;
use serde::{Deserialize, Serialize};

/// More rows than these are never sent at once, whatever is asked for.
pub const ROWS_MAX: usize = 200;

/// What is asked of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Listing {
    /// The kind, as manifests name it; empty: all kinds.
    pub api_version: String,
    pub kind: String,
    /// Empty: all namespaces, and what is in none.
    pub namespace: String,
    /// Words that must all be found in `namespace/name` or in a label (`key=value`).
    pub search: String,
    /// The rows in sight.
    pub offset: usize,
    pub limit: usize,
}

impl Listing {
    /// Whether both choose the same objects, whatever part of them is in sight.
    pub fn same_objects(&self, other: &Listing) -> bool {
        self.same_filter(other) && (&self.api_version, &self.kind) == (&other.api_version, &other.kind)
    }
    pub fn same_filter(&self, other: &Listing) -> bool {
        (&self.namespace, &self.search) == (&other.namespace, &other.search)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListingView {
    /// What it answers.
    pub asked: Listing,
    /// Every kind that is served and kept, built in and custom.
    pub kinds: Vec<KindCount>,
    pub namespaces: Vec<String>,
    /// Upstream's columns of the chosen kind; none when all kinds are listed.
    pub columns: Vec<String>,
    /// From `asked.offset` on.
    pub rows: Vec<ObjectRow>,
    /// How many rows there are.
    pub total: usize,
    /// A manifest of the chosen kind to start from.
    pub sample: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KindCount {
    pub api_version: String,
    pub kind: String,
    /// As kubectl takes it: `deployments`.
    pub resource: String,
    pub namespaced: bool,
    /// Of a CustomResourceDefinition.
    pub custom: bool,
    /// Objects that the filter lets through.
    pub count: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRow {
    #[serde(flatten)]
    pub id: ObjectId,
    /// `key=value`
    pub labels: Vec<String>,
    /// One for each of the columns.
    pub cells: Vec<String>,
}
