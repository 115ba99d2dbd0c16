//! What goes wrong, in kubectl's words. Models `kubectl/pkg/cmd/util/helpers.go` `checkErr`.

use crate::client::Response;
use serde_json::{Value, json};

/// A `Status` of the server.
#[derive(Clone, Debug, PartialEq)]
pub struct Status(pub Value);

impl Status {
    pub fn reason(&self) -> &str {
        self.0["reason"].as_str().unwrap_or("")
    }
    pub fn message(&self) -> &str {
        self.0["message"].as_str().unwrap_or("")
    }
    pub fn code(&self) -> u64 {
        self.0["code"].as_u64().unwrap_or(0)
    }

    /// Models `apierrors.NewGenericServerResponse` for answers without a `Status`.
    pub(crate) fn unstructured(response: &Response) -> Status {
        let body = String::from_utf8_lossy(&response.body).trim().to_string();
        let (reason, message) = match response.status {
            400 => ("BadRequest", "the server rejected our request for an unknown reason".to_string()),
            401 => ("Unauthorized", "the server has asked for the client to provide credentials".into()),
            403 => ("Forbidden", body.clone()),
            404 => ("NotFound", "the server could not find the requested resource".into()),
            405 => ("MethodNotAllowed", "the server does not allow this method on the requested resource".into()),
            409 => ("Conflict", "the server reported a conflict".into()),
            415 => {
                ("UnsupportedMediaType", "the server was unable to process the request due to an unsupported media type".into())
            }
            429 => ("TooManyRequests", "the server has received too many requests and has asked us to try again later".into()),
            500 => ("InternalError", format!("an error on the server ({body:?}) has prevented the request from succeeding")),
            503 => ("ServiceUnavailable", "the server is currently unable to handle the request".into()),
            504 => ("Timeout", "the server was unable to return a response in the time allotted, but may still be processing the request".into()),
            code => ("", format!("the server responded with the status code {code} but did not return more information")),
        };
        Status(
            json!({"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": response.status}),
        )
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// The server refused.
    Status(Box<Status>),
    /// There is no connection; why.
    Connection(String),
    /// Anything else; `error: ` is put before it.
    Text(String),
    /// Printed as it is, without `error: `.
    Plain(String),
    Many(Vec<Error>),
    /// What went wrong while files were looked up. Upstream keeps it together: among others it is one of them.
    Nested(Vec<Error>),
    /// What standard output has got already when the rest went wrong.
    Printed(String, Box<Error>),
    /// Everything is said; the exit code.
    Exit(i32),
}

impl Error {
    pub fn text(message: impl Into<String>) -> Error {
        Error::Text(message.into())
    }
    /// Models `UsageErrorf`; `command` is the whole path, `kubectl create job`.
    pub fn usage(command: &str, message: impl std::fmt::Display) -> Error {
        Error::Text(format!("{message}\nSee '{command} -h' for help and examples"))
    }
    pub fn status(&self) -> Option<&Status> {
        match self {
            Error::Status(s) => Some(s),
            _ => None,
        }
    }
    pub fn is_not_found(&self) -> bool {
        match self {
            Error::Nested(list) => list.iter().all(Error::is_not_found),
            e => e.status().is_some_and(|s| s.reason() == "NotFound"),
        }
    }
    pub fn is_already_exists(&self) -> bool {
        self.status().is_some_and(|s| s.reason() == "AlreadyExists")
    }
    pub fn is_conflict(&self) -> bool {
        self.status().is_some_and(|s| s.reason() == "Conflict")
    }

    /// As Go's `err.Error()`.
    pub fn go(&self) -> String {
        match self {
            Error::Status(s) => s.message().into(),
            Error::Connection(m) | Error::Text(m) | Error::Plain(m) => m.clone(),
            Error::Printed(_, e) => e.go(),
            Error::Many(list) | Error::Nested(list) => {
                // Models `utilerrors.Aggregate.Error`: each message once.
                let mut said: Vec<String> = Vec::new();
                for m in list.iter().map(Error::go) {
                    if !said.contains(&m) {
                        said.push(m);
                    }
                }
                if said.len() == 1 { said.concat() } else { format!("[{}]", said.join(", ")) }
            }
            Error::Exit(code) => format!("exit status {code}"),
        }
    }

