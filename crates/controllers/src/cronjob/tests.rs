//! Cases modelled on `cronjob_controllerv2_test.go` and `utils_test.go`.

use super::CronJobController;
use crate::testing::{World, at, merged, rfc3339};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

/// Every hour, made at noon (the tests' time begins at midnight).
fn cron(over: Value) -> Value {
    merged(
        json!({
            "apiVersion": "batch/v1", "kind": "CronJob",
            "metadata": {"name": "hello", "namespace": "default", "uid": "uid-hello", "creationTimestamp": rfc3339(0)},
            "spec": {
                "schedule": "0 * * * *", "concurrencyPolicy": "Allow", "suspend": false,
                "successfulJobsHistoryLimit": 1, "failedJobsHistoryLimit": 1,
                "jobTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": {"template": {"spec": {
                    "containers": [{"name": "c", "image": "busybox"}], "restartPolicy": "OnFailure"}}}},
            },
        }),
        over,
    )
}

fn spec(over: Value) -> Value {
    cron(json!({ "spec": over }))
}

fn job(name: &str, condition: Option<&str>, start: u64) -> Value {
    let conditions: Vec<Value> = condition.iter().map(|c| json!({"type": c, "status": "True"})).collect();
    let end = (condition == Some("Complete")).then(|| rfc3339(start + 60));
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}"), "ownerReferences": [
            {"apiVersion": "batch/v1", "kind": "CronJob", "name": "hello", "uid": "uid-hello", "controller": true}]},
        "spec": {"template": {}},
        "status": {"conditions": conditions, "startTime": rfc3339(start), "completionTime": end},
    })
}

fn active(names: &[&str]) -> Value {
    let list: Vec<Value> = names
        .iter()
        .map(|n| json!({"kind": "Job", "namespace": "default", "name": n, "uid": format!("uid-{n}"), "apiVersion": "batch/v1"}))
        .collect();
    json!({"status": {"active": list, "lastScheduleTime": rfc3339(3600)}})
}

fn check(secs: u64, cj: Value, jobs: impl IntoIterator<Item = Value>, expect: Expect) {
    let mut w = World::<CronJobController>::new(std::iter::once(cj).chain(jobs));
    w.now = at(secs);
    expect.assert_eq(&w.acts("default/hello"));
}

