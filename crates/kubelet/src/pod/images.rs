//! Image names and pull decisions. Models `pkg/kubelet/images/image_manager.go` and
//! `github.com/distribution/reference`.

use k8s_openapi::api::core::v1::Container;

/// A reference taken apart: `docker.io/library/nginx`, `1.25`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRef {
    pub registry: String,
    pub repository: String,
    pub tag: String,
    pub digest: String,
}

impl ImageRef {
    /// # Errors
    /// The words upstream's parser uses for a malformed reference.
    pub fn parse(image: &str) -> Result<ImageRef, String> {
        let invalid = || "invalid reference format".to_string();
        if image.is_empty() || image.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(invalid());
        }
        let (rest, digest) = image.split_once('@').unwrap_or((image, ""));
        let slash = rest.rfind('/').map_or(0, |i| i + 1);
        let (name, tag) = match rest[slash..].find(':') {
            Some(i) => (&rest[..slash + i], &rest[slash + i + 1..]),
            None => (rest, ""),
        };
        if rest.ends_with(':') || name.is_empty() {
            return Err(invalid());
        }
        let (registry, path) = match name.split_once('/') {
            Some(("docker.io" | "index.docker.io", path)) if !path.contains('/') => {
                ("docker.io", format!("library/{path}"))
            }
            Some(("index.docker.io", path)) => ("docker.io", path.to_string()),
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path.to_string()),
            Some(_) => ("docker.io", name.to_string()),
            None => ("docker.io", format!("library/{name}")),
        };
        if path.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err("repository name must be lowercase".into());
        }
        let part_ok = |p: &str| {
            p.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
                && p.starts_with(|c: char| c.is_ascii_alphanumeric())
                && p.ends_with(|c: char| c.is_ascii_alphanumeric())
        };
        let tag_ok = tag.is_empty()
            || (tag.len() <= 128
                && !tag.starts_with(['.', '-'])
                && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)));
        if !path.split('/').all(part_ok) || !tag_ok {
            return Err(invalid());
        }
        let tag = if tag.is_empty() && digest.is_empty() { "latest" } else { tag };
        Ok(ImageRef { registry: registry.into(), repository: path, tag: tag.into(), digest: digest.into() })
    }
    /// `docker.io/library/nginx`
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }
    /// `docker.io/library/nginx:1.25`
    pub fn full(&self) -> String {
        match (self.tag.as_str(), self.digest.as_str()) {
            ("", d) => format!("{}@{d}", self.name()),
            (t, "") => format!("{}:{t}", self.name()),
            (t, d) => format!("{}:{t}@{d}", self.name()),
        }
    }
}

/// The policy of the container, or the default for its tag (the API server sets it already).
pub fn pull_policy(c: &Container) -> &str {
    c.image_pull_policy.as_deref().unwrap_or_else(|| default_policy(c.image.as_deref().unwrap_or("")))
}

/// The policy for an image without one, by its tag.
pub fn default_policy(image: &str) -> &'static str {
    let latest = ImageRef::parse(image).is_ok_and(|r| r.tag == "latest");
    if latest { "Always" } else { "IfNotPresent" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_normalized_as_docker_does() {
        for (image, full) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.25", "docker.io/library/nginx:1.25"),
            ("docker.io/redis:6.0.5", "docker.io/library/redis:6.0.5"),
            ("bitnami/redis", "docker.io/bitnami/redis:latest"),
            ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
            ("localhost:5000/a/b:x", "localhost:5000/a/b:x"),
        ] {
            assert_eq!(ImageRef::parse(image).map(|r| r.full()), Ok(full.to_string()));
        }
        assert_eq!(ImageRef::parse("Nginx"), Err("repository name must be lowercase".into()));
        for bad in ["", "nginx:", "a b", "-x", "nginx:.x"] {
            assert_eq!(ImageRef::parse(bad), Err("invalid reference format".into()), "{bad}");
        }
    }
}
