//! A session: how a cluster began and everything done to it, each input at its exact turn. Replaying it
//! gives the same cluster to the last trace entry, so it is all that must be saved.

use crate::actions::{self, NodeSize};
use crate::debugger::{Debugger, Kept};
use cluster::{Cluster, Config, Woken};
use meta::Time;
use protocol::{Answer, Command, Reply};
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
    inputs: &'a [Input],
    turns: u64,
    now: Time,
    debugger: Kept,
}

/// What [`Saving`] wrote.
#[derive(Deserialize)]
struct Saved {
    format: u32,
    #[serde(flatten)]
    setup: Setup,
    inputs: Vec<Input>,
    /// Where the session stood.
    turns: u64,
    now: Time,
    #[serde(default)]
    debugger: Kept,
}

pub struct Session {
    pub cluster: Cluster,
    pub debugger: Debugger,
    setup: Setup,
    inputs: Vec<Input>,
    bytes: usize,
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
        Ok(Session { cluster, debugger: Debugger::default(), setup, inputs: Vec::new(), bytes: 0 })
    }

    /// A copy of the cluster as it is, without how it came to be so.
    pub fn fork(&self) -> Self {
        let (cluster, setup) = (self.cluster.clone(), self.setup);
        Session { cluster, debugger: Debugger::default(), setup, inputs: Vec::new(), bytes: 0 }
    }

    /// Carries out a command and remembers it when a replay needs it; `None` when it changes nothing.
    pub fn act(&mut self, command: Command) -> Option<Reply> {
        if actions::is_input(&command) {
            // A held cycle has begun: it ends first, so that the input comes at a turn that a replay knows.
            self.debugger.finish(&mut self.cluster);
            let input = Input { turns: self.cluster.turns(), now: self.cluster.now(), command };
            let before = (self.cluster.trace().last(), self.cluster.revision());
            let reply = actions::act_with(&mut self.cluster, &mut self.debugger, &input.command);
            // What was refused before it reached the cluster need not be kept; it may be megabytes of text.
            let refused = match &reply {
                Some(Reply::Apply { result, .. }) => !result.errors.is_empty(),
                Some(Reply::Debug { answer, .. }) => matches!(answer, Answer::Refused { .. }),
                _ => false,
            };
            if !refused || before != (self.cluster.trace().last(), self.cluster.revision()) {
                self.bytes += serde_json::to_string(&input.command).map_or(0, |s| s.len());
                self.inputs.push(input);
            }
            return reply;
        }
        actions::act_with(&mut self.cluster, &mut self.debugger, &command)
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
            inputs: &self.inputs,
            turns: self.cluster.turns(),
            now: self.cluster.now(),
            debugger: self.debugger.kept(),
        };
        serde_json::to_string(&saved).map_err(|e| e.to_string())
    }

    /// Replays a saved session in one go.
    ///
    /// # Errors
    /// The text is not a session, or one of another format.
    pub fn load(text: &str) -> Result<Self, String> {
        let mut replay = Replay::new(text)?;
        while !replay.run(|| false) {}
        Ok(replay.finish())
    }
}

/// A saved session on its way back. It may have lived long, so it is replayed in slices.
pub struct Replay {
    session: Session,
    inputs: std::iter::Peekable<std::vec::IntoIter<Input>>,
    turns: u64,
    now: Time,
    debugger: Kept,
}

impl Replay {
    /// # Errors
    /// The text is not a session, or one of another format.
    pub fn new(text: &str) -> Result<Self, String> {
        let saved: Saved = serde_json::from_str(text).map_err(|e| format!("the saved session cannot be read: {e}"))?;
        if saved.format != FORMAT {
            return Err(format!("the saved session has format {}, this is format {FORMAT}", saved.format));
        }
        let session = Session::begin(saved.setup)?;
        Ok(Replay {
            session,
            inputs: saved.inputs.into_iter().peekable(),
            turns: saved.turns,
            now: saved.now,
            debugger: saved.debugger,
        })
    }

    /// Turns taken, of how many.
    pub fn progress(&self) -> (u64, u64) {
        (self.session.cluster.turns(), self.turns)
    }

    /// Goes on until it is done, which it says, or out of budget.
    pub fn run(&mut self, mut out_of_budget: impl FnMut() -> bool) -> bool {
        loop {
            let (turns, now) = self.inputs.peek().map_or((self.turns, self.now), |i| (i.turns, i.now));
            while self.session.cluster.turns() < turns {
                if self.session.cluster.wake_one(Time(u64::MAX)) == Woken::Nobody {
                    break;
                }
                if out_of_budget() {
                    return false;
                }
            }
            // The clock as it stood.
            self.session.cluster.set_clock(now);
            let Some(input) = self.inputs.next() else { return true };
            self.session.act(input.command);
            if out_of_budget() {
                return false;
            }
        }
    }

    /// The session as far as it was replayed.
    pub fn finish(self) -> Session {
        let mut session = self.session;
        session.debugger = Debugger::restore(self.debugger, &mut session.cluster);
        session
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
