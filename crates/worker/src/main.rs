//! The wasm shell around an engine: decode, handle, batch, encode. It runs in a Web Worker; the page posts
//! commands as JSON text and gets updates as JSON text, at most one a frame.

mod budget;
mod shell;

/// A cluster is many small objects, and the standard library's allocator for wasm is the slower one for them.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

fn main() {
    shell::start();
}
