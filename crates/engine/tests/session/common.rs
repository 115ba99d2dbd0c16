//! A session to try things in.

use engine::Session;
use meta::{Duration, Time};
use protocol::{ApplyMode, Command, File, Reply};

/// Five seconds old.
pub fn session(nodes: u32) -> Session {
    let mut s = Session::new(nodes, 7, Time(0)).expect("a session");
    s.cluster.advance(Duration::from_secs(5));
    s
}

pub fn apply(s: &mut Session, text: &str) {
    let files = vec![File { name: "a.yaml".into(), text: text.into() }];
    match s.act(Command::Apply { id: 1, mode: ApplyMode::Apply, files }) {
        Some(Reply::Apply { result, .. }) => assert!(result.errors.is_empty(), "{:?}", result.errors),
        other => panic!("{other:?}"),
    }
}
