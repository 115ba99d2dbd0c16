use super::build;
use crate::env::Files;
use crate::print::yaml::to_yaml;

macro_rules! files {
    ($($path:literal)*) => {
        &[$(($path, include_str!(concat!("../../../../tests/kubectl/equal/files/kust/", $path)))),*]
    };
}

/// The files that the comparison with the real kubectl uses.
const FILES: &[(&str, &str)] = files! {
    "base/app.properties" "base/kustomization.yaml" "base/rest.yaml" "base/some.env" "base/web.yaml"
    "comp/job.yaml" "comp/kustomization.yaml"
    "overlay/cpu.yaml" "overlay/kustomization.yaml" "overlay/namespace.yaml"
};

struct Known;

impl Files for Known {
    fn read(&self, path: &str) -> Option<String> {
        FILES.iter().find(|(known, _)| *known == path).map(|(_, text)| (*text).to_string())
    }
    fn list(&self, path: &str) -> Option<Vec<String>> {
        let within = |known: &str| Some(known.strip_prefix(path)?.strip_prefix('/')?.split('/').next()?.to_string());
        let mut names: Vec<String> = FILES.iter().filter_map(|(known, _)| within(known)).collect();
        names.dedup();
        (!names.is_empty()).then_some(names)
    }
}

fn built(dir: &str) -> String {
    let objects = build(&Known, dir).unwrap_or_else(|e| panic!("{}", e.said()));
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
