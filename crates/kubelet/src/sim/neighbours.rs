//! Containers whose processes see each other: those of a pod that shares its process namespace, and an ephemeral
//! container beside its target.

use super::Containers;
use super::fs::{Fs, Tree};
use super::machine::{Machine, State};
use crate::runtime::{ContainerId, Processes};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Numbers of one container's processes are so far apart, that others may have those between.
pub const STRIDE: u32 = 16;
/// The first one that a container of a shared namespace gets; before it are the sandbox's.
const FIRST: u32 = 7;

/// Processes of other containers that a process sees: numbers, and their root.
pub type Roots = Arc<Vec<(BTreeSet<u32>, Fs)>>;

/// Whether both are in the same process namespace.
fn share(a: &Machine, b: &Machine) -> bool {
    let (x, y) = (&a.spec, &b.spec);
    let (xc, yc) = (&*x.id.container, &*y.id.container);
    x.id.pod_uid == y.id.pod_uid
        && match (&x.processes, &y.processes) {
            (Processes::Pod, Processes::Pod) => true,
            (Processes::Of(t), Processes::Own) => t == yc,
            (Processes::Own, Processes::Of(t)) => t == xc,
            (Processes::Of(t), Processes::Of(u)) => t == u,
            _ => false,
        }
}

/// The other machines of the namespace, by their containers.
pub fn of<'a>(m: &Machine, all: &'a Containers) -> Vec<(&'a ContainerId, &'a Machine)> {
    let other = |(id, c): (&'a ContainerId, &'a Arc<super::Container>)| Some((id, c.machine.as_ref()?));
    let live = |o: &(&ContainerId, &Machine)| o.1.exit.is_none() && *o.0 != m.spec.id && share(m, o.1);
    let id = &m.spec.id;
    let first = ContainerId { pod_uid: id.pod_uid.clone(), container: "".into(), attempt: 0 };
    let of_pod = all.range(first..).take_while(|(o, _)| o.pod_uid == id.pod_uid);
    of_pod.filter_map(other).filter(live).collect()
}

/// Gives a container that starts its numbers.
pub fn settle(m: &mut Machine, all: &mut Containers) {
    if m.spec.processes == Processes::Own {
        return;
    }
    let others: Vec<ContainerId> = of(m, all).into_iter().map(|(id, _)| id.clone()).collect();
    let (mut taken, mut above) = (BTreeSet::new(), FIRST);
    for id in others {
        if let Some(o) = super::machine(all, &id) {
            o.make_room();
            taken.insert(o.first % STRIDE);
            above = above.max(o.newest_pid() + 1);
        }
    }
    let first = (above..above + STRIDE).find(|n| !taken.contains(&(n % STRIDE)));
    m.settle_among(first.unwrap_or(above));
}

/// Whether the sandbox's own process is the first of what a machine's processes see.
pub fn has_sandbox(m: &Machine) -> bool {
    m.spec.processes == Processes::Pod
}

/// What lies below `/proc/NUMBER/root` for the processes of other containers.
pub fn roots(m: &Machine, all: &Containers) -> Roots {
    let of_one = |(_, o): (&ContainerId, &Machine)| {
        let mut fs = o.fs.clone();
        fs.neighbours = Roots::default();
        (o.procs.keys().copied().collect(), fs)
    };
    let others = of(m, all);
    if others.is_empty() && m.fs.neighbours.is_empty() {
        return m.fs.neighbours.clone();
    }
    Arc::new(others.into_iter().map(of_one).collect())
}

/// What a machine's processes have written below those roots: whole trees, by their containers.
pub fn written(m: &mut Machine, all: &Containers) -> Vec<(ContainerId, Tree)> {
    if !std::mem::take(&mut m.fs.reached) {
        return Vec::new();
    }
    let ids = of(m, all).into_iter().map(|(id, _)| id.clone());
    ids.zip(m.fs.neighbours.iter().map(|(_, fs)| fs.own.clone())).collect()
}

/// One line of `ps`: the number, the user's and the command line.
pub struct Row {
    pub pid: u32,
    pub uid: i64,
    pub title: String,
}

/// Every process that a machine's processes see.
pub fn rows(m: &Machine, all: &Containers) -> Vec<Row> {
    let mut out = Vec::new();
    if has_sandbox(m) {
        out.push(Row { pid: 1, uid: 65535, title: "/pause".into() });
    }
    for o in std::iter::once(m).chain(of(m, all).into_iter().map(|(_, o)| o)) {
        let live = o.procs.iter().filter(|(_, p)| !matches!(p.state, State::Done(_)));
        out.extend(live.map(|(pid, p)| Row { pid: *pid, uid: p.uid(&o.spec), title: p.title() }));
    }
    out.sort_by_key(|r| r.pid);
    out
}

/// The other container that has a process.
pub fn owner(m: &Machine, all: &Containers, pid: u32) -> Option<ContainerId> {
    let has = |o: &&(&ContainerId, &Machine)| o.1.procs.get(&pid).is_some_and(|p| !matches!(p.state, State::Done(_)));
    of(m, all).iter().find(has).map(|(id, _)| (*id).clone())
}
