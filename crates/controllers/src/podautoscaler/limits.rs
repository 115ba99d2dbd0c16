//! From a proposal to what is done: stabilization, rates and bounds. Models `normalizeDesiredReplicas` and
//! `normalizeDesiredReplicasWithBehaviors` of `pkg/controller/podautoscaler/horizontal.go`.

use k8s_openapi::api::autoscaling::v2::{HPAScalingRules, HorizontalPodAutoscalerBehavior};
use meta::{Duration, Time};

/// `--horizontal-pod-autoscaler-downscale-stabilization`
const DOWNSCALE_STABILIZATION_SECS: i32 = 300;
const UP_FACTOR: f64 = 2.0;
const UP_AT_LEAST: f64 = 4.0;

/// A count and when it was proposed, or a change and when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub at: Time,
    pub count: i32,
}

/// What is remembered of one autoscaler.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Proposals before stabilization.
    pub recommendations: Vec<Moment>,
    pub ups: Vec<Moment>,
    pub downs: Vec<Moment>,
}

/// What limits a proposal.
pub struct Limits<'a> {
    pub now: Time,
    pub current: i32,
    pub min: i32,
    pub max: i32,
    pub behavior: Option<&'a HorizontalPodAutoscalerBehavior>,
}

/// A condition's status, reason and message.
pub type Said = (&'static str, &'static str, &'static str);

/// What comes of a proposal: the count, and the conditions `AbleToScale` and `ScalingLimited`.
#[derive(Debug, PartialEq, Eq)]
pub struct Limited {
    pub replicas: i32,
    pub able: Said,
    pub limited: Said,
}

const READY: Said = ("True", "ReadyForNewScale", "recommended size matches current size");
const WITHIN: (&str, &str) = ("DesiredWithinRange", "the desired count is within the acceptable range");
const UP_STABILIZED: (&str, &str) = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
);
const DOWN_STABILIZED: (&str, &str) = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
);
const TOO_FAST_UP: (&str, &str) =
    ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
const TOO_FAST_DOWN: (&str, &str) =
    ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");
const TOO_MANY: (&str, &str) = ("TooManyReplicas", "the desired replica count is more than the maximum replica count");
const TOO_FEW: (&str, &str) = ("TooFewReplicas", "the desired replica count is less than the minimum replica count");

/// The moment `secs` before `now`.
fn before(now: Time, secs: i32) -> Time {
    now - Duration::from_secs(u64::try_from(secs).unwrap_or(0))
}

impl History {
    /// Models `recordInitialRecommendation`.
    pub fn begin(&mut self, now: Time, current: i32) {
        if self.recommendations.is_empty() {
            self.recommendations.push(Moment { at: now, count: current });
        }
    }

    /// A proposal comes in the place of one that is too old for everybody.
    fn remember(&mut self, now: Time, count: i32, too_old: impl Fn(&Moment) -> bool) {
        let new = Moment { at: now, count };
        match self.recommendations.iter().rposition(too_old) {
            Some(i) => self.recommendations[i] = new,
            None => self.recommendations.push(new),
        }
    }

    /// Models `storeScaleEvent`.
    pub fn changed(&mut self, now: Time, behavior: Option<&HorizontalPodAutoscalerBehavior>, from: i32, to: i32) {
        let Some(behavior) = behavior else { return };
        let (list, rules) = if to > from {
            (&mut self.ups, behavior.scale_up.as_ref())
        } else {
            (&mut self.downs, behavior.scale_down.as_ref())
        };
        let periods = rules.into_iter().flat_map(|r| r.policies.iter().flatten()).map(|p| p.period_seconds);
        let cutoff = before(now, periods.max().unwrap_or(0));
        let new = Moment { at: now, count: (to - from).abs() };
        match list.iter().rposition(|e| e.at < cutoff) {
            Some(i) => list[i] = new,
            None => list.push(new),
        }
    }
}

