//! A watch: store events in, newline-framed JSON out. Models `apiserver/pkg/endpoints/handlers/watch.go` and the
//! cacher's `cacheWatcher`.

use crate::conversion::Converted;
use crate::http::Wants;
use crate::keys;
use crate::response::{WatchFrom, WatchSpec};
use crate::server::{Seen, shown};
use crate::stored::Stored;
use crate::table::{As, Include, ListMeta, Look, partial, table};
use api::{KindRef, Object};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use meta::{ApiError, Time};
use store::{Backend, Event, Store, StoreError};

/// One client's watch. The host calls [`Watcher::initial`] once, then [`Watcher::event`] for every commit.
pub struct Watcher {
    spec: WatchSpec,
    wants: Wants,
    prefix: String,
    /// The first Table of a stream carries the column definitions, the others do not.
    columns_sent: bool,
    /// Events up to this revision have been delivered or were not asked for.
    revision: u64,
}

/// `object` is JSON already: no tree is made.
fn frame(out: &mut Vec<u8>, event: &str, object: Vec<u8>) {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(event.as_bytes());
    out.extend_from_slice(b"\",\"object\":");
    out.extend(api::encode::escape_html(object));
    out.extend_from_slice(b"}\n");
}

impl Watcher {
    pub fn new(spec: WatchSpec, wants: Wants) -> Self {
        let prefix = keys::prefix(spec.kind, &spec.namespace);
        Watcher { spec, wants, prefix, columns_sent: false, revision: 0 }
    }

    /// As the client names it.
    fn kind(&self) -> KindRef {
        self.spec.form.unwrap_or(self.spec.kind)
    }

    pub fn spec(&self) -> &WatchSpec {
        &self.spec
    }

    /// What is sent before any new event: the state, the missed events, or the error that ends the watch
    /// (then [`Watcher::is_over`] holds).
    pub fn initial(&mut self, store: &Store<Stored>, now: Time) -> Vec<u8> {
        let mut out = Vec::new();
        self.revision = store.revision();
        match self.spec.from {
            WatchFrom::Now => {}
            WatchFrom::State { bookmark } => {
                let prefix = self.prefix.clone();
                for (key, e) in store.iter_range(&prefix, &keys::range_end(&prefix)) {
                    let value = self.in_version(key, e);
                    if self.spec.filter.matches_as(self.spec.form, &value.0) {
                        self.object(&mut out, "ADDED", &value, now);
                    }
                }
                if bookmark {
                    self.bookmark_frame(&mut out, self.revision, true, now);
                }
            }
            WatchFrom::Revision(from) => match store.iter_events_since(from) {
                Ok(events) => {
                    // A future revision waits until the store gets there.
                    self.revision = from;
                    let missed: Vec<&Event<Stored>> = events.collect();
                    for e in missed {
                        out.extend(self.event(e, now).unwrap_or_default());
                    }
                }
                Err(StoreError::Compacted { compacted }) => {
                    // As the watch cache words it, which holds events after `compacted`.
                    let e = ApiError::expired(format!("too old resource version: {from} ({compacted})"));
                    self.error(&mut out, &e.0);
                }
                Err(e) => self.error(&mut out, &ApiError::internal(e).0),
            },
        }
        self.spec.converted.clear();
        out
    }

    /// Whether a webhook has to bring the objects of an event into the version that is asked for.
    pub fn needs_conversion(&self, e: &Event<Stored>) -> bool {
        let other = |e: &store::Entry<Stored>| e.value.0.kind().version != self.kind().version;
        let concerned = self.spec.is_converted && e.revision > self.revision && e.key.starts_with(&self.prefix);
        concerned && [&e.old, &e.new].into_iter().flatten().any(other)
    }

    /// Takes what the webhook has made of the objects of the next event; its failure ends the watch with a frame.
    pub fn converted(&mut self, made: Result<Converted, ApiError>) -> Option<Vec<u8>> {
        match made {
            Ok(made) => {
                self.spec.converted = made;
                None
            }
            Err(e) => {
                let mut out = Vec::new();
                self.error(&mut out, &e.0);
                Some(out)
            }
        }
    }

