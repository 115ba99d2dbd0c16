//! The wasm shell around an engine: decode, handle, batch, encode. It runs in a Web Worker; the page posts
//! commands as JSON text and gets updates as JSON text, at most one a frame.

mod budget;
mod shell;

fn main() {
    shell::start();
}
