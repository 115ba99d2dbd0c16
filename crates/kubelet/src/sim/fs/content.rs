//! What is in a file, without a copy of it.

use std::ops::Deref;
use std::sync::Arc;

pub(super) enum Content<'a> {
    /// The kubelet's.
    Given(&'a Arc<[u8]>),
    /// The image's, or what was written.
    Kept(&'a [u8]),
    /// What comes about when somebody looks.
    Made(String),
}

impl Content<'_> {
    pub fn shared(self) -> Arc<[u8]> {
        match self {
            Content::Given(all) => all.clone(),
            other => (&*other).into(),
        }
    }
}

impl Deref for Content<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Content::Given(all) => all,
            Content::Kept(all) => all,
            Content::Made(text) => text.as_bytes(),
        }
    }
}
