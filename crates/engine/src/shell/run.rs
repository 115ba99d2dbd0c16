//! A line at work: kubectl runs here, everything else on the learner's machine.

use super::bench::{Bench, HOME};
use super::builtins;
use super::desk::DeskRef;
use super::parse::{Here, Join, Parsed, Pipeline, Stage, parse};
use super::screen::{Home, Screen};
use super::sink::{Filter, Sink};
use super::words::{Piece, Redirect, Words, assemble, pieces};
use kubectl::{Config, Env};
use protocol::{File, Waits};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

/// What a shell remembers between lines.
pub struct State {
    pub config: Config,
    pub variables: BTreeMap<String, String>,
    pub aliases: BTreeMap<String, String>,
    pub cwd: String,
    /// The last command's exit code.
    pub last: i32,
    pub left: bool,
}

impl Default for State {
    fn default() -> Self {
        State {
            config: Config::one(
                "https://127.0.0.1:6443",
                "kubottle",
                "kubernetes-admin",
                "kubernetes-admin@kubottle",
                "",
            ),
            variables: BTreeMap::new(),
            aliases: [("k".to_string(), "kubectl".to_string())].into(),
            cwd: HOME.into(),
            last: 0,
            left: false,
        }
    }
}

/// One shell, for whoever works in it.
#[derive(Clone)]
pub struct Shell {
    pub desk: DeskRef,
    pub state: Rc<RefCell<State>>,
    pub bench: Rc<RefCell<Bench>>,
    /// Forwarded ports of the learner's machine, and where they lead to. All shells share it.
    pub forwards: Rc<RefCell<BTreeMap<u16, String>>>,
}

/// A file that a redirection writes, whether at its end, and what there is to write.
type Written = (String, bool, Rc<RefCell<Vec<u8>>>);
type Running<'a> = Pin<Box<dyn Future<Output = i32> + 'a>>;

/// A part of a pipeline: one command of ours, or a line for the machine's own shell.
enum Segment {
    Ours(Stage),
    Local(String),
}

/// Whether a text is whole, waits for more lines, or cannot be read.
pub fn check(text: &str) -> Parsed {
    match parse(text) {
        Parsed::Whole(list) => {
            let depth = list.iter().fold(0, |d, p| d + builtins::depth(p));
            if depth > 0 { Parsed::More } else { Parsed::Whole(list) }
        }
        other => other,
    }
}

/// The first word, behind assignments.
pub fn first_word(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let word = rest.split_whitespace().next().unwrap_or("");
        let assigns = word.split_once('=').is_some_and(|(n, _)| builtins::is_name(n));
        if !assigns {
            return word;
        }
        rest = rest[word.len()..].trim_start();
    }
}

impl Shell {
    pub async fn line(self, text: String) {
        match check(&text) {
            Parsed::Whole(list) => {
                self.list(&list, &Sink::Screen).await;
            }
            Parsed::Wrong(why) => {
                self.desk.say(&format!("bash: {why}\n"));
                self.state.borrow_mut().last = 2;
            }
            Parsed::More => {}
        }
        self.hand_over_files();
    }

    /// What commands have written comes to the page.
    fn hand_over_files(&self) {
        let changed = self.bench.borrow_mut().changed();
        self.desk.with(|d| d.written.extend(changed.into_iter().map(|(name, text)| File { name, text })));
    }

