//! The front matter of a lesson: everything that is the same in both languages.

use crate::actions::Action;
use crate::check::Check;
use crate::span::Span;
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// A text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    pub en: String,
    pub ko: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Front {
    /// `first-pod`: small letters, digits and dashes.
    pub lesson: Spanned<String>,
    pub title: Words,
    /// How long a newcomer takes.
    pub minutes: Spanned<u32>,
    pub challenge: Option<Challenge>,
    /// What of the syllabus it teaches ([`crate::syllabus`]).
    #[serde(default)]
    pub covers: Vec<Spanned<String>>,
    #[serde(default)]
    pub cluster: ClusterSpec,
    /// Manifests by the names that texts and actions call them.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// What is done before the learner comes.
    #[serde(default)]
    pub start: Vec<Action>,
    pub steps: Vec<Spanned<Step>>,
}

/// A broken cluster that is to be mended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// 1 to 3
    pub level: u8,
    /// `pending`, `restart`, `service`, `access`, `rollout`, `component`
    pub question: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct ClusterSpec {
    /// So many machines of the usual size.
    pub nodes: u32,
    /// Machines of other sizes, after those.
    pub machines: Vec<Machine>,
    /// The cluster is in the toy cloud.
    pub cloud: bool,
    /// The control plane is a node, with its programs as static pods.
    pub control_plane_node: bool,
}

impl Default for ClusterSpec {
    fn default() -> Self {
        ClusterSpec { nodes: 3, machines: Vec::new(), cloud: false, control_plane_node: false }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Machine {
    pub cpu: String,
    pub memory: String,
    pub pods: String,
}

impl Default for Machine {
    fn default() -> Self {
        Machine { cpu: "4".into(), memory: "8Gi".into(), pods: "110".into() }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub predict: Option<Predict>,
    /// All of them must be true at once.
    #[serde(default)]
    pub checks: Vec<Spanned<Check>>,
    #[serde(default)]
    pub solution: Vec<Action>,
    /// Virtual time within which the solution fulfils the checks.
    #[serde(default = "within")]
    pub within: Span,
    /// Other ways, each of which fulfils the checks too.
    #[serde(default)]
    pub also: Vec<Vec<Action>>,
    /// What somebody might try, and what does not fulfil the checks.
    #[serde(default)]
    pub wrong: Vec<Vec<Action>>,
}

fn within() -> Span {
    Span(120_000_000)
}

/// Which of the choices in the text is right: by its number from 1, or by what is true of the cluster after the step.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predict {
    pub answer: Option<Spanned<usize>>,
    /// A check for each choice.
    #[serde(default)]
    pub when: Vec<Check>,
}