#[test]
fn a_job_is_made_when_its_time_has_come() {
    check(
        1800,
        spec(json!({})),
        [],
        expect![[r#"
        requeue after 30m0.1s
    "#]],
    );
    let mut w = World::<CronJobController>::new([spec(json!({"timeZone": "Asia/Seoul"}))]);
    w.now = at(3601);
    expect![[r##"
        # cronjob.due name=hello job=hello-29453820 time=2026-01-01T10:00:00+09:00
        create {"apiVersion":"batch/v1","kind":"Job","metadata":{"annotations":{"batch.kubernetes.io/cronjob-scheduled-timestamp":"2026-01-01T10:00:00+09:00"},"creationTimestamp":"2026-01-01T01:00:00Z","labels":{"a":"b"},"name":"hello-29453820","namespace":"default","ownerReferences":[{"apiVersion":"batch/v1","blockOwnerDeletion":true,"controller":true,"kind":"CronJob","name":"hello","uid":"uid-hello"}]},"spec":{"template":{"spec":{"containers":[{"image":"busybox","name":"c"}],"restartPolicy":"OnFailure"}}}}
          on success: SuccessfulCreate: Created job {name}
          on failure: FailedCreate: Error creating job: {error}
        requeue after 59m59.1s
    "##]].assert_eq(&w.run("default/hello"));
    // Created, but not yet in the status: the next sync adds it.
    let made: api::Obj = api::by_api_version("batch/v1", "Job")
        .expect("Job")
        .from_value(job("hello-29453820", None, 3600))
        .expect("valid")
        .into();
    w.settle("default/hello", &[Ok(Some(made.clone()))]);
    w.put(made.to_value());
    expect![[r#"
        update-status cronjobs default/hello {"active":[{"apiVersion":"batch/v1","kind":"Job","name":"hello-29453820","namespace":"default","uid":"uid-hello-29453820"}],"lastScheduleTime":"2026-01-01T01:00:00Z"}
        requeue after 59m59.1s
    "#]].assert_eq(&w.acts("default/hello"));
}

#[test]
fn only_the_last_of_several_missed_times_is_served() {
    check(
        4 * 3600 + 1800,
        spec(json!({})),
        [],
        expect![[r#"
        create jobs default/hello-29454000
        requeue after 30m0.1s
    "#]],
    );
    check(
        200 * 3600 + 5,
        spec(json!({})),
        [],
        expect![[r#"
        event Warning TooManyMissedTimes hello: too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew
        create jobs default/hello-29465760
        requeue after 59m55.1s
    "#]],
    );
}

#[test]
fn what_keeps_a_job_from_being_made() {
    check(
        3700,
        spec(json!({"startingDeadlineSeconds": 60})),
        [],
        expect![[r#"
        requeue after 58m20.1s
    "#]],
    );
    check(
        3600 + 30,
        spec(json!({"startingDeadlineSeconds": 60})),
        [],
        expect![[r#"
        create jobs default/hello-29453820
        requeue after 59m30.1s
    "#]],
    );
    check(3700, spec(json!({"suspend": true})), [], expect![[r#""#]]);
    check(
        3700,
        spec(json!({"timeZone": "Nowhere/Land"})),
        [],
        expect![[r#"
        event Warning UnknownTimeZone hello: invalid timeZone: "Nowhere/Land": unknown time zone Nowhere/Land
    "#]],
    );
    check(
        3700,
        spec(json!({"schedule": "whenever"})),
        [],
        expect![[r#"
        event Warning UnparseableSchedule hello: unparseable schedule: "whenever" : expected exactly 5 fields, found 1: [whenever]
    "#]],
    );
}

#[test]
fn the_concurrency_policy_decides_when_a_job_still_runs() {
    for policy in ["Allow", "Forbid", "Replace"] {
        let cj = merged(spec(json!({"concurrencyPolicy": policy})), active(&["one"]));
        let mut w = World::<CronJobController>::new([cj, job("one", None, 3600)]);
        w.now = at(7201);
        let acts = w.acts("default/hello");
        let did = |what: &str| acts.contains(what);
        let got = (did("create jobs default/hello-29453880"), did("delete jobs default/one"), did("JobAlreadyActive"));
        let want = match policy {
            "Allow" => (true, false, false),
            "Forbid" => (false, false, true),
            _ => (true, true, false),
        };
        assert_eq!(got, want, "{policy}: {acts}");
    }
}

#[test]
fn jobs_that_end_go_missing_or_come_unasked_are_told_of() {
    let cj = merged(spec(json!({})), active(&["done", "missing"]));
    check(
        3700,
        cj,
        [job("done", Some("Complete"), 3600), job("mine", None, 3600)],
        expect![[r#"
        event Normal SawCompletedJob hello: Saw completed job: done, condition: Complete
        event Warning UnexpectedJob hello: Saw a job that the controller did not create or forgot: mine
        event Normal MissingJob hello: Active job went missing: missing
        update-status cronjobs default/hello {"lastScheduleTime":"2026-01-01T01:00:00Z","lastSuccessfulTime":"2026-01-01T01:01:00Z"}
        requeue after 58m20.1s
    "#]],
    );
}

#[test]
fn old_jobs_are_deleted() {
    let jobs = [
        job("s1", Some("Complete"), 100),
        job("s2", Some("Complete"), 200),
        job("s3", Some("Complete"), 300),
        job("f1", Some("Failed"), 100),
        job("f2", Some("Failed"), 200),
    ];
    let status = json!({"status": {"lastScheduleTime": rfc3339(3600), "lastSuccessfulTime": rfc3339(360)}});
    check(
        3700,
        merged(spec(json!({})), status),
        jobs,
        expect![[r#"
        delete jobs default/s1
        delete jobs default/s2
        delete jobs default/f1
        requeue after 58m20.1s
    "#]],
    );
}