    pub fn list<'a>(&'a self, list: &'a [Pipeline], out: &'a Sink) -> Running<'a> {
        Box::pin(async move {
            let mut at = 0;
            while let Some(p) = list.get(at) {
                let last = self.state.borrow().last;
                let skip = match p.join {
                    Join::Always => false,
                    Join::IfDone => last != 0,
                    Join::IfFailed => last == 0,
                };
                let n = builtins::extent(&list[at..]);
                if !skip {
                    let code = if n > 1 {
                        self.compound(&list[at..at + n], out).await
                    } else {
                        self.pipeline(&p.stages, out).await
                    };
                    self.state.borrow_mut().last = code;
                    if self.state.borrow().left {
                        break;
                    }
                }
                at += n;
            }
            self.state.borrow().last
        })
    }

    /// A command's output, as `$(…)` has it.
    pub async fn captured(&self, text: &str) -> String {
        let Parsed::Whole(list) = check(text) else { return String::new() };
        let (sink, buffer) = Sink::buffer();
        self.list(&list, &sink).await;
        let text = String::from_utf8_lossy(&buffer.borrow()).into_owned();
        text.trim_end_matches('\n').to_string()
    }

    /// An alias at the front is replaced, once.
    fn unaliased(&self, text: &str) -> String {
        let word = first_word(text);
        let state = self.state.borrow();
        match state.aliases.get(word) {
            Some(alias) if !word.is_empty() => {
                let at = text.find(word).unwrap_or(0);
                format!("{}{alias}{}", &text[..at], &text[at + word.len()..])
            }
            _ => text.to_string(),
        }
    }

    fn segments(&self, stages: &[Stage]) -> Vec<Segment> {
        let mut out: Vec<Segment> = Vec::new();
        let mut bodies = String::new();
        for s in stages {
            let stage = Stage { text: self.unaliased(&s.text), here: s.here.clone() };
            if builtins::is_ours(&stage.text) {
                out.push(Segment::Ours(stage));
                bodies.clear();
                continue;
            }
            let here: String = stage
                .here
                .iter()
                .map(|Here { raw, text, .. }| {
                    let end: String =
                        raw.trim_start_matches(['<', '-']).chars().filter(|c| !"'\"\\".contains(*c)).collect();
                    format!("{text}{end}\n")
                })
                .collect();
            match out.last_mut() {
                Some(Segment::Local(text)) => {
                    let line = text.strip_suffix(&bodies).unwrap_or(text).trim_end_matches('\n').to_string();
                    bodies.push_str(&here);
                    *text = format!("{line} | {}\n{bodies}", stage.text.trim());
                }
                _ => {
                    bodies = here;
                    out.push(Segment::Local(format!("{}\n{bodies}", stage.text.trim())));
                }
            }
        }
        out
    }

    pub async fn pipeline(&self, stages: &[Stage], out: &Sink) -> i32 {
        let segments = self.segments(stages);
        let (mut at, mut code, mut stdin) = (0, 0, None::<Vec<u8>>);
        while let Some(segment) = segments.get(at) {
            let sink = |last: bool| if last { (out.clone(), None) } else { buffered() };
            match segment {
                Segment::Ours(stage) => {
                    if let Some(Segment::Local(line)) = segments.get(at + 1) {
                        let (to, buffer) = sink(at + 2 == segments.len());
                        let line = self.substituted(line).await;
                        let filter = Rc::new(self.filter(&line, to));
                        self.ours(stage, stdin.take(), &Sink::Filter(filter.clone())).await;
                        filter.end_input();
                        code = self.ended(&filter).await;
                        stdin = buffer.map(|b| b.take());
                        at += 2;
                    } else {
                        let (to, buffer) = sink(at + 1 == segments.len());
                        code = self.ours(stage, stdin.take(), &to).await;
                        stdin = buffer.map(|b| b.take());
                        at += 1;
                    }
                }
                Segment::Local(line) => {
                    let (to, buffer) = sink(at + 1 == segments.len());
                    let line = self.substituted(line).await;
                    let process = self.start(&line, Some(stdin.take().unwrap_or_default()));
                    code = self.ended(&Filter::new(self, process, to)).await;
                    stdin = buffer.map(|b| b.take());
                    at += 1;
                }
            }
        }
        code
    }

    fn start(&self, line: &str, stdin: Option<Vec<u8>>) -> super::bench::Process {
        let state = self.state.borrow();
        let now = self.desk.with(|d| d.now);
        self.bench.borrow_mut().start(line, stdin, &state.variables, &state.cwd, now)
    }

    fn filter(&self, line: &str, to: Sink) -> Filter {
        let process = self.start(line, None);
        Filter::new(self, process, to)
    }

    async fn ended(&self, filter: &Filter) -> i32 {
        std::future::poll_fn(|_| {
            filter.pump();
            filter.ended.get().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// A line for the machine's shell, in which what only we can do was done: `$(kubectl …)` becomes a variable.
    async fn substituted(&self, line: &str) -> String {
        // The machine's shell is a new one for each line: it does not know how the last command ended.
        let line = line.replace("$?", &self.variable("?"));
        let (mut out, mut rest, mut n) = (String::new(), line.as_str(), 0);
        while let Some(i) = rest.find("$(") {
            let Some(inner) = pieces(&rest[i..]).into_iter().find_map(|p| match p {
                Piece::Command { text, .. } => Some(text),
                _ => None,
            }) else {
                break;
            };
            let end = i + 2 + inner.len() + 1;
            out.push_str(&rest[..i]);
            if self.mentions_ours(&inner) {
                n += 1;
                let name = format!("__SUBSTITUTED_{n}");
                let value = self.captured(&inner).await;
                self.state.borrow_mut().variables.insert(name.clone(), value);
                out.push_str(&format!("${{{name}}}"));
            } else {
                out.push_str(rest.get(i..end).unwrap_or(&rest[i..]));
            }
            rest = rest.get(end..).unwrap_or("");
        }
        out + rest
    }

    fn mentions_ours(&self, text: &str) -> bool {
        let Parsed::Whole(list) = check(text) else { return false };
        list.iter().flat_map(|p| &p.stages).any(|s| builtins::is_ours(&self.unaliased(&s.text)))
    }

    pub fn variable(&self, name: &str) -> String {
        let state = self.state.borrow();
        match name {
            "?" => state.last.to_string(),
            "HOME" => HOME.into(),
            "PWD" => state.cwd.clone(),
            _ => state.variables.get(name).cloned().unwrap_or_default(),
        }
    }

    pub async fn expand(&self, text: &str) -> Words {
        let list = pieces(text);
        let mut values = Vec::new();
        for p in &list {
            values.push(match p {
                Piece::Variable { name, default, .. } => match self.variable(name) {
                    v if v.is_empty() => default.clone().unwrap_or_default(),
                    v => v,
                },
                Piece::Command { text, .. } => self.captured(text).await,
                _ => String::new(),
            });
        }
        assemble(&list, |i| values[i].clone())
    }

    async fn ours(&self, stage: &Stage, stdin: Option<Vec<u8>>, out: &Sink) -> i32 {
        let Words { mut words, redirects } = self.expand(&stage.text).await;
        let cwd = self.state.borrow().cwd.clone();
        let (mut stdin, mut out, mut err) = (stdin, out.clone(), Sink::Screen);
        let mut files: Vec<Written> = Vec::new();
        let mut here = stage.here.iter();
        for (r, target) in redirects {
            match r {
                Redirect::In => match self.bench.borrow().read(&cwd, &target) {
                    Some(data) => stdin = Some(data),
                    None => {
                        self.desk.say(&format!("bash: {target}: No such file or directory\n"));
                        return 1;
                    }
                },
                Redirect::Text => stdin = Some((target + "\n").into_bytes()),
                Redirect::Here => {
                    let Some(h) = here.next() else { continue };
                    let text = if h.quoted { h.text.clone() } else { self.in_text(&h.text).await };
                    stdin = Some(text.into_bytes());
                }
                Redirect::ErrToOut => err = out.clone(),
                Redirect::OutToErr => out = err.clone(),
                Redirect::Out { out: o, err: e, append } => {
                    let sink = if target == "/dev/null" {
                        Sink::Null
                    } else {
                        let (sink, buffer) = Sink::buffer();
                        files.push((target, append, buffer));
                        sink
                    };
                    if o {
                        out = sink.clone();
                    }
                    if e {
                        err = sink;
                    }
                }
            }
        }
        let code = if let Some(first) = words.first().cloned()
            && first == "kubectl"
        {
            words.remove(0);
            self.kubectl(&words, stdin, &out, &err).await
        } else {
            self.builtin(&words, &stage.text, stdin, &out, &err).await
        };
        for (path, append, buffer) in files {
            if let Err(why) = self.bench.borrow_mut().write(&cwd, &path, &buffer.borrow(), append) {
                self.desk.say(&format!("bash: {path}: {why}\n"));
                return 1;
            }
        }
        code
    }

    /// A here-document's text with its variables put in.
    async fn in_text(&self, text: &str) -> String {
        // Quoted, spaces and quotes keep their meaning.
        let quoted = format!("\"{}\"", text.replace('"', "\\\""));
        self.expand(&quoted).await.words.concat()
    }

    pub async fn kubectl(&self, args: &[String], stdin: Option<Vec<u8>>, out: &Sink, err: &Sink) -> i32 {
        let asks = args.windows(2).any(|w| matches!(w[0].as_str(), "-f" | "--filename") && w[1] == "-")
            || args.iter().any(|a| matches!(a.as_str(), "-f=-" | "-f-" | "--filename=-"));
        let stdin = match stdin {
            None if asks => Some(self.entered().await.into_bytes()),
            stdin => stdin,
        };
        let text = stdin.as_ref().map(|d| String::from_utf8_lossy(d).into_owned());
        let mut config = self.state.borrow().config.clone();
        let files = Home(self.clone());
        let mut screen = Screen { shell: self.clone(), out: out.clone(), err: err.clone(), stdin };
        let library = self.desk.with(|d| d.library.clone());
        let help = library.as_ref().map_or("", |l| &l.help);
        let code = {
            let mut env = Env {
                client: &self.desk,
                files: &files,
                terminal: &mut screen,
                config: &mut config,
                stdin: text,
                help,
            };
            let mut run = kubectl::run(args, &mut env);
            std::future::poll_fn(|cx| {
                // Nobody reads any more: a broken pipe.
                if out.pump() { Poll::Ready(141) } else { run.as_mut().poll(cx) }
            })
            .await
        };
        self.state.borrow_mut().config = config;
        code
    }

    /// Lines that are entered until there are no more.
    async fn entered(&self) -> String {
        self.desk.with(|d| {
            d.entered.clear();
            d.waits = Waits::Line { prompt: String::new() };
        });
        let mut text = String::new();
        while let Some(line) = self.desk.until(|d| d.entered.pop_front()).await {
            text.push_str(&line);
            text.push('\n');
        }
        self.desk.with(|d| d.waits = Waits::Command);
        text
    }
}

fn buffered() -> (Sink, Option<Rc<RefCell<Vec<u8>>>>) {
    let (sink, buffer) = Sink::buffer();
    (sink, Some(buffer))
}
