//! ImageLocality: prefers nodes that have the pod's images. Models `plugins/imagelocality`.

use super::amounts::quantity;
use crate::framework::{ClusterEvent, CycleState, Handle, Hint, MAX_NODE_SCORE, NodeInfo, Plugin, PodInfo, Score};
use trace::explain::Inputs;
use trace::note;

pub const NAME: &str = "ImageLocality";

const MB: i64 = 1024 * 1024;
const MIN_THRESHOLD: i64 = 23 * MB;
const MAX_CONTAINER_THRESHOLD: i64 = 1000 * MB;

pub struct ImageLocality;

/// The pod's images that some node has: number in the snapshot and scaled score, and how many images it has in all.
struct PodImages {
    known: Vec<(u32, i64)>,
    count: i64,
}

/// The name as container runtimes report it: with a tag.
pub fn normalized_image_name(name: &str) -> String {
    if name.rfind(':').map_or(-1, |i| i as i64) <= name.rfind('/').map_or(-1, |i| i as i64) {
        format!("{name}:latest")
    } else {
        name.to_string()
    }
}

impl Plugin for ImageLocality {
    fn name(&self) -> &'static str {
        NAME
    }
    fn as_score(&self) -> Option<&dyn Score> {
        Some(self)
    }
    fn score_inputs(&self, h: &Handle, _: &CycleState, pod: &PodInfo, node: &NodeInfo) -> Inputs {
        let mut inputs = Inputs::default();
        let spec = pod.pod.spec.as_ref();
        let containers = spec.into_iter().flat_map(|s| s.init_containers.iter().flatten().chain(&s.containers));
        for image in containers.map(|c| normalized_image_name(c.image.as_deref().unwrap_or_default())) {
            let known = h.snapshot.image_number(&image);
            inputs.notes.push(match known.filter(|n| node.images.binary_search(n).is_ok()) {
                Some(n) => {
                    let size = quantity("memory", h.snapshot.image(n).size);
                    note!("cell.image-here", image = image, size = size, nodes = h.snapshot.image(n).nodes)
                }
                None => note!("cell.image-absent", image = image),
            });
        }
        inputs
    }
    fn hint(&self, _: &PodInfo, _: &ClusterEvent) -> Hint {
        Hint::Skip
    }
}

impl PodImages {
    fn of(h: &Handle, pod: &PodInfo) -> Self {
        let mut found = PodImages { known: Vec::new(), count: 0 };
        let Some(spec) = pod.pod.spec.as_ref() else { return found };
        let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
        let volumes = spec.volumes.iter().flatten().filter_map(|v| v.image.as_ref());
        let volumes = volumes.map(|i| i.reference.as_deref().unwrap_or_default());
        for image in containers.map(|c| c.image.as_deref().unwrap_or_default()).chain(volumes) {
            found.count += 1;
            if h.snapshot.images.list.is_empty() {
                continue;
            }
            if let Some(number) = h.snapshot.image_number(&normalized_image_name(image)) {
                let image = h.snapshot.image(number);
                // Images that many nodes have count in full, so that one hot node does not draw all pods.
                let spread = image.nodes as f64 / h.snapshot.nodes.len() as f64;
                found.known.push((number, (image.size as f64 * spread) as i64));
            }
        }
        found
    }

    fn score(&self, node: &NodeInfo) -> i64 {
        let here = self.known.iter().filter(|(n, _)| node.images.binary_search(n).is_ok());
        let sum: i64 = here.map(|(_, score)| score).sum();
        let max = MAX_CONTAINER_THRESHOLD * self.count;
        MAX_NODE_SCORE * (sum.min(max).max(MIN_THRESHOLD) - MIN_THRESHOLD) / (max - MIN_THRESHOLD)
    }
}

impl Score for ImageLocality {
    fn score(&self, h: &Handle, _: &CycleState, pod: &PodInfo, node: &NodeInfo) -> i64 {
        PodImages::of(h, pod).score(node)
    }
    fn score_all(&self, h: &Handle, _: &CycleState, pod: &PodInfo, nodes: &[usize], out: &mut Vec<i64>) {
        let images = PodImages::of(h, pod);
        if images.known.is_empty() {
            out.resize(out.len() + nodes.len(), 0);
        } else {
            out.extend(nodes.iter().map(|n| images.score(&h.snapshot.nodes[*n])));
        }
    }
}
