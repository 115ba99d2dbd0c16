//! One container: from start to exit.

use super::cgroup::{Cgroup, Limits};
use super::engine::{Engine, Program, ProgramKind};
use super::host::{Caller, Host, Network, OutOfMemory, Setup};
use super::logs::{LINES_WAITING_MAX, Line, LogStream};
use anyhow::anyhow;
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot, watch};
use wasmtime::Store;
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::bindings::Command;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::Proxy;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;

/// 128 + SIGKILL, SIGTERM and SIGABRT: what a shell and the kubelet report for a process that a signal ended.
const KILLED: i32 = 137;
const TERMINATED: i32 = 143;
const ABORTED: i32 = 134;

/// What to run.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    pub caller: Caller,
    /// `argv`, the program's name first.
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    pub limits: Limits,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Exit {
    pub code: i32,
    /// The kubelet's reason: `Completed`, `Error`, `OOMKilled`.
    pub reason: &'static str,
}

impl Exit {
    fn code(code: i32) -> Self {
        Exit { code, reason: if code == 0 { "Completed" } else { "Error" } }
    }
    fn oom() -> Self {
        Exit { code: KILLED, reason: "OOMKilled" }
    }
}

/// A running container. Dropping it kills the guest.
pub struct Container {
    engine: Engine,
    program: Program,
    setup: Setup,
    stop: watch::Sender<bool>,
}

impl Container {
    /// Starts it on the present tokio runtime. The exit comes once, after the last line of output.
    pub fn start(
        engine: &Engine,
        program: Program,
        spec: Spec,
        network: Arc<dyn Network>,
    ) -> (Arc<Container>, mpsc::Receiver<Line>, oneshot::Receiver<Exit>) {
        let (lines, lines_out) = mpsc::channel(LINES_WAITING_MAX);
        let (exit, exit_out) = oneshot::channel();
        let setup = Setup {
            caller: spec.caller,
            args: spec.args,
            env: spec.env,
            stdout: LogStream::new("stdout", lines.clone()),
            stderr: LogStream::new("stderr", lines),
            cgroup: Arc::new(Cgroup::new(spec.limits, Instant::now())),
            network,
        };
        let (stop, stopped) = watch::channel(false);
        let container = Arc::new(Container { engine: engine.clone(), program, setup: setup.clone(), stop });
        let main = main(container.engine.clone(), container.program.clone(), setup.clone(), stopped);
        tokio::spawn(async move {
            let ended = main.await;
            setup.stdout.finish();
            setup.stderr.finish();
            let _ = exit.send(ended);
        });
        (container, lines_out, exit_out)
    }

    /// SIGTERM's default action; a guest cannot catch signals, so it ends at its next yield.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub fn kind(&self) -> ProgramKind {
        self.program.kind
    }

    /// CPU time used so far, and the memory of what runs now.
    pub fn usage(&self) -> (std::time::Duration, u64) {
        (self.setup.cgroup.cpu_used(), self.setup.cgroup.memory_bytes())
    }

    /// One request to an HTTP component, on an instance of its own. Errors are the guest's: it trapped, or set no
    /// response.
    pub async fn handle(&self, request: http::Request<WasiBody>) -> anyhow::Result<http::Response<WasiBody>> {
        if self.program.kind != ProgramKind::Http {
            return Err(anyhow!("the component does not export wasi:http/incoming-handler"));
        }
        let mut stop = self.stop.subscribe();
        if *stop.borrow() {
            return Err(anyhow!("the container is stopping"));
        }
        let mut store = self.engine.store(&self.setup);
        let (head, head_out) = oneshot::channel();
        let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
        let response = store.data_mut().http().new_response_outparam(head)?;
        let (pre, setup) = (self.program.pre.clone(), self.setup.clone());
        // The guest may go on after the head of its response is out.
        let task = tokio::spawn(async move {
            let stderr = setup.stderr.clone();
            let meter = store.data().meter();
            let guest = async move {
                let instance = pre.instantiate_async(&mut store).await?;
                let proxy = Proxy::new(&mut store, &instance)?;
                proxy.wasi_http_incoming_handler().call_handle(&mut store, request, response).await
            };
            let ended = tokio::select! {
                ended = meter.around(guest) => ended,
                _ = stop.wait_for(|s| *s) => Ok(()),
            };
            if let Err(e) = &ended {
                stderr.say(&format!("{e:?}"));
            }
            ended
        });
        match head_out.await {
            Ok(Ok(response)) => Ok(response.map(|b| b.boxed_unsync())),
            Ok(Err(code)) => Err(anyhow!("the component answered with an error: {code:?}")),
            Err(_) => Err(match task.await {
                Ok(Ok(())) => anyhow!("the component set no response"),
                // The whole story is in the log.
                Ok(Err(e)) => anyhow!("the component failed: {}", e.root_cause()),
                Err(e) => anyhow!("{e}"),
            }),
        }
    }
}

/// Runs until the program ends, is stopped, or is out of memory.
async fn main(engine: Engine, program: Program, setup: Setup, mut stopped: watch::Receiver<bool>) -> Exit {
    let stop = async move {
        // The sender is gone when the container was dropped: killed.
        if stopped.wait_for(|s| *s).await.is_ok() { Exit::code(TERMINATED) } else { Exit::code(KILLED) }
    };
    let run = async {
        match program.kind {
            ProgramKind::Command => run_command(&engine, &program, &setup).await,
            ProgramKind::Http => serve(&setup).await,
        }
    };
    tokio::select! {
        exit = run => exit,
        exit = stop => exit,
    }
}

async fn run_command(engine: &Engine, program: &Program, setup: &Setup) -> Exit {
    let mut store: Store<Host> = engine.store(setup);
    let meter = store.data().meter();
    let guest = async {
        let instance = program.pre.instantiate_async(&mut store).await?;
        let command = Command::new(&mut store, &instance)?;
        command.wasi_cli_run().call_run(&mut store).await
    };
    match meter.around(guest).await {
        Ok(Ok(())) => Exit::code(0),
        Ok(Err(())) => Exit::code(1),
        Err(e) => match e.downcast_ref::<I32Exit>() {
            Some(exit) => Exit::code(exit.0),
            None if e.downcast_ref::<OutOfMemory>().is_some() => Exit::oom(),
            None => {
                setup.stderr.say(&format!("{e:?}"));
                Exit::code(ABORTED)
            }
        },
    }
}

/// An HTTP component is up until its container is stopped or one of its instances ran out of memory.
async fn serve(setup: &Setup) -> Exit {
    setup.cgroup.wait_out_of_memory().await;
    Exit::oom()
}
