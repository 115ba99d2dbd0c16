//! Sessions as a page uses them. One program: each would link the whole engine.

mod common;
mod debugger;
mod diagnosis;
mod time;
