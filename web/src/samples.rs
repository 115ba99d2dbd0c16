//! Manifests to start from. Data only: titles and descriptions are in the catalogue, `sample.<code>.title` and
//! `sample.<code>.about`.

pub struct Sample {
    /// What it is there for: `sample.group.<code>` names it.
    pub group: &'static str,
    pub code: &'static str,
    pub file: &'static str,
    pub yaml: &'static str,
}

macro_rules! sample {
    ($code:literal) => {
        sample!("first", $code)
    };
    ($group:literal, $code:literal) => {
        Sample {
            group: $group,
            code: $code,
            file: concat!($code, ".yaml"),
            yaml: include_str!(concat!("samples/", $code, ".yaml")),
        }
    };
}

/// The first three are offered on an empty stage. Those about placement are one for each of the factors that
/// Kubernetes' documentation says kube-scheduler takes into account.
pub const SAMPLES: &[Sample] = &[
    sample!("deployment"),
    sample!("too-big"),
    sample!("crash-loop"),
    sample!("service"),
    sample!("statefulset"),
    sample!("job"),
    sample!("cronjob"),
    sample!("daemonset"),
    sample!("bare-pods"),
    sample!("node-selector"),
    sample!("tolerations"),
    sample!("config-env"),
    sample!("rolling-update"),
    sample!("probes"),
    sample!("autoscaling"),
    sample!("wasm"),
    sample!("placement", "requests"),
    sample!("placement", "hardware"),
    sample!("placement", "dedicated"),
    sample!("placement", "gated"),
    sample!("placement", "affinity"),
    sample!("placement", "image-locality"),
    sample!("placement", "volume-locality"),
    sample!("placement", "zones"),
    sample!("placement", "interference"),
    sample!("placement", "priority"),
    sample!("placement", "deadline"),
    sample!("placement", "disruption-budget"),
    sample!("extending", "definition"),
    sample!("extending", "custom-resource"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::{Lang, find};

    #[test]
    fn every_sample_has_a_title_and_a_description() {
        for s in SAMPLES {
            let group = format!("sample.group.{}", s.group);
            assert!(find(Lang::En, &group).is_some() && find(Lang::Ko, &group).is_some(), "{group}");
            for part in ["title", "about"] {
                let key = format!("sample.{}.{part}", s.code);
                assert!(find(Lang::En, &key).is_some() && find(Lang::Ko, &key).is_some(), "{key}");
            }
            assert!(s.yaml.contains("apiVersion:") && !s.yaml.contains('\t'), "{}", s.code);
        }
    }
}
