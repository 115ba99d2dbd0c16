//! Command lines in real kubectl and in the page's: what they print and how they exit must be the same.

mod native;
mod upstream;

use native::Native;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use system_tests::Server;

/// One a line; `#` begins a comment. Reads only, or with `--dry-run=server`: both run against the same server.
const READS: &str = "reads.txt";
/// Writes: each is run in both, against two servers of the same seed, in this order.
const WRITES: &str = "writes.txt";
/// What both lists work on; one file after the other.
const STATE: [&str; 3] = ["files/state.yaml", "files/more.yaml", "files/widget.yaml"];

struct Side {
    code: i32,
    out: String,
    err: String,
}

/// The words of a line as a shell parts them.
fn words(line: &str) -> Vec<String> {
    let (mut out, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => (quote, begun) = (Some(c), true),
            (None, ' ') => {
                if begun {
                    out.push(std::mem::take(&mut word));
                    begun = false;
                }
            }
            (_, c) => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        out.push(word);
    }
    out
}

/// `kubectl ... < file` reads the file.
fn line_parts(line: &str) -> (Vec<String>, Option<String>) {
    match line.split_once(" < ") {
        Some((l, f)) => (words(l), Some(f.trim().to_string())),
        None => (words(line), None),
    }
}

fn real(s: &Server, line: &str) -> Side {
    real_with(&s.kubeconfig(), line)
}

fn real_with(kubeconfig: &std::path::Path, line: &str) -> Side {
    use std::io::Write as _;
    let (args, stdin) = line_parts(line);
    // No flags before the command: an unknown command would be a plugin's.
    let mut c = Command::new("kubectl");
    c.env("GOGC", "off");
    c.args(&args).env("KUBECONFIG", kubeconfig).env("HOME", kubeconfig.with_file_name("home"));
    c.current_dir(native::files()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = c.spawn().unwrap_or_else(|e| panic!("kubectl: {e}"));
    if let Some(mut pipe) = child.stdin.take() {
        let text = stdin.map(|f| std::fs::read(native::files().join(f)).unwrap_or_default()).unwrap_or_default();
        let _ = pipe.write_all(&text);
    }
    let o = child.wait_with_output().unwrap_or_else(|e| panic!("kubectl: {e}"));
    Side {
        code: o.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&o.stdout).into_owned(),
        err: String::from_utf8_lossy(&o.stderr).into_owned(),
    }
}

fn ours(native: &mut Native, line: &str) -> Side {
    let (args, stdin) = line_parts(line);
    let (code, out, err) = native.run(&args, stdin);
    Side { code, out, err }
}

