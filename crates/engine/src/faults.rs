//! Faults in words, as scripts and terminals say them; at random; and what mends all of them.

use crate::actions::NodeSize;
use cluster::{Cluster, Lamp, Power};
use k8s_openapi::api::core::v1::Pod;
use meta::Rng;
use protocol::{Command, Fault};
use std::collections::BTreeSet;

/// What can be said.
pub const WORDS: &str = "\
crash PROCESS            it dies and is started again ten seconds later
stop PROCESS             it ends, until it is started
start PROCESS            kube-scheduler-2 or kube-controller-manager-2: one more, which stands by
pause PROCESS            it stands still, until it is resumed
resume PROCESS
slow PROCESS TIMES       each of its turns takes so many times as long; 1 is the usual
cut NODE                 it does not reach the API server, nor is it reached
heal NODE
power-off NODE
power-on NODE
add-node CPU MEMORY      one more machine
remove-node NODE
cordon NODE
uncordon NODE
drain NODE
fill-disk NODE           nothing fits on its own disk any more
free-disk NODE
fill-volume CLAIM        nothing fits on the volume of NAMESPACE/NAME any more
free-volume CLAIM
block-image IMAGE        no registry gives it any more
unblock-image IMAGE
";

/// `cut node-1`, `slow kube-scheduler 20`.
///
/// # Errors
/// It means nothing.
pub fn command(line: &str) -> Result<Command, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let id = 0;
    let fault = |fault| Ok(Command::Fault { id, fault });
    match words[..] {
        ["crash", process] => fault(Fault::CrashProcess { process: process.into() }),
        ["stop" | "start", process] => {
            Ok(Command::SetProcess { id, process: process.into(), running: words[0] == "start" })
        }
        ["pause" | "resume", process] => {
            fault(Fault::PauseProcess { process: process.into(), on: words[0] == "pause" })
        }
        ["slow", process, times] => {
            let times = times.parse().map_err(|_| format!("{times:?} is not a number"))?;
            fault(Fault::SlowProcess { process: process.into(), times })
        }
        ["cut" | "heal", node] => fault(Fault::CutLink { node: node.into(), on: words[0] == "cut" }),
        ["power-off", node] => Ok(Command::KillNode { id, node: node.into() }),
        ["power-on", node] => Ok(Command::ReviveNode { id, node: node.into() }),
        ["add-node", cpu, memory] => {
            Ok(Command::AddNode { id, cpu: cpu.into(), memory: memory.into(), pods: NodeSize::default().pods })
        }
        ["remove-node", node] => Ok(Command::RemoveNode { id, node: node.into() }),
        ["cordon" | "uncordon", node] => Ok(Command::Cordon { id, node: node.into(), on: words[0] == "cordon" }),
        ["drain", node] => Ok(Command::Drain { id, node: node.into() }),
        ["fill-disk" | "free-disk", node] => fault(Fault::FillDisk { node: node.into(), on: words[0] == "fill-disk" }),
        ["fill-volume" | "free-volume", claim] => {
            fault(Fault::FillVolume { claim: claim.into(), on: words[0] == "fill-volume" })
        }
        ["block-image" | "unblock-image", image] => {
            fault(Fault::BlockImage { image: image.into(), on: words[0] == "block-image" })
        }
        _ => Err(format!("{:?} is not understood; what can be said:\n{WORDS}", line.trim())),
    }
}

/// The words of a command that [`command`] gives.
pub fn words(command: &Command) -> String {
    let either = |on: bool, yes: &str, no: &str, what: &str| format!("{} {what}", if on { yes } else { no });
    match command {
        Command::SetProcess { process, running, .. } => either(*running, "start", "stop", process),
        Command::KillNode { node, .. } => format!("power-off {node}"),
        Command::ReviveNode { node, .. } => format!("power-on {node}"),
        Command::Cordon { node, on, .. } => either(*on, "cordon", "uncordon", node),
        Command::AddNode { cpu, memory, .. } => format!("add-node {cpu} {memory}"),
        Command::RemoveNode { node, .. } => format!("remove-node {node}"),
        Command::Drain { node, .. } => format!("drain {node}"),
        Command::Fault { fault, .. } => match fault {
            Fault::CrashProcess { process } => format!("crash {process}"),
            Fault::PauseProcess { process, on } => either(*on, "pause", "resume", process),
            Fault::SlowProcess { process, times } => format!("slow {process} {times}"),
            Fault::CutLink { node, on } => either(*on, "cut", "heal", node),
            Fault::FillDisk { node, on } => either(*on, "fill-disk", "free-disk", node),
            Fault::FillVolume { claim, on } => either(*on, "fill-volume", "free-volume", claim),
            Fault::BlockImage { image, on } => either(*on, "block-image", "unblock-image", image),
        },
        _ => String::new(),
    }
}