    pub fn exit_code(&self) -> i32 {
        match self {
            Error::Exit(code) => *code,
            _ => 1,
        }
    }

    /// What standard error gets, with the line's end; nothing when all is said.
    pub fn said(&self) -> String {
        let text = match self {
            Error::Exit(_) => return String::new(),
            Error::Plain(m) => m.clone(),
            Error::Printed(_, e) => return e.said(),
            Error::Many(list) | Error::Nested(list) => many("", list),
            other => one(other),
        };
        if text.ends_with('\n') || text.is_empty() { text } else { text + "\n" }
    }

    /// The same error with words before it, as kubectl adds context. Models `AddSourceToErr` and its like, which keep
    /// a refusal a refusal.
    #[must_use]
    pub fn with_source(self, verb: &str, source: &str) -> Error {
        if source.is_empty() {
            return self;
        }
        match self {
            Error::Status(mut s) => {
                s.0["message"] = format!("error when {verb} {source:?}: {}", s.message()).into();
                Error::Status(s)
            }
            Error::Exit(code) => Error::Exit(code),
            other => Error::Text(format!("error when {verb} {source:?}: {}", other.go())),
        }
    }
}

fn one(e: &Error) -> String {
    let message = match e {
        Error::Status(s) if s.reason() == "Invalid" => {
            let text = invalid(s);
            // A cause's own line's end comes before the message's.
            let one = s.0["details"]["causes"].as_array().is_some_and(|c| c.len() == 1);
            return if one && text.ends_with('\n') { text + "\n" } else { text };
        }
        _ => message(e),
    };
    if message.starts_with("error: ") || matches!(e, Error::Status(_) | Error::Connection(_)) {
        return message;
    }
    format!("error: {message}")
}

/// Models `messageForError` and `StandardErrorMessage`.
fn message(e: &Error) -> String {
    match e {
        Error::Status(s) if s.reason() == "Unauthorized" => {
            format!("error: You must be logged in to the server ({})", s.message())
        }
        Error::Status(s) if s.reason().is_empty() => format!("Error from server: {}", s.message()),
        Error::Status(s) => format!("Error from server ({}): {}", s.reason(), s.message()),
        Error::Connection(why) => why.clone(),
        other => other.go(),
    }
}

fn invalid(s: &Status) -> String {
    let details = &s.0["details"];
    if s.0.get("details").is_none_or(Value::is_null) {
        return format!("The request is invalid: {}", s.message());
    }
    let mut text = "The request is invalid".to_string();
    if details["kind"].is_string() || details["name"].is_string() {
        text = format!(
            "The {} {:?} is invalid",
            details["kind"].as_str().unwrap_or(""),
            details["name"].as_str().unwrap_or("")
        );
    }
    let Some(causes) = details["causes"].as_array().filter(|c| !c.is_empty()) else {
        return if s.message().is_empty() { text } else { format!("{text}: {}", s.message()) };
    };
    let lines: Vec<String> = causes
        .iter()
        .map(|c| match c["field"].as_str().unwrap_or("") {
            "" => c["message"].as_str().unwrap_or("").to_string(),
            field => format!("{field}: {}", c["message"].as_str().unwrap_or("")),
        })
        .collect();
    match lines.as_slice() {
        [line] => format!("{text}: {line}"),
        _ => {
            let lines: Vec<String> = lines.iter().map(|l| format!("* {l}\n")).collect();
            format!("{text}: \n{}", lines.concat())
        }
    }
}

/// Models `MultipleErrors`: one line each, without `error: `.
fn many(prefix: &str, list: &[Error]) -> String {
    list.iter()
        .map(|e| match e {
            Error::Many(inner) => many(prefix, inner),
            Error::Status(s) if s.reason() == "Invalid" => format!("{prefix}{}\n", invalid(s)),
            e => format!("{prefix}{}\n", message(e)),
        })
        .collect()
}
