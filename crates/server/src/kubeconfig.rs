//! The kubeconfig file that lets kubectl in.

use crate::tls::Credentials;
use anyhow::Context;
use base64::Engine;
use std::path::Path;

/// Writes it so that only its owner can read it; an older file is replaced.
pub fn write(path: &Path, server: &str, c: &Credentials) -> anyhow::Result<()> {
    let encode = |pem: &str| base64::engine::general_purpose::STANDARD.encode(pem);
    let text = format!(
        "apiVersion: v1
kind: Config
clusters:
- name: kubottle
  cluster:
    server: {server}
    certificate-authority-data: {ca}
users:
- name: kubernetes-admin
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
contexts:
- name: kubernetes-admin@kubottle
  context:
    cluster: kubottle
    user: kubernetes-admin
current-context: kubernetes-admin@kubottle
",
        ca = encode(&c.ca),
        certificate = encode(&c.certificate),
        key = encode(&c.key),
    );
    if let Some(dir) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    }
    private_file(path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(unix)]
fn private_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    file.write_all(bytes)
}

#[cfg(not(unix))]
fn private_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::write(path, bytes)
}