/// What mends everything that is wrong now.
pub fn mend(cluster: &Cluster) -> Vec<Command> {
    let id = 0;
    let mut out = Vec::new();
    for image in cluster.blocked_images() {
        out.push(Command::Fault { id, fault: Fault::BlockImage { image: image.clone(), on: false } });
    }
    for claim in cluster.full_volumes() {
        out.push(Command::Fault { id, fault: Fault::FillVolume { claim: claim.clone(), on: false } });
    }
    for (node, machine) in cluster.machines() {
        let node = || node.clone();
        if cluster.is_full(&node()) {
            out.push(Command::Fault { id, fault: Fault::FillDisk { node: node(), on: false } });
        }
        if cluster.is_cut(&node()) {
            out.push(Command::Fault { id, fault: Fault::CutLink { node: node(), on: false } });
        }
        if machine.power == Power::Off {
            out.push(Command::ReviveNode { id, node: node() });
        }
    }
    let mut seen = BTreeSet::new();
    for slot in cluster.slots() {
        let process = &*slot.process;
        if !seen.insert(process) {
            continue;
        }
        if slot.slow > 1 {
            let fault = Fault::SlowProcess { process: process.into(), times: 1 };
            out.push(Command::Fault { id, fault });
        }
        if matches!(slot.lamp, Lamp::Stopped | Lamp::Crashed | Lamp::Paused) {
            out.push(Command::SetProcess { id, process: process.into(), running: true });
        }
    }
    out
}

/// Something that goes wrong, or is mended: half of the time the latter, if there is anything to mend.
pub fn random(cluster: &Cluster, rng: &mut Rng) -> Option<Command> {
    let one = |rng: &mut Rng, n: usize| rng.below(u32::try_from(n).unwrap_or(u32::MAX)) as usize;
    let mut mend = mend(cluster);
    if !mend.is_empty() && rng.below(2) == 0 {
        return Some(mend.swap_remove(one(rng, mend.len())));
    }
    let id = 0;
    let fault = |fault| Some(Command::Fault { id, fault });
    let processes: BTreeSet<&str> = cluster.slots().map(|s| &*s.process).filter(|p| Cluster::can_stop(p)).collect();
    let process = || processes.iter().copied();
    let nodes: Vec<&String> = cluster.machines().map(|(name, _)| name).collect();
    let what = rng.below(9);
    if what == 8 {
        let process = ["kube-scheduler-2", "kube-controller-manager-2"][one(rng, 2)].to_string();
        return Some(Command::SetProcess { id, process, running: true });
    }
    if what < 4 {
        let n = one(rng, processes.len());
        let process = process().nth(n)?.to_string();
        return match what {
            0 => fault(Fault::CrashProcess { process }),
            1 => fault(Fault::PauseProcess { process, on: true }),
            2 => fault(Fault::SlowProcess { process, times: 10 << rng.below(8) }),
            _ => Some(Command::SetProcess { id, process, running: false }),
        };
    }
    if what == 6 {
        let pods: Vec<&Pod> = cluster.view().list::<Pod>().collect();
        let pod = pods.get(one(rng, pods.len()))?;
        let image = pod.spec.as_ref()?.containers.first()?.image.clone()?;
        return fault(Fault::BlockImage { image, on: true });
    }
    let node = (*nodes.get(one(rng, nodes.len()))?).clone();
    match what {
        4 => fault(Fault::CutLink { node, on: true }),
        7 => fault(Fault::FillDisk { node, on: true }),
        _ => Some(Command::KillNode { id, node }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_can_be_said_is_understood() {
        for line in WORDS.lines() {
            let mut said: Vec<&str> = line.split_whitespace().take(3).collect();
            if said.get(2) == Some(&"TIMES") {
                said[2] = "20";
            } else if said.get(2) != Some(&"MEMORY") {
                said.truncate(2);
            }
            let line = said.join(" ");
            let understood = command(&line).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(words(&understood), line);
        }
        assert!(command("slow kube-scheduler much").is_err_and(|e| e == "\"much\" is not a number"));
        assert!(command("cut").is_err_and(|e| e.starts_with("\"cut\" is not understood")));
    }
}
