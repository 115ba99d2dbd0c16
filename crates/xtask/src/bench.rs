//! `cargo xtask bench`
use crate::shell::Result;
pub fn run(_: &[String]) -> Result<()> {
    Ok(())
}
