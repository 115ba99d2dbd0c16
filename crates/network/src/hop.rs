//! What a connection met on its way, for whoever wants to see it: written down by the code that carries it.

use trace::Note;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Client,
    /// A name becomes addresses.
    Dns,
    /// A Service's address becomes an endpoint's.
    Service,
    /// A node's port becomes a pod's.
    HostPort,
    /// The policies of both ends.
    Policy,
    /// The ingress controller.
    Ingress,
    /// Who listens there.
    Server,
    Answer,
}

impl Stage {
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Client => "client",
            Stage::Dns => "dns",
            Stage::Service => "service",
            Stage::HostPort => "host-port",
            Stage::Policy => "policy",
            Stage::Ingress => "ingress",
            Stage::Server => "server",
            Stage::Answer => "answer",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    pub stage: Stage,
    /// The kind of the object that decides here; empty: there is none.
    pub kind: &'static str,
    /// Its key, or an address.
    pub name: String,
    /// False: the connection ends here, and why is the last note.
    pub ok: bool,
    pub notes: Vec<Note>,
}

/// The hops so far; off when nobody looks.
#[derive(Clone, Debug, Default)]
pub struct Trail(Option<Vec<Hop>>);

impl Trail {
    pub fn on() -> Self {
        Trail(Some(Vec::new()))
    }
    pub fn off() -> Self {
        Trail(None)
    }
    /// Goes on where another trail ended.
    pub fn resume(hops: Vec<Hop>) -> Self {
        Trail(Some(hops))
    }
    pub fn into_hops(self) -> Vec<Hop> {
        self.0.unwrap_or_default()
    }

    pub fn hop(&mut self, stage: Stage, kind: &'static str, name: impl ToString) {
        if let Some(hops) = &mut self.0 {
            hops.push(Hop { stage, kind, name: name.to_string(), ok: true, notes: Vec::new() });
        }
    }
    /// A reason of the newest hop.
    pub fn note(&mut self, note: impl FnOnce() -> Note) {
        if let Some(hop) = self.0.as_mut().and_then(|h| h.last_mut()) {
            hop.notes.push(note());
        }
    }
    /// The newest hop is the last one.
    pub fn fail(&mut self, note: impl FnOnce() -> Note) {
        self.note(note);
        if let Some(hop) = self.0.as_mut().and_then(|h| h.last_mut()) {
            hop.ok = false;
        }
    }
}
