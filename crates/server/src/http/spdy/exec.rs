//! `exec` and `attach` with one SPDY stream for each of the command's. Models
//! `kubelet/pkg/cri/streaming/remotecommand/httpstream.go`.

use super::super::channels::{Session, internal, status};
use super::frames::Frame;
use super::link::Link;
use super::{Connection, get};
use crate::world::Handle;
use apiserver::ConnectTarget;
use cluster::SessionId;
use kubelet::runtime::{SessionEnd, SessionInput, SessionOutput};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

/// Within so much the client opens its streams.
const CREATION: Duration = Duration::from_secs(30);
/// The client closes when it has read everything.
const GOODBYE: Duration = Duration::from_secs(5);

type Streams = BTreeMap<String, u32>;

pub async fn exec(handle: Handle, target: ConnectTarget, link: Link, session: Session) {
    let Ok(mut c) = Connection::new(link) else { return };
    let mut early = Vec::new();
    let opened = tokio::time::timeout(CREATION, streams(&mut c, &target, &mut early)).await.ok().flatten();
    let Some(streams) = opened else {
        if let Ok((id, _)) = session {
            handle.tell(move |w| w.cluster.close_session(&id));
        }
        return;
    };
    let end = match session {
        Err(why) => Some(internal(&why)),
        Ok((id, output)) => {
            let end = carry(&handle, &mut c, &streams, &id, output, early).await;
            handle.tell(move |w| w.cluster.close_session(&id));
            end.map(|e| status(&e, &target.options.command, false))
        }
    };
    let Some(status) = end else { return };
    for (name, stream) in &streams {
        let text = if name == "error" { status.to_string() } else { String::new() };
        if c.data(*stream, text.as_bytes(), true).await.is_none() {
            return;
        }
    }
    let rest = async { while c.link.incoming.recv().await.is_some() {} };
    let _ = tokio::time::timeout(GOODBYE, rest).await;
}

/// The streams by their names, when all that the request asked for are there.
async fn streams(c: &mut Connection, target: &ConnectTarget, early: &mut Vec<Frame>) -> Option<Streams> {
    let o = &target.options;
    let wanted = [("error", true), ("stdin", o.stdin), ("stdout", o.stdout), ("stderr", o.stderr && !o.tty)];
    let mut found = Streams::new();
    while wanted.iter().any(|(name, is)| *is && !found.contains_key(*name)) {
        let bytes = c.link.incoming.recv().await;
        for f in c.take(bytes).await? {
            match f {
                Frame::Open { stream, headers, .. } => {
                    found.insert(get(&headers, "streamtype").to_string(), stream);
                }
                other => early.push(other),
            }
        }
    }
    Some(found)
}

/// `None`: the client left first.
async fn carry(
    handle: &Handle,
    c: &mut Connection,
    streams: &Streams,
    id: &SessionId,
    mut output: UnboundedReceiver<SessionOutput>,
    early: Vec<Frame>,
) -> Option<SessionEnd> {
    let stdin = streams.get("stdin").copied();
    let tell = |frames: Vec<Frame>| {
        for f in frames {
            let Frame::Data { stream, data, fin } = f else { continue };
            if Some(stream) != stdin {
                continue;
            }
            let inputs = [(!data.is_empty()).then_some(SessionInput::Data(data)), fin.then_some(SessionInput::End)];
            for input in inputs.into_iter().flatten() {
                let id = id.clone();
                handle.tell(move |w| w.cluster.session_input(&id, input));
            }
        }
    };
    tell(early);
    loop {
        tokio::select! {
            out = output.recv() => {
                let out = out.unwrap_or(SessionOutput { end: Some(SessionEnd::Exited(137)), ..Default::default() });
                for (name, data) in [("stdout", &out.stdout), ("stderr", &out.stderr)] {
                    if let (Some(stream), false) = (streams.get(name), data.is_empty()) {
                        c.data(*stream, data, false).await?;
                    }
                }
                if out.end.is_some() {
                    return out.end;
                }
            }
            bytes = c.link.incoming.recv() => tell(c.take(bytes).await?),
        }
    }
}
