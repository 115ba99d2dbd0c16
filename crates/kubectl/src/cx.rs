//! A command at work: its flags, and short ways to what it needs.

use crate::client::{Client, Request, query};
use crate::discovery::Discovery;
use crate::env::Env;
use crate::error::Error;
use crate::flags::{Command, Flags, Parsed};
use serde_json::Value;
use std::cell::RefCell;

pub(crate) struct Cx<'e, 'a> {
    pub env: &'e mut Env<'a>,
    pub command: Command,
    pub flags: Flags,
    pub args: Vec<String>,
    pub dash: Option<usize>,
    discovery: Option<Discovery>,
    /// The server's warnings, each once: those that are still to be shown, and all of them.
    warned: RefCell<(Vec<String>, Vec<String>)>,
}

/// `--dry-run`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DryRun {
    None,
    Client,
    Server,
}

impl DryRun {
    pub fn suffix(self) -> &'static str {
        match self {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        }
    }
}

impl<'e, 'a> Cx<'e, 'a> {
    pub fn new(env: &'e mut Env<'a>, p: Parsed) -> Self {
        Cx {
            env,
            command: p.command,
            flags: p.flags,
            args: p.args,
            dash: p.dash,
            discovery: None,
            warned: RefCell::default(),
        }
    }
    pub fn client(&self) -> &'a dyn Client {
        self.env.client
    }
    pub fn out(&mut self, text: &str) {
        self.warn();
        self.env.terminal.out(text);
    }
    pub fn err(&mut self, text: &str) {
        self.warn();
        self.env.terminal.err(text);
    }
    pub fn usage(&self, message: impl std::fmt::Display) -> Error {
        Error::usage(&self.command.full(), message)
    }

    /// The namespace to work in.
    pub fn namespace(&self) -> String {
        match (self.flags.string("namespace"), self.env.config.namespace().as_str()) {
            ("", "") => "default".into(),
            ("", ns) => ns.into(),
            (ns, _) => ns.into(),
        }
    }
    /// Whether a manifest's namespace must be this one.
    pub fn explicit_namespace(&self) -> bool {
        !self.flags.string("namespace").is_empty()
    }

    pub async fn discovery(&mut self) -> Result<Discovery, Error> {
        if let Some(d) = &self.discovery {
            return Ok(d.clone());
        }
        let d = Discovery::load(self.client()).await?;
        self.discovery = Some(d.clone());
        Ok(d)
    }

    pub fn dry_run(&mut self) -> Result<DryRun, Error> {
        match self.flags.string("dry-run") {
            "none" | "false" | "" => Ok(DryRun::None),
            "client" => Ok(DryRun::Client),
            "server" => Ok(DryRun::Server),
            "unchanged" => {
                self.err("W0000 00:00:00.000000       1 helpers.go:714] --dry-run is deprecated and can be replaced with --dry-run=client.\n");
                Ok(DryRun::Client)
            }
            "true" => {
                self.err("W0000 00:00:00.000000       1 helpers.go:720] --dry-run=true is deprecated (boolean value) and can be replaced with --dry-run=client.\n");
                Ok(DryRun::Client)
            }
            other => Err(Error::text(format!(
                "Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
            ))),
        }
    }

    /// `--validate` as the query parameter `fieldValidation` has it.
    pub fn field_validation(&self) -> Result<&'static str, Error> {
        match self.flags.string("validate") {
            "strict" | "true" => Ok("Strict"),
            "warn" => Ok("Warn"),
            "ignore" | "false" => Ok("Ignore"),
            "" => Ok(""),
            other => Err(Error::text(format!(
                "invalid - validate option {other:?}; must be one of: strict (or true), warn, ignore (or false)"
            ))),
        }
    }

    /// Shows the warnings that came meanwhile.
    pub fn warn(&mut self) {
        for text in self.discovery.as_ref().map(Discovery::warnings).unwrap_or_default() {
            self.keep(&text);
        }
        for w in std::mem::take(&mut self.warned.borrow_mut().0) {
            self.env.terminal.err(&w);
        }
    }

    /// How many warnings there were.
    pub fn warned(&self) -> usize {
        self.warned.borrow().1.len()
    }

    /// Sends, and keeps the server's warnings.
    pub async fn send(&self, r: Request) -> Result<Value, Error> {
        let response = self.client().request(r).await.map_err(Error::Connection)?;
        self.warnings(&response.headers);
        match response.status {
            200..=299 => crate::client::parse(&response.body),
            _ => Err(crate::client::refusal(&response)),
        }
    }
    fn warnings(&self, headers: &[(String, String)]) {
        for (_, value) in headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("warning")) {
            // `299 - "text"`, with backslashes before quotes.
            split_warnings(value).iter().for_each(|part| self.keep(part));
        }
    }
    /// A warning to be shown, unless it was.
    fn keep(&self, text: &str) {
        let mut kept = self.warned.borrow_mut();
        let text = format!("Warning: {text}\n");
        if !kept.1.contains(&text) {
            kept.1.push(text.clone());
            kept.0.push(text);
        }
    }

    pub async fn get(&self, path: String) -> Result<Value, Error> {
        self.send(Request::get(path).header("Accept", "application/json")).await
    }

    /// The parameters of every write.
    pub fn write_query(&self, dry: DryRun, manager: &str, validation: &str) -> String {
        let dry = if dry == DryRun::Server { "All" } else { "" };
        query(&[("dryRun", dry), ("fieldManager", manager), ("fieldValidation", validation)])
    }

    /// Patches what is at a path; `kind` is the patch's content type.
    pub async fn patch(&self, path: String, kind: &str, body: &Value) -> Result<Value, Error> {
        self.patch_text(path, kind, body.to_string()).await
    }
    /// As [`Cx::patch`], with a text that need not be JSON.
    pub async fn patch_text(&self, path: String, kind: &str, body: String) -> Result<Value, Error> {
        let mut r = Request::new("PATCH", path).header("Content-Type", kind).header("Accept", "application/json");
        r.body = body.into_bytes();
        self.send(r).await
    }
}

pub(crate) const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub(crate) const MERGE: &str = "application/merge-patch+json";
pub(crate) const JSON_PATCH: &str = "application/json-patch+json";
pub(crate) const APPLY: &str = "application/apply-patch+yaml";

fn split_warnings(value: &str) -> Vec<String> {
    let (mut out, mut text, mut inside) = (Vec::new(), String::new(), false);
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if inside => text.extend(chars.next()),
            '"' if inside => {
                inside = false;
                out.push(std::mem::take(&mut text));
            }
            '"' => inside = true,
            c if inside => text.push(c),
            _ => {}
        }
    }
    out
}
