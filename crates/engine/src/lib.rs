//! What stands between a page and a cluster: commands in, view-model updates out, the transport (run, pause,
//! speed), and the session (an input log that replays exactly). Pure: the host gives real time and budgets.

pub mod actions;
pub mod apply;
pub mod cloud;
pub mod compare;
pub mod debugger;
pub mod detail;
pub mod diagnosis;
pub mod faults;
pub mod follow;
pub mod host;
pub mod lesson;
pub mod listing;
pub mod panels;
pub mod rows;
pub mod session;
pub mod shell;
pub mod terminal;
pub mod threeway;
pub mod transport;
pub mod viewer;
pub mod watched;
pub mod yaml;

pub use actions::{NodeSize, act, act_with, add_sim_node};
pub use debugger::{Debugger, Errands};
pub use host::{Host, Live};
pub use session::{Replay, Session, Setup};
pub use shell::Shells;
pub use transport::{Search, Seek, Transport};
pub use viewer::{Shown, Viewer};
