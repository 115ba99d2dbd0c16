//! What `kubottle lesson new` writes: a lesson that passes its own check, to be changed bit by bit.

/// The file, for a lesson of this name.
pub fn lesson(id: &str) -> String {
    include_str!("template.md").replace("NAME", id)
}
