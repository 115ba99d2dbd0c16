//! Messages between the page and an engine (the Web Worker's cluster, or a server's): JSON, one value a message.
//!
//! The page sends [`Command`]s; the engine answers with an [`Update`] at most once a frame. An update holds
//! deltas of the view model: what changed since the last one, and only what the page subscribed to. A worker sends the
//! next update only when the page has shown the last one ([`Command::Seen`]): what comes in between is one delta.

pub mod cloud;
pub mod command;
pub mod cycle_view;
pub mod debug;
pub mod diagnosis;
pub mod fault;
pub mod follow;
pub mod lesson;
pub mod listing;
pub mod panel;
mod particle;
pub mod preemption_words;
pub mod shell;
pub mod terminal;
pub mod time;
pub mod update;
pub mod view;
pub mod words;

pub use cloud::{CloudOrder, CloudView};
pub use command::{ApiCall, ApplyMode, Command, File, Identity, Speed, Start, Subscription};
pub use cycle_view::{CycleView, Group, Row};
pub use debug::{Answer, Breakpoint, Debug, DebuggerView, Held, Point};
pub use diagnosis::{Diagnosis, Evidence, Remedy};
pub use fault::Fault;
pub use follow::{Follow, FollowHop, Journey};
pub use lesson::{LessonOrder, LessonStart, LessonState, LessonText};
pub use listing::{KindCount, Listing, ListingView, ObjectRow};
pub use panel::Panel;
pub use shell::{Completion, Forwarded, Shell, ShellOutput, Waits};
pub use terminal::{SessionId, Terminal, TerminalOutput};
pub use time::{
    BranchView, Comparison, DecisionChange, Deed, InputMark, Mark, ObjectChange, PastView, TimeOrder, TimeView, Until,
};
pub use trace::{Cycle, Entry, Note, What, cycle, explain};
pub use update::{
    ApiReply, ApplyResult, Clock, CycleSummary, Detail, Diagnostic, Difference, Missing, ObjectResult, Reply, Update,
};
pub use view::{
    ComponentView, EventView, Lamp, NodeView, ObjectId, PodState, PodView, QueueEntry, QueueLengths, QueueView,
};

/// Raised when messages change shape; page and engine refuse to talk across versions.
pub const VERSION: u32 = 10;
