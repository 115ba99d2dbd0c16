//! `sysctl [-w] KEY=VALUE`: a setting of the node's kernel, which only a privileged container may change. Models busybox'
//! `procps/sysctl.c`. Nothing here goes by the kernel's settings, so none is kept.

use super::Io;

/// CAP_SYS_ADMIN and the newest capability: all are had by those who are privileged.
const PRIVILEGED: u64 = 1 << 21 | 1 << 40;

pub fn run(io: &mut Io) -> i32 {
    let is_privileged = io.m.spec.identity.capabilities & PRIVILEGED == PRIVILEGED && io.m.spec.identity.uid == 0;
    let (quiet, names_left_out) = (io.flag('q'), io.flag('n'));
    let mut code = 0;
    for setting in io.operands() {
        let Some((key, value)) = setting.split_once('=').map(|(k, v)| (k.trim(), v.trim())) else {
            io.complain(format!("sysctl: {setting}: a simulated kernel tells no settings"));
            code = 1;
            continue;
        };
        if !is_privileged {
            io.complain(format!("sysctl: error setting key '{key}': Read-only file system"));
            code = 1;
        } else if !quiet {
            io.line(if names_left_out { value.to_string() } else { format!("{key} = {value}") });
        }
    }
    code
}
