//! What the terminal's own shell does itself: what changes it, what needs the page, and loops around kubectl.

use super::bench::HOME;
use super::parse::{Pipeline, Stage};
use super::run::{Shell, first_word};
use super::sink::Sink;
use kubectl::Request;

const OWN: &[&str] = &[
    "kubectl", "alias", "cd", "clear", "edit", "exit", "export", "help", "logout", "nano", "unalias", "unset", "vi",
    "vim", "watch",
];
/// How often `watch` looks, unless it is told: microseconds.
const WATCH_EVERY: f64 = 2e6;

pub fn is_name(word: &str) -> bool {
    !word.is_empty()
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !word.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether a command is not the machine's.
pub fn is_ours(text: &str) -> bool {
    match first_word(text) {
        // Only assignments.
        "" => text.contains('='),
        "xargs" => text.split_whitespace().any(|w| matches!(w, "kubectl" | "k")),
        "curl" | "wget" => text.contains("localhost") || text.contains("127.0.0.1"),
        word => OWN.contains(&word),
    }
}

/// How many loops a pipeline opens or closes.
pub fn depth(p: &Pipeline) -> i32 {
    let opens = |s: &Stage| {
        let first = s.text.split_whitespace().find(|w| !matches!(*w, "do" | "then" | "else"));
        i32::from(matches!(first, Some("for" | "while" | "until"))) - i32::from(first == Some("done"))
    };
    p.stages.iter().map(opens).sum()
}

/// How many pipelines belong together: a loop to its end.
pub fn extent(list: &[Pipeline]) -> usize {
    let mut open = 0;
    for (i, p) in list.iter().enumerate() {
        open += depth(p);
        if open <= 0 {
            return i + 1;
        }
    }
    list.len().max(1)
}

fn without(p: &Pipeline, word: &str) -> Pipeline {
    let mut p = p.clone();
    if let Some(s) = p.stages.first_mut()
        && let Some(rest) = s.text.trim_start().strip_prefix(word)
    {
        s.text = rest.to_string();
    }
    p
}

fn is_empty(p: &Pipeline) -> bool {
    p.stages.iter().all(|s| s.text.trim().is_empty())
}

impl Shell {
    /// `for NAME in WORDS; do …; done`, `while …; do …; done`.
    pub async fn compound(&self, list: &[Pipeline], out: &Sink) -> i32 {
        let body_at = list.iter().position(|p| p.stages.first().is_some_and(|s| first_word(&s.text) == "do"));
        let Some(body_at) = body_at.filter(|at| *at > 0) else {
            self.desk.say("bash: syntax error: a loop is `for NAME in WORDS; do COMMANDS; done`\n");
            return 2;
        };
        let mut body = vec![without(&list[body_at], "do")];
        body.extend_from_slice(&list[body_at + 1..list.len() - 1]);
        body.retain(|p| !is_empty(p));
        let head = &list[0].stages[0].text;
        let mut code = 0;
        if first_word(head) == "for" {
            let words = self.expand(head.trim_start().trim_start_matches("for")).await.words;
            let Some((name, rest)) = words.split_first() else { return 2 };
            for value in rest.iter().skip(1) {
                for v in braces(value) {
                    self.state.borrow_mut().variables.insert(name.clone(), v);
                    code = self.list(&body, out).await;
                }
            }
            return code;
        }
        let until = first_word(head) == "until";
        let mut condition = list[..body_at].to_vec();
        condition[0] = without(&condition[0], if until { "until" } else { "while" });
        loop {
            let began = self.desk.with(|d| d.now);
            if (self.list(&condition, out).await == 0) == until {
                return code;
            }
            code = self.list(&body, out).await;
            // A loop that takes no time would never let the cluster go on.
            if self.desk.with(|d| d.now) == began {
                self.desk.sleep(1_000).await;
            }
        }
    }

    pub async fn builtin(&self, words: &[String], text: &str, stdin: Option<Vec<u8>>, out: &Sink, err: &Sink) -> i32 {
        let arg = |i: usize| words.get(i).map_or("", String::as_str);
        let say = |text: String| out.write(self, text.as_bytes());
        let complain = |text: String| err.write(self, text.as_bytes());
        match arg(0) {
            "alias" => {
                let mut state = self.state.borrow_mut();
                for w in &words[1..] {
                    match w.split_once('=') {
                        Some((name, value)) => drop(state.aliases.insert(name.into(), value.into())),
                        None => say(format!("alias {w}='{}'\n", state.aliases.get(w).cloned().unwrap_or_default())),
                    }
                }
                if words.len() == 1 {
                    say(state.aliases.iter().map(|(n, v)| format!("alias {n}='{v}'\n")).collect());
                }
            }
            "unalias" => words[1..].iter().for_each(|w| drop(self.state.borrow_mut().aliases.remove(w))),
            "unset" => words[1..].iter().for_each(|w| drop(self.state.borrow_mut().variables.remove(w))),
            "cd" => {
                let to = if arg(1).is_empty() { HOME } else { arg(1) };
                let cwd = self.state.borrow().cwd.clone();
                if self.bench.borrow().list(&cwd, to).is_none() {
                    complain(format!("bash: cd: {to}: No such file or directory\n"));
                    return 1;
                }
                self.state.borrow_mut().cwd = kubelet::sim::fs::normalize(&cwd, to);
            }
            "clear" => self.desk.with(|d| {
                d.clear = true;
                d.text.clear();
            }),
            "exit" | "logout" => self.state.borrow_mut().left = true,
            "help" => say(HELP.into()),
            "edit" | "vi" | "vim" | "nano" => {
                let file = arg(1);
                if file.is_empty() {
                    complain(format!("{}: which file?\n", arg(0)));
                    return 1;
                }
                let old = self.bench.borrow().read(HOME, file);
                let text = old.map_or(String::new(), |d| String::from_utf8_lossy(&d).into_owned());
                return i32::from(self.edit(file, Some(text)).await.is_none());
            }
            "watch" => return self.watch(words, out).await,
            "xargs" => return self.xargs(words, stdin.unwrap_or_default(), out, err).await,
            "curl" | "wget" => return self.curl(words, out, err).await,
            "export" => {
                for w in &words[1..] {
                    if let Some((name, value)) = w.split_once('=') {
                        self.state.borrow_mut().variables.insert(name.into(), value.into());
                    }
                }
            }
            word if word.contains('=') && first_word(text).is_empty() => {
                for w in words {
                    if let Some((name, value)) = w.split_once('=') {
                        self.state.borrow_mut().variables.insert(name.into(), value.into());
                    }
                }
            }
            // `NAME=value kubectl …`
            word if word.contains('=') => {
                let rest: Vec<String> = words.iter().skip_while(|w| w.contains('=')).skip(1).cloned().collect();
                return self.kubectl(&rest, stdin, out, err).await;
            }
            word => {
                complain(format!("bash: {word}: command not found\n"));
                return 127;
            }
        }
        0
    }

    /// Looks again and again until it is interrupted.
    async fn watch(&self, words: &[String], out: &Sink) -> i32 {
        let mut rest = &words[1..];
        let mut every = WATCH_EVERY;
        while let Some(flag) = rest.first().filter(|w| w.starts_with('-')) {
            let number = flag.strip_prefix("-n").filter(|n| !n.is_empty());
            let apart = flag == "-n";
            let seconds = number.or_else(|| rest.get(1).filter(|_| apart).map(String::as_str));
            every = seconds.and_then(|s| s.parse::<f64>().ok()).map_or(every, |s| s.max(0.1) * 1e6);
            rest = &rest[if apart { 2.min(rest.len()) } else { 1 }..];
        }
        let line = match rest {
            [line] => line.clone(),
            words => words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(" "),
        };
        loop {
            let text = self.captured(&line).await;
            self.desk.with(|d| {
                d.clear = true;
                d.text.clear();
            });
            out.write(self, format!("Every {}s: {line}\n\n{text}\n", every / 1e6).as_bytes());
            self.desk.sleep(every as i64).await;
        }
    }

    async fn xargs(&self, words: &[String], stdin: Vec<u8>, out: &Sink, err: &Sink) -> i32 {
        let mut rest = &words[1..];
        let (mut at_once, mut place) = (usize::MAX, None);
        while let Some(flag) = rest.first().filter(|w| w.starts_with('-')) {
            let (name, value) = flag.split_at(2.min(flag.len()));
            let apart = value.is_empty() && matches!(name, "-n" | "-I" | "-L");
            let value = if apart { rest.get(1).map_or("", String::as_str) } else { value };
            match name {
                "-n" | "-L" => at_once = value.parse().unwrap_or(1),
                "-I" => (place, at_once) = (Some(value.to_string()), 1),
                _ => {}
            }
            rest = &rest[if apart { 2.min(rest.len()) } else { 1 }..];
        }
        let text = String::from_utf8_lossy(&stdin).into_owned();
        let items: Vec<&str> = if place.is_some() {
            text.lines().map(str::trim).filter(|l| !l.is_empty()).collect()
        } else {
            text.split_whitespace().collect()
        };
        let mut code = 0;
        for some in items.chunks(at_once.clamp(1, items.len().max(1))) {
            let mut args: Vec<String> = rest.iter().skip(1).cloned().collect();
            match &place {
                Some(p) => args.iter_mut().for_each(|a| *a = a.replace(p.as_str(), some[0])),
                None => args.extend(some.iter().map(ToString::to_string)),
            }
            if self.kubectl(&args, None, out, err).await != 0 {
                code = 123;
            }
        }
        code
    }

    /// Asks a forwarded port.
    async fn curl(&self, words: &[String], out: &Sink, err: &Sink) -> i32 {
        let is_own = |w: &&String| w.contains("localhost") || w.contains("127.0.0.1");
        let url = words.iter().find(is_own).cloned().unwrap_or_default();
        let rest = url.split_once("://").map_or(url.as_str(), |(_, r)| r);
        let (authority, path) = rest.find('/').map_or((rest, "/"), |i| rest.split_at(i));
        let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
        let number = port.parse::<u16>().unwrap_or(0);
        let Some(to) = self.forwards.borrow().get(&number).cloned() else {
            let text =
                format!("curl: (7) Failed to connect to {host} port {port} after 0 ms: Couldn't connect to server\n");
            err.write(self, text.as_bytes());
            return 7;
        };
        match self.desk.ask(Request::get(format!("{to}{path}"))).await {
            Ok(r) => {
                if words.iter().any(|w| matches!(w.as_str(), "-i" | "-I" | "-v")) {
                    out.write(self, format!("HTTP/1.1 {}\n\n", r.status).as_bytes());
                }
                out.write(self, &r.body);
                0
            }
            Err(why) => {
                err.write(self, format!("curl: {why}\n").as_bytes());
                52
            }
        }
    }
}

/// `{1..5}`
fn braces(word: &str) -> Vec<String> {
    let Some((head, rest)) = word.split_once('{') else { return vec![word.into()] };
    let Some((inner, tail)) = rest.split_once('}') else { return vec![word.into()] };
    if let Some((from, to)) = inner.split_once("..")
        && let (Ok(from), Ok(to)) = (from.parse::<i32>(), to.parse::<i32>())
        && (to - from).abs() <= 10_000
    {
        let numbers: Vec<i32> = if from <= to { (from..=to).collect() } else { (to..=from).rev().collect() };
        return numbers.iter().map(|n| format!("{head}{n}{tail}")).collect();
    }
    if inner.contains(',') {
        return inner.split(',').map(|i| format!("{head}{i}{tail}")).collect();
    }
    vec![word.into()]
}

fn quoted(word: &str) -> String {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_=./:,@%+".contains(c));
    if plain && !word.is_empty() { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

const HELP: &str = "\
kubectl (k)   the cluster: kubectl get pods, kubectl apply -f samples/deployment.yaml, kubectl --help
ls, cat       your files: those of the editor, and samples/
edit FILE     opens a file in the editor
COMMAND | ... grep, head, tail, wc, sort, uniq, cut, tr, sed, awk, tee, xargs; > and >> write a file
watch COMMAND again every two seconds; Ctrl-C ends it
curl          localhost:PORT, while kubectl port-forward runs in another terminal
clear, alias, cd, export, for NAME in WORDS; do ...; done, while ...; do ...; done
Keys: Tab completes, Up and Down go through the history, Ctrl-R searches it, Ctrl-C ends a command, Ctrl-L clears
";