/// What differs between the kubectl installed and v1.35, and what no two runs share.
fn normal(text: &str) -> String {
    let mut out = String::new();
    let text = addressless(text);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        // Warnings of the client's log have a time and a process in them.
        if let Some(rest) = line.strip_prefix("E1").or_else(|| line.strip_prefix("W1"))
            && let Some((_, m)) = rest.split_once("\"command failed\" err=")
        {
            // What has several lines is a block of its own.
            if m == "<" {
                let said: Vec<&str> =
                    lines.by_ref().take_while(|l| *l != " >").map(|l| l.strip_prefix('\t').unwrap_or(l)).collect();
                out.push_str(&format!("error: {}\n", said.join("\n")));
                continue;
            }
            let m: String = serde_json::from_str(m).unwrap_or_default();
            out.push_str(&format!("error: {m}\n"));
            continue;
        }
        if let Some(i) = line.find("] --dry-run") {
            out.push_str(&format!("W{}\n", &line[i + 1..]));
            continue;
        }
        if let Some(i) = line.find("] well-defined vars").filter(|_| line.starts_with('I')) {
            out.push_str(&format!("I{}\n", &line[i + 1..]));
            continue;
        }
        if let Some(i) = line.find("] Field ").filter(|_| line.starts_with('F')) {
            out.push_str(&format!("F{}\n", &line[i + 1..]));
            continue;
        }
        if let Some(i) = line.find("] Deprecated: kubectl apply") {
            out.push_str(&format!("W{}\n", &line[i + 1..]));
            continue;
        }
        // Directories and times of a difference.
        if let Some(m) =
            ["diff -u -N /tmp/LIVE-", "--- /tmp/LIVE-", "+++ /tmp/MERGED-"].iter().find(|m| line.starts_with(**m))
        {
            let words = line.split('\t').next().unwrap_or(line).split(' ').filter_map(|w| w.rsplit('/').next());
            out.push_str(&format!("{m} {}\n", words.collect::<Vec<_>>().join(" ")));
            continue;
        }
        // The installed one says `Error:` for its flags.
        let line = line.strip_prefix("Error: ").map_or(line.to_string(), |l| format!("error: {l}"));
        // v1.34 leaves times out that are not set.
        if line.trim_start_matches([' ', '-']).trim() == "creationTimestamp: null" {
            continue;
        }
        // Likewise in JSON, by itself and in the annotation.
        let line = line.replace("\\\"creationTimestamp\\\":null,", "").replace("\"creationTimestamp\":null,", "");
        let line = line.as_str();
        if line.trim() == "\"creationTimestamp\": null," {
            continue;
        }
        if line.trim() == "\"creationTimestamp\": null" {
            if out.ends_with(",\n") {
                out.truncate(out.len() - 2);
                out.push('\n');
            }
            continue;
        }
        // v1.33 says where from something was deleted, v1.34 knows one more format.
        let line = match line.split_once(" deleted from ") {
            Some((head, rest)) if rest.contains(" namespace") => {
                format!("{head} deleted{}", rest.split_once(" namespace").map_or("", |(_, r)| r))
            }
            _ => line.replace("kyaml,", ""),
        };
        out.push_str(&line);
        out.push('\n');
    }
    // With its time left out, metadata may be empty.
    let lines: Vec<&str> = out.lines().collect();
    let depth = |l: &str| l.len() - l.trim_start_matches([' ', '-']).len();
    let mut out = String::new();
    for (i, l) in lines.iter().enumerate() {
        if l.trim().starts_with('}') && out.ends_with("\"metadata\": {\n") {
            out.pop();
            out.push_str(l.trim_start());
            out.push('\n');
            continue;
        }
        out.push_str(l);
        if l.trim() == "metadata:" && lines.get(i + 1).is_none_or(|n| depth(n) <= depth(l)) {
            out.push_str(" {}");
        }
        out.push('\n');
    }
    out
}

/// Where something is in memory is another place every time.
fn addressless(text: &str) -> String {
    let mut parts = text.split("0xc0");
    let mut out = parts.next().unwrap_or("").to_string();
    for part in parts {
        out.push_str("0xADDRESS");
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    out
}

fn differs(a: &Side, b: &Side) -> bool {
    a.code != b.code || normal(&a.out) != normal(&b.out) || normal(&a.err) != normal(&b.err)
}

fn report(line: &str, real: &Side, ours: &Side) -> String {
    let mut text = format!("=== kubectl {line}\n");
    for (what, r, o) in [("out", normal(&real.out), normal(&ours.out)), ("err", normal(&real.err), normal(&ours.err))] {
        if r != o {
            text.push_str(&format!("--- real {what}\n{r}--- ours {what}\n{o}"));
        }
    }
    if real.code != ours.code {
        text.push_str(&format!("--- exit: real {}, ours {}\n", real.code, ours.code));
    }
    text
}

/// Read at run time: a list is changed without building. `KUBOTTLE_LINES` names another one, to try lines out.
fn lines(list: &str) -> Vec<String> {
    let path = std::env::var_os("KUBOTTLE_LINES").map_or(native::own().with_file_name(list), Into::into);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).map(String::from).collect()
}

fn ready(args: &[&str]) -> Option<(Server, Native)> {
    let s = Server::start(args)?;
    for file in STATE {
        s.k(&format!("apply -f {}", native::own().with_file_name(file).display()));
    }
    s.until("get pods", |o| o.matches(" Running ").count() >= 5 && o.contains(" Completed "));
    s.until("get pods -n team", |o| o.matches(" Running ").count() >= 3);
    s.until("get jobs", |o| o.contains(" Complete "));
    let native = Native::of(&s);
    Some((s, native))
}

/// The real one goes through the logs of several containers, and through labels, in the order of a Go map.
fn in_any_order(line: &str) -> bool {
    let has = |flags: &[&str]| flags.iter().any(|f| line.contains(f));
    match line.split(' ').next() {
        Some("logs") => has(&["--all-containers", "--all-pods", " -l", "--selector"]),
        Some("label" | "annotate") => has(&["--list"]),
        _ => false,
    }
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    lines.sort_unstable();
    lines.concat()
}

/// How many lines are compared at a time: most of it is the real one's start.
const AT_ONCE: usize = 2;

