//! The images of wasm nodes: component files kept in the state directory, named as container images are.

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// One image, as `kubottle image list` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageRecord {
    /// `sha256:…` of the file.
    pub digest: String,
    pub size_bytes: u64,
    /// `command` or `http`.
    pub kind: String,
}

/// The index file's content: full names (`docker.io/library/hello:v1`) to images.
type Index = BTreeMap<String, ImageRecord>;

/// A directory with one file per digest and `index.json`. Read anew at every look-up: `kubottle image load`
/// runs beside a server.
#[derive(Clone, Debug)]
pub struct Images {
    dir: PathBuf,
}

impl Images {
    pub fn new(state: &Path) -> Self {
        Images { dir: state.join("images") }
    }

    pub fn list(&self) -> anyhow::Result<Index> {
        let path = self.dir.join("index.json");
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", path.display())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Index::new()),
            Err(e) => Err(e).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// `kind` is what validation found the component to be.
    pub fn add(&self, name: &str, bytes: &[u8], kind: &str) -> anyhow::Result<(String, ImageRecord)> {
        let name = full_name(name)?;
        let record = ImageRecord { digest: digest(bytes), size_bytes: bytes.len() as u64, kind: kind.into() };
        fs::create_dir_all(&self.dir).with_context(|| format!("cannot create {}", self.dir.display()))?;
        write_atomically(&self.file(&record.digest), bytes)?;
        let mut index = self.list()?;
        index.insert(name.clone(), record.clone());
        write_atomically(&self.dir.join("index.json"), &serde_json::to_vec_pretty(&index)?)?;
        Ok((name, record))
    }

    /// The image under `name`, when there is one.
    pub fn find(&self, name: &str) -> anyhow::Result<Option<ImageRecord>> {
        let name = full_name(name)?;
        Ok(self.list()?.get(&name).cloned())
    }

    /// The component's bytes; an error when they are not what was loaded.
    pub fn read(&self, record: &ImageRecord) -> anyhow::Result<Vec<u8>> {
        let path = self.file(&record.digest);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if digest(&bytes) != record.digest {
            bail!("{} is damaged: load the image again", path.display());
        }
        Ok(bytes)
    }

    fn file(&self, digest: &str) -> PathBuf {
        self.dir.join(format!("{}.wasm", digest.trim_start_matches("sha256:")))
    }
}

fn digest(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for b in Sha256::digest(bytes) {
        text.push_str(&format!("{b:02x}"));
    }
    text
}

fn write_atomically(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let temporary = path.with_extension(format!("tmp{}", std::process::id()));
    fs::write(&temporary, bytes).with_context(|| format!("cannot write {}", temporary.display()))?;
    fs::rename(&temporary, path).with_context(|| format!("cannot write {}", path.display()))
}

/// Fills in what an image reference leaves out. Models `distribution/reference` `ParseNormalizedNamed`:
/// `hello` is `docker.io/library/hello:latest`.
pub fn full_name(name: &str) -> anyhow::Result<String> {
    let (path, tag) = match name.rsplit_once('/') {
        Some((dir, last)) => match last.split_once(':') {
            Some((base, tag)) => (format!("{dir}/{base}"), tag),
            None => (name.to_string(), "latest"),
        },
        None => {
            let (base, tag) = name.split_once(':').unwrap_or((name, "latest"));
            (base.to_string(), tag)
        }
    };
    let path = match path.split_once('/') {
        None => format!("docker.io/library/{path}"),
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => path,
        Some(_) => format!("docker.io/{path}"),
    };
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/:".contains(c);
    let tag_char = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let empty_part = path.split('/').any(str::is_empty);
    if empty_part || !path.chars().all(word) || tag.is_empty() || tag.len() > 128 || !tag.chars().all(tag_char) {
        bail!(
            "invalid image name {name:?}: use lower case letters, digits and . _ - /, and a tag after ':', as in hello:v1"
        );
    }
    Ok(format!("{path}:{tag}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_as_docker_does() {
        for (name, full) in [
            ("hello", "docker.io/library/hello:latest"),
            ("hello:v1", "docker.io/library/hello:v1"),
            ("me/hello", "docker.io/me/hello:latest"),
            ("registry.example:5000/hello:V1", "registry.example:5000/hello:V1"),
            ("localhost/hello", "localhost/hello:latest"),
        ] {
            assert_eq!(full_name(name).unwrap(), full);
        }
        for bad in ["", "Hello", "hello:", "a//b", "hello:v 1"] {
            assert!(full_name(bad).is_err(), "{bad:?}");
        }
    }
}
