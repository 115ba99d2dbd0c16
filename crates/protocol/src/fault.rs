//! What can be made to go wrong with a cluster, and mended again. Power is [`crate::Command::KillNode`], stopping for good
//! is [`crate::Command::SetProcess`].

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum Fault {
    /// The process dies with all it knew; ten seconds later it is started again. Until then its lamp is
    /// [`crate::Lamp::Crashed`].
    CrashProcess { process: String },
    /// The process stands still with all it knows, as after SIGSTOP ([`crate::Lamp::Paused`]); or goes on, and catches up.
    PauseProcess { process: String, on: bool },
    /// Each turn of the process takes so many times as long; 1 is the usual ([`crate::ComponentView::slow`]).
    SlowProcess { process: String, times: u32 },
    /// The node and the API server do not reach each other, in both directions ([`crate::NodeView::cut`]); containers run on.
    CutLink { node: String, on: bool },
    /// No registry gives the image any more; nodes that have it keep it ([`crate::Update::blocked_images`]). Without a tag:
    /// none of its tags.
    BlockImage { image: String, on: bool },
    /// Nothing fits on the node's own disk any more ([`crate::NodeView::full`]).
    FillDisk { node: String, on: bool },
    /// Nothing fits on the volume of a claim any more; the claim by `namespace/name`.
    FillVolume { claim: String, on: bool },
}
