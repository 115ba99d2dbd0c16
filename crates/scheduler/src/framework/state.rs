//! What a plugin computed early in a cycle for its own later points. Models `framework.CycleState`.

use std::any::{Any, TypeId};

/// A plugin's private state for one cycle: any cloneable type. The type itself is the key, so a plugin can only
/// reach the states whose types it can name.
pub trait StateData: Any {
    fn clone_state(&self) -> Box<dyn StateData>;
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<T: Any + Clone> StateData for T {
    fn clone_state(&self) -> Box<dyn StateData> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// A cycle has a handful of states: a linear search beats hashing.
#[derive(Default)]
pub struct CycleState(Vec<(TypeId, Box<dyn StateData>)>);

impl CycleState {
    /// Stores `data`, replacing a state of the same type.
    pub fn write<T: Any + Clone>(&mut self, data: T) {
        match self.get_mut::<T>() {
            Some(old) => *old = data,
            None => self.0.push((TypeId::of::<T>(), Box::new(data))),
        }
    }
    pub fn get<T: Any>(&self) -> Option<&T> {
        let (_, found) = self.0.iter().find(|(id, _)| *id == TypeId::of::<T>())?;
        (**found).as_any().downcast_ref()
    }
    pub fn get_mut<T: Any>(&mut self) -> Option<&mut T> {
        let (_, found) = self.0.iter_mut().find(|(id, _)| *id == TypeId::of::<T>())?;
        (**found).as_any_mut().downcast_mut()
    }
}

impl Clone for CycleState {
    fn clone(&self) -> Self {
        CycleState(self.0.iter().map(|(id, s)| (*id, (**s).clone_state())).collect())
    }
}
