//! The kinds: one file each under `kinds/`, listed in one table. Routes, discovery, OpenAPI, tables, the
//! editor's completion and the page's catalogue all derive from these registrations.

pub mod cron;
pub mod custom;
pub mod declared;
pub mod decode;
pub mod encode;
pub mod kinds;
pub mod migrated;
pub mod nodes;
pub mod object;
pub mod pods;
pub mod quota;
pub mod references;
pub mod registration;
pub mod table;
#[cfg(test)]
mod testing;
pub mod validate;

pub use custom::Kinds;
pub use custom::remote::{Remote, Said as RemoteSaid};
pub use kinds::{KINDS, by_api_version, by_gvk, by_plural};
pub use object::{Obj, Object, ObjectExt, obj};
pub use registration::{Alias, Cell, Column, Kind, KindRef, Registered, Registration, Scope, Verb};
pub use validate::{validate_meta, validate_meta_update};
