use super::build;
use crate::env::Files;
use crate::print::yaml::to_yaml;

/// The files that the comparison with the real kubectl uses.
struct Disk(std::path::PathBuf);

impl Files for Disk {
    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(path)).ok()
    }
    fn list(&self, path: &str) -> Option<Vec<String>> {
        let entries = std::fs::read_dir(self.0.join(path)).ok()?;
        Some(entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
    }
}

fn built(dir: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/kubectl/equal/files/kust");
    let objects = build(&Disk(root), dir).unwrap_or_else(|e| panic!("{}", e.said()));
    objects.iter().map(to_yaml).collect::<Vec<_>>().join("---\n")
}

#[test]
fn a_base_has_its_generated_names() {
    expect_test::expect_file!["testdata/base.yaml"].assert_eq(&built("base"));
}

#[test]
fn an_overlay_is_as_the_real_one_makes_it() {
    expect_test::expect_file!["testdata/overlay.yaml"].assert_eq(&built("overlay"));
}
