//! A long session to look back on: rollout after rollout, with things that go wrong in between.

use engine::session::Target;
use engine::{Session, faults};
use meta::{Duration, Rng, Time};
use protocol::{ApplyMode, Command, File};
use wasm_bindgen::prelude::wasm_bindgen;

const NODES: u32 = 30;
const REPLICAS: u32 = 100;
/// Virtual time between two rollouts: the one before is not always over.
const ROUND: Duration = Duration::from_secs(12);
/// Turns between two moments that are remembered, to be looked back at.
const REMEMBER: u64 = 97;

#[wasm_bindgen]
pub struct Past {
    session: Session,
    wanted: usize,
    rng: Rng,
    round: u32,
    next: Time,
    /// Turns, and the trace's hash after them.
    moments: Vec<(u64, u64)>,
}

#[wasm_bindgen]
impl Past {
    /// A session that will have made so many scheduling decisions.
    ///
    /// # Panics
    /// A cluster with the default configuration does not begin, which would be a bug.
    #[wasm_bindgen(constructor)]
    pub fn new(decisions: u32) -> Past {
        let session = Session::new(NODES, 1, Time::SIMULATION_START).expect("a session");
        let next = session.cluster.now() + Duration::from_secs(20);
        Past { session, wanted: decisions as usize, rng: Rng::new(7), round: 0, next, moments: Vec::new() }
    }

    /// Goes on for so many turns; true when all decisions are made. [`Past::rest`] says what it took.
    pub fn run(&mut self, turns: u32) -> bool {
        for _ in 0..turns {
            if self.session.cluster.step(self.next).is_some() {
                let c = &self.session.cluster;
                if c.turns() >= self.moments.last().map_or(0, |(turns, _)| turns + REMEMBER) {
                    self.moments.push((c.turns(), c.trace().hash()));
                }
                continue;
            }
            self.session.cluster.set_clock(self.next);
            if self.decisions() >= self.wanted {
                return true;
            }
            self.next += ROUND;
            self.round += 1;
            let fault =
                if self.round.is_multiple_of(4) { faults::random(&self.session.cluster, &mut self.rng) } else { None };
            let mend = if self.round % 4 == 2 { faults::mend(&self.session.cluster) } else { Vec::new() };
            mend.into_iter().chain(fault).for_each(|c| _ = self.session.act(c));
            self.session.act(rollout(self.round));
        }
        false
    }

    /// Real time that the last turns took, in microseconds.
    pub fn rest(&mut self, micros: u32) {
        self.session.rest(Duration(u64::from(micros)));
    }

    pub fn decisions(&self) -> usize {
        self.session.decisions()
    }
    pub fn turns(&self) -> u32 {
        self.session.cluster.turns() as u32
    }
    pub fn checkpoints(&self) -> usize {
        self.session.checkpoints()
    }
    /// Moments that can be looked back at.
    pub fn moments(&self) -> usize {
        self.moments.len()
    }
    /// The cluster as it was at a moment; whether it is the same as then.
    pub fn look(&self, moment: usize) -> bool {
        let Some((turns, hash)) = self.moments.get(moment) else { return false };
        self.session.at(Target::Turn(*turns)).is_some_and(|p| p.cluster.trace().hash() == *hash)
    }
}

fn rollout(round: u32) -> Command {
    let text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  replicas: {REPLICAS}\n  \
         strategy: {{rollingUpdate: {{maxSurge: 50%}}}}\n  selector: {{matchLabels: {{app: web}}}}\n  template:\n    \
         metadata: {{labels: {{app: web}}}}\n    spec:\n      containers:\n      - {{name: c, image: 'nginx:1.{}', \
         resources: {{requests: {{cpu: 100m}}}}}}\n",
        25 + round % 3,
    );
    let files = vec![File { name: "web.yaml".into(), text }];
    Command::Apply { id: 0, mode: ApplyMode::Apply, files }
}
