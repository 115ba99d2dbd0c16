//! Traffic for a Service: a pod that asks for it so many times a second, as a person would write one with busybox. It is a
//! client like any other: what it does to endpoints, autoscalers and rollouts comes of its requests.

use protocol::{ApplyMode, Command, Detail, File, ObjectId, Panel};

/// Requests a second at most: each is a process of the simulated container.
pub const RATE_MAX: u32 = 50;
/// Seconds of a pattern's part. Then the shell collects what has ended.
const PART_S: u32 = 15;
/// Letters of a pod's name that is a host name as well.
const NAME_MAX: usize = 63;
/// How a pod of traffic is known (`crates/engine/src/panels/network.rs` looks for it).
const LABEL: &str = "traffic-for";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pattern {
    #[default]
    Steady,
    /// Up and down again in two minutes.
    Waves,
    /// A tenth for a minute, then all of it for half of one.
    Spikes,
}

impl Pattern {
    pub const ALL: [Pattern; 3] = [Pattern::Steady, Pattern::Waves, Pattern::Spikes];

    pub fn name(self) -> &'static str {
        match self {
            Pattern::Steady => "steady",
            Pattern::Waves => "waves",
            Pattern::Spikes => "spikes",
        }
    }
    pub fn of(name: &str) -> Pattern {
        Pattern::ALL.into_iter().find(|p| p.name() == name).unwrap_or_default()
    }
    /// Thousandths of the rate for [`PART_S`] seconds each, again and again.
    fn parts(self) -> &'static [u32] {
        match self {
            Pattern::Steady => &[1000],
            Pattern::Waves => &[125, 250, 500, 750, 1000, 750, 500, 250],
            Pattern::Spikes => &[100, 100, 100, 100, 1000, 1000],
        }
    }
}

/// The address that is asked for by default; `None`: nobody answers requests of such an object.
pub fn url(detail: &Detail) -> Option<String> {
    if detail.id.kind != "Service" || !detail.exists {
        return None;
    }
    let Some(Panel::Endpoints(panel)) = &detail.panel else { return None };
    let route = panel.routes.iter().find(|r| r.to.ends_with("/TCP"))?;
    let port = match route.via.as_str() {
        // Without an address of its own it is the pods' port.
        "DNS" => route.to.trim_end_matches("/TCP"),
        _ => route.from.rsplit_once(':')?.1,
    };
    let port = if port == "80" || port.parse::<u16>().is_err() { String::new() } else { format!(":{port}") };
    Some(format!("http://{}.{}{port}/", detail.id.name, detail.id.namespace))
}

/// For the shell: within a part it does not wait for answers, so that slow ones do not slow it down.
fn script(url: &str, rate: u32, pattern: Pattern) -> String {
    let mut out = format!(
        "ask() {{ n=0; while [ $n -lt $1 ]; do wget -q -T 5 -O /dev/null '{url}' & sleep $2; n=$((n+1)); done; wait; }}\nwhile true; do\n"
    );
    for permille in pattern.parts() {
        let thousandths = (rate * permille).max(100);
        let times = PART_S * thousandths / 1000;
        out.push_str(&format!("  ask {} {:.3}\n", times.max(1), 1000.0 / f64::from(thousandths)));
    }
    out.push_str("done\n");
    out
}

fn name(detail: &Detail) -> String {
    let name = format!("traffic-{}", detail.id.name);
    if name.len() <= NAME_MAX {
        return name;
    }
    // What is cut off tells two long names apart (FNV-1a).
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, b| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193));
    format!("{}-{hash:08x}", name[..NAME_MAX - 9].trim_end_matches(['-', '.']))
}

fn manifest(detail: &Detail, url: &str, rate: u32, pattern: Pattern) -> String {
    let indented = script(url, rate, pattern).lines().map(|l| format!("          {l}\n")).collect::<String>();
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {}\n  namespace: {:?}\n  labels:\n    {LABEL}: {:?}\n  annotations:\n    \
         requests-per-second: \"{rate}\"\n    pattern: {}\nspec:\n  terminationGracePeriodSeconds: 1\n  containers:\n    - name: \
         client\n      image: busybox:1.36\n      resources:\n        requests:\n          cpu: 10m\n      command:\n        - sh\n        - -c\n        - |\n{indented}",
        name(detail),
        detail.id.namespace,
        detail.id.name,
        pattern.name(),
    )
}

