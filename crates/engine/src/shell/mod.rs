//! Shells with kubectl beside the cluster. A line becomes a future that is polled by hand: it asks the API server by
//! requests, of which those that change something are inputs of the session, and otherwise waits for the cluster to go on.

mod bench;
mod builtins;
mod complete;
mod counter;
mod desk;
mod library;
mod parse;
mod run;
mod screen;
mod sink;
#[cfg(test)]
mod tests;
mod words;

use crate::host::Host;
use bench::Bench;
use cluster::Cluster;
use counter::Counter;
use desk::DeskRef;
use library::Library;
use parse::Parsed;
use protocol::{Completion, File, Identity, Reply, Shell as Said, ShellOutput, Waits};
use run::{Shell, State};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};

type Found = Rc<RefCell<Option<Completion>>>;
type Job = Pin<Box<dyn Future<Output = ()>>>;

/// The shells of one page.
#[derive(Default)]
pub struct Shells {
    open: BTreeMap<u64, Open>,
    files: Vec<File>,
    library: Option<Rc<Library>>,
    bench: Option<Rc<RefCell<Bench>>>,
    forwards: Rc<RefCell<BTreeMap<u16, String>>>,
    replies: Vec<Reply>,
}

struct Open {
    shell: Shell,
    counter: Counter,
    job: Option<Job>,
    /// Lines that are not whole yet.
    partial: String,
    told: Option<Waits>,
    /// What is being completed, and the words that were found.
    completing: Option<(Job, String, Found)>,
    completer: (DeskRef, Counter),
    /// Whether its command began while the past was shown, and reads that.
    past: bool,
}

impl Shells {
    /// Whether a command runs anywhere: then it is to be polled after every turn.
    pub fn is_busy(&self) -> bool {
        self.open.values().any(|o| o.job.is_some() || o.completing.is_some())
    }

    /// What the page says.
    pub fn take(&mut self, host: &mut dyn Host, said: Said) {
        let number = match &said {
            Said::Files { changed } => {
                match &self.bench {
                    Some(bench) => changed.iter().for_each(|f| bench.borrow_mut().put(&f.name, &f.text)),
                    None => self.files.extend(changed.iter().cloned()),
                }
                return;
            }
            Said::Library { .. } => 0,
            Said::Line { number, .. }
            | Said::Keys { number, .. }
            | Said::Interrupt { number }
            | Said::End { number }
            | Said::Fetched { number, .. }
            | Said::Complete { number, .. }
            | Said::Close { number } => *number,
        };
        if let Said::Library { schemas, help } = said {
            let library = Rc::new(Library { schemas, help });
            for open in self.open.values() {
                open.take_library(&library);
            }
            self.library = Some(library);
            self.run(host);
            return;
        }
        if let Said::Close { .. } = said {
            if let Some(mut open) = self.open.remove(&number) {
                open.job = None;
                open.counter.close(host);
            }
            return;
        }
        let Some(open) = self.opened(host, number) else { return };
        if open.job.is_none() {
            open.past = host.is_past();
        }
        let now = open.cluster(host).now();
        open.shell.desk.with(|d| d.now = now);
        match said {
            Said::Line { line, acting, .. } => open.line(line, acting),
            Said::Keys { keys, .. } => open.shell.desk.with(|d| d.keys.push_str(&keys)),
            Said::Interrupt { .. } => open.interrupt(host),
            Said::End { .. } => open.shell.desk.with(|d| d.entered.push_back(None)),
            Said::Complete { line, acting, .. } => open.complete(line, acting),
            Said::Fetched { url, text, error, .. } => {
                // What comes late, for a command that is over, is nobody's.
                let waits = open.shell.desk.with(|d| d.waits == Waits::Address { url });
                if waits {
                    open.shell.desk.with(|d| d.fetched = Some(error.map_or(Ok(text), Err)));
                    // The next one may be at the same address.
                    open.told = None;
                }
            }
            Said::Files { .. } | Said::Library { .. } | Said::Close { .. } => {}
        }
        open.run(host);
    }

    /// The page is gone.
    pub fn close(&mut self, host: &mut dyn Host) {
        for mut open in std::mem::take(&mut self.open).into_values() {
            open.job = None;
            open.counter.close(host);
        }
    }

    fn opened(&mut self, host: &mut dyn Host, number: u64) -> Option<&mut Open> {
        if self.bench.is_none() {
            let mut bench = Bench::new(host.cluster().now())?;
            std::mem::take(&mut self.files).iter().for_each(|f| bench.put(&f.name, &f.text));
            self.bench = Some(Rc::new(RefCell::new(bench)));
        }
        let (bench, forwards) = (self.bench.clone()?, self.forwards.clone());
        let library = self.library.clone();
        Some(self.open.entry(number).or_insert_with(|| {
            let open = Open::new(bench, forwards);
            library.iter().for_each(|l| open.take_library(l));
            open
        }))
    }

    /// Lets commands go on as far as they can.
    pub fn run(&mut self, host: &mut dyn Host) {
        self.open.values_mut().for_each(|o| o.run(host));
    }

    /// What is new since the last time.
    pub fn replies(&mut self) -> Vec<Reply> {
        let mut out = std::mem::take(&mut self.replies);
        for (number, open) in &mut self.open {
            out.extend(open.output(*number).map(Reply::Shell));
        }
        out
    }
}

