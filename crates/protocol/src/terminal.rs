//! Terminals in containers: `kubectl exec -it` and `kubectl attach -it` for the page.

use serde::{Deserialize, Serialize};

/// What is asked. Output is fetched, not sent: a page asks as often as it draws.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "terminal", rename_all = "kebab-case")]
pub enum Terminal {
    /// Runs a command in a container, or attaches to its first process when there is no command. An empty container is
    /// the pod's only one.
    Open {
        namespace: String,
        pod: String,
        container: String,
        argv: Vec<String>,
        /// Whether keys go in, and whether through a terminal.
        #[serde(default = "yes")]
        stdin: bool,
        #[serde(default = "yes")]
        tty: bool,
    },
    /// Keys as a terminal sends them: carriage return, control characters, escape sequences.
    Type { session: SessionId, keys: String },
    /// What is piped in, in base64: it may be no text.
    Send { session: SessionId, data: String },
    /// No more keys will come.
    End { session: SessionId },
    /// What came out since the last time.
    Read { session: SessionId },
    /// The terminal is gone, and with it what ran in it.
    Close { session: SessionId },
}

fn yes() -> bool {
    true
}

/// Which terminal, as [`Terminal::Open`] was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId {
    pub node: String,
    pub number: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TerminalOutput {
    pub session: SessionId,
    /// As a terminal shows it.
    pub text: String,
    /// The command has ended.
    pub exit_code: Option<i32>,
    /// It could not be opened or started, or the session is no more.
    pub error: Option<String>,
}
