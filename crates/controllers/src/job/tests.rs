//! Cases modelled on `job_controller_test.go`, `indexed_job_utils_test.go` and `pod_failure_policy_test.go`.

use super::JobController;
use crate::testing::{World, at, controller_ref, merged, pod, ready_since, rfc3339};
use expect_test::{Expect, expect};
use reconcile::{Controller, Write};
use serde_json::{Value, json};

const OWNED: Option<(&str, &str)> = Some(("Job", "pi"));

/// A Job that has been started.
fn job(over: Value) -> Value {
    merged(
        json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": "pi", "namespace": "default", "uid": "uid-pi", "generation": 1},
            "spec": {
                "completions": 2, "parallelism": 2, "backoffLimit": 6, "completionMode": "NonIndexed",
                "podReplacementPolicy": "TerminatingOrFailed",
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}},
                             "spec": {"containers": [{"name": "c", "image": "perl"}], "restartPolicy": "Never"}},
            },
            "status": {"startTime": rfc3339(0)},
        }),
        over,
    )
}

fn spec(over: Value) -> Value {
    job(json!({ "spec": over }))
}

fn indexed(over: Value) -> Value {
    spec(merged(json!({"completionMode": "Indexed", "completions": 4, "parallelism": 4}), over))
}

fn member(name: &str, phase: &str, over: Value) -> Value {
    let base = json!({"metadata": {"finalizers": [super::FINALIZER]}, "status": {"phase": phase}});
    let mut p = pod(name, OWNED, merged(base, over));
    p["metadata"]["ownerReferences"][0]["apiVersion"] = "batch/v1".into();
    p
}

fn at_index(i: i32, phase: &str, over: Value) -> Value {
    let index = json!({"metadata": {"annotations": {"batch.kubernetes.io/job-completion-index": i.to_string()}}});
    member(&format!("pi-{i}"), phase, merged(index, over))
}