/// An input of the session like any other.
fn apply(detail: &Detail, mode: ApplyMode, text: String) -> Command {
    Command::Apply { id: 0, mode, files: vec![File { name: format!("{}.yaml", name(detail)), text }] }
}

/// An address may not end its quotes.
pub fn start(detail: &Detail, url: &str, rate: u32, pattern: Pattern) -> Command {
    let url: String = url.trim().chars().filter(|c| !c.is_whitespace() && *c != '\'').collect();
    apply(detail, ApplyMode::Apply, manifest(detail, &url, rate.clamp(1, RATE_MAX), pattern))
}

/// Of the pod that is shown as the traffic.
pub fn stop(detail: &Detail, pod: &ObjectId) -> Command {
    let text =
        format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {:?}, namespace: {:?}}}\n", pod.name, pod.namespace);
    apply(detail, ApplyMode::Delete, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::panel::{EndpointsPanel, RouteRow};

    fn service(via: &str, from: &str, to: &str) -> Detail {
        let id =
            ObjectId { kind: "Service".into(), namespace: "shop".into(), name: "web".into(), ..ObjectId::default() };
        let route = RouteRow { via: via.into(), from: from.into(), to: to.into() };
        let panel = EndpointsPanel { routes: vec![route], ..EndpointsPanel::default() };
        Detail { id, exists: true, panel: Some(Panel::Endpoints(panel)), ..Detail::default() }
    }

    #[test]
    fn the_first_port_that_answers_is_asked() {
        let of = |via: &str, from: &str, to: &str| url(&service(via, from, to));
        assert_eq!(of("ClusterIP", "10.96.0.1:80", "8080/TCP").as_deref(), Some("http://web.shop/"));
        assert_eq!(of("ClusterIP", "10.96.0.1:8080", "http/TCP").as_deref(), Some("http://web.shop:8080/"));
        assert_eq!(of("DNS", "web.shop.svc.cluster.local", "9000/TCP").as_deref(), Some("http://web.shop:9000/"));
        assert_eq!(of("ClusterIP", "10.96.0.1:53", "53/UDP"), None);
    }

    #[test]
    fn names_stay_texts() {
        let mut detail = service("ClusterIP", "10.96.0.1:80", "80/TCP");
        (detail.id.namespace, detail.id.name) = ("123".into(), "on".into());
        let text = |command| match command {
            Command::Apply { files, .. } => files[0].text.clone(),
            other => panic!("{other:?}"),
        };
        let started = text(start(&detail, "http://on.123/", 1, Pattern::default()));
        assert!(started.contains("namespace: \"123\"") && started.contains(": \"on\""), "{started}");
        let pod = ObjectId { namespace: "123".into(), name: "traffic-on".into(), ..ObjectId::default() };
        assert!(text(stop(&detail, &pod)).contains("namespace: \"123\""));
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let of = |name: String| {
            let mut detail = service("ClusterIP", "10.96.0.1:80", "80/TCP");
            detail.id.name = name;
            super::name(&detail)
        };
        assert_eq!(of("a".repeat(55)), format!("traffic-{}", "a".repeat(55)));
        let (one, other) = (of(format!("{}-one", "a".repeat(46))), of(format!("{}-other", "a".repeat(46))));
        assert_ne!(of("a".repeat(62) + "b"), of("a".repeat(62) + "c"));
        for name in [one, other, of("a".repeat(63)), of(format!("{}-{}", "a".repeat(45), "b".repeat(17)))] {
            assert!(name.len() <= 63 && name.ends_with(|c: char| c.is_ascii_alphanumeric()), "{name}");
        }
    }

    #[test]
    fn the_script_asks_as_often_as_it_is_to() {
        let lines = |p| {
            script("http://web/", 20, p)
                .lines()
                .filter(|l| l.starts_with("  ask"))
                .map(str::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(lines(Pattern::Steady), ["  ask 300 0.050"]);
        assert_eq!(
            lines(Pattern::Spikes),
            [
                "  ask 30 0.500",
                "  ask 30 0.500",
                "  ask 30 0.500",
                "  ask 30 0.500",
                "  ask 300 0.050",
                "  ask 300 0.050"
            ]
        );
        assert_eq!(lines(Pattern::Waves).len(), 8);
        let text = manifest(&service("ClusterIP", "10.96.0.1:80", "80/TCP"), "http://web.shop/", 20, Pattern::Steady);
        assert!(text.contains("          ask() {") && text.contains("name: traffic-web\n"), "{text}");
    }
}
