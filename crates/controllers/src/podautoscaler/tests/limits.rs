//! Rates, windows and bounds, with the cases of upstream's `horizontal_test.go`.

use crate::podautoscaler::limits::{History, Limits, Moment};
use crate::testing::at;
use k8s_openapi::api::autoscaling::v2::{HPAScalingPolicy, HPAScalingRules, HorizontalPodAutoscalerBehavior};

const NOW: u64 = 10_000;

/// Pods and period, percent and period; 0 pods or percent: no such policy.
type Policies = (i32, i32, i32, i32);

fn rules((pods, pods_period, percent, percent_period): Policies, window: Option<i32>) -> HPAScalingRules {
    let policy = |kind: &str, value, period_seconds| HPAScalingPolicy { type_: kind.into(), value, period_seconds };
    let all = [policy("Pods", pods, pods_period), policy("Percent", percent, percent_period)];
    HPAScalingRules {
        policies: Some(all.into_iter().filter(|p| p.value != 0).collect()),
        stabilization_window_seconds: window,
        select_policy: Some("Max".into()),
        tolerance: None,
    }
}

/// With what the API's defaults add.
fn behavior(up: Option<Policies>, down: Option<Policies>, windows: (i32, i32)) -> HorizontalPodAutoscalerBehavior {
    HorizontalPodAutoscalerBehavior {
        scale_up: Some(rules(up.unwrap_or((4, 15, 100, 15)), Some(windows.0))),
        scale_down: Some(rules(down.unwrap_or((0, 0, 100, 15)), Some(windows.1))),
    }
}

/// Changes in the middles of equal parts of the last two minutes.
fn spread(changes: &[i32]) -> Vec<Moment> {
    let part = 120.0 / changes.len() as f64;
    let ago = |i: usize| (120.0 - part * (i + 1) as f64 + part / 2.0) as u64;
    changes.iter().enumerate().map(|(i, count)| Moment { at: at(NOW - ago(i)), count: *count }).collect()
}

