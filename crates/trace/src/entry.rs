//! One line of the trace.

use crate::recorded::Recorded;
use meta::{Key, Time};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The position of an entry in the trace; the first is 1, and 0 means "no cause".
pub type Seq = u64;

/// A reason as data: a code from the catalogue and its arguments. Text is made from it at the edge,
/// in Korean or English (`note.<code>` in the page's catalogue).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub code: std::borrow::Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<(std::borrow::Cow<'static, str>, String)>,
}

impl Note {
    pub fn new(code: &'static str) -> Self {
        Note { code: code.into(), args: Vec::new() }
    }
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((name.into(), value.to_string()));
        self
    }
}

/// `note!("replicaset.scale-up", from = 1, to = 3)`
#[macro_export]
macro_rules! note {
    ($code:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::Note::new($code)$(.with(stringify!($name), $value))*
    };
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub seq: Seq,
    pub time: Time,
    /// The entry that made this one happen; 0 for the first of a chain.
    pub cause: Seq,
    /// The component's lane: `you`, `kube-scheduler`, `deployment-controller`, `kubelet/node-1`.
    pub actor: Arc<str>,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum What {
    /// Someone at the keyboard did something other than an API request: `stop-component kube-scheduler`.
    Action { action: String, target: String },
    /// A request the API server answered.
    Request {
        verb: std::borrow::Cow<'static, str>,
        resource: std::borrow::Cow<'static, str>,
        key: Key,
        #[serde(default, skip_serializing_if = "str::is_empty")]
        subresource: std::borrow::Cow<'static, str>,
        /// HTTP status.
        code: u16,
        /// The store's revision after a write; 0 when nothing was written.
        revision: u64,
        /// The refusal's message; empty on success.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
    },
    /// A component took one item from its queue.
    Step {
        item: Arc<str>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<Note>,
    },
    /// A scheduling cycle, when recording is on.
    Cycle { cycle: Recorded },
    /// A component process was started, stopped, or crashed.
    Process { process: String, state: String },
}
