//! What a component asks the API server for. Every intent is one request under the component's identity.

use crate::component::Reply;
use api::{KindRef, Object, Registered};
use k8s_openapi::api::core::v1::ObjectReference;
use meta::{ApiError, Key};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    Orphan,
    Background,
    Foreground,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    Normal,
    Warning,
}

pub enum Write {
    /// `metadata.generateName` works as for any client.
    Create(Box<dyn Object>),
    /// Optimistic: `metadata.resourceVersion` of the object is the precondition when set.
    Update(Box<dyn Object>),
    UpdateStatus(Box<dyn Object>),
    /// `PUT NAME/scale` with this many replicas.
    Scale {
        kind: KindRef,
        key: Key,
        replicas: i32,
    },
    /// A JSON merge patch; `subresource` is empty or `status`.
    Patch {
        kind: KindRef,
        key: Key,
        subresource: &'static str,
        patch: serde_json::Value,
    },
    /// A merge patch of the status, typed: the fields that the object's status has replace the stored ones. When the
    /// object has a UID it is a precondition, so that the status never lands on a new object of the same name.
    PatchStatus(Box<dyn Object>),
    Delete {
        kind: KindRef,
        key: Key,
        /// Precondition on `metadata.uid`.
        uid: Option<String>,
        grace_seconds: Option<i64>,
        propagation: Option<Propagation>,
    },
    /// `POST pods/NAME/binding`.
    Bind {
        pod: Key,
        uid: Option<String>,
        node: String,
    },
    /// An Event about an object; repeats of the same event are counted, as client-go's correlator does.
    Event {
        regarding: ObjectReference,
        event_type: EventType,
        reason: String,
        message: String,
    },
    /// `PUT namespaces/NAME/finalize`: `spec.finalizers` of the object replace the stored ones.
    Finalize(Box<dyn Object>),
}

