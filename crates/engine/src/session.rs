//! A session: how a cluster began and everything done to it, each input at its exact turn. Replaying it
//! gives the same cluster to the last trace entry, so it is all that must be saved.

mod branches;
mod checkpoints;
mod line;
mod packed;
mod past;
mod player;
mod replay;
mod travel;
mod undo;
mod until;

pub use packed::{pack, unpack};
pub use player::{Player, Record, Target};
pub use replay::Replay;

use crate::actions::{self, NodeSize};
use crate::debugger::{Debugger, Kept};
use branches::{Branch, Other, SavedBranch};
use cluster::{Cluster, Config};
use line::Line;
use meta::{Duration, Time};
use player::Input;
use protocol::{Answer, Command, Mark, Reply};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use travel::Travel;
use undo::Undone;
use until::Watch;

/// Raised when a replay of older sessions would not give the same cluster.
const FORMAT: u32 = 1;
/// Inputs that would grow a session beyond this many bytes of JSON are still carried out, but the session says that
/// it can no longer be saved.
const SESSION_BYTES_MAX: usize = 8 << 20;

/// What a turn is taken to cost where nobody measures it.
const TURN: Duration = Duration(25);
/// Turns between two looks at whether a checkpoint is due, while a session is loaded in one go.
const TURNS_APART: u64 = 200;

/// How a cluster begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    pub nodes: u32,
    pub seed: u64,
    pub start: Time,
    /// In the toy cloud.
    #[serde(default)]
    pub cloud: bool,
    /// With the control plane on a node of its own.
    #[serde(default)]
    pub control_plane_node: bool,
}

#[derive(Serialize)]
struct Saving<'a> {
    format: u32,
    #[serde(flatten)]
    setup: Setup,
    inputs: &'a [Arc<Input>],
    turns: u64,
    now: Time,
    debugger: Kept,
    #[serde(skip_serializing_if = "is_none")]
    given: usize,
    #[serde(skip_serializing_if = "is_first")]
    branch: &'a Branch,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    branches: Vec<SavedBranch>,
    /// Bookmarks, each with its branch.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    marks: &'a [(u32, Mark)],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    left: &'a [u32],
    #[serde(skip_serializing_if = "Option::is_none")]
    undone: Option<Undone>,
}

fn is_none(n: &usize) -> bool {
    *n == 0
}

fn is_first(b: &&Branch) -> bool {
    **b == Branch::default()
}

/// What [`Saving`] wrote.
#[derive(Deserialize)]
struct Saved {
    format: u32,
    #[serde(flatten)]
    setup: Setup,
    inputs: Vec<Arc<Input>>,
    /// Where the session stood.
    turns: u64,
    now: Time,
    #[serde(default)]
    debugger: Kept,
    #[serde(default)]
    given: usize,
    #[serde(default)]
    branch: Branch,
    #[serde(default)]
    branches: Vec<SavedBranch>,
    #[serde(default)]
    marks: Vec<(u32, Mark)>,
    #[serde(default)]
    left: Vec<u32>,
    #[serde(default)]
    undone: Option<Undone>,
}

pub struct Session {
    /// The present.
    pub cluster: Cluster,
    pub debugger: Debugger,
    setup: Setup,
    line: Line,
    bytes: usize,
    /// The past, while it is shown.
    travel: Option<Travel>,
    /// The branch that is the present, and the others.
    branch: Branch,
    others: Vec<Other>,
    /// Bookmarks in the order of their moments, each with its branch.
    marks: Vec<(u32, Mark)>,
    /// Of branches and bookmarks.
    next_id: u32,
    /// What is waited for.
    until: Option<Watch>,
    /// Inputs that the learner did not make: they come first.
    given: usize,
    /// The number of the newest deed.
    deeds: u64,
    /// Branches that were left by taking something back.
    left: Vec<u32>,
    undone: Option<Undone>,
    /// How often what is shown was followed by something that does not come after it.
    rewinds: u64,
}

impl Session {
    /// On machines of its own.
    ///
    /// # Errors
    /// Only a broken default configuration, which would be a bug.
    pub fn new(nodes: u32, seed: u64, start: Time) -> Result<Self, String> {
        Session::begin(Setup { nodes, seed, start, cloud: false, control_plane_node: false })
    }

