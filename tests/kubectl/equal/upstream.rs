//! What upstream's own shell tests of kubectl (`test/cmd/*.sh`) try and expect, on files of our own: the real one against our
//! server must say what they want, and the page's the same as the real one.

use super::native::Native;
use super::{Server, Side, differs, lines, ours, ready, real, report};
use std::time::{Duration, Instant};

/// After this line only the real one runs.
const REAL_ONLY: &str = "%%";
/// A line is run in both, each against a server of its own. `~`: what it prints is not compared. `?`: it is run until it
/// prints what is expected. `=> text`: what the line before must print; `!> text`: what it must not.
const LIST: &str = "upstream.txt";
/// How long something is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

struct Tried {
    line: String,
    compared: bool,
    in_both: bool,
    repeated: bool,
    wanted: Vec<String>,
    unwanted: Vec<String>,
}

fn tried() -> Vec<Tried> {
    let mut all: Vec<Tried> = Vec::new();
    let mut in_both = true;
    for line in lines(LIST) {
        let last = all.last_mut();
        if line == REAL_ONLY {
            in_both = false;
            continue;
        }
        if let Some(text) = line.strip_prefix("=> ") {
            last.unwrap_or_else(|| panic!("nothing says {text}")).wanted.push(text.into());
        } else if let Some(text) = line.strip_prefix("!> ") {
            last.unwrap_or_else(|| panic!("nothing says {text}")).unwanted.push(text.into());
        } else {
            let (compared, repeated) = (!line.starts_with('~'), line.starts_with('?'));
            let line = line.trim_start_matches(['~', '?']).trim_start().to_string();
            all.push(Tried { line, compared, in_both, repeated, wanted: Vec::new(), unwanted: Vec::new() });
        }
    }
    all
}

impl Tried {
    /// What is expected and not said, or said and not expected.
    fn wrong(&self, s: &Side) -> Option<String> {
        let said = format!("{}\n{}", s.out, s.err);
        let missing = self.wanted.iter().find(|t| !said.contains(*t)).map(|t| format!("it does not say: {t}"));
        missing.or_else(|| self.unwanted.iter().find(|t| said.contains(*t)).map(|t| format!("it says: {t}")))
    }

    /// Once, or until it says what it should.
    fn run(&self, mut once: impl FnMut() -> Side) -> Side {
        let start = Instant::now();
        loop {
            let side = once();
            if !self.repeated || self.wrong(&side).is_none() || start.elapsed() > PATIENCE {
                return side;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn both(one: &Server, native: &mut Native, t: &Tried) -> (Side, Option<Side>) {
    std::thread::scope(|scope| {
        let real = scope.spawn(|| t.run(|| real(one, &t.line)));
        let o = t.in_both.then(|| t.run(|| ours(native, &t.line)));
        (real.join().unwrap_or_else(|_| panic!("kubectl {}", t.line)), o)
    })
}

#[test]
fn what_upstream_tries_holds() {
    let args = ["--sim-nodes", "2"];
    let Some((one, _)) = ready(&args) else { return };
    let Some((_two, mut native)) = ready(&args) else { return };
    let (mut bad, mut checks) = (Vec::new(), 0);
    let all = tried();
    for t in &all {
        checks += t.wanted.len() + t.unwanted.len();
        let (r, o) = both(&one, &mut native, t);
        if let Some(why) = t.wrong(&r) {
            bad.push(format!("=== kubectl {}\n{why}\n--- real out\n{}--- real err\n{}", t.line, r.out, r.err));
        }
        if let Some(o) = o.filter(|o| t.compared && differs(&r, o)) {
            bad.push(report(&t.line, &r, &o));
        }
    }
    assert!(bad.is_empty(), "{} of {} lines with {checks} checks:\n{}", bad.len(), all.len(), bad.join("\n"));
}
