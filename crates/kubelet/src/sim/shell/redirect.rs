//! Redirections: where a command's input comes from and its output goes.

use super::code::{Redirection, RedirectionKind};
use super::{Shell, around};
use crate::sim::fs::normalize;
use crate::sim::machine::{Fds, Input, Machine, Output, World};

impl Shell {
    /// # Errors
    /// What cannot be opened, in the shell's words.
    pub(super) fn redirect(
        &mut self,
        list: &[Redirection],
        m: &mut Machine,
        pid: u32,
        world: &mut World,
    ) -> Result<Fds, String> {
        let mut fds = m.procs.get(&pid).map(|p| p.fds.clone()).ok_or("no process")?;
        let own = fds.stdin.clone();
        for r in list {
            let a = around(m, pid, world);
            let target = self.string(&r.target, &a)?;
            let path = normalize(&a.cwd, &target);
            if crate::sim::programs::looks_at_kernel(std::slice::from_ref(&path), "") {
                let argv = m.procs.get(&pid).map(|p| p.argv.clone()).unwrap_or_default();
                m.fs.shown = std::sync::Arc::new(crate::sim::procfs::Shown::new(m, pid, &argv));
            }
            match &r.kind {
                RedirectionKind::Here => fds.stdin = Input::Data(target.into_bytes().into(), 0),
                RedirectionKind::Read => match m.fs.read(&path, world.volumes) {
                    Ok(data) => {
                        // The same file opened once more is read from its beginning, and what was open goes on where it was.
                        let is_open = matches!(&own, Input::Data(open, _) if std::sync::Arc::ptr_eq(open, &data));
                        fds.stdin = Input::Data(if is_open { data.to_vec().into() } else { data }, 0);
                    }
                    Err(e) => {
                        let what = if self.bash {
                            format!("{target}: {}", e.text())
                        } else {
                            format!("can't open {target}: no such file")
                        };
                        return Err(what);
                    }
                },
                RedirectionKind::Duplicate => match (r.fd, target.as_str()) {
                    (1, "2") => fds.stdout = fds.stderr.clone(),
                    (2, "1") => fds.stderr = fds.stdout.clone(),
                    (1, "-") => fds.stdout = Output::Null,
                    (2, "-") => fds.stderr = Output::Null,
                    (0, "-") => fds.stdin = Input::Null,
                    _ => {}
                },
                RedirectionKind::Write | RedirectionKind::Append | RedirectionKind::Both(_) => {
                    let append = matches!(r.kind, RedirectionKind::Append | RedirectionKind::Both(true));
                    let out = self.open(&target, &path, append, m, pid, world)?;
                    if r.fd == 1 {
                        fds.stdout = out.clone();
                    }
                    if r.fd == 2 || matches!(r.kind, RedirectionKind::Both(_)) {
                        fds.stderr = out;
                    }
                }
            }
        }
        Ok(fds)
    }

    fn open(
        &self,
        target: &str,
        path: &str,
        append: bool,
        m: &mut Machine,
        pid: u32,
        world: &mut World,
    ) -> Result<Output, String> {
        let own = m.procs.get(&pid).map(|p| p.fds.clone());
        match path {
            "/dev/null" => return Ok(Output::Null),
            "/dev/stdout" | "/proc/self/fd/1" => return own.map(|f| f.stdout).ok_or_else(String::new),
            "/dev/stderr" | "/proc/self/fd/2" => return own.map(|f| f.stderr).ok_or_else(String::new),
            "/proc/1/fd/1" | "/proc/1/fd/2" | "/dev/tty" => return Ok(Output::Log),
            _ => {}
        }
        let wanted = if append { b"".as_slice() } else { b"" };
        m.fs.write(path, wanted, append, world.volumes).map_err(|e| match (self.bash, e) {
            (true, e) => format!("{target}: {}", e.text()),
            (false, crate::sim::fs::FsError::NotFound) => format!("can't create {target}: nonexistent directory"),
            (false, e) => format!("can't create {target}: {}", e.text()),
        })?;
        Ok(Output::File(path.into()))
    }
}