    /// # Errors
    /// A broken default configuration, which would be a bug, or more machines than the cloud has.
    pub fn begin(setup: Setup) -> Result<Self, String> {
        let Setup { nodes, seed, start, cloud, control_plane_node } = setup;
        let cloud = cloud.then(|| crate::cloud::settings(seed));
        let mut cluster = Cluster::new(Config { seed, start, cloud, control_plane_node, ..Default::default() })?;
        for _ in 0..nodes {
            actions::add_sim_node(&mut cluster, &NodeSize::default())?;
        }
        let mut session = Session::with(cluster, setup, Line::default());
        session.rest(Duration::ZERO);
        Ok(session)
    }

    fn with(cluster: Cluster, setup: Setup, line: Line) -> Session {
        let bytes = line.inputs.iter().map(|i| i.bytes()).sum();
        let (debugger, branch, others, marks) = Default::default();
        Session {
            cluster,
            debugger,
            setup,
            line,
            bytes,
            travel: None,
            branch,
            others,
            marks,
            next_id: 1,
            until: None,
            given: 0,
            deeds: 0,
            left: Vec::new(),
            undone: None,
            rewinds: 0,
        }
    }

    /// Takes over the names that a saved session had for its parts.
    fn count(&mut self, branch: Branch, marks: Vec<(u32, Mark)>) {
        (self.branch, self.marks) = (branch, marks);
        let branches = self.others.iter().map(|o| o.branch.id).chain([self.branch.id]);
        self.next_id = branches.chain(self.marks.iter().map(|(_, m)| m.id)).max().unwrap_or(0) + 1;
        let inputs = self.line.inputs.iter().chain(self.others.iter().flat_map(Other::inputs));
        self.deeds = inputs.map(|i| i.deed).max().unwrap_or(0);
    }

    /// A copy of the cluster as it is, without how it came to be so.
    pub fn fork(&self) -> Self {
        Session::with(self.cluster.clone(), self.setup, Line::default())
    }

    /// Carries out a command and remembers it when a replay needs it; `None` when it changes nothing.
    pub fn act(&mut self, command: Command) -> Option<Reply> {
        let deed = self.new_deed();
        self.act_in(deed, "", command)
    }

    /// The same as a part of a deed, of [`Session::new_deed`], which a terminal's `line` began if there is one.
    pub fn act_in(&mut self, deed: u64, line: &str, command: Command) -> Option<Reply> {
        if self.is_past() {
            if actions::is_input(&command) {
                return Some(actions::refused(&command, "the past is shown, which cannot be changed"));
            }
            let (cluster, debugger) = self.shown_mut();
            return actions::act_with(cluster, debugger, &command);
        }
        if actions::is_input(&command) {
            self.travel = None;
            // A held cycle has begun: it ends first, so that the input comes at a turn that a replay knows.
            self.debugger.finish(&mut self.cluster);
            let goes_on = self.line.inputs.last().is_some_and(|i| i.deed == deed);
            let line = if goes_on { String::new() } else { line.into() };
            let input = Input { turns: self.cluster.turns(), now: self.cluster.now(), deed, line, command };
            let before = (self.cluster.trace().last(), self.cluster.revision());
            let reply = actions::act_with(&mut self.cluster, &mut self.debugger, &input.command);
            // What was refused before it reached the cluster need not be kept; it may be megabytes of text.
            let refused = match &reply {
                Some(Reply::Apply { result, .. }) => !result.errors.is_empty(),
                Some(Reply::Debug { answer, .. }) => matches!(answer, Answer::Refused { .. }),
                _ => false,
            };
            if !refused || before != (self.cluster.trace().last(), self.cluster.revision()) {
                self.bytes += input.bytes();
                self.line.push(Arc::new(input), &self.cluster);
            }
            return reply;
        }
        actions::act_with(&mut self.cluster, &mut self.debugger, &command)
    }

    /// Hosts call it after they let time pass: `work` is what that took of real time. So checkpoints are as far apart as
    /// taking the way between them again takes.
    pub fn rest(&mut self, work: Duration) {
        if self.travel.is_none() {
            self.line.rest(&mut self.cluster, work);
        }
    }

    /// The cluster as it was at a moment, and what comes next. Nothing that is done with it changes the session.
    pub fn at(&self, target: Target) -> Option<Player> {
        let mut player = self.line.player(&self.cluster, target)?;
        player.run(&self.record(), target, || false);
        Some(player)
    }

