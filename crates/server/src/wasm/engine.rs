//! Compiling components and running them.

use super::host::{Host, Setup, on_tick};
use anyhow::bail;
use std::sync::{Arc, Weak};
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, Store};

/// What a component is, by what it exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramKind {
    /// `wasi:cli/run`
    Command,
    /// `wasi:http/incoming-handler`
    Http,
}

impl ProgramKind {
    pub fn name(self) -> &'static str {
        match self {
            ProgramKind::Command => "command",
            ProgramKind::Http => "http",
        }
    }
}

/// A compiled component, linked and ready to be instantiated.
#[derive(Clone)]
pub struct Program {
    pub kind: ProgramKind,
    pub pre: InstancePre<Host>,
}

/// wasmtime, set up so that guests can be interrupted.
#[derive(Clone)]
pub struct Engine {
    engine: wasmtime::Engine,
    linker: Arc<Linker<Host>>,
    _ticker: Arc<()>,
}

impl Engine {
    /// Starts the thread that ticks; it ends with the last clone.
    pub fn new() -> anyhow::Result<Self> {
        let mut config = Config::new();
        config.wasm_component_model(true).epoch_interruption(true);
        let engine = wasmtime::Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        let alive = Arc::new(());
        let (weak, ticked): (Weak<()>, _) = (Arc::downgrade(&alive), engine.weak());
        std::thread::Builder::new().name("wasm-ticks".into()).spawn(move || {
            while weak.strong_count() > 0 {
                std::thread::sleep(super::cgroup::TICK);
                match ticked.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        })?;
        Ok(Engine { engine, linker: Arc::new(linker), _ticker: alive })
    }

    /// Compiles a component and looks at what it is. Errors say what the file is instead.
    pub fn program(&self, bytes: &[u8]) -> anyhow::Result<Program> {
        match bytes.get(..8) {
            Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => bail!(
                "it is a core WebAssembly module, not a component: build it for wasm32-wasip2, or wrap it with `wasm-tools component new`"
            ),
            Some([0, b'a', b's', b'm', ..]) => {}
            _ => bail!("it is not a WebAssembly file"),
        }
        let component = Component::new(&self.engine, bytes)?;
        let mut kind = None;
        for (name, _) in component.component_type().exports(&self.engine) {
            if name.starts_with("wasi:http/incoming-handler@0.2") {
                kind = Some(ProgramKind::Http);
            } else if name.starts_with("wasi:cli/run@0.2") && kind.is_none() {
                kind = Some(ProgramKind::Command);
            }
        }
        let Some(kind) = kind else {
            bail!(
                "the component exports neither wasi:cli/run@0.2 (a command) nor wasi:http/incoming-handler@0.2 (an HTTP server)"
            );
        };
        let pre = self.linker.instantiate_pre(&component)?;
        Ok(Program { kind, pre })
    }

    /// A store for one instance, with its container's limits in force.
    pub fn store(&self, setup: &Setup) -> Store<Host> {
        let mut store = Store::new(&self.engine, Host::new(setup));
        store.limiter(Host::limiter);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(on_tick);
        store
    }
}