    fn in_version(&self, key: &store::types::Key, e: &store::Entry<Stored>) -> Stored {
        if self.spec.converted.is_empty() {
            return e.value.clone();
        }
        self.spec.converted.get(&(key.clone(), e.mod_revision)).unwrap_or(&e.value).clone()
    }

    fn error(&mut self, out: &mut Vec<u8>, status: &Status) {
        self.revision = u64::MAX;
        frame(out, "ERROR", crate::http::status_json(status));
    }

    /// Whether an error ended the stream.
    pub fn is_over(&self) -> bool {
        self.revision == u64::MAX
    }

    /// The frame for one change, if the client is to see it. What starts or ceases to match the selectors is
    /// ADDED or DELETED to this client.
    pub fn event(&mut self, e: &Event<Stored>, now: Time) -> Option<Vec<u8>> {
        if e.revision <= self.revision || !e.key.starts_with(&self.prefix) {
            return None;
        }
        let object = |entry: &store::Entry<Stored>| self.in_version(&e.key, entry);
        let (old, new) = (e.old.as_ref().map(object), e.new.as_ref().map(object));
        let matched =
            |o: &Option<Stored>| o.as_ref().is_some_and(|o| self.spec.filter.matches_as(self.spec.form, &o.0));
        let (was, is) = (matched(&old), matched(&new));
        let mut out = Vec::new();
        match (was, is, new, old) {
            (false, true, Some(new), _) => self.object(&mut out, "ADDED", &new, now),
            (true, true, Some(new), _) => self.object(&mut out, "MODIFIED", &new, now),
            (true, false, _, Some(old)) => {
                // What it was when it last matched, at the revision of its leaving.
                let mut last = old.0.clone_object();
                last.meta_mut().resource_version = Some(e.revision.to_string());
                let last = Stored::new(last, old.1.unnoted(&old.0));
                self.object(&mut out, "DELETED", &last, now);
            }
            _ => return None,
        }
        Some(out)
    }

    /// Says how far the watch has come.
    pub fn bookmark(&mut self, revision: u64, now: Time) -> Vec<u8> {
        let mut out = Vec::new();
        self.bookmark_frame(&mut out, revision, false, now);
        out
    }

    fn bookmark_frame(&mut self, out: &mut Vec<u8>, revision: u64, initial_end: bool, now: Time) {
        let Some(mut object) = empty(self.kind()) else { return };
        let meta = object.meta_mut();
        meta.resource_version = Some(revision.to_string());
        if initial_end {
            meta.annotations = Some([("k8s.io/initial-events-end".to_string(), "true".to_string())].into());
        }
        let json = match self.wants.form {
            // A bookmark's table has no rows.
            As::Table(include) => {
                let metadata = ListMeta { resource_version: revision.to_string(), ..ListMeta::default() };
                table(self.kind(), std::iter::empty(), &metadata, self.look(include), now)
            }
            As::Metadata | As::MetadataList => partial(object.meta(), self.wants.forms_version()),
            As::Object => object.to_json(),
        };
        frame(out, "BOOKMARK", json);
    }

    fn look(&mut self, include: Include) -> Look {
        let columns = !std::mem::replace(&mut self.columns_sent, true);
        Look { version: self.wants.forms_version(), include, columns }
    }

    fn object(&mut self, out: &mut Vec<u8>, event: &str, o: &Stored, now: Time) {
        // The rows of a Table leave out who owns the fields.
        let seen = Seen { managed: !matches!(self.wants.form, As::Table(_)), form: self.spec.form };
        let o = shown(o, seen);
        let o = &*o;
        let json = match self.wants.form {
            As::Object => o.to_json(),
            As::Metadata | As::MetadataList => partial(o.meta(), self.wants.forms_version()),
            As::Table(include) => {
                let version = o.meta().resource_version.clone().unwrap_or_default();
                let metadata = ListMeta { resource_version: version, ..ListMeta::default() };
                table(self.kind(), std::iter::once(o), &metadata, self.look(include), now)
            }
        };
        frame(out, event, json);
    }
}

/// An object of the kind with nothing in it.
fn empty(kind: KindRef) -> Option<Box<dyn Object>> {
    kind.from_value(serde_json::json!({})).ok()
}
