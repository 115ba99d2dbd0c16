//! What a command may use of the world around it.

use crate::client::{Client, Future};

/// The page's files, by name.
pub trait Files {
    fn read(&self, path: &str) -> Option<String>;
    /// The names in a directory; `None` when there is no such directory.
    fn list(&self, path: &str) -> Option<Vec<String>>;
}

/// Where the words go, and what only somebody with a screen can do.
pub trait Terminal {
    fn out(&mut self, text: &str);
    fn err(&mut self, text: &str);
    /// Opens an editor with a text; what it was when the editor was closed.
    fn edit(&mut self, name: &str, text: String) -> Future<'_, Result<String, String>>;
    /// Waits in the cluster's time, microseconds.
    fn sleep(&self, micros: i64) -> Future<'_, ()>;
    /// A command in a container, or its main process (`attach`), with the terminal's input: the exit code.
    fn exec(&mut self, session: Session) -> Future<'_, Result<i32, String>>;
    /// Opens a view of what listens there.
    fn forward(&mut self, namespace: &str, pod: &str, ports: &[(u16, u16)]) -> Future<'_, Result<(), String>>;
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    pub namespace: String,
    pub pod: String,
    pub container: String,
    /// Empty: the main process.
    pub command: Vec<String>,
    pub stdin: bool,
    pub tty: bool,
}

/// One kubeconfig with one cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub server: String,
    pub cluster: String,
    pub user: String,
    pub context: String,
    /// Empty: none was set.
    pub namespace: String,
}

pub struct Env<'a> {
    pub client: &'a dyn Client,
    pub files: &'a dyn Files,
    pub terminal: &'a mut dyn Terminal,
    pub config: &'a mut Config,
    /// What was piped into the command.
    pub stdin: Option<String>,
}
