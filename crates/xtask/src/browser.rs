//! Chromium for the tests: found, installed where that is possible, or asked for.

use crate::shell::{Result, cmd, output, quiet};
use std::path::{Path, PathBuf};

const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const PLACES: &[&str] = &[
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

fn find() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM") {
        return Some(path.into());
    }
    let on_path = std::env::var_os("PATH").into_iter().flat_map(|p| std::env::split_paths(&p).collect::<Vec<_>>());
    let candidates = on_path.flat_map(|dir| NAMES.iter().map(move |n| dir.join(n)));
    candidates.chain(PLACES.iter().map(PathBuf::from)).find(|p| p.is_file())
}

/// The browser's executable.
pub fn chromium() -> Result<PathBuf> {
    if let Some(path) = find() {
        return Ok(path);
    }
    let is_root = output("id", &["-u"]).as_deref() == Some("0");
    if is_root && Path::new("/usr/bin/apt-get").exists() {
        quiet("apt-update", &mut cmd("apt-get", &["update", "-q"]))?;
        let mut install = cmd("apt-get", &["install", "-y", "-q", "--no-install-recommends", "chromium"]);
        quiet("apt-chromium", install.env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    find().ok_or_else(|| {
        "no Chromium or Chrome found. Install one (Debian: `sudo apt-get install chromium`; elsewhere: \
         https://www.google.com/chrome/), or set CHROMIUM to its executable."
            .into()
    })
}
