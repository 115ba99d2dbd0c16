//! A session: how a cluster began and everything done to it, each input at its exact turn. Replaying it
//! gives the same cluster to the last trace entry, so it is all that must be saved.

use crate::actions::{self, NodeSize};
use cluster::{Cluster, Config, Woken};
use meta::Time;
use protocol::{Command, Reply};
use serde::{Deserialize, Serialize};

/// Raised when a replay of older sessions would not give the same cluster.
const FORMAT: u32 = 1;
/// Inputs that would grow a session beyond this many bytes of JSON are still carried out, but the session says that
/// it can no longer be saved.
const SESSION_BYTES_MAX: usize = 8 << 20;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Input {
    /// Turns taken before it.
    turns: u64,
    /// The clock when it came.
    now: Time,
    command: Command,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Saved {
    format: u32,
    nodes: u32,
    seed: u64,
    start: Time,
    inputs: Vec<Input>,
    /// Where the session stood.
    turns: u64,
    now: Time,
}

pub struct Session {
    pub cluster: Cluster,
    nodes: u32,
    seed: u64,
    start: Time,
    inputs: Vec<Input>,
    bytes: usize,
}

impl Session {
    /// # Errors
    /// Only a broken default configuration, which would be a bug.
    pub fn new(nodes: u32, seed: u64, start: Time) -> Result<Self, String> {
        let mut cluster = Cluster::new(Config { seed, start, ..Default::default() })?;
        for _ in 0..nodes {
            actions::add_sim_node(&mut cluster, &NodeSize::default())?;
        }
        Ok(Session { cluster, nodes, seed, start, inputs: Vec::new(), bytes: 0 })
    }

    /// Carries out a command and remembers it when a replay needs it; `None` when it changes nothing.
    pub fn act(&mut self, command: Command) -> Option<Reply> {
        if actions::is_input(&command) {
            self.bytes += serde_json::to_string(&command).map_or(0, |s| s.len());
            let input = Input { turns: self.cluster.turns(), now: self.cluster.now(), command };
            let reply = actions::act(&mut self.cluster, &input.command);
            self.inputs.push(input);
            return reply;
        }
        actions::act(&mut self.cluster, &command)
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
        let saved = Saved {
            format: FORMAT,
            nodes: self.nodes,
            seed: self.seed,
            start: self.start,
            inputs: self.inputs.clone(),
            turns: self.cluster.turns(),
            now: self.cluster.now(),
        };
        serde_json::to_string(&saved).map_err(|e| e.to_string())
    }

    /// # Errors
    /// The text is not a session, or one of another format.
    pub fn load(text: &str) -> Result<Self, String> {
        let saved: Saved = serde_json::from_str(text).map_err(|e| format!("the saved session cannot be read: {e}"))?;
        if saved.format != FORMAT {
            return Err(format!("the saved session has format {}, this is format {FORMAT}", saved.format));
        }
        let mut s = Session::new(saved.nodes, saved.seed, saved.start)?;
        for input in saved.inputs {
            replay_to(&mut s.cluster, input.turns, input.now);
            s.act(input.command);
        }
        replay_to(&mut s.cluster, saved.turns, saved.now);
        Ok(s)
    }
}

/// Takes turns until as many were taken as then, and sets the clock as it stood.
fn replay_to(cluster: &mut Cluster, turns: u64, now: Time) {
    while cluster.turns() < turns && cluster.wake_one(Time(u64::MAX)) != Woken::Nobody {}
    cluster.set_clock(now);
}
