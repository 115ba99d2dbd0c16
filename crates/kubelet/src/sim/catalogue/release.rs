//! Which distribution an image is made of, as its `/etc/os-release` says.

use super::{Image, Tools};

/// What is made of something else than Debian, though its tools are alike.
const OTHERS: &[&str] =
    &["amazonlinux", "centos", "fedora", "oraclelinux", "rockylinux", "almalinux", "ubi", "amazon/"];
const UBUNTU: &[(&str, &str, &str)] = &[
    ("24.04", "noble", "Noble Numbat"),
    ("22.04", "jammy", "Jammy Jellyfish"),
    ("20.04", "focal", "Focal Fossa"),
    ("18.04", "bionic", "Bionic Beaver"),
];
const DEBIAN: &[(&str, &str)] = &[("12", "bookworm"), ("13", "trixie"), ("11", "bullseye"), ("10", "buster")];

fn alpine(version: &str) -> String {
    format!(
        "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID={version}\nPRETTY_NAME=\"Alpine Linux v{}\"\n\
         HOME_URL=\"https://alpinelinux.org/\"\nBUG_REPORT_URL=\"https://gitlab.alpinelinux.org/alpine/aports/-/issues\"\n",
        version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
    )
}

/// Of a Debian by its number and its name.
pub fn debian(id: &str, code: &str) -> String {
    format!(
        "PRETTY_NAME=\"Debian GNU/Linux {id} ({code})\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"{id}\"\n\
         VERSION=\"{id} ({code})\"\nVERSION_CODENAME={code}\nID=debian\nHOME_URL=\"https://www.debian.org/\"\n\
         SUPPORT_URL=\"https://www.debian.org/support\"\nBUG_REPORT_URL=\"https://bugs.debian.org/\"\n"
    )
}

/// `None`: the image has none, or nobody knows here.
pub fn os_release(image: &Image, tag: &str) -> Option<String> {
    let version: String = match tag.split_once("alpine") {
        Some((_, rest)) => rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect(),
        None if image.name.ends_with("library/alpine") => tag.into(),
        None if image.tools != Tools::Debian || OTHERS.iter().any(|o| image.name.contains(o)) => return None,
        None if image.name.contains("ubuntu") => {
            let (id, code, name) = UBUNTU.iter().find(|(v, code, _)| tag == *v || tag == *code).unwrap_or(&UBUNTU[0]);
            return Some(format!(
                "PRETTY_NAME=\"Ubuntu {id} LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"{id}\"\nVERSION=\"{id} LTS ({name})\"\n\
                 VERSION_CODENAME={code}\nID=ubuntu\nID_LIKE=debian\nHOME_URL=\"https://www.ubuntu.com/\"\n\
                 SUPPORT_URL=\"https://help.ubuntu.com/\"\nBUG_REPORT_URL=\"https://bugs.launchpad.net/ubuntu/\"\n\
                 UBUNTU_CODENAME={code}\n"
            ));
        }
        None => {
            let own = |v: &str| image.name.ends_with("library/debian") && tag.split(['.', '-']).next() == Some(v);
            let (id, code) = DEBIAN.iter().find(|(v, code)| tag.contains(code) || own(v)).unwrap_or(&DEBIAN[0]);
            return Some(debian(id, code));
        }
    };
    let dated = version.starts_with(|c: char| c.is_ascii_digit());
    let version = if dated { version } else { "3.22.0".into() };
    // A tag of two numbers is the newest of its patches; which one that was is not known.
    Some(alpine(&if version.matches('.').count() < 2 { format!("{version}.0") } else { version }))
}

#[cfg(test)]
mod tests {
    use crate::pod::images::ImageRef;

    #[test]
    fn an_image_says_what_it_is_made_of() {
        let said = |image: &str| {
            let r = ImageRef::parse(image).unwrap();
            let text = super::os_release(super::super::find(&r).unwrap(), &r.tag).unwrap_or_default();
            let line = text.lines().find_map(|l| l.strip_prefix("PRETTY_NAME="));
            line.unwrap_or_default().trim_matches('"').to_string()
        };
        assert_eq!(said("nginx:1.27"), "Debian GNU/Linux 12 (bookworm)");
        assert_eq!(said("nginx:1.27-alpine"), "Alpine Linux v3.22");
        assert_eq!(said("alpine:3.19"), "Alpine Linux v3.19");
        assert_eq!(said("ubuntu:22.04"), "Ubuntu 22.04 LTS");
        assert_eq!(said("debian:11-slim"), "Debian GNU/Linux 11 (bullseye)");
        assert_eq!(said("busybox:1.36"), "");
        assert_eq!(said("centos:7"), "");
    }
}
