//! What a KubeletConfiguration says about evictions. Models `ParseThresholdConfig` of `pkg/kubelet/eviction/helpers.go` and
//! the defaults of `pkg/kubelet/apis/config/v1beta1`.

use super::Signal;
use meta::{Duration, Quantity};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How much is too little.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Bytes, or process IDs.
    Amount(u64),
    /// Of the capacity, 1.0 being all of it. Upstream's percentages are 32-bit floats.
    Part(f32),
}

impl Limit {
    pub fn of(self, capacity: u64) -> u64 {
        match self {
            Limit::Amount(n) => n,
            Limit::Part(p) => (capacity as f64 * f64::from(p)) as u64,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    pub signal: Signal,
    pub limit: Limit,
    /// So long it has to be met; zero: the threshold is hard.
    pub grace: Duration,
    /// So much more than the limit must be there before all is well again.
    pub minimum_reclaim: Option<Limit>,
}

impl Threshold {
    fn hard(signal: Signal, limit: Limit) -> Self {
        Threshold { signal, limit, grace: Duration(0), minimum_reclaim: None }
    }
    pub fn is_hard(&self) -> bool {
        self.grace == Duration(0)
    }
}

/// The kubelet's settings for evictions.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Hard ones first.
    pub thresholds: Vec<Threshold>,
    /// `evictionMaxPodGracePeriod`: so long pods have at most that leave for a soft threshold.
    pub max_pod_grace: Duration,
    /// `evictionPressureTransitionPeriod`: so long a condition stays after it was observed last.
    pub transition: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            thresholds: vec![
                Threshold::hard(Signal::MemoryAvailable, Limit::Amount(100 << 20)),
                Threshold::hard(Signal::NodeFsAvailable, Limit::Part(0.1)),
                Threshold::hard(Signal::ImageFsAvailable, Limit::Part(0.15)),
            ],
            max_pod_grace: Duration(0),
            transition: Duration::from_secs(300),
        }
    }
}

/// Signals that a real kubelet knows, and that are not observed here.
const UNOBSERVED: &[&str] = &[
    "nodefs.inodesFree",
    "imagefs.inodesFree",
    "containerfs.available",
    "containerfs.inodesFree",
    "allocatableMemory.available",
];
/// The fields that count.
const FIELDS: &[&str] = &[
    "apiVersion",
    "kind",
    "evictionHard",
    "evictionSoft",
    "evictionSoftGracePeriod",
    "evictionMaxPodGracePeriod",
    "evictionMinimumReclaim",
    "evictionPressureTransitionPeriod",
];

/// A signal, or `None` for one that is not observed.
fn signal(name: &str) -> Result<Option<Signal>, String> {
    match Signal::ALL.into_iter().find(|s| s.name() == name) {
        Some(s) => Ok(Some(s)),
        None if UNOBSERVED.contains(&name) => Ok(None),
        None => Err(format!("unsupported eviction signal {name}")),
    }
}

/// `parsePercentage`
fn part(text: &str) -> Result<f32, String> {
    let number = text.trim_end_matches('%');
    let wrong = |_| format!("strconv.ParseFloat: parsing {number:?}: invalid syntax");
    number.parse::<f32>().map(|p| p / 100.0).map_err(wrong)
}

/// `parseThresholdStatement`; `None` switches the threshold off.
fn limit(name: &str, text: &str) -> Result<Option<Limit>, String> {
    if matches!(text, "0%" | "100%") {
        return Ok(None);
    }
    if text.ends_with('%') {
        return match part(text)? {
            p if p < 0.0 => Err(format!("eviction percentage threshold {name} must be >= 0%: {text}")),
            p if p > 1.0 => Err(format!("eviction percentage threshold {name} must be <= 100%: {text}")),
            p => Ok(Some(Limit::Part(p))),
        };
    }
    match u64::try_from(quantity(text)?.value()) {
        Ok(n) if n > 0 => Ok(Some(Limit::Amount(n))),
        _ => Err(format!("eviction threshold {name} must be positive: {text}")),
    }
}

fn quantity(text: &str) -> Result<Quantity, String> {
    let expected = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    Quantity::parse(text).map_err(|_| expected.to_string())
}

fn reclaim(name: &str, text: &str) -> Result<Limit, String> {
    if text.ends_with('%') {
        let p = part(text)?;
        let wrong = || format!("eviction percentage minimum reclaim {name} must be positive: {text}");
        return (p > 0.0).then_some(Limit::Part(p)).ok_or_else(wrong);
    }
    let n = u64::try_from(quantity(text)?.value());
    n.map(Limit::Amount).map_err(|_| format!("negative eviction minimum reclaim specified for {name}"))
}

