//! `kubectl get -w`. Models `GetOptions.watch`.

use crate::builder::Builder;
use crate::client::{Request, Stream, refusal};
use crate::cx::Cx;
use crate::error::Error;
use crate::flags::go_duration;
use crate::get::{TABLE, options, watch_path};
use crate::print::tab::Tab;
use crate::print::table::TablePrinter;
use crate::print::{Printer, is_list};
use serde_json::{Value, json};
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// How long is slept at a time while something may come.
const SLICE_MICROS: i64 = 200_000;

/// Lines of JSON off a stream.
pub(crate) struct Events {
    stream: Box<dyn Stream>,
    rest: Vec<u8>,
    /// How much of `rest` was read: what is before it goes only when more comes, since a watch without a version begins
    /// with everything that is there in one piece.
    at: usize,
    /// When `--request-timeout` ends it, by the clock.
    end: Option<i64>,
}

impl Events {
    pub async fn open(cx: &Cx<'_, '_>, path: String, accept: &str) -> Result<Events, Error> {
        let r = Request::get(path).header("Accept", accept);
        let stream = cx.client().stream(r).await.map_err(|r| refusal(&r))?;
        let end = request_timeout(cx.flags.string("request-timeout")).map(|t| cx.client().now().saturating_add(t));
        Ok(Events { stream, rest: Vec::new(), at: 0, end })
    }

    /// As [`Events::next`]; a request that took too long has ended.
    pub async fn next_in_time(&mut self, cx: &Cx<'_, '_>) -> Option<(String, Value)> {
        self.next_before(cx, self.end).await.unwrap_or(None)
    }

    /// The next event: its type and its object.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(length) = self.rest[self.at..].iter().position(|b| *b == b'\n') {
                let line = &self.rest[self.at..self.at + length];
                self.at += length + 1;
                let Ok(mut event) = serde_json::from_slice::<Value>(line) else { continue };
                let kind = event["type"].as_str().unwrap_or("").to_string();
                return Some((kind, event["object"].take()));
            }
            let more = self.stream.next().await?;
            self.rest.drain(..self.at);
            self.at = 0;
            self.rest.extend(more);
        }
    }

    /// As [`Events::next`] until the clock's microseconds are these.
    ///
    /// # Errors
    /// They are, and nothing has come.
    pub async fn next_before(&mut self, cx: &Cx<'_, '_>, deadline: Option<i64>) -> Result<Option<(String, Value)>, ()> {
        let Some(deadline) = deadline else { return Ok(self.next().await) };
        let mut next = pin!(self.next());
        let mut sleep = None;
        poll_fn(|task| {
            if let Poll::Ready(event) = next.as_mut().poll(task) {
                return Poll::Ready(Ok(event));
            }
            // Some terminals sleep as soon as they are asked to, so that is only when there is nothing.
            loop {
                let left = deadline.saturating_sub(cx.client().now());
                if left <= 0 {
                    return Poll::Ready(Err(()));
                }
                let sleeping = sleep.get_or_insert_with(|| cx.env.terminal.sleep(left.min(SLICE_MICROS)));
                if sleeping.as_mut().poll(task).is_pending() {
                    return Poll::Pending;
                }
                sleep = None;
                if let Poll::Ready(event) = next.as_mut().poll(task) {
                    return Poll::Ready(Ok(event));
                }
            }
        })
        .await
    }
}

/// Microseconds; nothing: it may take as long as it likes. Models `ParseTimeout`.
fn request_timeout(text: &str) -> Option<i64> {
    let micros = match text.parse::<i64>() {
        Ok(seconds) => seconds.saturating_mul(1_000_000),
        Err(_) => go_duration(text)?,
    };
    Some(micros).filter(|t| *t > 0)
}

enum Out {
    Table(Box<TablePrinter>, Tab),
    Object(Printer),
}

impl Out {
    fn print(&mut self, cx: &mut Cx<'_, '_>, object: &Value, event: Option<&str>) -> Result<(), Error> {
        match self {
            Out::Table(p, tab) => {
                p.print(object, event, tab);
                let text = tab.flush();
                cx.out(&text);
            }
            Out::Object(p) => {
                let managed = cx.flags.bool("show-managed-fields");
                let text = match event {
                    Some(t) => p.print(&json!({"type": t, "object": object}), managed)?,
                    None => p.print(object, managed)?,
                };
                cx.out(&text);
            }
        }
        Ok(())
    }
}

pub(crate) async fn run(
    cx: &mut Cx<'_, '_>,
    b: Builder,
    printer: Option<Printer>,
    watch_only: bool,
) -> Result<(), Error> {
    let human = printer.is_none();
    let mut b = Builder {
        empty_selector: true,
        single_type: true,
        latest: true,
        chunk: cx.flags.int("chunk-size"),
        whole_lists: true,
        ..b
    };
    if human {
        b.accept = Some(TABLE.into());
    }
    let args = cx.args.clone();
    let found = b.find(cx, &args).await?;
    let found = match found.all() {
        Err(e) if e.is_not_found() && cx.flags.bool("ignore-not-found") => return Ok(()),
        found => found?,
    };
    let Some(info) = found.first().cloned() else { return Ok(()) };
    let all_namespaces = b.all_namespaces;
    let kind = cx.flags.bool("show-kind").then(|| info.mapping.called());
    let mut out = match printer {
        Some(p) => Out::Object(p),
        None => {
            let p = TablePrinter::new(options(cx, all_namespaces, kind), cx.client().now());
            Out::Table(Box::new(p), Tab::new())
        }
    };
    let single = !info.name.is_empty();
    let events = cx.flags.bool("output-watch-events");
    let mut version = "0".to_string();
    if !watch_only {
        for info in &found {
            let object = &info.object;
            match object["items"].as_array() {
                Some(items) if is_list(object) => {
                    for item in items {
                        out.print(cx, item, events.then_some("ADDED"))?;
                    }
                }
                _ => out.print(cx, object, events.then_some("ADDED"))?,
            }
        }
    }
    if !single {
        let last = found.last().map(|i| i.object["metadata"]["resourceVersion"].as_str().unwrap_or("").to_string());
        version = last.unwrap_or_default();
    }
    if found.len() > 1 && found.iter().any(|i| !i.name.is_empty()) {
        return Err(Error::text("you may only watch a single resource or type of resource at a time"));
    }
    let name = single.then_some(info.name.as_str());
    let accept = b.accept.as_deref().unwrap_or("application/json").to_string();
    let mut stream = Events::open(cx, watch_path(&info, name, &b, &version), &accept).await?;
    // A watch of one object begins with the object, which was printed already.
    let mut quiet = single;
    while let Some((kind, object)) = stream.next_in_time(cx).await {
        if !std::mem::take(&mut quiet) {
            out.print(cx, &object, events.then_some(kind.as_str()))?;
        }
    }
    Ok(())
}
