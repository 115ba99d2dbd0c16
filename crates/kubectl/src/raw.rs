//! `--raw`: a request as it is written. Models `kubectl/pkg/rawhttp`.

use crate::client::Request;
use crate::cx::Cx;
use crate::error::Error;

/// Sends the file that `-f` names, for commands that write.
pub(crate) async fn send(cx: &mut Cx<'_, '_>, method: &'static str) -> Result<(), Error> {
    let path = cx.flags.string("raw").to_string();
    if !path.starts_with('/') {
        return Err(Error::text(format!("the server could not find the requested resource ({method} {path})")));
    }
    let body = match cx.flags.list("filename").as_slice() {
        [] => String::new(),
        [file] if file == "-" => cx.env.stdin.take().unwrap_or_default(),
        [file] => match cx.env.files.read(file) {
            Some(text) => text,
            None => return Err(Error::text(format!("open {file}: no such file or directory"))),
        },
        _ => return Err(Error::text("--raw can only use a single local file or stdin")),
    };
    let mut r =
        Request::new(method, path).header("Content-Type", "application/json").header("Accept", "application/json");
    r.body = body.into_bytes();
    let response = crate::client::send(cx.client(), r).await?;
    cx.out(&String::from_utf8_lossy(&response.body));
    Ok(())
}
