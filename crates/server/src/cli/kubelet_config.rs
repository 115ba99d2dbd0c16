//! `--kubelet-config`: what kubelets read from a KubeletConfiguration.

use super::{borrowed, problems, read_files};
use anyhow::anyhow;
use kubelet::eviction::Settings;
use manifest::Limits;
use std::path::Path;

/// The thresholds of the file. What else it says has no effect here, and that is printed.
///
/// # Errors
/// The file cannot be read, or a kubelet would not start with it.
pub fn read(path: &Path) -> anyhow::Result<Settings> {
    let files = read_files(&[path.to_path_buf()])?;
    let documents = manifest::parse_values(&borrowed(&files), Limits::REQUEST).map_err(|p| problems(&p))?;
    let [document] = documents.as_slice() else {
        let n = documents.len();
        return Err(anyhow!("{}: one KubeletConfiguration is expected, {n} documents found", path.display()));
    };
    let (settings, unused) = Settings::parse(&document.value).map_err(|e| anyhow!("{}: {e}", path.display()))?;
    if !unused.is_empty() {
        eprintln!("kubottle: {}: without effect: {}", path.display(), unused.join(", "));
    }
    Ok(settings)
}
