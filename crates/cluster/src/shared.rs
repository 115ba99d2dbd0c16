//! A component that copies of a cluster share until one of them calls it: between two checkpoints most nodes do little.

use reconcile::Component;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

pub struct Shared(Arc<dyn Component>);

impl Shared {
    /// Another copy, for this moment the same component.
    pub(crate) fn share(&self) -> Shared {
        Shared(self.0.clone())
    }
}

impl From<Box<dyn Component>> for Shared {
    fn from(component: Box<dyn Component>) -> Shared {
        Shared(component.into())
    }
}

impl Deref for Shared {
    type Target = dyn Component;
    fn deref(&self) -> &dyn Component {
        &*self.0
    }
}

impl DerefMut for Shared {
    fn deref_mut(&mut self) -> &mut dyn Component {
        if Arc::get_mut(&mut self.0).is_none() {
            self.0 = self.0.clone_box().into();
        }
        // Nobody else can have it by now.
        Arc::get_mut(&mut self.0).expect("a component of one's own")
    }
}
