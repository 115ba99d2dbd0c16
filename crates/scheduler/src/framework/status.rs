//! What a plugin says when it does not simply agree. Models `framework.Status` and `framework.Code`.

use std::borrow::Cow;
use trace::cycle::Verdict;

/// A reason in upstream's words. Most are constants, so that a refusal costs no allocation.
pub type Reason = Cow<'static, str>;

/// Models `framework.Code`, without Success and Skip, which are answers of their own here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The pod does not fit now; removing other pods may help.
    Unschedulable,
    /// The pod does not fit, and preemption cannot change that.
    UnschedulableAndUnresolvable,
    /// A bug or a broken precondition, never an ordinary refusal.
    Error,
}

impl Code {
    pub fn verdict(self) -> Verdict {
        match self {
            Code::Unschedulable => Verdict::Unschedulable,
            Code::UnschedulableAndUnresolvable => Verdict::Unresolvable,
            Code::Error => Verdict::Error,
        }
    }
}

/// The reasons of one status: none, one, or several, without allocating for the first two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reasons {
    None,
    One(Reason),
    Many(Vec<Reason>),
}

impl Reasons {
    pub fn as_slice(&self) -> &[Reason] {
        match self {
            Reasons::None => &[],
            Reasons::One(r) => std::slice::from_ref(r),
            Reasons::Many(rs) => rs,
        }
    }
    pub fn push(&mut self, reason: Reason) {
        *self = match std::mem::replace(self, Reasons::None) {
            Reasons::None => Reasons::One(reason),
            Reasons::One(first) => Reasons::Many(vec![first, reason]),
            Reasons::Many(mut rs) => {
                rs.push(reason);
                Reasons::Many(rs)
            }
        };
    }
    pub fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }
}

/// A refusal (or an error) as data. The runner stamps `plugin`; plugins leave it empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub code: Code,
    pub reasons: Reasons,
    pub plugin: &'static str,
}

/// A plugin's yes, or its no with the reasons.
pub type Answer = Result<(), Status>;

impl Status {
    pub fn new(code: Code, reason: impl Into<Reason>) -> Self {
        Status { code, reasons: Reasons::One(reason.into()), plugin: "" }
    }
    pub fn unschedulable(reason: impl Into<Reason>) -> Self {
        Status::new(Code::Unschedulable, reason)
    }
    pub fn unresolvable(reason: impl Into<Reason>) -> Self {
        Status::new(Code::UnschedulableAndUnresolvable, reason)
    }
    pub fn error(reason: impl Into<Reason>) -> Self {
        Status::new(Code::Error, reason)
    }
    #[must_use]
    pub fn from_plugin(mut self, plugin: &'static str) -> Self {
        self.plugin = plugin;
        self
    }
    /// Models `Status.IsRejected`: an ordinary refusal, as opposed to an error.
    pub fn is_rejected(&self) -> bool {
        matches!(self.code, Code::Unschedulable | Code::UnschedulableAndUnresolvable)
    }
    /// Models `Status.Message`.
    pub fn message(&self) -> String {
        self.reasons.as_slice().join(", ")
    }
    pub fn reasons_owned(&self) -> Vec<String> {
        self.reasons.as_slice().iter().map(|r| r.to_string()).collect()
    }
}
