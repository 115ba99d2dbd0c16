//! The program of two books' pi images: with `-m web` it serves, else it says pi to so many places and ends.

use super::{Outcome, calc};
use crate::sim::machine::{Machine, World};

/// `dotnet Pi.Web.dll [-m console|file|web] [-dp PLACES] [-o FILE]`; `None` when it is to serve.
pub fn instead(m: &mut Machine, pid: u32, argv: &[String], world: &mut World) -> Option<Outcome> {
    if !argv.get(1).is_some_and(|a| a.ends_with("Pi.Web.dll")) {
        return None;
    }
    let value = |name: &str| argv.iter().skip_while(|a| *a != name).nth(1).map(String::as_str);
    let mode = value("-m").unwrap_or("console");
    if mode.eq_ignore_ascii_case("web") {
        return None;
    }
    let places = value("-dp").and_then(|n| n.parse::<usize>().ok()).unwrap_or(20);
    let pi = to(places);
    if mode.eq_ignore_ascii_case("file") {
        let path = value("-o").unwrap_or("/pi.txt");
        if m.fs.write(path, pi.as_bytes(), false, world.volumes).is_ok() {
            m.emit(pid, &format!("Wrote pi to: {places} dp; at: {path}\n"), false, world);
        }
    } else {
        m.emit(pid, &format!("{pi}\n"), false, world);
    }
    Some(Outcome::Exit(0))
}

/// The digits after the point are cut off, not rounded.
fn to(places: usize) -> String {
    let mut pi = calc::pi(places.saturating_add(10));
    pi.truncate(places.saturating_add(2));
    pi
}

#[cfg(test)]
mod tests {
    #[test]
    fn pi_is_cut_off() {
        assert_eq!(super::to(6), "3.141592");
        assert_eq!(super::to(50), "3.14159265358979323846264338327950288419716939937510");
    }
}
