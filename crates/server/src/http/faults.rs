//! Faults from the terminal: `echo 'cut node-1' | kubectl create --raw /kubottle/faults -f -` carries out what each line
//! says, `kubectl get --raw /kubottle/faults` lists what mends everything that is wrong, and what else can be said.

use super::api::{finish, refuse};
use super::body::{Body, full};
use crate::world::{Handle, World};
use engine::faults;
use http::header::CONTENT_TYPE;
use http::{Method, Response};
use meta::ApiError;
use protocol::Reply;

pub const PATH: &str = "/kubottle/faults";

pub async fn handle(handle: Handle, method: Method, body: Vec<u8>) -> Response<Body> {
    let asked = handle.ask(move |w| match method {
        Method::GET => Ok(format!("{}\n{}", wrong(w), faults::WORDS)),
        Method::POST => carry_out(w, &String::from_utf8_lossy(&body)).map(|()| wrong(w)),
        _ => Err(ApiError::new(405, "MethodNotAllowed", "want GET or POST")),
    });
    match asked.await {
        Ok(Ok(text)) => finish(Response::builder().header(CONTENT_TYPE, "text/plain").body(full(text))),
        Ok(Err(e)) => refuse(&e),
        Err(e) => refuse(&ApiError::new(503, "ServiceUnavailable", e.to_string())),
    }
}

/// All lines are understood before the first is carried out.
fn carry_out(w: &mut World, text: &str) -> Result<(), ApiError> {
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    let mut commands = Vec::new();
    for line in lines {
        match line {
            "mend" => commands.extend(faults::mend(&w.cluster)),
            _ => commands.push(faults::command(line).map_err(ApiError::bad_request)?),
        }
    }
    for command in commands {
        if let Some(Reply::Done { error: Some(e), .. }) = engine::act(&mut w.cluster, &command) {
            return Err(ApiError::new(404, "NotFound", format!("{}: {e}", faults::words(&command))));
        }
    }
    Ok(())
}

/// What mends all that is wrong, a line each.
fn wrong(w: &World) -> String {
    faults::mend(&w.cluster).iter().map(|c| faults::words(c) + "\n").collect()
}
