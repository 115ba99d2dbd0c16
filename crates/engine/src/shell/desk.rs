//! What lies between a shell's command, which is a future and may not hold the cluster, and its host: orders go out,
//! answers, streams and output come in. A command is polled after every turn, so nobody has to be woken.

use super::library::{self, Library};
use kubectl::{Client, Future, Request, Response, Stream};
use meta::Time;
use protocol::{File, Forwarded, Identity, SessionId, Waits};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::task::Poll;

/// What a command asks of its host. The number is the answer's, or the stream's.
#[derive(Debug)]
pub enum Order {
    Request(u64, Request),
    Watch(u64, Request),
    Open(u64, kubectl::Session),
    Keys(SessionId, String),
    /// What is piped in: it may be no text.
    Data(SessionId, Vec<u8>),
    End(SessionId),
    /// A stream or a session that nobody reads any more.
    Forget(u64),
}

#[derive(Debug)]
pub enum Answer {
    Response(Response),
    /// A stream was opened, or refused.
    Stream(Result<(), Response>),
    /// A session was opened, or why not.
    Session(Result<SessionId, String>),
}

/// What has come of a stream or a session.
#[derive(Debug, Default)]
pub struct Inflow {
    pub pieces: VecDeque<Vec<u8>>,
    pub errors: VecDeque<Vec<u8>>,
    pub end: Option<Result<i32, String>>,
}

#[derive(Default)]
pub struct Desk {
    /// The cluster's clock.
    pub now: Time,
    next: u64,
    pub orders: VecDeque<Order>,
    pub answers: BTreeMap<u64, Answer>,
    pub inflows: BTreeMap<u64, Inflow>,
    pub clear: bool,
    pub text: String,
    pub waits: Waits,
    pub forwarded: Option<Forwarded>,
    pub written: Vec<File>,
    /// Lines that were entered for the command; `None`: no more will come.
    pub entered: VecDeque<Option<String>>,
    pub keys: String,
    /// What the page has found at the address that is waited for.
    pub fetched: Option<Result<String, String>>,
    /// What the page has handed over.
    pub library: Option<Rc<Library>>,
    /// Who asks, when it is not the page's own user.
    pub acting: Option<Identity>,
}

#[derive(Clone, Default)]
pub struct DeskRef(pub Rc<RefCell<Desk>>);

impl DeskRef {
    pub fn with<R>(&self, f: impl FnOnce(&mut Desk) -> R) -> R {
        f(&mut self.0.borrow_mut())
    }

    pub fn say(&self, text: &str) {
        self.with(|d| d.text.push_str(text));
    }

    fn number(&self) -> u64 {
        self.with(|d| {
            d.next += 1;
            d.next
        })
    }

    /// Waits until `f` has something.
    pub async fn until<R>(&self, mut f: impl FnMut(&mut Desk) -> Option<R>) -> R {
        std::future::poll_fn(|_| match self.with(&mut f) {
            Some(r) => Poll::Ready(r),
            None => Poll::Pending,
        })
        .await
    }

    /// Waits in the cluster's time, microseconds.
    pub async fn sleep(&self, micros: i64) {
        let micros = u64::try_from(micros).unwrap_or(0);
        let end = self.with(|d| d.now + meta::Duration::from_micros(micros));
        self.until(|d| (d.now >= end).then_some(())).await;
    }

    async fn order(&self, make: impl FnOnce(u64) -> Order) -> (u64, Answer) {
        let number = self.number();
        self.with(|d| d.orders.push_back(make(number)));
        (number, self.until(|d| d.answers.remove(&number)).await)
    }

    pub async fn ask(&self, request: Request) -> Result<Response, String> {
        if library::is_meant(request.method, &request.path) {
            // The page hands it over once it has it.
            self.until(|d| d.library.as_ref().map(|_| ())).await;
        }
        match self.order(|n| Order::Request(n, request)).await.1 {
            Answer::Response(r) => Ok(r),
            _ => Err("no answer".into()),
        }
    }

    pub async fn open(&self, session: kubectl::Session) -> Result<(SessionId, Opened), String> {
        match self.order(|n| Order::Open(n, session)).await {
            (number, Answer::Session(Ok(id))) => Ok((id, Opened { desk: self.clone(), number })),
            (_, Answer::Session(Err(why))) => Err(why),
            _ => Err("no answer".into()),
        }
    }
}

/// A stream or a session; the host is told when it is dropped.
pub struct Opened {
    desk: DeskRef,
    pub number: u64,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.desk.with(|d| {
            d.inflows.remove(&self.number);
            d.orders.push_back(Order::Forget(self.number));
        });
    }
}

impl Stream for Opened {
    fn next(&mut self) -> Future<'_, Option<Vec<u8>>> {
        let number = self.number;
        Box::pin(self.desk.until(move |d| {
            let Some(inflow) = d.inflows.get_mut(&number) else { return Some(None) };
            match inflow.pieces.pop_front() {
                Some(piece) => Some(Some(piece)),
                None => inflow.end.is_some().then_some(None),
            }
        }))
    }
}

impl Client for DeskRef {
    fn request(&self, r: Request) -> Future<'_, Result<Response, String>> {
        Box::pin(self.ask(r))
    }
    fn stream(&self, r: Request) -> Future<'_, Result<Box<dyn Stream>, Response>> {
        Box::pin(async move {
            match self.order(|n| Order::Watch(n, r)).await {
                (number, Answer::Stream(Ok(()))) => {
                    Ok(Box::new(Opened { desk: self.clone(), number }) as Box<dyn Stream>)
                }
                (_, Answer::Stream(Err(refused)) | Answer::Response(refused)) => Err(refused),
                _ => Err(Response { status: 500, ..Response::default() }),
            }
        })
    }
    fn now(&self) -> i64 {
        self.with(|d| i64::try_from(d.now.as_micros()).unwrap_or(i64::MAX))
    }
}
