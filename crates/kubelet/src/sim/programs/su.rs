//! `su [-] [-c COMMAND] [USER]`. A container's processes are all of one user here: root stays root, and nobody becomes
//! anybody else.

use super::{Io, Outcome, Running};
use crate::sim::owners::id_of;

pub fn su(io: &mut Io) -> Outcome {
    let busybox = io.is_busybox();
    let (mut command, mut user, mut rest) = (None, None, Vec::new());
    let mut args = io.argv.iter().skip(1).cloned();
    while let Some(a) = args.next() {
        match a.as_str() {
            "-c" | "--command" => command = args.next(),
            "-s" | "--shell" => _ = args.next(),
            "-" | "-l" | "--login" | "-m" | "-p" => {}
            _ if user.is_none() => user = Some(a),
            _ => rest.push(a),
        }
    }
    if io.m.spec.identity.uid != 0 {
        io.complain(if busybox { "su: must be suid to work properly" } else { "su: Authentication failure" });
        return Outcome::Exit(1);
    }
    let user = user.unwrap_or_else(|| "root".into());
    let accounts = io.m.fs.read("/etc/passwd", io.world.volumes).unwrap_or_default();
    let accounts = String::from_utf8_lossy(&accounts).into_owned();
    let named = accounts.lines().any(|l| l.split(':').next() == Some(user.as_str()));
    match id_of(&accounts, &user).filter(|_| named) {
        Some(0) => {}
        Some(_) => {
            io.complain(format!("su: becoming {user} is not simulated: set runAsUser in the pod's securityContext"));
            return Outcome::Exit(1);
        }
        None => {
            io.complain(match busybox {
                true => format!("su: unknown user {user}"),
                false => {
                    format!("su: user {user} does not exist or the user entry does not contain all the required fields")
                }
            });
            return Outcome::Exit(1);
        }
    }
    let mut argv = vec!["sh".to_string()];
    argv.extend(command.map(|c| ["-c".to_string(), c]).into_iter().flatten());
    argv.extend(rest);
    match io.m.procs.get_mut(&io.pid).filter(|p| p.argv == io.argv) {
        Some(p) => {
            p.argv = argv;
            Outcome::Sleep(io.now, Running::Start)
        }
        // Not in a process of its own yet: the shell makes one and comes back.
        None => Outcome::Block(Running::Start),
    }
}
