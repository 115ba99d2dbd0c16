//! What kube-apiserver does about CustomResourceDefinitions: accepts their names, establishes them, and empties those that are
//! being deleted. Models `apiextensions-apiserver/pkg/controller`.

mod establish;
mod finalize;
mod naming;
#[cfg(test)]
mod tests;

pub use establish::EstablishingController;
pub use finalize::DefinitionFinalizer;
pub use naming::NamingController;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition as Definition, CustomResourceDefinitionCondition as Condition,
};
use meta::User;

pub const PROCESS: &str = "kube-apiserver";

/// The API server asks itself under this name.
pub(crate) fn user() -> User {
    User::new("system:apiserver", &["system:masters"])
}

fn condition<'d>(d: &'d Definition, kind: &str) -> Option<&'d Condition> {
    d.status.as_ref()?.conditions.as_ref()?.iter().find(|c| c.type_ == kind)
}