/// `1h30m`, `90s`, `1.5s`; models `time.ParseDuration`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration(0));
    }
    let mut micros = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let units = [("ns", 0.001), ("us", 1.0), ("ms", 1e3), ("h", 3.6e9), ("m", 6e7), ("s", 1e6)];
        let (unit, size) = units.into_iter().find(|(u, _)| rest.starts_with(u))?;
        rest = &rest[unit.len()..];
        micros += number * size;
    }
    Some(Duration(micros as u64))
}

type Statements = BTreeMap<String, String>;

fn statements(document: &Value, field: &str) -> Result<Option<Statements>, String> {
    match &document[field] {
        Value::Null => Ok(None),
        v => serde_json::from_value(v.clone()).map(Some).map_err(|e| format!("{field}: {e}")),
    }
}

fn thresholds(list: &Statements) -> Result<Vec<Threshold>, String> {
    let mut all = Vec::new();
    for (name, text) in list {
        let signal = signal(name)?;
        if let (Some(signal), Some(limit)) = (signal, limit(name, text)?) {
            all.push(Threshold::hard(signal, limit));
        }
    }
    // The node is asked in this order.
    all.sort_by_key(|t| t.signal);
    Ok(all)
}

impl Settings {
    /// Reads a KubeletConfiguration. Besides: the fields in it that nothing is made of.
    ///
    /// # Errors
    /// What a kubelet says that does not start with it.
    pub fn parse(document: &Value) -> Result<(Self, Vec<String>), String> {
        let (version, kind) = (document["apiVersion"].as_str(), document["kind"].as_str());
        if (version, kind) != (Some("kubelet.config.k8s.io/v1beta1"), Some("KubeletConfiguration")) {
            let (version, kind) = (version.unwrap_or_default(), kind.unwrap_or_default());
            return Err(format!("no kind {kind:?} is registered for version {version:?}"));
        }
        let mut settings = Settings::default();
        if let Some(hard) = statements(document, "evictionHard")? {
            settings.thresholds = thresholds(&hard)?;
        }
        let graces = statements(document, "evictionSoftGracePeriod")?.unwrap_or_default();
        for (name, text) in &graces {
            signal(name)?;
            if text.starts_with('-') {
                return Err(format!("invalid eviction grace period specified: {text}, must be a positive value"));
            }
            duration(text).ok_or_else(|| format!("time: invalid duration {text:?}"))?;
        }
        let soft = statements(document, "evictionSoft")?.unwrap_or_default();
        for mut t in thresholds(&soft)? {
            let name = t.signal.name();
            let grace = graces.get(name).and_then(|text| duration(text));
            t.grace = grace
                .ok_or_else(|| format!("grace period must be specified for the soft eviction threshold {name}"))?;
            settings.thresholds.push(t);
        }
        for (name, text) in statements(document, "evictionMinimumReclaim")?.unwrap_or_default() {
            let (of, least) = (signal(&name)?, reclaim(&name, &text)?);
            for t in settings.thresholds.iter_mut().filter(|t| Some(t.signal) == of) {
                t.minimum_reclaim = Some(least);
            }
        }
        let seconds = document["evictionMaxPodGracePeriod"].as_u64().unwrap_or(0);
        settings.max_pod_grace = Duration::from_secs(seconds);
        if let Some(text) = document["evictionPressureTransitionPeriod"].as_str() {
            let period = duration(text).ok_or_else(|| format!("time: invalid duration {text:?}"))?;
            // As upstream's defaults have it, none is the usual one.
            settings.transition = if period == Duration(0) { Duration::from_secs(300) } else { period };
        }
        let fields = document.as_object().into_iter().flat_map(|o| o.keys());
        let unused = fields.filter(|f| !FIELDS.contains(&f.as_str())).cloned().collect();
        Ok((settings, unused))
    }