impl Limits<'_> {
    pub fn apply(&self, history: &mut History, proposed: i32) -> Limited {
        match self.behavior {
            Some(b) => self.with_behavior(history, proposed, b),
            None => self.by_default(history, proposed),
        }
    }

    fn by_default(&self, history: &mut History, proposed: i32) -> Limited {
        let cutoff = before(self.now, DOWNSCALE_STABILIZATION_SECS);
        let recent = history.recommendations.iter().filter(|r| r.at >= cutoff).map(|r| r.count);
        let stabilized = recent.max().map_or(proposed, |r| r.max(proposed));
        history.remember(self.now, proposed, |r| r.at < cutoff);
        let able = if stabilized == proposed { READY } else { ("True", DOWN_STABILIZED.0, DOWN_STABILIZED.1) };
        let (replicas, why) = self.bounded(stabilized);
        Limited { replicas, able, limited: limited(replicas == stabilized, why) }
    }

    /// Models `convertDesiredReplicasWithRules`.
    pub fn bounded(&self, desired: i32) -> (i32, (&'static str, &'static str)) {
        let rate = (UP_FACTOR * f64::from(self.current)).max(UP_AT_LEAST) as i32;
        let (most, why) = if self.max > rate { (rate, TOO_FAST_UP) } else { (self.max, TOO_MANY) };
        if desired < self.min {
            (self.min, TOO_FEW)
        } else if desired > most {
            (most, why)
        } else {
            (desired, WITHIN)
        }
    }

    fn with_behavior(&self, history: &mut History, proposed: i32, b: &HorizontalPodAutoscalerBehavior) -> Limited {
        let (default_up, default_down) = (HPAScalingRules::default(), HPAScalingRules::default());
        let up = b.scale_up.as_ref().unwrap_or(&default_up);
        let down = b.scale_down.as_ref().unwrap_or(&default_down);
        let stabilized = self.stabilized(history, proposed, up, down);
        let able = match (stabilized == proposed, proposed >= self.current) {
            (true, _) => READY,
            (false, true) => ("True", UP_STABILIZED.0, UP_STABILIZED.1),
            (false, false) => ("True", DOWN_STABILIZED.0, DOWN_STABILIZED.1),
        };
        let (replicas, why) = self.at_rate(history, stabilized, up, down);
        Limited { replicas, able, limited: limited(replicas == stabilized, why) }
    }

    /// Models `stabilizeRecommendationWithBehaviors`.
    fn stabilized(&self, history: &mut History, proposed: i32, up: &HPAScalingRules, down: &HPAScalingRules) -> i32 {
        let up_cutoff = before(self.now, up.stabilization_window_seconds.unwrap_or(0));
        let window = down.stabilization_window_seconds.unwrap_or(DOWNSCALE_STABILIZATION_SECS);
        let down_cutoff = before(self.now, window);
        let since = |cutoff: Time| history.recommendations.iter().filter(move |r| r.at > cutoff).map(|r| r.count);
        let least = since(up_cutoff).min().map_or(proposed, |r| r.min(proposed));
        let most = since(down_cutoff).max().map_or(proposed, |r| r.max(proposed));
        history.remember(self.now, proposed, |r| r.at < up_cutoff && r.at < down_cutoff);
        self.current.max(least).min(most)
    }

    /// Models `convertDesiredReplicasWithBehaviorRate`.
    fn at_rate(
        &self,
        history: &History,
        desired: i32,
        up: &HPAScalingRules,
        down: &HPAScalingRules,
    ) -> (i32, (&'static str, &'static str)) {
        if desired > self.current {
            let rate = self.up_limit(history, up).max(self.current);
            let (most, why) = if self.max > rate { (rate, TOO_FAST_UP) } else { (self.max, TOO_MANY) };
            if desired > most {
                return (most, why);
            }
        } else if desired < self.current {
            let rate = self.down_limit(history, down).min(self.current);
            let (least, why) = if self.min < rate { (rate, TOO_FAST_DOWN) } else { (self.min, TOO_FEW) };
            if desired < least {
                return (least, why);
            }
        }
        (desired, WITHIN)
    }

    /// How many there were when a policy's period began. Models `getReplicasChangePerPeriod`.
    fn at_start(&self, history: &History, period: i32) -> i32 {
        let cutoff = before(self.now, period);
        let sum = |list: &[Moment]| list.iter().filter(|e| e.at > cutoff).map(|e| e.count).sum::<i32>();
        self.current - sum(&history.ups) + sum(&history.downs)
    }

    /// Models `calculateScaleUpLimitWithScalingRules`.
    pub fn up_limit(&self, history: &History, rules: &HPAScalingRules) -> i32 {
        let limits = rules.policies.iter().flatten().map(|p| {
            let start = self.at_start(history, p.period_seconds);
            if p.type_ == "Pods" {
                return start.saturating_add(p.value);
            }
            (f64::from(start) * (1.0 + f64::from(p.value) / 100.0)).ceil() as i32
        });
        match rules.select_policy.as_deref() {
            Some("Disabled") => self.current,
            Some("Min") => limits.min().unwrap_or(i32::MAX),
            _ => limits.max().unwrap_or(i32::MIN),
        }
    }

    /// Models `calculateScaleDownLimitWithBehaviors`.
    pub fn down_limit(&self, history: &History, rules: &HPAScalingRules) -> i32 {
        let limits = rules.policies.iter().flatten().map(|p| {
            let start = self.at_start(history, p.period_seconds);
            if p.type_ == "Pods" {
                return start - p.value;
            }
            (f64::from(start) * (1.0 - f64::from(p.value) / 100.0)) as i32
        });
        match rules.select_policy.as_deref() {
            Some("Disabled") => self.current,
            Some("Min") => limits.max().unwrap_or(i32::MIN),
            _ => limits.min().unwrap_or(i32::MAX),
        }
    }
}

fn limited(as_wished: bool, (reason, message): (&'static str, &'static str)) -> Said {
    (if as_wished { "False" } else { "True" }, reason, message)
}