fn ended(code: i32, secs: u64) -> Value {
    let state = json!({"terminated": {"exitCode": code, "finishedAt": rfc3339(secs)}});
    json!({"status": {"containerStatuses": [
        {"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state}]}})
}

fn check(job: Value, pods: impl IntoIterator<Item = Value>, expect: Expect) {
    let mut w = World::<JobController>::new(std::iter::once(job).chain(pods));
    w.now = at(60);
    expect.assert_eq(&w.acts("default/pi"));
}

#[test]
fn as_many_pods_as_parallelism_and_completions_allow() {
    let running = |n: usize| (0..n).map(|i| member(&format!("r{i}"), "Running", ready_since(0))).collect::<Vec<_>>();
    let count = |job: Value, pods: Vec<Value>| {
        let mut w = World::<JobController>::new(std::iter::once(job).chain(pods));
        w.now = at(60);
        let acts = w.acts("default/pi");
        let n = |verb: &str| acts.lines().filter(|l| l.starts_with(verb)).count();
        (n("create pods"), n("delete pods"))
    };
    let limits =
        |completions: Value, parallelism: i32| spec(json!({"completions": completions, "parallelism": parallelism}));
    let ran = |job: Value, succeeded: i32| merged(job, json!({"status": {"succeeded": succeeded}}));
    let cases = [
        (limits(json!(5), 2), 0, (2, 0)),
        (limits(json!(5), 2), 1, (1, 0)),
        (limits(json!(5), 2), 2, (0, 0)),
        (limits(json!(5), 2), 3, (0, 1)),
        (limits(json!(1), 9), 0, (1, 0)),
        (limits(json!(null), 2), 0, (2, 0)),
        (limits(json!(null), 2), 3, (0, 1)),
        (ran(limits(json!(5), 2), 4), 0, (1, 0)),
        (ran(limits(json!(5), 2), 4), 2, (0, 1)),
        (ran(limits(json!(null), 2), 1), 1, (0, 0)),
        (limits(json!(0), 2), 1, (0, 1)),
        (spec(json!({"suspend": true})), 2, (0, 2)),
        (spec(json!({"suspend": true})), 0, (0, 0)),
        (spec(json!({"managedBy": "acme.io/jobs"})), 0, (0, 0)),
        (job(json!({"metadata": {"deletionTimestamp": rfc3339(1)}})), 0, (0, 0)),
        (limits(json!(600), 600), 0, (500, 0)),
    ];
    for (i, (job, have, want)) in cases.into_iter().enumerate() {
        assert_eq!(count(job, running(have)), want, "case {i}");
    }
}

#[test]
fn the_first_sync_starts_the_job() {
    let mut j = spec(json!({"completions": 1}));
    j["status"] = json!({});
    let mut w = World::<JobController>::new([j]);
    expect![[r##"
        # job.scale-up name=pi from=0 to=1 create=1
        create {"apiVersion":"v1","kind":"Pod","metadata":{"finalizers":["batch.kubernetes.io/job-tracking"],"generateName":"pi-","labels":{"app":"web"},"namespace":"default","ownerReferences":[{"apiVersion":"batch/v1","blockOwnerDeletion":true,"controller":true,"kind":"Job","name":"pi","uid":"uid-pi"}]},"spec":{"containers":[{"image":"perl","name":"c"}],"restartPolicy":"Never"}}
          on success: SuccessfulCreate: Created pod: {name}
          on failure: FailedCreate: Error creating: {error}
        update-status jobs default/pi {"active":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{}}
    "##]].assert_eq(&w.run("default/pi"));
}

#[test]
fn ended_pods_are_counted_once_each() {
    check(
        spec(json!({"completions": 3})),
        [member("a", "Succeeded", json!({})), member("b", "Failed", ended(1, 0)), member("c", "Running", json!({}))],
        expect![[r#"
            create pods default/
            update-status jobs default/pi {"active":2,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{"failed":["uid-b"],"succeeded":["uid-a"]}}
            patch pods default/a  {"metadata":{"finalizers":null,"uid":"uid-a"}}
            patch pods default/b  {"metadata":{"finalizers":null,"uid":"uid-b"}}
            update-status jobs default/pi {"active":2,"failed":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","succeeded":1,"terminating":0,"uncountedTerminatedPods":{}}
        "#]],
    );
    // Listed in the status, finalizer gone: only now the counters rise.
    let listed = json!({"status": {"uncountedTerminatedPods": {"succeeded": ["uid-a"], "failed": ["uid-b"]}}});
    let gone = json!({"metadata": {"finalizers": null}});
    check(
        merged(spec(json!({"completions": 3})), listed),
        [member("a", "Succeeded", gone.clone()), member("b", "Failed", gone)],
        expect![[r#"
            create pods default/
            create pods default/
            update-status jobs default/pi {"active":2,"failed":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","succeeded":1,"terminating":0,"uncountedTerminatedPods":{}}
        "#]],
    );
}

#[test]
fn a_job_is_complete_when_enough_have_succeeded() {
    check(
        spec(json!({})),
        [member("a", "Succeeded", json!({})), member("b", "Succeeded", json!({}))],
        expect![[r#"
            update-status jobs default/pi {"conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Reached expected number of succeeded pods","reason":"CompletionsReached","status":"True","type":"SuccessCriteriaMet"}],"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{"succeeded":["uid-a","uid-b"]}}
            patch pods default/a  {"metadata":{"finalizers":null,"uid":"uid-a"}}
            patch pods default/b  {"metadata":{"finalizers":null,"uid":"uid-b"}}
            update-status jobs default/pi {"completionTime":"2026-01-01T00:01:00Z","conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Reached expected number of succeeded pods","reason":"CompletionsReached","status":"True","type":"SuccessCriteriaMet"},{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Reached expected number of succeeded pods","reason":"CompletionsReached","status":"True","type":"Complete"}],"ready":0,"startTime":"2026-01-01T00:00:00Z","succeeded":2,"terminating":0,"uncountedTerminatedPods":{}}
            event Normal Completed pi: Job completed
        "#]],
    );
    // Any success ends a work queue, once the others have stopped.
    let queue = json!({"completions": null});
    check(
        spec(queue.clone()),
        [member("a", "Succeeded", json!({})), member("b", "Running", json!({}))],
        expect![[r#"
            update-status jobs default/pi {"active":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{"succeeded":["uid-a"]}}
            patch pods default/a  {"metadata":{"finalizers":null,"uid":"uid-a"}}
            update-status jobs default/pi {"active":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","succeeded":1,"terminating":0,"uncountedTerminatedPods":{}}
        "#]],
    );
    check(
        spec(queue),
        [member("a", "Succeeded", json!({}))],
        expect![[r#"
        update-status jobs default/pi {"conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Reached expected number of succeeded pods","reason":"CompletionsReached","status":"True","type":"SuccessCriteriaMet"}],"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{"succeeded":["uid-a"]}}
        patch pods default/a  {"metadata":{"finalizers":null,"uid":"uid-a"}}
        update-status jobs default/pi {"completionTime":"2026-01-01T00:01:00Z","conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Reached expected number of succeeded pods","reason":"CompletionsReached","status":"True","type":"SuccessCriteriaMet"},{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Reached expected number of succeeded pods","reason":"CompletionsReached","status":"True","type":"Complete"}],"ready":0,"startTime":"2026-01-01T00:00:00Z","succeeded":1,"terminating":0,"uncountedTerminatedPods":{}}
        event Normal Completed pi: Job completed
    "#]],
    );
}

#[test]
fn a_job_fails_beyond_its_backoff_limit() {
    let pods = [member("a", "Failed", ended(1, 0)), member("b", "Running", ready_since(0))];
    check(
        spec(json!({"backoffLimit": 0})),
        pods,
        expect![[r#"
        delete pods default/b
        update-status jobs default/pi {"conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Job has reached the specified backoff limit","reason":"BackoffLimitExceeded","status":"True","type":"FailureTarget"}],"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":1,"uncountedTerminatedPods":{"failed":["uid-a","uid-b"]}}
        patch pods default/a  {"metadata":{"finalizers":null,"uid":"uid-a"}}
        patch pods default/b  {"metadata":{"finalizers":null,"uid":"uid-b"}}
        update-status jobs default/pi {"conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Job has reached the specified backoff limit","reason":"BackoffLimitExceeded","status":"True","type":"FailureTarget"}],"failed":2,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":1,"uncountedTerminatedPods":{}}
    "#]],
    );
    // The next sync finds the pods gone.
    let target = json!({"status": {"failed": 2, "conditions": [{"type": "FailureTarget", "status": "True",
        "reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit"}]}});
    check(
        merged(spec(json!({"backoffLimit": 0})), target),
        [],
        expect![[r#"
            update-status jobs default/pi {"conditions":[{"lastProbeTime":null,"lastTransitionTime":null,"message":"Job has reached the specified backoff limit","reason":"BackoffLimitExceeded","status":"True","type":"FailureTarget"}],"failed":2,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{}}
            update-status jobs default/pi {"conditions":[{"lastProbeTime":null,"lastTransitionTime":null,"message":"Job has reached the specified backoff limit","reason":"BackoffLimitExceeded","status":"True","type":"FailureTarget"},{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Job has reached the specified backoff limit","reason":"BackoffLimitExceeded","status":"True","type":"Failed"}],"failed":2,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{}}
            event Warning BackoffLimitExceeded pi: Job has reached the specified backoff limit
        "#]],
    );
}

#[test]
fn restarts_in_place_count_too() {
    let on_failure = json!({"backoffLimit": 2, "template": {"spec": {"restartPolicy": "OnFailure"}}});
    let restarted = |n: i32| {
        member(
            "a",
            "Running",
            json!({"status": {"containerStatuses": [
            {"name": "c", "image": "", "imageID": "", "ready": true, "restartCount": n}]}}),
        )
    };
    let fails = |n: i32| {
        let mut w = World::<JobController>::new([spec(on_failure.clone()), restarted(n)]);
        w.acts("default/pi").contains("BackoffLimitExceeded")
    };
    assert_eq!([1, 2].map(fails), [false, true]);
}

#[test]
fn a_deadline_ends_a_job_and_is_waited_for() {
    check(
        spec(json!({"activeDeadlineSeconds": 60})),
        [member("a", "Running", json!({}))],
        expect![[r#"
        delete pods default/a
        update-status jobs default/pi {"conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Job was active longer than specified deadline","reason":"DeadlineExceeded","status":"True","type":"FailureTarget"}],"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":1,"uncountedTerminatedPods":{"failed":["uid-a"]}}
        patch pods default/a  {"metadata":{"finalizers":null,"uid":"uid-a"}}
        update-status jobs default/pi {"conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Job was active longer than specified deadline","reason":"DeadlineExceeded","status":"True","type":"FailureTarget"}],"failed":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":1,"uncountedTerminatedPods":{}}
    "#]],
    );
    let pods = [member("a", "Running", json!({})), member("b", "Running", json!({}))];
    check(
        spec(json!({"activeDeadlineSeconds": 100})),
        pods,
        expect![[r#"
        update-status jobs default/pi {"active":2,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{}}
        requeue after 40s
    "#]],
    );
}

#[test]
fn failures_are_waited_out() {
    let pods = [member("a", "Failed", ended(1, 55)), member("b", "Running", json!({}))];
    check(
        spec(json!({})),
        pods,
        expect![[r#"
        update-status jobs default/pi {"active":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{"failed":["uid-a"]}}
        patch pods default/a  {"metadata":{"finalizers":null,"uid":"uid-a"}}
        update-status jobs default/pi {"active":1,"failed":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{}}
        requeue after 5s
    "#]],
    );
    let pods = [member("a", "Failed", ended(1, 40)), member("b", "Running", json!({}))];
    check(
        spec(json!({})),
        pods,
        expect![[r#"
        create pods default/
        update-status jobs default/pi {"active":2,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{"failed":["uid-a"]}}
        patch pods default/a  {"metadata":{"finalizers":null,"uid":"uid-a"}}
        update-status jobs default/pi {"active":2,"failed":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{}}
    "#]],
    );
}

#[test]
fn a_failure_policy_ends_ignores_or_counts() {
    let policy = |action: &str| {
        let rule = json!({"action": action, "onExitCodes": {"operator": "In", "values": [42]}});
        spec(json!({"completions": 1, "podFailurePolicy": {"rules": [rule]}, "podReplacementPolicy": "Failed"}))
    };
    check(
        policy("FailJob"),
        [member("a", "Failed", ended(42, 0))],
        expect![[r#"
        update-status jobs default/pi {"conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Container c for pod default/a failed with exit code 42 matching FailJob rule at index 0","reason":"PodFailurePolicy","status":"True","type":"FailureTarget"}],"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{"failed":["uid-a"]}}
        patch pods default/a  {"metadata":{"finalizers":null,"uid":"uid-a"}}
        update-status jobs default/pi {"conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Container c for pod default/a failed with exit code 42 matching FailJob rule at index 0","reason":"PodFailurePolicy","status":"True","type":"FailureTarget"},{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Container c for pod default/a failed with exit code 42 matching FailJob rule at index 0","reason":"PodFailurePolicy","status":"True","type":"Failed"}],"failed":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{}}
        event Warning PodFailurePolicy pi: Container c for pod default/a failed with exit code 42 matching FailJob rule at index 0
    "#]],
    );
    check(
        policy("Ignore"),
        [member("a", "Failed", ended(42, 0))],
        expect![[r#"
        create pods default/
        update-status jobs default/pi {"active":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{}}
        patch pods default/a  {"metadata":{"finalizers":null,"uid":"uid-a"}}
    "#]],
    );
    check(
        policy("Count"),
        [member("a", "Failed", ended(42, 0))],
        expect![[r#"
        create pods default/
        update-status jobs default/pi {"active":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{"failed":["uid-a"]}}
        patch pods default/a  {"metadata":{"finalizers":null,"uid":"uid-a"}}
        update-status jobs default/pi {"active":1,"failed":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{}}
    "#]],
    );
}

#[test]
fn pods_on_their_way_out_are_replaced_at_once_or_when_they_have_failed() {
    let leaving = member("a", "Running", json!({"metadata": {"deletionTimestamp": rfc3339(30)}}));
    check(
        spec(json!({"completions": 1})),
        [leaving.clone()],
        expect![[r#"
        create pods default/
        update-status jobs default/pi {"active":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":1,"uncountedTerminatedPods":{"failed":["uid-a"]}}
        patch pods default/a  {"metadata":{"finalizers":null,"uid":"uid-a"}}
        update-status jobs default/pi {"active":1,"failed":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":1,"uncountedTerminatedPods":{}}
    "#]],
    );
    check(
        spec(json!({"completions": 1, "podReplacementPolicy": "Failed"})),
        [leaving],
        expect![[r#"
        update-status jobs default/pi {"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":1,"uncountedTerminatedPods":{}}
    "#]],
    );
}

#[test]
fn each_index_runs_once() {
    let pods = [at_index(1, "Succeeded", json!({})), at_index(2, "Running", ready_since(0))];
    check(
        indexed(json!({})),
        pods,
        expect![[r#"
        create pods default/
        create pods default/
        update-status jobs default/pi {"active":3,"completedIndexes":"1","ready":1,"startTime":"2026-01-01T00:00:00Z","succeeded":1,"terminating":0,"uncountedTerminatedPods":{}}
        patch pods default/pi-1  {"metadata":{"finalizers":null,"uid":"uid-pi-1"}}
    "#]],
    );
    let twice = [
        at_index(0, "Running", json!({})),
        merged(at_index(0, "Pending", json!({})), json!({"metadata": {"name": "again"}})),
        at_index(9, "Running", json!({})),
    ];
    check(
        indexed(json!({"completions": 1, "parallelism": 1})),
        twice,
        expect![[r#"
        patch pods default/pi-9  {"metadata":{"finalizers":null,"uid":"uid-pi-9"}}
        delete pods default/pi-9
        patch pods default/again  {"metadata":{"finalizers":null,"uid":"uid-pi-0"}}
        delete pods default/again
        update-status jobs default/pi {"active":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":2,"uncountedTerminatedPods":{}}
    "#]],
    );
    let mut w = World::<JobController>::new([indexed(json!({"parallelism": 1}))]);
    let created = w.outcome("default/pi").intents.into_iter().find_map(|i| match i.write {
        Write::Create(o) => Some(o.to_value()),
        _ => None,
    });
    expect![[r#"{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"batch.kubernetes.io/job-completion-index":"0"},"finalizers":["batch.kubernetes.io/job-tracking"],"generateName":"pi-0-","labels":{"app":"web","batch.kubernetes.io/job-completion-index":"0"},"namespace":"default","ownerReferences":[{"apiVersion":"batch/v1","blockOwnerDeletion":true,"controller":true,"kind":"Job","name":"pi","uid":"uid-pi"}]},"spec":{"containers":[{"env":[{"name":"JOB_COMPLETION_INDEX","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['batch.kubernetes.io/job-completion-index']"}}}],"image":"perl","name":"c"}],"hostname":"pi-0","restartPolicy":"Never"}}"#]].assert_eq(&created.expect("a pod").to_string());
}

#[test]
fn each_index_has_its_limit() {
    let limited = |over: Value| indexed(merged(json!({"backoffLimitPerIndex": 1, "backoffLimit": 2147483647}), over));
    let failed = |i: i32, before: i32, secs: u64| {
        let count =
            json!({"metadata": {"annotations": {"batch.kubernetes.io/job-index-failure-count": before.to_string()}}});
        at_index(i, "Failed", merged(count, ended(1, secs)))
    };
    // The first failure of index 0 is waited out; index 1 has failed for good; the others start.
    check(
        limited(json!({})),
        [failed(0, 0, 58), failed(1, 1, 0)],
        expect![[r#"
        create pods default/
        create pods default/
        update-status jobs default/pi {"active":2,"failedIndexes":"1","ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{"failed":["uid-pi-1"]}}
        patch pods default/pi-1  {"metadata":{"finalizers":null,"uid":"uid-pi-1"}}
        update-status jobs default/pi {"active":2,"failed":1,"failedIndexes":"1","ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{}}
    "#]],
    );
    check(
        limited(json!({"completions": 2, "parallelism": 1})),
        [failed(0, 0, 0), at_index(1, "Succeeded", json!({}))],
        expect![[r#"
            create pods default/
            update-status jobs default/pi {"active":1,"completedIndexes":"1","failedIndexes":"","ready":0,"startTime":"2026-01-01T00:00:00Z","succeeded":1,"terminating":0,"uncountedTerminatedPods":{}}
            patch pods default/pi-1  {"metadata":{"finalizers":null,"uid":"uid-pi-1"}}
        "#]],
    );
    check(
        limited(json!({"completions": 2})),
        [failed(0, 1, 0), at_index(1, "Succeeded", json!({}))],
        expect![[r#"
        update-status jobs default/pi {"completedIndexes":"1","conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Job has failed indexes","reason":"FailedIndexes","status":"True","type":"FailureTarget"}],"failedIndexes":"0","ready":0,"startTime":"2026-01-01T00:00:00Z","succeeded":1,"terminating":0,"uncountedTerminatedPods":{"failed":["uid-pi-0"]}}
        patch pods default/pi-0  {"metadata":{"finalizers":null,"uid":"uid-pi-0"}}
        patch pods default/pi-1  {"metadata":{"finalizers":null,"uid":"uid-pi-1"}}
        update-status jobs default/pi {"completedIndexes":"1","conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Job has failed indexes","reason":"FailedIndexes","status":"True","type":"FailureTarget"},{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Job has failed indexes","reason":"FailedIndexes","status":"True","type":"Failed"}],"failed":1,"failedIndexes":"0","ready":0,"startTime":"2026-01-01T00:00:00Z","succeeded":1,"terminating":0,"uncountedTerminatedPods":{}}
        event Warning FailedIndexes pi: Job has failed indexes
    "#]],
    );
    check(
        limited(json!({"maxFailedIndexes": 0})),
        [failed(0, 1, 0)],
        expect![[r#"
        update-status jobs default/pi {"conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Job has exceeded the specified maximal number of failed indexes","reason":"MaxFailedIndexesExceeded","status":"True","type":"FailureTarget"}],"failedIndexes":"0","ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{"failed":["uid-pi-0"]}}
        patch pods default/pi-0  {"metadata":{"finalizers":null,"uid":"uid-pi-0"}}
        update-status jobs default/pi {"conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Job has exceeded the specified maximal number of failed indexes","reason":"MaxFailedIndexesExceeded","status":"True","type":"FailureTarget"},{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Job has exceeded the specified maximal number of failed indexes","reason":"MaxFailedIndexesExceeded","status":"True","type":"Failed"}],"failed":1,"failedIndexes":"0","ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{}}
        event Warning MaxFailedIndexesExceeded pi: Job has exceeded the specified maximal number of failed indexes
    "#]],
    );
}

#[test]
fn a_success_policy_ends_a_job_early() {
    let policy = json!({"successPolicy": {"rules": [{"succeededIndexes": "0,2", "succeededCount": 1}]}});
    check(
        indexed(policy),
        [at_index(2, "Succeeded", json!({})), at_index(1, "Running", json!({}))],
        expect![[r#"
        delete pods default/pi-1
        update-status jobs default/pi {"completedIndexes":"2","conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Matched rules at index 0","reason":"SuccessPolicy","status":"True","type":"SuccessCriteriaMet"}],"ready":0,"startTime":"2026-01-01T00:00:00Z","succeeded":1,"terminating":1,"uncountedTerminatedPods":{}}
        patch pods default/pi-1  {"metadata":{"finalizers":null,"uid":"uid-pi-1"}}
        patch pods default/pi-2  {"metadata":{"finalizers":null,"uid":"uid-pi-2"}}
    "#]],
    );
}

#[test]
fn a_suspended_job_says_so_and_starts_anew() {
    check(
        spec(json!({"suspend": true})),
        [member("a", "Running", ready_since(0))],
        expect![[r#"
        patch pods default/a  {"metadata":{"finalizers":null,"uid":"uid-a"}}
        delete pods default/a
        event Normal Suspended pi: Job suspended
        update-status jobs default/pi {"conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Job suspended","reason":"JobSuspended","status":"True","type":"Suspended"}],"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":1,"uncountedTerminatedPods":{}}
    "#]],
    );
    let was = json!({"status": {"conditions": [{"type": "Suspended", "status": "True"}], "startTime": rfc3339(0)}});
    check(
        merged(spec(json!({"suspend": false, "completions": 1})), was),
        [],
        expect![[r#"
        create pods default/
        event Normal Resumed pi: Job resumed
        update-status jobs default/pi {"active":1,"conditions":[{"lastProbeTime":"2026-01-01T00:01:00Z","lastTransitionTime":"2026-01-01T00:01:00Z","message":"Job resumed","reason":"JobResumed","status":"False","type":"Suspended"}],"ready":0,"startTime":"2026-01-01T00:01:00Z","terminating":0,"uncountedTerminatedPods":{}}
    "#]],
    );
}

#[test]
fn a_job_that_is_over_is_left_alone() {
    let over = json!({"status": {"conditions": [{"type": "Complete", "status": "True"}]}});
    check(merged(spec(json!({})), over), [member("a", "Running", json!({}))], expect![[""]]);
}

#[test]
fn adoption_tracks_and_release_lets_go() {
    let orphan = pod("orphan", None, json!({"metadata": {"resourceVersion": "7"}}));
    let stranger =
        member("stranger", "Running", json!({"metadata": {"labels": {"app": "debug"}, "resourceVersion": "8"}}));
    check(
        spec(json!({"completions": 1})),
        [orphan, stranger],
        expect![[r#"
        patch pods default/stranger  {"metadata":{"finalizers":[],"ownerReferences":[],"resourceVersion":"8","uid":"uid-stranger"}}
        patch pods default/orphan  {"metadata":{"finalizers":["batch.kubernetes.io/job-tracking"],"ownerReferences":[{"apiVersion":"batch/v1","blockOwnerDeletion":true,"controller":true,"kind":"Job","name":"pi","uid":"uid-pi"}],"resourceVersion":"7","uid":"uid-orphan"}}
        update-status jobs default/pi {"active":1,"ready":0,"startTime":"2026-01-01T00:00:00Z","terminating":0,"uncountedTerminatedPods":{}}
    "#]],
    );
}

#[test]
fn finalizers_of_pods_without_a_job_are_removed() {
    let mut w = World::<JobController>::new([spec(json!({}))]);
    let p = member("a", "Running", json!({}));
    assert_eq!(format!("{:?}", w.put(p)), "[default/pi]");
    assert_eq!(format!("{:?}", w.delete("batch/v1", "Job", "default/pi")), "[default/pi, default/pod:a]");
    expect![[r#"
        patch pods default/a  {"metadata":{"finalizers":null,"uid":"uid-a"}}
    "#]]
    .assert_eq(&w.acts("default/pod:a"));
    // A controller of another kind looks after its own pods.
    let mut foreign = pod("b", None, json!({"metadata": {"finalizers": [super::FINALIZER]}}));
    foreign["metadata"]["ownerReferences"] = json!([controller_ref("ReplicaSet", "web")]);
    assert_eq!(format!("{:?}", w.put(foreign)), "[]");
}

#[test]
fn pods_are_looked_at_together_and_new_specs_at_once() {
    let w = World::<JobController>::new([spec(json!({}))]);
    let of = |old: Value, new: Value| {
        let object =
            |v: Value| api::by_api_version("batch/v1", "Job").expect("Job").from_value(v).expect("valid").into();
        let (old, new): (api::Obj, api::Obj) = (object(old), object(new));
        let change = reconcile::Change {
            kind: new.kind(),
            key: "default/pi".into(),
            old: Some(old),
            new: Some(new),
            revision: w.view.revision(),
            cause: 0,
        };
        JobController::batch(&change).as_secs()
    };
    assert_eq!(of(spec(json!({})), spec(json!({}))), 1);
    assert_eq!(of(spec(json!({})), job(json!({"metadata": {"generation": 2}}))), 0);
}