    /// The fields of a KubeletConfiguration that say all of this.
    pub fn fields(&self) -> Value {
        let shown = |signal: Signal, limit: Limit| match limit {
            Limit::Amount(n) => signal.shown(n).to_string(),
            Limit::Part(p) => format!("{}%", (f64::from(p) * 1e6).round() / 1e4),
        };
        let (mut hard, mut soft, mut graces, mut reclaim) = (Map::new(), Map::new(), Map::new(), Map::new());
        for t in &self.thresholds {
            let name = t.signal.name();
            if let Some(least) = t.minimum_reclaim {
                reclaim.insert(name.into(), shown(t.signal, least).into());
            }
            if !t.is_hard() {
                graces.insert(name.into(), t.grace.go_string().into());
            }
            let list = if t.is_hard() { &mut hard } else { &mut soft };
            list.insert(name.into(), shown(t.signal, t.limit).into());
        }
        let mut fields = Map::new();
        fields.insert("evictionPressureTransitionPeriod".into(), self.transition.go_string().into());
        if self.max_pod_grace > Duration(0) {
            fields.insert("evictionMaxPodGracePeriod".into(), self.max_pod_grace.as_secs().into());
        }
        let maps = [
            ("evictionHard", hard),
            ("evictionSoft", soft),
            ("evictionSoftGracePeriod", graces),
            ("evictionMinimumReclaim", reclaim),
        ];
        fields.extend(maps.into_iter().filter(|(_, m)| !m.is_empty()).map(|(name, m)| (name.into(), m.into())));
        fields.into()
    }

    /// What the hard threshold keeps of the capacity, so that pods cannot have it. Models `hardEvictionReservation`.
    pub fn reserved(&self, signal: Signal, capacity: u64) -> u64 {
        match self.thresholds.iter().find(|t| t.signal == signal && t.is_hard()).map(|t| t.limit) {
            None => 0,
            Some(Limit::Amount(n)) => n,
            Some(Limit::Part(p)) => {
                let percent = (f64::from(p) * 100.0).round() as u128;
                u64::try_from(u128::from(capacity) * percent / 100).unwrap_or(u64::MAX)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(fields: Value) -> Result<Settings, String> {
        let mut document = json!({"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration"});
        document.as_object_mut().expect("a map").extend(fields.as_object().expect("a map").clone());
        Settings::parse(&document).map(|(s, _)| s)
    }

    #[test]
    fn thresholds_are_read() {
        assert_eq!(parse(json!({})), Ok(Settings::default()));
        let s = parse(json!({
            "evictionHard": {"memory.available": "200Mi", "nodefs.inodesFree": "5%", "imagefs.available": "0%"},
            "evictionSoft": {"memory.available": "1Gi", "pid.available": "10%"},
            "evictionSoftGracePeriod": {"memory.available": "1m30s", "pid.available": "30s"},
            "evictionMinimumReclaim": {"memory.available": "500Mi"},
            "evictionMaxPodGracePeriod": 60, "evictionPressureTransitionPeriod": "1m",
        }))
        .expect("good");
        let all: Vec<_> =
            s.thresholds.iter().map(|t| (t.signal.name(), t.limit, t.grace.as_micros() / 1_000_000)).collect();
        assert_eq!(
            all,
            [
                ("memory.available", Limit::Amount(200 << 20), 0),
                ("memory.available", Limit::Amount(1 << 30), 90),
                ("pid.available", Limit::Part(0.1), 30),
            ]
        );
        assert_eq!(s.thresholds[1].minimum_reclaim, Some(Limit::Amount(500 << 20)));
        assert_eq!((s.max_pod_grace, s.transition), (Duration::from_secs(60), Duration::from_secs(60)));
        assert_eq!(s.reserved(Signal::NodeFsAvailable, 1000), 0);
        assert_eq!(
            s.fields(),
            json!({
                "evictionHard": {"memory.available": "200Mi"},
                "evictionSoft": {"memory.available": "1Gi", "pid.available": "10%"},
                "evictionSoftGracePeriod": {"memory.available": "1m30s", "pid.available": "30s"},
                "evictionMinimumReclaim": {"memory.available": "500Mi"},
                "evictionMaxPodGracePeriod": 60, "evictionPressureTransitionPeriod": "1m0s",
            })
        );
    }

    #[test]
    fn what_cannot_be_read_is_said_as_upstream_says_it() {
        let refused = |fields: Value| parse(fields).expect_err("wrong");
        assert_eq!(
            refused(json!({"evictionHard": {"mem.available": "1"}})),
            "unsupported eviction signal mem.available"
        );
        assert_eq!(
            refused(json!({"evictionHard": {"memory.available": "120%"}})),
            "eviction percentage threshold memory.available must be <= 100%: 120%"
        );
        assert_eq!(
            refused(json!({"evictionHard": {"memory.available": "0"}})),
            "eviction threshold memory.available must be positive: 0"
        );
        assert_eq!(
            refused(json!({"evictionSoft": {"memory.available": "1Gi"}})),
            "grace period must be specified for the soft eviction threshold memory.available"
        );
        assert_eq!(
            refused(json!({"evictionSoftGracePeriod": {"memory.available": "-5s"}})),
            "invalid eviction grace period specified: -5s, must be a positive value"
        );
    }
}
