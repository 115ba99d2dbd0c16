//! Programs that may run several times, of which one process at a time works: the one that holds the program's Lease
//! ([`reconcile::leader_election`]). Each process has its elector; the program's other components run in the process that
//! leads, and begin anew when another one takes over.

use crate::control_plane::LOST_LEASE;
use crate::intents::Attempt;
use crate::{Cluster, Lamp};
use meta::Rng;
use reconcile::leader_election::{Elector, Turnout, name_of};
use reconcile::{Component, Write};
use trace::Seq;

struct Program {
    name: &'static str,
    /// `source.component` of the Events about its lease.
    event_source: &'static str,
    /// It gives its lease back when it is stopped in an orderly way (`ReleaseOnCancel`); the others let it run out.
    releases: bool,
}

const PROGRAMS: [Program; 2] = [
    Program { name: "kube-scheduler", event_source: "default-scheduler", releases: true },
    Program { name: "kube-controller-manager", event_source: "kube-controller-manager", releases: false },
];

/// `kube-scheduler` is the first process of its program, `kube-scheduler-2` the second; there are nine at most.
fn parse(process: &str) -> Option<(&'static Program, u32)> {
    PROGRAMS.iter().find_map(|p| match process.strip_prefix(p.name)? {
        "" => Some((p, 1)),
        rest => rest.strip_prefix('-')?.parse().ok().filter(|n| (2..=9).contains(n)).map(|n| (p, n)),
    })
}

/// Whether it is the name of a process that may run beside the first of its program.
pub(crate) fn may_be_added(process: &str) -> bool {
    parse(process).is_some_and(|(_, n)| n > 1)
}

/// Whether the component works only while its process leads.
pub(crate) fn is_led(component: &dyn Component) -> bool {
    PROGRAMS.iter().any(|p| p.name == component.process()) && !component.as_any().is::<Elector>()
}

impl Cluster {
    /// The first process of each program, which leads from the beginning.
    pub(crate) fn hold_elections(&mut self) {
        for program in &PROGRAMS {
            self.add_replica(program.name);
            self.call_at_once(self.slots.len() - 1);
        }
    }

    /// One more process of a program: it waits for the lease. False: the name is none of such a process.
    pub(crate) fn add_replica(&mut self, process: &str) -> bool {
        let Some((program, n)) = parse(process) else { return false };
        let host = if n == 1 { "control-plane".to_string() } else { format!("control-plane-{n}") };
        let seed = self.election_rng.next_u64();
        self.add_component(Box::new(Elector::new(program.name, process, &host, program.event_source, seed)));
        if let Some(slot) = self.slots.last_mut() {
            slot.process = process.into();
        }
        true
    }

    /// Whether a process runs and waits for another one's lease to run out.
    pub fn stands_by(&self, process: &str) -> bool {
        parse(process).is_some() && self.component::<Elector>(&name_of(process)).is_some_and(|e| !e.is_leading())
    }

    /// After an elector's turn: what has become of the leadership.
    pub(crate) fn follow_election(&mut self, i: usize, cause: Seq) {
        let Some(elector) = self.slots[i].component.as_any_mut().downcast_mut::<Elector>() else { return };
        let Some(turnout) = elector.take_turnout() else { return };
        let process = self.slots[i].process.clone();
        match turnout {
            Turnout::Won => self.take_over(i, cause),
            Turnout::Lost => self.die(&process, cause, LOST_LEASE),
        }
    }

    /// The program's components run in this elector's process from now on.
    fn take_over(&mut self, elector: usize, cause: Seq) {
        let program = self.slots[elector].component.process().to_string();
        let (process, slow) = (self.slots[elector].process.clone(), self.slots[elector].slow);
        for i in 0..self.slots.len() {
            let slot = &mut self.slots[i];
            if slot.component.process() == program && is_led(&*slot.component) && !slot.gone {
                (slot.process, slot.slow, slot.stale) = (process.clone(), slow, None);
                self.start_slot(i);
            }
        }
        self.note_process(cause, &process, "leading");
    }

    /// An orderly end: those who give their lease back do.
    pub(crate) fn release_lease(&mut self, process: &str, cause: Seq) {
        if !parse(process).is_some_and(|(program, _)| program.releases) {
            return;
        }
        for i in self.members(process) {
            let slot = &self.slots[i];
            let held = slot.component.as_any().downcast_ref::<Elector>().filter(|_| slot.lamp == Lamp::Running);
            if let Some(Write::Update(lease)) = held.and_then(|e| e.release(self.now)).map(|i| i.write) {
                let actor = slot.component.name().clone();
                // Should it be refused, the lease runs out as others do.
                if let Attempt::Waits(req, errand) = self.carry_out_intent(i, &actor, cause, Write::Update(lease)) {
                    self.park(errand, (actor, cause, *req), None);
                }
            }
        }
    }
}

/// What electors draw from, and their leases: who leads should not change what else happens in a simulation.
pub(crate) fn rng(seed: u64) -> Rng {
    Rng::new(seed.rotate_left(32) ^ 0x6c65_6164)
}
