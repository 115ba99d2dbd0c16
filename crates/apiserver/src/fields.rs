//! Field ownership and server-side apply. Models `k8s.io/apimachinery/pkg/util/managedfields` over
//! `sigs.k8s.io/structured-merge-diff`.

pub mod ledger;
pub mod managed;
pub mod managers;
mod merge;
pub mod path;
pub mod schema;
pub mod walk;
