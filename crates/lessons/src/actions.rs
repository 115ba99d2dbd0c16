//! What is done to a cluster: by a lesson before it begins, by its reference solution, or in a fork.

use crate::problem::Problem;
use crate::span::Span;
use serde::Deserialize;
use serde_saphyr::Spanned;

/// One line of a list of actions. Exactly one deed is set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// A file of the lesson by its name, or a manifest.
    apply: Option<Spanned<String>>,
    /// The same, deleted.
    delete: Option<Spanned<String>>,
    /// Faults, power and processes in the words of `kubottle simulate --faults`: `stop kube-scheduler`, `cut node-1`.
    #[serde(rename = "do")]
    words: Option<Spanned<String>>,
    /// A request to the API server: `DELETE /api/v1/namespaces/default/pods/web`.
    api: Option<Spanned<String>>,
    /// Of `api`: JSON, written as YAML. Of `PATCH` a merge patch.
    pub body: Option<serde_json::Value>,
    /// A line for kubectl, without the word itself: `scale deployment web --replicas=3`.
    kubectl: Option<Spanned<String>>,
    /// Time passes.
    wait: Option<Span>,
    /// Who does it, when it is not the administrator.
    #[serde(rename = "as")]
    pub user: Option<String>,
}

pub enum Deed<'a> {
    Apply(&'a Spanned<String>),
    Delete(&'a Spanned<String>),
    Words(&'a Spanned<String>),
    Api(&'a Spanned<String>),
    Kubectl(&'a Spanned<String>),
    Wait(Span),
}

impl Deed<'_> {
    /// Where it stands in the file.
    pub fn place(&self) -> (u64, u64) {
        match self {
            Deed::Apply(s) | Deed::Delete(s) | Deed::Words(s) | Deed::Api(s) | Deed::Kubectl(s) => {
                (s.referenced.line(), s.referenced.column())
            }
            Deed::Wait(_) => (0, 0),
        }
    }
}

impl Action {
    fn deeds(&self) -> impl Iterator<Item = Deed<'_>> {
        let all = [
            self.apply.as_ref().map(Deed::Apply),
            self.delete.as_ref().map(Deed::Delete),
            self.words.as_ref().map(Deed::Words),
            self.api.as_ref().map(Deed::Api),
            self.kubectl.as_ref().map(Deed::Kubectl),
            self.wait.map(Deed::Wait),
        ];
        all.into_iter().flatten()
    }

    /// `None` for an action that does nothing, which is reported when the lesson is read.
    pub fn deed(&self) -> Option<Deed<'_>> {
        self.deeds().next()
    }

    pub(crate) fn problems(&self, at: (u64, u64), out: &mut Vec<Problem>) {
        let at = self.deed().map(|d| d.place()).filter(|p| p.0 > 0).unwrap_or(at);
        match self.deeds().count() {
            1 => {}
            0 => {
                out.push(Problem::new(at, "the action does nothing: add one of apply, delete, do, api, kubectl, wait"))
            }
            _ => out.push(Problem::new(at, "the action does more than one thing: make an action of each")),
        }
        if let Some(api) = &self.api
            && !matches!(api.value.split_once(' '), Some(("GET" | "POST" | "PUT" | "PATCH" | "DELETE", path)) if path.starts_with('/'))
        {
            out.push(Problem::new(
                at,
                "api: a method and a path are expected: DELETE /api/v1/namespaces/default/pods/web",
            ));
        }
    }
}
