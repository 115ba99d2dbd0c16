//! Terminals with kubectl, beside the cluster.

use crate::command::{File, Identity};
use serde::{Deserialize, Serialize};

/// What a page says to its shells. It gives them their numbers: one that is named for the first time begins. What they
/// say comes as [`crate::Reply::Shell`], whenever there is something new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "shell", rename_all = "kebab-case")]
pub enum Shell {
    /// Files that the page has changed since the last time; all of its shells see them.
    Files { changed: Vec<File> },
    /// What kubectl reads besides the server, once a page has it: all schemas as one OpenAPI document, and the commands'
    /// help. Both are empty when they could not be read.
    Library { schemas: String, help: String },
    /// What was entered where a line was waited for.
    Line {
        number: u64,
        line: String,
        /// Who asks the API server, when it is somebody else than the page's own user.
        #[serde(default)]
        acting: Option<Identity>,
    },
    /// Keys, as a terminal sends them, for a command that takes them.
    Keys { number: u64, keys: String },
    /// Ctrl-C.
    Interrupt { number: u64 },
    /// Ctrl-D: no more lines.
    End { number: u64 },
    /// What could the line, up to the cursor, go on with?
    Complete {
        number: u64,
        line: String,
        #[serde(default)]
        acting: Option<Identity>,
    },
    /// What was at an address that is waited for; or why it was not read, in words that follow the address.
    Fetched {
        number: u64,
        url: String,
        #[serde(default)]
        text: String,
        #[serde(default)]
        error: Option<String>,
    },
    /// The page has closed the terminal.
    Close { number: u64 },
}

/// What a shell waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "waits", rename_all = "kebab-case")]
pub enum Waits {
    /// A line to carry out, or the rest of one; the prompt is the page's to show.
    Line { prompt: String },
    /// Its command.
    Command,
    /// Its command, which takes keys as they are typed.
    Keys,
    /// The editor: the file's text is taken when the shell is sent a line, and left when it is interrupted.
    Editor { file: String },
    /// What the page finds at an address.
    Address { url: String },
}

impl Default for Waits {
    fn default() -> Self {
        Waits::Line { prompt: String::new() }
    }
}

/// Something new from a shell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShellOutput {
    pub number: u64,
    /// Everything said so far is to be cleared first.
    pub clear: bool,
    /// As a terminal shows it.
    pub text: String,
    /// When it changed.
    pub waits: Option<Waits>,
    pub completion: Option<Completion>,
    /// Files that commands have written.
    pub written: Vec<File>,
    /// Ports of a pod that are forwarded as long as the command runs: what answers there is worth a view.
    pub forwarded: Option<Forwarded>,
}

/// How a line may go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// The line that was asked about.
    pub line: String,
    /// How many characters at its end the words stand for.
    pub replaces: usize,
    pub words: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forwarded {
    pub namespace: String,
    pub pod: String,
    /// Of the learner's machine, and of the pod.
    pub ports: Vec<(u16, u16)>,
}
