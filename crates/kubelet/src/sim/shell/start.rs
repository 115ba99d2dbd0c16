//! How a shell begins: from its arguments.

use super::interactive::Lines;
use super::{Code, Frame, Shell, code};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Shell {
    /// `sh -c SCRIPT [NAME [ARG...]]`, `sh -ec ...`, `sh FILE`, or a shell that reads standard input.
    ///
    /// # Errors
    /// A script that cannot be parsed.
    pub fn from_args(argv: &[String], env: &BTreeMap<String, String>) -> Result<Shell, String> {
        let name = argv.first().map_or("sh", String::as_str);
        let base = name.rsplit('/').next().unwrap_or(name).to_string();
        let (mut errexit, mut nounset, mut xtrace, mut script) = (false, false, false, None);
        let mut args = argv.iter().skip(1);
        let mut rest: Vec<String> = Vec::new();
        while let Some(a) = args.next() {
            if !a.starts_with('-') && !a.starts_with('+') || a == "-" {
                rest.push(a.clone());
                rest.extend(args.by_ref().cloned());
                break;
            }
            if a.starts_with("--") {
                continue;
            }
            errexit |= a.contains('e');
            nounset |= a.contains('u');
            xtrace |= a.contains('x');
            if a.ends_with('o') {
                args.next();
            }
            if a.contains('c') {
                // The command is the first operand: `--` before it ends the options.
                script = Some(args.by_ref().find(|a| *a != "--").cloned().unwrap_or_default());
                rest.extend(args.by_ref().cloned());
                break;
            }
        }
        let reads = script.is_none() && rest.is_empty();
        let script = match script {
            Some(s) => s,
            None if rest.is_empty() => String::new(),
            // A script file: read when the shell runs.
            None => format!(". {}", quote(&rest[0])),
        };
        let code = code::compile(&script).map_err(|e| format!("{base}: syntax error: {e}"))?;
        let mut shell = Shell::new(code, &base);
        shell.lines = reads.then(Lines::default);
        if let Some(first) = rest.first().cloned() {
            shell.name = first;
            shell.positional = rest[1..].to_vec();
        }
        (shell.errexit, shell.nounset, shell.xtrace) = (errexit, nounset, xtrace);
        shell.vars = env.iter().map(|(k, v)| (k.clone(), (v.clone(), true))).collect();
        Ok(shell)
    }

    fn new(code: Arc<Code>, name: &str) -> Self {
        Shell {
            frames: vec![Frame::new(code)],
            vars: BTreeMap::new(),
            arrays: BTreeMap::new(),
            functions: BTreeMap::new(),
            aliases: BTreeMap::new(),
            random: None,
            positional: Vec::new(),
            name: name.into(),
            status: 0,
            lists: Vec::new(),
            cases: Vec::new(),
            saved: Vec::new(),
            results: Vec::new(),
            wait: None,
            background: Vec::new(),
            traps: BTreeMap::new(),
            pending: Vec::new(),
            errexit: false,
            nounset: false,
            xtrace: false,
            pid: None,
            bash: name == "bash",
            ended: None,
            replaced: false,
            lines: None,
            partial: Vec::new(),
        }
    }
}

pub(super) fn quote(s: &str) -> String {
    format!("'{}'", s.replace('\'', "'\\''"))
}