/// What differs in one line. Ages may move on between two runs, and on a busy machine do so every time.
fn compared(s: &Server, native: &mut Native, line: &str) -> Option<String> {
    let mut last = None;
    for _ in 0..3 {
        let (mut o, mut r) = (ours(native, line), real(s, line));
        if in_any_order(line) {
            (o.out, r.out) = (sorted(&o.out), sorted(&r.out));
        }
        if !differs(&r, &o) {
            return None;
        }
        last = Some((r, o));
    }
    let (r, o) = last?;
    if !differs(&in_order(&r), &in_order(&o)) && has_no_order(s, line, &r) {
        return None;
    }
    let but_for_ages = |s: &Side| Side { code: s.code, out: ageless(&s.out), err: s.err.clone() };
    differs(&but_for_ages(&r), &but_for_ages(&o)).then(|| report(line, &r, &o))
}

fn in_order(s: &Side) -> Side {
    Side { code: s.code, out: sorted(&s.out), err: s.err.clone() }
}

/// Whether the real one itself prints the same lines in another order when asked again, as it does where it goes through
/// a Go map (`describe configmap`, `describe secret`).
fn has_no_order(s: &Server, line: &str, before: &Side) -> bool {
    (0..8).map(|_| real(s, line)).any(|r| r.out != before.out && sorted(&r.out) == sorted(&before.out))
}

/// Words one space apart, with `AGE` for `5s`, `2m10s` and the like: a longer age also moves the columns after it.
fn ageless(text: &str) -> String {
    let is_age = |w: &str| {
        let w = w.trim_matches(['(', ')']);
        w.len() > 1
            && w.starts_with(|c: char| c.is_ascii_digit())
            && w.ends_with(['s', 'm', 'h', 'd'])
            && w.chars().all(|c| c.is_ascii_digit() || "smhd".contains(c))
    };
    let line = |l: &str| l.split_whitespace().map(|w| if is_age(w) { "AGE" } else { w }).collect::<Vec<_>>().join(" ");
    text.lines().map(|l| line(l) + "\n").collect()
}

#[test]
fn reads_print_the_same() {
    let Some((s, native)) = ready(&["--sim-nodes", "2"]) else { return };
    let all = lines(READS);
    let next = AtomicUsize::new(0);
    let bad = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            let mut native = native.again();
            let (all, next, bad, s) = (&all, &next, &bad, &s);
            scope.spawn(move || {
                while let Some(line) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(what) = compared(s, &mut native, line) {
                        bad.lock().unwrap_or_else(PoisonError::into_inner).push(what);
                    }
                }
            });
        }
    });
    let bad = bad.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(bad.is_empty(), "{} of {} differ:\n{}", bad.len(), all.len(), bad.join("\n"));
}

#[test]
fn writes_print_the_same() {
    let args = ["--sim-nodes", "2"];
    let Some((one, _)) = ready(&args) else { return };
    let Some((_two, mut native)) = ready(&args) else { return };
    let (mut bad, mut count) = (Vec::new(), 0);
    for line in &lines(WRITES) {
        count += 1;
        // What is told on the way is not the same in two clusters.
        let (line, compared) = line.strip_prefix('~').map_or((line.as_str(), true), |l| (l, false));
        let (r, o) = std::thread::scope(|scope| {
            let real = scope.spawn(|| real(&one, line));
            let o = ours(&mut native, line);
            (real.join().unwrap_or_else(|_| panic!("kubectl {line}")), o)
        });
        if compared && differs(&r, &o) {
            bad.push(report(line, &r, &o));
        }
    }
    assert!(bad.is_empty(), "{} of {count} differ:\n{}", bad.len(), bad.join("\n"));
}

/// Lines of `config`, in this order, on a kubeconfig of several.
const CONFIGS: &str = "config.txt";

#[test]
fn kubeconfigs_print_the_same() {
    let Some(s) = Server::start(&["--sim-nodes", "1"]) else { return };
    let start = std::fs::read_to_string(native::own().join("kubeconfig.yaml")).unwrap_or_default();
    let file = s.kubeconfig().with_file_name("several");
    std::fs::write(&file, &start).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut native = Native::with(&s, &file.to_string_lossy(), &start);
    let all = lines(CONFIGS);
    let bad: Vec<String> = all
        .iter()
        .filter_map(|line| {
            let r = real_with(&file, line);
            let o = ours(&mut native, line);
            differs(&r, &o).then(|| report(line, &r, &o))
        })
        .collect();
    assert!(bad.is_empty(), "{} of {} differ:\n{}", bad.len(), all.len(), bad.join("\n"));
}
