//! Directories of static pods, as kubelets read them. Models `pkg/kubelet/config/file.go`.

use super::decode;
use crate::world::Handle;
use anyhow::{Context, anyhow};
use cluster::Cluster;
use k8s_openapi::api::core::v1::Pod;
use kubelet::statics::{self, Manifests};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

const NODE: &str = "node-1";
/// Kubelets are told of changes by the system, and look themselves every 20 s.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// `--pod-manifest-path`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticPods {
    node: String,
    dir: PathBuf,
}

impl FromStr for StaticPods {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (node, dir) = text.split_once('=').unwrap_or((NODE, text));
        Ok(StaticPods { node: node.into(), dir: dir.into() })
    }
}

impl StaticPods {
    /// The pods of the directory's files, and what kubelets say about files that they take nothing from.
    fn read(&self) -> anyhow::Result<(Manifests, Vec<String>)> {
        let listing = std::fs::read_dir(&self.dir).with_context(|| format!("cannot read {}", self.dir.display()))?;
        let mut files: Vec<PathBuf> = listing.filter_map(|e| Some(e.ok()?.path())).collect();
        let hidden = |f: &Path| f.file_name().is_none_or(|n| n.to_string_lossy().starts_with('.'));
        files.retain(|f| f.is_file() && !hidden(f));
        files.sort();
        let (mut manifests, mut problems) = (Manifests::new(), Vec::new());
        for file in files {
            let name = file.display().to_string();
            match self.pod(&name, &file) {
                Ok(pod) => _ = manifests.insert(name, Arc::new(pod)),
                Err(why) => problems.push(format!("{name}: {why}")),
            }
        }
        Ok((manifests, problems))
    }

    fn pod(&self, name: &str, file: &Path) -> Result<Pod, String> {
        let text = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
        let documents = manifest::parse(&[(name, &text)]).map_err(|p| super::problems(&p).to_string())?;
        let [document] = documents.as_slice() else { return Err("a file has one pod".into()) };
        let object = decode(document).map_err(|p| super::problems(&p).to_string())?;
        let pod = object.and_then(|o| o.into_any().downcast::<Pod>().ok()).ok_or("invalid pod: not a v1 Pod")?;
        statics::read(&pod, name, &self.node)?;
        Ok(*pod)
    }

    /// Gives them to the node.
    pub fn give(&self, cluster: &mut Cluster) -> anyhow::Result<()> {
        let (manifests, problems) = self.read()?;
        for why in problems {
            eprintln!("kubottle: could not process manifest file {why}");
        }
        match cluster.set_manifests(&self.node, manifests) {
            true => Ok(()),
            false => Err(anyhow!("--pod-manifest-path: there is no node {:?}", self.node)),
        }
    }

    /// Follows the directory as long as the server runs.
    pub async fn watch(self, handle: Handle) {
        let mut known = self.read().unwrap_or_default();
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            ticks.tick().await;
            let Ok(found) = self.read() else { continue };
            if found == known {
                continue;
            }
            for why in found.1.iter().filter(|why| !known.1.contains(why)) {
                eprintln!("kubottle: could not process manifest file {why}");
            }
            let (node, manifests) = (self.node.clone(), found.0.clone());
            known = found;
            if handle.ask(move |w| w.cluster.set_manifests(&node, manifests)).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_may_name_its_node() {
        let of = |text: &str| text.parse::<StaticPods>().map(|p| (p.node, p.dir.display().to_string()));
        assert_eq!(of("manifests"), Ok(("node-1".into(), "manifests".into())));
        assert_eq!(of("node-2=/etc/kubernetes/manifests"), Ok(("node-2".into(), "/etc/kubernetes/manifests".into())));
    }
}
