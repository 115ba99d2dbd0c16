//! Files of a volume that get in each other's way. Models `warningsForOverlappingVirtualPaths`.

use crate::validate::text;
use k8s_openapi::api::core::v1::{DownwardAPIVolumeFile, KeyToPath, Volume, VolumeProjection};

/// A path in a volume, and what it comes from where a volume has several sources.
struct File {
    path: String,
    source: String,
}

impl File {
    fn new(path: &str, source: &str) -> File {
        File { path: path.into(), source: source.into() }
    }
    fn text(&self) -> String {
        if self.source.is_empty() { format!("{:?}", self.path) } else { format!("{:?} ({})", self.path, self.source) }
    }
}

fn keys(list: Option<&Vec<KeyToPath>>, source: &str) -> Vec<File> {
    list.into_iter().flatten().map(|k| File::new(&k.path, source)).collect()
}

fn downward(list: Option<&Vec<DownwardAPIVolumeFile>>, source: &str) -> Vec<File> {
    list.into_iter().flatten().map(|f| File::new(&f.path, source)).collect()
}

pub(super) fn of(volumes: &[Volume], out: &mut Vec<String>) {
    for v in volumes {
        let mut say = |what: &str, files: Vec<File>| {
            for overlap in overlaps(files) {
                out.push(format!("volume {:?} ({what}): overlapping paths: {overlap}", v.name));
            }
        };
        if let Some(c) = &v.config_map {
            say(&format!("ConfigMap {:?}", c.name), keys(c.items.as_ref(), ""));
        }
        if let Some(s) = &v.secret {
            say(&format!("Secret {:?}", text(&s.secret_name)), keys(s.items.as_ref(), ""));
        }
        if let Some(d) = &v.downward_api {
            say("DownwardAPI", downward(d.items.as_ref(), ""));
        }
        let Some(p) = &v.projected else { continue };
        let sources = p.sources.as_deref().unwrap_or_default();
        say("Projected", sources.iter().flat_map(projected).collect());
        for _ in sources.iter().filter(|s| **s == VolumeProjection::default()) {
            out.push(format!("volume {:?} (Projected) has no sources provided", v.name));
        }
    }
}

fn projected(s: &VolumeProjection) -> Vec<File> {
    if let Some(c) = s.config_map.as_ref().filter(|c| c.items.is_some()) {
        keys(c.items.as_ref(), &format!("ConfigMap {:?}", c.name))
    } else if let Some(c) = s.secret.as_ref().filter(|c| c.items.is_some()) {
        keys(c.items.as_ref(), &format!("Secret {:?}", c.name))
    } else if let Some(d) = s.downward_api.as_ref().filter(|d| d.items.is_some()) {
        downward(d.items.as_ref(), "DownwardAPI")
    } else if let Some(t) = &s.service_account_token {
        vec![File::new(&t.path, "ServiceAccountToken")]
    } else {
        Vec::new()
    }
}

/// `"a" with "a/b"`: each file with those before it that it equals, contains or lies in.
fn overlaps(files: Vec<File>) -> Vec<String> {
    let mut out = Vec::new();
    let mut seen: Vec<File> = Vec::new();
    for mut f in files {
        f.path = f.path.trim_end_matches('/').into();
        let inside = |a: &str, b: &str| a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
        for s in seen.iter().filter(|s| !f.path.is_empty() && !s.path.is_empty()) {
            if f.path == s.path || inside(&f.path, &s.path) || inside(&s.path, &f.path) {
                out.push(format!("{} with {}", f.text(), s.text()));
            }
        }
        seen.push(f);
    }
    out
}