impl Open {
    fn new(bench: Rc<RefCell<Bench>>, forwards: Rc<RefCell<BTreeMap<u16, String>>>) -> Open {
        Open {
            shell: Shell { desk: DeskRef::default(), state: Rc::new(RefCell::new(State::default())), bench, forwards },
            counter: Counter::default(),
            job: None,
            partial: String::new(),
            told: None,
            completing: None,
            completer: Default::default(),
            past: false,
        }
    }

    /// What its command reads.
    fn cluster<'h>(&self, host: &'h mut dyn Host) -> &'h mut Cluster {
        if self.past { host.shown() } else { host.cluster() }
    }

    fn take_library(&self, library: &Rc<Library>) {
        self.shell.desk.with(|d| d.library = Some(library.clone()));
        self.completer.0.with(|d| d.library = Some(library.clone()));
    }

    fn line(&mut self, line: String, acting: Option<Identity>) {
        let desk = &self.shell.desk;
        if self.job.is_some() {
            desk.with(|d| d.entered.push_back(Some(line)));
            return;
        }
        desk.with(|d| {
            d.acting = acting;
            d.entered.clear();
            d.keys.clear();
        });
        self.partial.push_str(&line);
        if matches!(run::check(&self.partial), Parsed::More) {
            self.partial.push('\n');
            desk.with(|d| d.waits = Waits::Line { prompt: "> ".into() });
            // Said even if it is what was said before.
            self.told = None;
            return;
        }
        desk.with(|d| d.waits = Waits::Command);
        let line = std::mem::take(&mut self.partial);
        self.counter.begin(&line);
        self.job = Some(Box::pin(self.shell.clone().line(line)));
    }

    fn interrupt(&mut self, host: &mut dyn Host) {
        // With the future go its streams and sessions.
        self.job = None;
        self.partial.clear();
        self.shell.state.borrow_mut().last = 130;
        self.carry_out(host);
        self.counter.close(host);
        self.shell.desk.with(|d| {
            d.answers.clear();
            d.inflows.clear();
            d.entered.clear();
        });
        self.told = None;
        self.prompt();
    }

    fn prompt(&mut self) {
        let state = self.shell.state.borrow();
        let acting = self.shell.desk.with(|d| d.acting.as_ref().map(|i| i.user.clone()));
        let (ns, cwd) = (state.config.namespace(), state.cwd.strip_prefix(bench::HOME).unwrap_or(&state.cwd));
        let mut prompt = String::new();
        if let Some(user) = acting {
            prompt.push_str(&format!("{user} "));
        }
        if !matches!(ns.as_str(), "" | "default") {
            prompt.push_str(&format!("{ns} "));
        }
        if !cwd.is_empty() {
            prompt.push_str(&format!("~{cwd} "));
        }
        prompt.push_str("$ ");
        self.shell.desk.with(|d| d.waits = Waits::Line { prompt });
    }

    fn complete(&mut self, line: String, acting: Option<Identity>) {
        let (desk, _) = &self.completer;
        desk.with(|d| {
            d.acting = acting;
            d.now = self.shell.desk.with(|d| d.now);
        });
        let found = Rc::new(RefCell::new(None));
        let to = found.clone();
        let shell = Shell { desk: desk.clone(), ..self.shell.clone() };
        let text = line.clone();
        let job = Box::pin(async move {
            let completion = shell.completion(&text).await;
            *to.borrow_mut() = Some(completion);
        });
        self.completing = Some((job, line, found));
    }

    fn carry_out(&mut self, host: &mut dyn Host) -> bool {
        let orders = self.shell.desk.with(|d| std::mem::take(&mut d.orders));
        let any = !orders.is_empty();
        for order in orders {
            self.shell.desk.with(|d| self.counter.carry_out(host, d, order, self.past));
        }
        any
    }

    fn run(&mut self, host: &mut dyn Host) {
        let mut cx = Context::from_waker(Waker::noop());
        while let Some(job) = &mut self.job {
            self.shell.desk.with(|d| {
                let cluster = if self.past { host.shown() } else { host.cluster() };
                d.now = cluster.now();
                self.counter.feed(cluster, d);
            });
            let done = job.as_mut().poll(&mut cx).is_ready();
            if done {
                self.job = None;
            }
            let asked = self.carry_out(host);
            if done {
                self.counter.close(host);
                self.told = None;
                self.prompt();
            } else if !asked {
                break;
            }
        }
        while let Some((job, _, found)) = &mut self.completing {
            let (desk, counter) = &mut self.completer;
            // It is over once it has found something, until that was told.
            if found.borrow().is_some() || job.as_mut().poll(&mut cx).is_ready() {
                break;
            }
            let orders = desk.with(|d| std::mem::take(&mut d.orders));
            if orders.is_empty() {
                break;
            }
            for order in orders {
                desk.with(|d| counter.carry_out(host, d, order, self.past));
            }
        }
    }

    fn output(&mut self, number: u64) -> Option<ShellOutput> {
        let mut out = self.shell.desk.with(|d| ShellOutput {
            number,
            clear: std::mem::take(&mut d.clear),
            text: std::mem::take(&mut d.text),
            written: std::mem::take(&mut d.written),
            forwarded: d.forwarded.take(),
            ..ShellOutput::default()
        });
        let waits = self.shell.desk.with(|d| d.waits.clone());
        if self.told.as_ref() != Some(&waits) {
            self.told = Some(waits.clone());
            out.waits = Some(waits);
        }
        if let Some((_, _, found)) = &self.completing {
            out.completion = found.borrow_mut().take();
            if out.completion.is_some() {
                self.completing = None;
            }
        }
        (out != ShellOutput { number, ..ShellOutput::default() }).then_some(out)
    }
}