#[test]
fn policies_limit_the_rate() {
    const NONE: &[i32] = &[];
    type Case = (
        &'static str,
        [&'static [i32]; 2],
        (i32, i32),
        Option<Policies>,
        Option<Policies>,
        (i32, i32),
        (i32, &'static str),
    );
    const LATELY: &[i32] = &[1, 5, 9];
    const FOUR: &[i32] = &[8, 12, 9, 11];
    let cases: &[Case] = &[
        ("within the bounds", [NONE, NONE], (3, 8), None, None, (5, 7), (7, "DesiredWithinRange")),
        ("below the minimum", [NONE, NONE], (2, 8), None, None, (3, 1), (2, "TooFewReplicas")),
        ("zero is within", [NONE, NONE], (0, 10), None, None, (1, 0), (0, "DesiredWithinRange")),
        ("above the maximum", [NONE, NONE], (1, 10), None, None, (20, 1000), (10, "TooManyReplicas")),
        ("far above the maximum", [NONE, NONE], (100, 150), None, None, (100, 1000), (150, "TooManyReplicas")),
        ("one percent is one pod", [NONE, NONE], (1, 2000), Some((0, 0, 1, 60)), None, (3, 1000), (4, "ScaleUpLimit")),
        ("up: by default", [NONE, NONE], (1, 1000), None, None, (10, 50), (20, "ScaleUpLimit")),
        ("up: more by pods", [NONE, NONE], (1, 1000), Some((100, 60, 100, 60)), None, (10, 500), (110, "ScaleUpLimit")),
        ("up: more by percent", [NONE, NONE], (1, 1000), Some((2, 60, 100, 60)), None, (10, 500), (20, "ScaleUpLimit")),
        ("up: room enough", [NONE, NONE], (1, 1000), Some((100, 60, 0, 0)), None, (10, 50), (50, "DesiredWithinRange")),
        ("up: pods", [NONE, NONE], (1, 1000), Some((30, 60, 0, 0)), None, (10, 50), (40, "ScaleUpLimit")),
        ("up: percent", [NONE, NONE], (1, 1000), Some((0, 0, 200, 60)), None, (10, 50), (30, "ScaleUpLimit")),
        ("down: more by pods", [NONE, NONE], (1, 1000), None, Some((20, 60, 1, 60)), (100, 2), (80, "ScaleDownLimit")),
        (
            "down: more by percent",
            [NONE, NONE],
            (1, 1000),
            None,
            Some((2, 60, 1, 60)),
            (100, 2),
            (98, "ScaleDownLimit"),
        ),
        (
            "down: pods beyond the minimum",
            [NONE, NONE],
            (1, 1000),
            None,
            Some((100, 60, 0, 0)),
            (10, 0),
            (1, "TooFewReplicas"),
        ),
        ("down: all of them", [NONE, NONE], (5, 1000), None, Some((0, 0, 100, 60)), (10, 2), (5, "TooFewReplicas")),
        ("down: pods", [NONE, NONE], (1, 1000), None, Some((5, 60, 0, 0)), (10, 2), (5, "ScaleDownLimit")),
        ("down: percent", [NONE, NONE], (1, 1000), None, Some((0, 0, 50, 60)), (10, 5), (5, "DesiredWithinRange")),
        (
            "up lately: many pods",
            [LATELY, NONE],
            (1, 200),
            Some((300, 60, 0, 0)),
            None,
            (100, 500),
            (200, "TooManyReplicas"),
        ),
        (
            "up lately: many percent",
            [LATELY, NONE],
            (1, 200),
            Some((0, 0, 10000, 60)),
            None,
            (100, 500),
            (200, "TooManyReplicas"),
        ),
        (
            "up lately: used up",
            [LATELY, NONE],
            (1, 1000),
            Some((5, 120, 0, 0)),
            None,
            (100, 500),
            (100, "ScaleUpLimit"),
        ),
        ("up lately: pods", [LATELY, NONE], (1, 1000), Some((150, 120, 0, 0)), None, (100, 500), (235, "ScaleUpLimit")),
        (
            "up lately: percent",
            [LATELY, NONE],
            (1, 1000),
            Some((0, 0, 200, 120)),
            None,
            (100, 500),
            (255, "ScaleUpLimit"),
        ),
        (
            "up and down lately, up",
            [&[4], &[2]],
            (1, 1000),
            Some((0, 0, 300, 300)),
            None,
            (6, 24),
            (16, "ScaleUpLimit"),
        ),
        ("down lately: by default", [NONE, LATELY], (1, 1000), None, None, (10, 5), (5, "DesiredWithinRange")),
        (
            "down lately: many pods",
            [NONE, LATELY],
            (1, 1000),
            None,
            Some((115, 120, 0, 0)),
            (100, 0),
            (1, "TooFewReplicas"),
        ),
        (
            "down lately: many pods, minimum",
            [NONE, LATELY],
            (5, 1000),
            None,
            Some((130, 120, 0, 0)),
            (100, 0),
            (5, "TooFewReplicas"),
        ),
        (
            "down lately: all of them",
            [NONE, LATELY],
            (5, 1000),
            None,
            Some((0, 0, 100, 120)),
            (100, 2),
            (5, "TooFewReplicas"),
        ),
        (
            "down lately: used up",
            [NONE, LATELY],
            (1, 1000),
            None,
            Some((5, 120, 0, 0)),
            (100, 2),
            (100, "ScaleDownLimit"),
        ),
        (
            "down lately: percent",
            [NONE, &[2, 4, 6]],
            (1, 1000),
            None,
            Some((0, 0, 50, 120)),
            (100, 0),
            (56, "ScaleDownLimit"),
        ),
        (
            "up and down lately, down",
            [&[2], &[4]],
            (1, 1000),
            None,
            Some((0, 0, 50, 180)),
            (10, 1),
            (6, "ScaleDownLimit"),
        ),
        (
            "down lately: more than allowed",
            [NONE, &[10, 10, 10]],
            (1, 1000),
            None,
            Some((0, 0, 10, 120)),
            (100, 0),
            (100, "ScaleDownLimit"),
        ),
        (
            "down lately: below nothing",
            [NONE, &[10, 10, 10]],
            (1, 1000),
            None,
            Some((0, 0, 1000, 120)),
            (10, 5),
            (5, "DesiredWithinRange"),
        ),
        (
            "up: old changes",
            [FOUR, NONE],
            (1, 1000),
            Some((1000, 60, 0, 0)),
            None,
            (100, 200),
            (200, "DesiredWithinRange"),
        ),
        (
            "up: two periods",
            [FOUR, NONE],
            (1, 1000),
            Some((1000, 120, 100, 60)),
            None,
            (100, 200),
            (200, "DesiredWithinRange"),
        ),
        (
            "down: old changes",
            [NONE, FOUR],
            (1, 1000),
            None,
            Some((1000, 60, 0, 0)),
            (100, 5),
            (5, "DesiredWithinRange"),
        ),
        (
            "down: two periods",
            [NONE, FOUR],
            (1, 1000),
            None,
            Some((1000, 120, 100, 60)),
            (100, 5),
            (5, "DesiredWithinRange"),
        ),
    ];
    for (name, [ups, downs], (min, max), up, down, (current, desired), (replicas, reason)) in cases {
        let behavior = behavior(*up, *down, (0, 0));
        let limits = Limits { now: at(NOW), current: *current, min: *min, max: *max, behavior: Some(&behavior) };
        let mut history = History { ups: spread(ups), downs: spread(downs), ..History::default() };
        let limited = limits.apply(&mut history, *desired);
        assert_eq!((limited.replicas, limited.limited.1), (*replicas, *reason), "{name}");
    }
}

#[test]
fn without_a_behavior_the_rate_doubles() {
    for (current, desired, min, max, want) in [
        (5, 7, 3, 8, (7, "DesiredWithinRange")),
        (3, 1, 2, 8, (2, "TooFewReplicas")),
        (1, 0, 0, 10, (0, "DesiredWithinRange")),
        (20, 1000, 1, 10, (10, "TooManyReplicas")),
        (3, 1000, 1, 2000, (6, "ScaleUpLimit")),
        (1, 1000, 1, 2000, (4, "ScaleUpLimit")),
    ] {
        let limits = Limits { now: at(NOW), current, min, max, behavior: None };
        let (replicas, (reason, _)) = limits.bounded(desired);
        assert_eq!((replicas, reason), want);
    }
}

#[test]
fn the_smaller_change_may_be_selected() {
    let mut rules = rules((2, 60, 50, 60), Some(300));
    rules.select_policy = Some("Min".into());
    let limits = |current| Limits { now: at(NOW), current, min: 1, max: 10, behavior: None };
    let history = History::default();
    assert_eq!(limits(1).up_limit(&history, &rules), 2);
    assert_eq!(limits(5).down_limit(&history, &rules), 3);
    rules.select_policy = Some("Disabled".into());
    assert_eq!(limits(5).down_limit(&history, &rules), 5);
}

fn ago(list: &[(i32, u64)]) -> Vec<Moment> {
    list.iter().map(|(count, secs)| Moment { at: at(NOW - secs), count: *count }).collect()
}

fn counts(list: &[Moment]) -> Vec<i32> {
    list.iter().map(|m| m.count).collect()
}

#[test]
fn shrinking_waits_for_the_highest_of_five_minutes() {
    for (before, proposed, want, kept) in [
        (&[][..], 5, 5, 1),
        (&[(4, 120), (5, 60)][..], 3, 5, 3),
        (&[(1, 120), (2, 60)][..], 3, 3, 3),
        (&[(10, 600), (9, 540)][..], 3, 3, 2),
        (&[(10, 600), (4, 60), (5, 120), (9, 540)][..], 3, 5, 4),
    ] {
        let mut history = History { recommendations: ago(before), ..History::default() };
        let limits = Limits { now: at(NOW), current: 100, min: 1, max: 1000, behavior: None };
        let limited = limits.apply(&mut history, proposed);
        assert_eq!((limited.replicas, history.recommendations.len()), (want, kept), "{before:?}");
        assert_eq!(limited.able.1 == "ScaleDownStabilized", want != proposed);
    }
}

#[test]
fn each_direction_has_a_window() {
    type Case = (&'static [(i32, u64)], (i32, i32), (i32, i32), i32, &'static [i32]);
    let cases: &[Case] = &[
        (&[], (0, 0), (100, 5), 5, &[5]),
        (&[(4, 120), (5, 60)], (0, 180), (100, 3), 5, &[4, 5, 3]),
        (&[(4, 120), (5, 60)], (300, 0), (1, 7), 4, &[4, 5, 7]),
        (&[(1, 120), (2, 60)], (300, 0), (100, 3), 3, &[1, 2, 3]),
        (&[(4, 120), (5, 60)], (0, 300), (1, 3), 3, &[4, 5, 3]),
        (&[(10, 600), (9, 540)], (0, 0), (100, 3), 3, &[10, 3]),
        (&[(10, 600), (9, 540)], (0, 0), (1, 100), 100, &[10, 100]),
        (&[(10, 600), (4, 60), (5, 120), (9, 540)], (0, 180), (100, 3), 5, &[10, 4, 5, 3]),
    ];
    for (before, windows, (current, proposed), want, kept) in cases {
        let behavior = behavior(Some((1000, 60, 0, 0)), None, *windows);
        let mut history = History { recommendations: ago(before), ..History::default() };
        let limits = Limits { now: at(NOW), current: *current, min: 1, max: 1000, behavior: Some(&behavior) };
        let limited = limits.apply(&mut history, *proposed);
        assert_eq!(limited.replicas, *want, "{before:?}");
        assert_eq!(counts(&history.recommendations), *kept, "{before:?}");
    }
}

#[test]
fn changes_are_remembered_as_long_as_a_policy_asks() {
    type Case = (&'static [(i32, u64)], Option<Policies>, &'static [i32]);
    let two = Some((10, 60, 100, 60));
    let cases: &[Case] = &[
        (&[], None, &[]),
        (&[], two, &[5]),
        (&[(7, 61)], None, &[7]),
        (&[(7, 61)], two, &[5]),
        (&[(7, 58)], two, &[7, 5]),
        (&[(7, 61), (6, 59)], Some((10, 60, 0, 0)), &[5, 6]),
        (&[(8, 29), (6, 59), (7, 61), (9, 61)], Some((10, 60, 100, 30)), &[8, 6, 7, 5]),
        (&[(7, 58), (6, 59)], Some((10, 120, 100, 30)), &[7, 6, 5]),
    ];
    for (before, policies, want) in cases {
        let behavior = policies.map(|p| behavior(Some(p), Some(p), (0, 0)));
        let mut history = History { ups: ago(before), downs: ago(before), ..History::default() };
        history.changed(at(NOW), behavior.as_ref(), 10, 15);
        history.changed(at(NOW), behavior.as_ref(), 10, 5);
        assert_eq!((&*counts(&history.ups), &*counts(&history.downs)), (*want, *want), "{before:?}");
    }
}