    /// Scheduling decisions so far, and how many clusters are kept to look back from.
    pub fn decisions(&self) -> usize {
        self.line.decisions.len()
    }
    pub fn checkpoints(&self) -> usize {
        self.line.checkpoints.len()
    }

    /// What has happened up to the present.
    pub fn record(&self) -> Record {
        self.line.record(&self.cluster)
    }

    /// # Errors
    /// The session has grown too large to keep.
    pub fn save(&self) -> Result<String, String> {
        if self.bytes > SESSION_BYTES_MAX {
            return Err(format!(
                "the session holds {} MiB of inputs; the limit is {}",
                self.bytes >> 20,
                SESSION_BYTES_MAX >> 20
            ));
        }
        let saved = Saving {
            format: FORMAT,
            setup: self.setup,
            inputs: &self.line.inputs,
            turns: self.cluster.turns(),
            now: self.cluster.now(),
            debugger: self.debugger.kept(),
            given: self.given,
            branch: &self.branch,
            branches: self.saved_branches(),
            marks: &self.marks,
            left: &self.left,
            undone: self.undone(),
        };
        serde_json::to_string(&saved).map_err(|e| e.to_string())
    }

    /// Replays a saved session in one go.
    ///
    /// # Errors
    /// The text is not a session, or one of another format.
    pub fn load(text: &str) -> Result<Self, String> {
        let mut replay = Replay::new(text)?;
        loop {
            let mut turns = 0;
            let done = replay.run(|| {
                turns += 1;
                turns >= TURNS_APART
            });
            replay.rest(Duration(TURN.0 * turns));
            if done {
                return Ok(replay.finish());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use meta::Duration;
    use protocol::{ApplyMode, File};

    fn apply(text: &str) -> Command {
        let files = vec![File { name: "a.yaml".into(), text: text.into() }];
        Command::Apply { id: 1, mode: ApplyMode::Apply, files }
    }

    #[test]
    fn a_session_is_replayed_in_slices_to_the_last_entry() {
        let mut s = Session::new(2, 7, Time(0)).unwrap();
        s.cluster.advance(Duration::from_secs(3));
        s.act(apply(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{name: c, image: nginx}]\n",
        ));
        s.cluster.advance(Duration::from_secs(20));
        let mut replay = Replay::new(&s.save().unwrap()).unwrap();
        let mut slices = 0;
        loop {
            let mut turns = 0;
            slices += 1;
            let done = replay.run(|| {
                turns += 1;
                turns >= 5
            });
            if done {
                break;
            }
        }
        assert!(slices > 5);
        let again = replay.finish().cluster;
        assert_eq!((again.trace().hash(), again.now()), (s.cluster.trace().hash(), s.cluster.now()));
    }

    #[test]
    fn a_session_in_a_cloud_comes_back_with_what_was_done_at_its_console() {
        use protocol::CloudOrder;
        let mut s = Session::begin(Setup { nodes: 3, seed: 7, start: Time(0), cloud: true, control_plane_node: false })
            .unwrap();
        s.cluster.advance(Duration::from_secs(30));
        let service =
            "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: LoadBalancer, ports: [{port: 80}]}\n";
        for order in [
            CloudOrder::Trouble { failures: 500, delay_ms: 2000 },
            CloudOrder::StopInstance { node: "node-2".into() },
            CloudOrder::TerminateInstance { node: "node-3".into() },
        ] {
            let reply = s.act(Command::Cloud { id: 1, order });
            assert!(matches!(reply, Some(Reply::Done { error: None, .. })), "{reply:?}");
            s.act(apply(service));
            s.cluster.advance(Duration::from_secs(60));
        }
        let cloud = s.cluster.cloud().unwrap();
        assert_eq!((cloud.instances().count(), cloud.load_balancers().count()), (2, 1));
        assert!(cloud.log().any(|e| !e.error.is_empty()), "half of the calls fail");
        let again = Session::load(&s.save().unwrap()).unwrap().cluster;
        assert_eq!((again.trace().hash(), again.now()), (s.cluster.trace().hash(), s.cluster.now()));
    }

    #[test]
    fn what_was_refused_is_not_kept() {
        let mut s = Session::new(1, 7, Time(0)).unwrap();
        let before = s.save().unwrap();
        let reply = s.act(apply("kind: Pod\n\tmetadata: {}\n"));
        assert!(matches!(reply, Some(Reply::Apply { result, .. }) if !result.errors.is_empty()));
        assert_eq!(s.save().unwrap(), before);
    }
}
