//! A container's streams over one WebSocket: each message begins with the number of its channel. Models
//! `apimachinery/pkg/util/remotecommand` and `kubelet/pkg/cri/streaming/remotecommand/websocket.go`.

use super::streams::{Socket, V5, goodbye};
use super::wire::Wire;
use crate::world::Handle;
use apiserver::ConnectTarget;
use cluster::SessionId;
use futures_util::{SinkExt, StreamExt};
use kubelet::runtime::{SessionEnd, SessionInput, SessionOutput};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

const STDIN: u8 = 0;
const STDOUT: u32 = 1;
const STDERR: u32 = 2;
const ERROR: u32 = 3;
/// client-go throws away what comes before it has its streams ready. Real runtimes take longer to start a process.
const BEFORE_OUTPUT: Duration = Duration::from_millis(20);
/// v5 only: the channel named by the next byte is closed.
const CLOSE: u8 = 255;

pub type Session = Result<(SessionId, UnboundedReceiver<SessionOutput>), String>;

/// What the client learns about the command's end.
pub fn status(end: &SessionEnd, command: &[String], v5: bool) -> Value {
    let (reason, details, message) = match end {
        SessionEnd::Exited(0) => return json!({ "metadata": {}, "status": "Success" }),
        SessionEnd::Exited(code) => {
            let why = if v5 {
                format!("command terminated with exit code {code}")
            } else {
                format!("error executing command [{}], exit code {code}", command.join(" "))
            };
            let details = json!({ "causes": [{ "reason": "ExitCode", "message": code.to_string() }] });
            ("NonZeroExitCode", details, format!("command terminated with non-zero exit code: {why}"))
        }
        SessionEnd::Failed(why) => {
            let why = format!("error executing command in container: {why}");
            // The API server wraps what the kubelet has wrapped already.
            let why = if v5 { format!("Internal error occurred: {why}") } else { why };
            return internal(&why);
        }
    };
    json!({ "metadata": {}, "status": "Failure", "message": message, "reason": reason, "details": details })
}

pub fn internal(why: &str) -> Value {
    json!({
        "metadata": {},
        "status": "Failure",
        "message": format!("Internal error occurred: {why}"),
        "reason": "InternalError",
        "details": { "causes": [{ "message": why }] },
        "code": 500,
    })
}

/// Carries bytes both ways until the command or the client has ended.
pub async fn run(handle: Handle, target: ConnectTarget, mut socket: Socket, session: Session, protocol: &'static str) {
    let (wire, v5) = (Wire::of(protocol), protocol == V5);
    let o = &target.options;
    // An empty message on the first channel says that the connection stands.
    let first = if o.stdout {
        STDOUT
    } else if o.stderr {
        STDERR
    } else {
        ERROR
    };
    if socket.send(wire.message(first, b"")).await.is_err() {
        return;
    }
    tokio::time::sleep(BEFORE_OUTPUT).await;
    let end = match session {
        Err(why) => Some(internal(&why)),
        Ok((id, output)) => {
            let end = carry(&handle, &target, &mut socket, wire, &id, output).await;
            handle.tell(move |w| w.cluster.close_session(&id));
            end.map(|e| status(&e, &target.options.command, v5))
        }
    };
    if let Some(status) = end {
        // The first protocols say what went wrong in words, and nothing of a success.
        let text = match protocol.starts_with('v') {
            true => status.to_string(),
            false => status["message"].as_str().unwrap_or_default().to_string(),
        };
        if !text.is_empty() {
            // The client may have left.
            let _ = socket.send(wire.message(ERROR, text.as_bytes())).await;
        }
        let _ = socket.send(goodbye()).await;
        // The other side closes too; what it still sends is read so that nothing is lost on the way.
        while socket.next().await.is_some_and(|m| m.is_ok()) {}
    }
}

/// `None`: the client left first.
async fn carry(
    handle: &Handle,
    target: &ConnectTarget,
    socket: &mut Socket,
    wire: Wire,
    id: &SessionId,
    mut output: UnboundedReceiver<SessionOutput>,
) -> Option<SessionEnd> {
    let o = &target.options;
    loop {
        tokio::select! {
            out = output.recv() => {
                // The node is gone, and with it the container.
                let out = out.unwrap_or(SessionOutput { end: Some(SessionEnd::Exited(137)), ..Default::default() });
                if o.stdout && !out.stdout.is_empty() {
                    socket.send(wire.message(STDOUT, &out.stdout)).await.ok()?;
                }
                if o.stderr && !out.stderr.is_empty() {
                    socket.send(wire.message(STDERR, &out.stderr)).await.ok()?;
                }
                if out.end.is_some() {
                    return out.end;
                }
            }
            received = socket.next() => {
                let received = received?.ok()?;
                if received.is_close() {
                    return None;
                }
                let input = wire.read(&received).and_then(|(channel, data)| input(channel, data));
                if let Some(input) = input.filter(|_| o.stdin) {
                    let id = id.clone();
                    handle.tell(move |w| w.cluster.session_input(&id, input));
                }
            }
        }
    }
}

/// Input for the command; sizes of the client's window are of no use here.
fn input(channel: u8, data: Vec<u8>) -> Option<SessionInput> {
    match (channel, data.as_slice()) {
        (STDIN, [_, ..]) => Some(SessionInput::Data(data)),
        (CLOSE, [STDIN]) => Some(SessionInput::End),
        _ => None,
    }
}
