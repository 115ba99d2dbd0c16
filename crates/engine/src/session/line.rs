//! One course of events from a session's beginning on.

use super::checkpoints::Checkpoints;
use super::player::{Input, Player, Record, Target};
use crate::faults;
use cluster::Cluster;
use meta::Duration;
use protocol::{ApplyMode, Command, InputMark, Terminal};
use std::sync::Arc;
use trace::{Seq, What};

/// Inputs that are shown on the timeline.
const MARKS_MAX: usize = 300;

#[derive(Clone, Default)]
pub(crate) struct Line {
    pub inputs: Vec<Arc<Input>>,
    /// The newest of them as the page shows them.
    pub marks: Arc<Vec<InputMark>>,
    /// The trace entries of scheduling cycles, oldest first.
    pub decisions: Vec<Seq>,
    pub checkpoints: Checkpoints,
    /// Trace entries that were looked at for decisions.
    seen: Seq,
}

impl Line {
    /// Takes in that `cluster`, which is at this line's end, has done so much work.
    pub fn rest(&mut self, cluster: &mut Cluster, work: Duration) {
        for e in cluster.trace().since(self.seen) {
            if matches!(e.what, What::Cycle { .. }) {
                self.decisions.push(e.seq);
            }
        }
        self.seen = cluster.trace().last();
        if self.checkpoints.is_due(work) {
            self.checkpoints.keep(Player { cluster: cluster.checkpoint(), inputs: self.inputs.len() });
        }
    }

    /// An input that `cluster` has just had.
    pub fn push(&mut self, input: Arc<Input>, cluster: &Cluster) {
        if let Some(what) = what(&input.command) {
            let marks = Arc::make_mut(&mut self.marks);
            if marks.len() >= MARKS_MAX {
                marks.remove(0);
            }
            marks.push(InputMark { seq: cluster.trace().last(), now: input.now.as_micros(), what });
        }
        self.inputs.push(input);
    }

    /// Takes up to so many steps of a record again that this line does not have yet; false when it is at its end.
    pub fn replay(&mut self, player: &mut Player, record: &Record, steps: u64) -> bool {
        for _ in 0..steps {
            if !self.replay_one(player, record) {
                return false;
            }
        }
        true
    }

    pub fn replay_one(&mut self, player: &mut Player, record: &Record) -> bool {
        let went_on = player.step(record);
        for input in record.inputs.iter().take(player.inputs).skip(self.inputs.len()) {
            self.push(input.clone(), &player.cluster);
        }
        went_on
    }

    /// As far as `cluster` has come.
    pub fn record(&self, cluster: &Cluster) -> Record {
        Record { inputs: self.inputs.clone(), turns: cluster.turns(), now: cluster.now() }
    }

    /// A player on the way to the moment. `cluster` is at the line's end.
    pub fn player(&self, cluster: &Cluster, target: Target) -> Option<Player> {
        let mut player = self.checkpoints.nearest(target)?.clone();
        player.cluster.recall(cluster);
        Some(player)
    }

    /// What there was by so many turns, inputs and trace entries.
    pub fn until(&self, turns: u64, inputs: usize, seq: Seq) -> Line {
        let decisions = self.decisions.partition_point(|d| *d <= seq);
        let inputs = inputs.min(self.inputs.len());
        // An input need not have written anything: by their numbers, not by entries.
        let later = self.inputs[inputs..].iter().filter(|i| what(&i.command).is_some()).count();
        let marks = self.marks.len().saturating_sub(later);
        Line {
            inputs: self.inputs[..inputs].to_vec(),
            marks: Arc::new(self.marks[..marks].to_vec()),
            decisions: self.decisions[..decisions].to_vec(),
            checkpoints: self.checkpoints.until(turns, inputs),
            seen: seq,
        }
    }

    /// The same up to the newest checkpoint by then.
    pub fn until_checkpoint(&self, turns: u64, inputs: usize) -> Line {
        let checkpoints = self.checkpoints.until(turns, inputs);
        let newest = checkpoints.newest().map_or((0, 0, 0), |p| (p.turns(), p.inputs, p.cluster.trace().last()));
        self.until(newest.0, newest.1, newest.2)
    }
}

/// What the timeline says of an input; keys that are typed into a terminal are too many to be told.
pub(super) fn what(command: &Command) -> Option<String> {
    let said = faults::words(command);
    if !said.is_empty() {
        return Some(said);
    }
    Some(match command {
        Command::As { identity, command } => format!("{} --as {}", what(command)?, identity.user),
        Command::Apply { mode, files, .. } => {
            let files: Vec<&str> = files.iter().map(|f| f.name.as_str()).collect();
            format!("{} {}", if *mode == ApplyMode::Delete { "delete" } else { "apply" }, files.join(" "))
        }
        Command::Api(call) => format!("{} {}", call.method, call.path),
        Command::Together { commands, .. } => {
            let all: Vec<String> = commands.iter().filter_map(what).collect();
            (!all.is_empty()).then(|| all.join("; "))?
        }
        Command::AddNode { .. } => "add-node".into(),
        Command::RemoveNode { node, .. } => format!("remove-node {node}"),
        Command::Cloud { .. } => "cloud".into(),
        Command::Follow { follow, .. } => format!("curl {}", follow.url),
        Command::Terminal { terminal: Terminal::Open { pod, .. }, .. } => format!("exec {pod}"),
        Command::Debug { .. } => "configure-scheduler".into(),
        _ => return None,
    })
}