/// An Event about an intent's answer, for what is known only then: the generated name, the refusal's words.
/// Whoever carries out the intent records [`Announce::event`] right after it, also when a refusal stops the rest.
#[derive(Clone, Debug)]
pub struct Announce {
    pub regarding: ObjectReference,
    /// A Normal event's reason and message; `{name}` stands for the name of the object written.
    pub success: Option<(&'static str, String)>,
    /// A Warning event's reason and message; `{error}` stands for the refusal's message.
    pub failure: Option<(&'static str, String)>,
}

impl Announce {
    /// The Event to record for the API server's answer as it came (before [`Tolerate`] turns it into success).
    /// Nobody is told that something to delete is gone already, nor that a namespace which is being deleted
    /// takes no new content, as in upstream's `PodControl`.
    pub fn event(&self, answer: &Reply) -> Option<Write> {
        let (event_type, reason, message) = match answer {
            Ok(written) => {
                let (reason, text) = self.success.as_ref()?;
                let name = written.as_ref().and_then(|o| o.meta().name.as_deref()).unwrap_or("");
                (EventType::Normal, reason, text.replace("{name}", name))
            }
            Err(e) if e.is_not_found() || is_namespace_terminating(e) => return None,
            Err(e) => {
                let (reason, text) = self.failure.as_ref()?;
                (EventType::Warning, reason, text.replace("{error}", e.message()))
            }
        };
        Some(Write::Event { regarding: self.regarding.clone(), event_type, reason: (*reason).into(), message })
    }
}

/// Models `apierrors.HasStatusCause(err, v1.NamespaceTerminatingCause)`.
pub fn is_namespace_terminating(e: &ApiError) -> bool {
    let causes = e.0.details.as_ref().and_then(|d| d.causes.as_ref());
    causes.into_iter().flatten().any(|c| c.reason.as_deref() == Some("NamespaceTerminating"))
}

/// Which refusals count as success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Tolerate {
    #[default]
    Nothing,
    NotFound,
    AlreadyExists,
    /// The rest of the intents go on whatever the answer.
    Anything,
}

pub struct Intent {
    pub write: Write,
    pub tolerate: Tolerate,
    pub announce: Option<Box<Announce>>,
}

impl Tolerate {
    pub fn allows(self, e: &ApiError) -> bool {
        match self {
            Tolerate::Nothing => false,
            Tolerate::NotFound => e.is_not_found(),
            Tolerate::AlreadyExists => e.is_already_exists(),
            Tolerate::Anything => true,
        }
    }
}

impl Intent {
    fn new(write: Write) -> Self {
        Intent { write, tolerate: Tolerate::Nothing, announce: None }
    }
    #[must_use]
    pub fn tolerate(mut self, t: Tolerate) -> Self {
        self.tolerate = t;
        self
    }
    pub fn create<T: Registered>(o: T) -> Self {
        Self::new(Write::Create(Box::new(o)))
    }
    pub fn update<T: Registered>(o: T) -> Self {
        Self::new(Write::Update(Box::new(o)))
    }
    /// As [`Intent::update`], for an object of any kind.
    pub fn update_object(o: Box<dyn Object>) -> Self {
        Self::new(Write::Update(o))
    }
    pub fn update_status_object(o: Box<dyn Object>) -> Self {
        Self::new(Write::UpdateStatus(o))
    }
    pub fn update_status<T: Registered>(o: T) -> Self {
        Self::new(Write::UpdateStatus(Box::new(o)))
    }
    pub fn patch_status<T: Registered>(o: T) -> Self {
        Self::new(Write::PatchStatus(Box::new(o)))
    }
    pub fn scale(kind: KindRef, key: Key, replicas: i32) -> Self {
        Self::new(Write::Scale { kind, key, replicas })
    }
    pub fn patch(kind: KindRef, key: Key, subresource: &'static str, patch: serde_json::Value) -> Self {
        Self::new(Write::Patch { kind, key, subresource, patch })
    }
    /// Background deletion with a UID precondition; "not found" is success.
    pub fn delete(o: &dyn Object) -> Self {
        use api::ObjectExt;
        Intent {
            write: Write::Delete {
                kind: o.kind(),
                key: o.key(),
                uid: o.meta().uid.clone(),
                grace_seconds: None,
                propagation: Some(Propagation::Background),
            },
            tolerate: Tolerate::NotFound,
            announce: None,
        }
    }
    pub fn bind(pod: Key, uid: Option<String>, node: &str) -> Self {
        Self::new(Write::Bind { pod, uid, node: node.into() })
    }
    /// Events are best effort: a refusal never stops the intents behind it.
    pub fn event(about: &dyn Object, event_type: EventType, reason: &str, message: impl Into<String>) -> Self {
        let write =
            Write::Event { regarding: reference(about), event_type, reason: reason.into(), message: message.into() };
        Self::new(write).tolerate(Tolerate::Anything)
    }
    /// `PUT namespaces/NAME/finalize`.
    pub fn finalize<T: Registered>(o: T) -> Self {
        Self::new(Write::Finalize(Box::new(o)))
    }
    /// A Normal event about `about` once the intent has succeeded; `{name}` is the name of the object written.
    #[must_use]
    pub fn on_success(mut self, about: &dyn Object, reason: &'static str, message: impl Into<String>) -> Self {
        self.announcement(about).success = Some((reason, message.into()));
        self
    }
    /// A Warning event about `about` when the intent is refused; `{error}` is the refusal's message.
    #[must_use]
    pub fn on_failure(mut self, about: &dyn Object, reason: &'static str, message: impl Into<String>) -> Self {
        self.announcement(about).failure = Some((reason, message.into()));
        self
    }
    fn announcement(&mut self, about: &dyn Object) -> &mut Announce {
        self.announce
            .get_or_insert_with(|| Box::new(Announce { regarding: reference(about), success: None, failure: None }))
    }
}

/// Models client-go `reference.GetReference`.
pub fn reference(o: &dyn Object) -> ObjectReference {
    ObjectReference {
        api_version: Some(o.kind().api_version()),
        kind: Some(o.kind().kind.into()),
        name: o.meta().name.clone(),
        namespace: o.meta().namespace.clone(),
        uid: o.meta().uid.clone(),
        resource_version: o.meta().resource_version.clone(),
        field_path: None,
    }
}

/// For snapshots in tests: one readable line.
impl std::fmt::Debug for Intent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.write {
            Write::Finalize(o) => write!(f, "finalize {}", o.to_value()),
            Write::Create(o) => write!(f, "create {}", o.to_value()),
            Write::Update(o) => write!(f, "update {}", o.to_value()),
            Write::UpdateStatus(o) => write!(f, "update-status {}", o.to_value()),
            Write::Scale { kind, key, replicas } => write!(f, "scale {} {key} {replicas}", kind.plural),
            Write::Patch { kind, key, subresource, patch } => {
                write!(f, "patch {} {key} {subresource} {patch}", kind.plural)
            }
            Write::PatchStatus(o) => {
                use api::ObjectExt;
                write!(f, "patch {} {} status {}", o.kind().plural, o.key(), o.to_value()["status"])
            }
            Write::Delete { kind, key, grace_seconds, propagation, .. } => {
                write!(f, "delete {} {key} grace={grace_seconds:?} propagation={propagation:?}", kind.plural)
            }
            Write::Bind { pod, node, .. } => write!(f, "bind {pod} -> {node}"),
            Write::Event { regarding, event_type, reason, message } => {
                let name = regarding.name.as_deref().unwrap_or("");
                write!(f, "event {event_type:?} {reason} {name}: {message}")
            }
        }?;
        let Some(a) = &self.announce else { return Ok(()) };
        for (when, event) in [("success", &a.success), ("failure", &a.failure)] {
            if let Some((reason, message)) = event {
                write!(f, "\n  on {when}: {reason}: {message}")?;
            }
        }
        Ok(())
    }
}
