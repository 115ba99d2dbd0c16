//! What a guest sees of its host: WASI without files and sockets, and HTTP through the cluster's network.

use super::cgroup::{Cgroup, TICK};
use super::logs::LogStream;
use http_body_util::BodyExt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, StoreContextMut, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::{Error as HttpError, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks};

pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// The outcome of an outgoing request; the second part is what fails later than the head.
type Sent = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), HttpError>> + Send>), HttpError>;

/// The cluster's network as a guest uses it: Service names and addresses, no way out.
pub trait Network: Send + Sync + 'static {
    fn send(
        &self,
        caller: &Caller,
        request: http::Request<WasiBody>,
    ) -> BoxFuture<Result<http::Response<WasiBody>, HttpError>>;
}

/// Who asks: where names without a namespace are looked up, and what kube-proxy's rules go by.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    pub namespace: String,
    /// The pod's address.
    pub ip: String,
    pub node: String,
}

/// The data of one instance's store.
pub struct Host {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    outgoing: Outgoing,
    memory: Memory,
    meter: Meter,
}

struct Outgoing {
    caller: Caller,
    network: Arc<dyn Network>,
}

/// An instance's share of its container's memory; given back when the instance ends.
struct Memory {
    cgroup: Arc<Cgroup>,
    held: u64,
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.cgroup.release(self.held);
    }
}

/// Marks the error with which an instance ends when its container's memory limit is passed.
#[derive(Debug)]
pub struct OutOfMemory;

impl std::fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the container's memory limit is reached")
    }
}
impl std::error::Error for OutOfMemory {}

/// How to set up an instance.
#[derive(Clone)]
pub struct Setup {
    pub caller: Caller,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    pub stdout: LogStream,
    pub stderr: LogStream,
    pub cgroup: Arc<Cgroup>,
    pub network: Arc<dyn Network>,
}

impl Host {
    pub fn new(setup: &Setup) -> Self {
        let mut wasi = WasiCtx::builder();
        wasi.args(&setup.args).envs(&setup.env).stdout(setup.stdout.clone()).stderr(setup.stderr.clone());
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        Host {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            outgoing: Outgoing { caller: setup.caller.clone(), network: setup.network.clone() },
            memory: Memory { cgroup: setup.cgroup.clone(), held: 0 },
            meter: Meter { mark_ns: Arc::default(), cgroup: setup.cgroup.clone() },
        }
    }

    pub fn limiter(&mut self) -> &mut dyn ResourceLimiter {
        &mut self.memory
    }

    pub fn meter(&self) -> Meter {
        self.meter.clone()
    }
}

/// Books a guest's CPU time on its container.
#[derive(Clone)]
pub struct Meter {
    /// Thread time at which the present poll began or was last booked, nanoseconds.
    mark_ns: Arc<AtomicU64>,
    cgroup: Arc<Cgroup>,
}

impl Meter {
    /// Wraps the future that runs the guest; what each poll took is booked.
    pub fn around<F: Future + Send>(self, inner: F) -> Metered<F> {
        Metered { inner: Box::pin(inner), meter: self }
    }

    fn book(&self) -> Option<Duration> {
        let now_ns = thread_time_ns();
        let used = now_ns.saturating_sub(self.mark_ns.swap(now_ns, Ordering::Relaxed));
        self.cgroup.charge(Duration::from_nanos(used), Instant::now())
    }
}

/// The epoch's callback: books what was used, and throttles a guest that has spent its quota.
pub fn on_tick(store: StoreContextMut<'_, Host>) -> wasmtime::Result<UpdateDeadline> {
    let pause = store.data().meter.book();
    // Yielding at every tick keeps one busy guest from holding up the others.
    Ok(match pause {
        Some(pause) => UpdateDeadline::YieldCustom(1, Box::pin(tokio::time::sleep(pause.max(TICK)))),
        None => UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())),
    })
}

/// See [`Meter::around`].
pub struct Metered<F> {
    inner: Pin<Box<F>>,
    meter: Meter,
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.meter.mark_ns.store(thread_time_ns(), Ordering::Relaxed);
        let polled = self.inner.as_mut().poll(cx);
        // A pause that is due now is taken at the next tick: the debt stays booked.
        self.meter.book();
        polled
    }
}

/// CPU time of the calling thread.
#[cfg(unix)]
fn thread_time_ns() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(t.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(t.tv_nsec).unwrap_or(0)
}

/// Without a thread clock, real time stands in: a guest on a busy machine then gets a little less than its limit.
#[cfg(not(unix))]
fn thread_time_ns() -> u64 {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current) as u64;
        if !self.cgroup.grow(more) {
            return Err(wasmtime::Error::new(OutOfMemory));
        }
        self.held += more;
        Ok(true)
    }
    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.memory_growing(current * size_of::<usize>(), desired * size_of::<usize>(), None)
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outgoing }
    }
}

impl WasiHttpHooks for Outgoing {
    fn default_scheme(&mut self) -> Option<http::uri::Scheme> {
        Some(http::uri::Scheme::HTTP)
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), HttpError>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let reply = self.network.send(&self.caller, request);
        Box::new(async move {
            let done: Box<dyn Future<Output = Result<(), HttpError>> + Send> = Box::new(async { Ok(()) });
            Ok((reply.await?.map(|body| body.boxed_unsync()), done))
        })
    }
}
