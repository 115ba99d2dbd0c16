//! Terminals in containers. Everything but reading is an input of the session: a replay types it again.

use apiserver::{Request, RequestVerb, Response};
use cluster::{Cluster, SessionId};
use k8s_openapi::api::core::v1::Pod;
use kubelet::runtime::{SessionEnd, SessionInput, SessionOutput};
use meta::User;
use protocol::{Terminal, TerminalOutput};

pub fn act(cluster: &mut Cluster, user: &User, terminal: &Terminal) -> TerminalOutput {
    match terminal {
        Terminal::Open { namespace, pod, container, argv, stdin, tty } => {
            match open(cluster, user, [namespace, pod, container], argv, (*stdin, *tty)) {
                Ok(session) => TerminalOutput { session: shown(&session), ..Default::default() },
                Err(why) => TerminalOutput { error: Some(why), ..Default::default() },
            }
        }
        Terminal::Type { session, keys } => {
            cluster.session_input(&known(session), SessionInput::Data(keys.clone().into_bytes()));
            TerminalOutput { session: session.clone(), ..Default::default() }
        }
        Terminal::Send { session, data } => {
            use base64::Engine as _;
            let data = base64::engine::general_purpose::STANDARD.decode(data).unwrap_or_default();
            cluster.session_input(&known(session), SessionInput::Data(data));
            TerminalOutput { session: session.clone(), ..Default::default() }
        }
        Terminal::End { session } => {
            cluster.session_input(&known(session), SessionInput::End);
            TerminalOutput { session: session.clone(), ..Default::default() }
        }
        Terminal::Read { session } => read(cluster, session),
        Terminal::Close { session } => {
            cluster.close_session(&known(session));
            TerminalOutput { session: session.clone(), ..Default::default() }
        }
    }
}

fn shown(s: &SessionId) -> protocol::SessionId {
    protocol::SessionId { node: s.node.clone(), number: s.number }
}

fn known(s: &protocol::SessionId) -> SessionId {
    SessionId { node: s.node.clone(), number: s.number }
}

fn open(
    cluster: &mut Cluster,
    user: &User,
    [namespace, pod, container]: [&str; 3],
    argv: &[String],
    (stdin, tty): (bool, bool),
) -> Result<SessionId, String> {
    let subresource = if argv.is_empty() { "attach" } else { "exec" };
    let kind = <Pod as api::Registered>::KIND_REF;
    let mut request = Request::new(user.clone(), RequestVerb::Create, kind, namespace, pod).subresource(subresource);
    request.options.log.container = container.into();
    let stream = &mut request.options.stream;
    stream.command = argv.to_vec();
    (stream.stdin, stream.stdout, stream.stderr, stream.tty) = (stdin, true, !tty, tty);
    let answer = cluster.request(request);
    if let Some(e) = answer.error() {
        return Err(e.message().to_string());
    }
    match answer.response {
        Response::Connect(target) => cluster.open_session(&target),
        _ => Err("not a stream".into()),
    }
}

/// What came out since it was asked last; `None`: the session is no more.
pub fn output(cluster: &mut Cluster, session: &protocol::SessionId) -> Option<SessionOutput> {
    cluster.session_output(&known(session))
}

fn read(cluster: &mut Cluster, session: &protocol::SessionId) -> TerminalOutput {
    let mut out = TerminalOutput { session: session.clone(), ..Default::default() };
    let Some(read) = cluster.session_output(&known(session)) else {
        out.error = Some("the session has ended".into());
        return out;
    };
    out.text = String::from_utf8_lossy(&read.stdout).into_owned();
    match read.end {
        Some(SessionEnd::Exited(code)) => out.exit_code = Some(code),
        Some(SessionEnd::Failed(why)) => out.error = Some(why),
        None => {}
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::Session;
    use meta::{Duration, Time};
    use protocol::{ApplyMode, Command, File, Reply, Terminal, TerminalOutput};

    const POD: &str =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{name: c, image: nginx}]\n";

    fn ask(s: &mut Session, terminal: Terminal) -> TerminalOutput {
        match s.act(Command::Terminal { id: 9, terminal }) {
            Some(Reply::Terminal { id: 9, output }) => output,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_terminal_is_part_of_the_session() {
        let mut s = Session::new(1, 7, Time(0)).unwrap();
        s.cluster.advance(Duration::from_secs(3));
        let files = vec![File { name: "a.yaml".into(), text: POD.into() }];
        s.act(Command::Apply { id: 1, mode: ApplyMode::Apply, files });
        s.cluster.advance(Duration::from_secs(20));
        let open = Terminal::Open {
            namespace: "default".into(),
            pod: "a".into(),
            container: String::new(),
            argv: vec!["bash".into()],
            stdin: true,
            tty: true,
        };
        let session = ask(&mut s, open).session;
        s.cluster.advance(Duration::from_secs(1));
        ask(&mut s, Terminal::Type { session: session.clone(), keys: "echo $((6*7)); exit 3\r".into() });
        s.cluster.advance(Duration::from_secs(1));
        let mut again = Session::load(&s.save().unwrap()).unwrap();
        assert_eq!(again.cluster.trace().hash(), s.cluster.trace().hash());
        for s in [&mut s, &mut again] {
            let out = ask(s, Terminal::Read { session: session.clone() });
            assert_eq!((out.text.as_str(), out.exit_code), ("root@a:/# echo $((6*7)); exit 3\r\n42\r\n", Some(3)));
        }
        let missing = Terminal::Open {
            namespace: "default".into(),
            pod: "b".into(),
            container: String::new(),
            argv: Vec::new(),
            stdin: true,
            tty: true,
        };
        assert_eq!(ask(&mut s, missing).error.as_deref(), Some("pods \"b\" not found"));
    }
}
