//! `--raw`: a request as it is written. Models `kubectl/pkg/rawhttp`.

use crate::client::Request;
use crate::cx::Cx;
use crate::error::Error;

/// Whether the path is one. Models `url.ParseRequestURI`.
pub(crate) fn check_path(path: &str) -> Result<(), Error> {
    if path.starts_with('/') || path.contains("://") {
        return Ok(());
    }
    Err(Error::text(format!("--raw must be a valid URL path: parse {path:?}: invalid URI for request")))
}

/// Models the part of each command's `Validate` that is about `--raw`; only a deletion needs no file.
fn check(cx: &Cx<'_, '_>, method: &str) -> Result<(), Error> {
    let has = |name: &str| cx.command.flag(name).is_some();
    if has("edit") && cx.flags.bool("edit") {
        return Err(Error::text("--raw and --edit are mutually exclusive"));
    }
    let files = cx.flags.list("filename");
    if files.len() > 1 || (files.is_empty() && method != "DELETE") {
        return Err(Error::text("--raw can only use a single local file or stdin"));
    }
    if files.first().is_some_and(|f| f.starts_with("http://") || f.starts_with("https://")) {
        return Err(Error::text("--raw cannot read from a url"));
    }
    if cx.flags.bool("recursive") {
        return Err(Error::text("--raw and --recursive are mutually exclusive"));
    }
    if method == "POST" && !cx.flags.string("selector").is_empty() {
        return Err(Error::text("--raw and --selector (-l) are mutually exclusive"));
    }
    if !cx.flags.string("output").is_empty() {
        return Err(Error::text("--raw and --output are mutually exclusive"));
    }
    check_path(cx.flags.string("raw"))
}

/// Sends the file that `-f` names, for commands that write.
pub(crate) async fn send(cx: &mut Cx<'_, '_>, method: &'static str) -> Result<(), Error> {
    check(cx, method)?;
    let body = match cx.flags.list("filename").first().map(String::as_str) {
        None => String::new(),
        Some("-") => cx.env.stdin.take().unwrap_or_default(),
        Some(file) => match cx.env.files.read(file) {
            Some(text) => text,
            None => return Err(Error::text(format!("open {file}: no such file or directory"))),
        },
    };
    let path = cx.flags.string("raw").to_string();
    let mut r =
        Request::new(method, path).header("Content-Type", "application/json").header("Accept", "application/json");
    r.body = body.into_bytes();
    let response = crate::client::send(cx.client(), r).await?;
    cx.out(&String::from_utf8_lossy(&response.body));
    Ok(())
}
