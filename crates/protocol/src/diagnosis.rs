//! Why a pod does not do its work: one sentence, what it was concluded from, and what would mend it. Every remedy was tried in
//! a copy of the cluster; whether it helps was seen there.

use crate::command::Command;
use crate::debug::Document;
use crate::view::ObjectId;
use serde::{Deserialize, Serialize};
use trace::Note;
use trace::explain::Edit;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Diagnosis {
    /// The one sentence that matters: `diagnosis.*`.
    pub note: Note,
    /// Nothing is wrong yet: it is on its way.
    pub underway: bool,
    /// What it was concluded from, most telling first.
    pub evidence: Vec<Evidence>,
    /// The scheduler found no node: it is asked for fixes ([`crate::Debug::Fixes`]).
    pub placement: bool,
    /// There is something that may be tried ([`crate::Debug::Remedies`]).
    pub remedies: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Evidence {
    /// What kind of thing it is: `evidence.*`.
    pub note: Note,
    /// Words of the cluster: a message, the end of a log.
    pub quote: String,
    /// Where it is written.
    pub object: Option<ObjectId>,
    /// The trace entry.
    pub entry: Option<u64>,
}

/// What was tried in a copy of the cluster, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Remedy {
    /// `remedy.*`
    pub note: Note,
    /// The field it changes, if it is a field.
    pub edit: Option<Edit>,
    /// What carries it out, one after the other.
    pub commands: Vec<Command>,
    /// For the editor.
    pub documents: Vec<Document>,
    /// Everything worked after so many seconds of cluster time, and went on working; `None`: it does not help.
    pub works: Option<u64>,
    /// What was wrong in the copy at the end, when it does not help.
    pub still: Option<Note>,
}
