//! What a command may use of the world around it.

use crate::client::{Client, Future};
use crate::kubeconfig::Config;

/// The page's files, by name.
pub trait Files {
    fn read(&self, path: &str) -> Option<String>;
    /// The same as bytes, for files that are no text.
    fn read_bytes(&self, path: &str) -> Option<Vec<u8>> {
        self.read(path).map(String::into_bytes)
    }
    /// The names in a directory; `None` when there is no such directory.
    fn list(&self, path: &str) -> Option<Vec<String>>;
    /// Writes a file, and the directories above it.
    ///
    /// # Errors
    /// The system's words.
    fn write(&self, path: &str, text: &str) -> Result<(), String> {
        let _ = (path, text);
        Err("read-only file system".into())
    }
    /// The same for bytes that may be no text.
    ///
    /// # Errors
    /// The system's words.
    fn write_bytes(&self, path: &str, data: &[u8]) -> Result<(), String> {
        self.write(path, &String::from_utf8_lossy(data))
    }
    /// Makes a directory, and those above it; nothing where directories are only what files' names begin with.
    ///
    /// # Errors
    /// The system's words.
    fn make_dir(&self, path: &str) -> Result<(), String> {
        let _ = path;
        Ok(())
    }
    /// A path from the root, for messages.
    fn absolute(&self, path: &str) -> String {
        path.into()
    }
}

/// Exit code, output and errors of a command, or why it was not run.
pub type Captured = Result<(i32, Vec<u8>, Vec<u8>), String>;

/// Where the words go, and what only somebody with a screen can do.
pub trait Terminal {
    fn out(&mut self, text: &str);
    fn err(&mut self, text: &str);
    /// Opens an editor with a text; what it was when the editor was closed.
    fn edit(&mut self, name: &str, text: String) -> Future<'_, Result<String, String>>;
    /// Waits in the cluster's time, microseconds.
    fn sleep(&self, micros: i64) -> Future<'_, ()>;
    /// A line that somebody types in answer to a question; `None` where nobody does.
    fn line(&mut self) -> Future<'_, Option<String>> {
        Box::pin(async { None })
    }
    /// A command in a container, or its main process (`attach`), with the terminal's input: the exit code.
    fn exec(&mut self, session: Session) -> Future<'_, Result<i32, String>>;
    /// A command in a container, with all of its input: the exit code, its output and its errors.
    fn capture(&mut self, session: Session, input: Option<Vec<u8>>) -> Future<'_, Captured> {
        let _ = (session, input);
        Box::pin(async { Err("there is no way into containers here".into()) })
    }
    /// The text at an address; else why there is none, in words that go on where the address was named.
    fn fetch(&mut self, url: &str) -> Future<'_, Result<String, String>> {
        let _ = url;
        Box::pin(async { Err("there is no way to addresses outside of the cluster here".into()) })
    }
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

pub struct Env<'a> {
    pub client: &'a dyn Client,
    pub files: &'a dyn Files,
    pub terminal: &'a mut dyn Terminal,
    pub config: &'a mut Config,
    /// What was piped into the command.
    pub stdin: Option<String>,
    /// Every command's help, `help.txt` of this crate; empty where only the essential is known.
    pub help: &'a str,
}
