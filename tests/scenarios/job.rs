//! Jobs as the Kubernetes docs tell of them.

use cluster::Cluster;
use expect_test::expect;
use k8s_openapi::api::batch::v1::Job;
use testkit::{apply, cluster, events, pods, run, table};

fn job(spec: &str, command: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: work}}\nspec:\n{spec}  template:\n    spec:\n      \
         restartPolicy: Never\n      containers:\n      - {{name: main, image: busybox, command: [sh, -c, {command:?}]}}\n"
    )
}

/// The conditions that are true, with their reasons, and the counters.
fn status(c: &Cluster) -> String {
    let Some(job) = c.view().list::<Job>().next() else { return "gone\n".into() };
    let s = job.status.clone().unwrap_or_default();
    let mut out: String = s
        .conditions
        .iter()
        .flatten()
        .filter(|c| c.status == "True")
        .map(|c| format!("{} {}: {}\n", c.type_, c.reason.as_deref().unwrap_or(""), c.message.as_deref().unwrap_or("")))
        .collect();
    let n = |v: Option<i32>| v.unwrap_or(0);
    let (completed, failed) = (s.completed_indexes.unwrap_or_default(), s.failed_indexes.unwrap_or_default());
    out += &format!("active {} succeeded {} failed {}", n(s.active), n(s.succeeded), n(s.failed));
    out + &format!(" completed [{completed}] failed [{failed}]\n")
}

/// Events without the pods' generated names.
fn told(c: &Cluster) -> String {
    let mut text = events(c, "work");
    for p in pods(c) {
        text = text.replace(p.metadata.name.as_deref().unwrap_or("?"), "POD");
    }
    text
}

#[test]
fn a_job_runs_to_completion() {
    let mut c = cluster(2);
    apply(&mut c, &job("  completions: 3\n  parallelism: 2\n", "sleep 5"));
    run(&mut c, 6);
    expect![[r#"
        active 2 succeeded 0 failed 0 completed [] failed []
    "#]]
    .assert_eq(&status(&c));
    run(&mut c, 60);
    expect![[r#"
        SuccessCriteriaMet CompletionsReached: Reached expected number of succeeded pods
        Complete CompletionsReached: Reached expected number of succeeded pods
        active 0 succeeded 3 failed 0 completed [] failed []
    "#]]
    .assert_eq(&status(&c));
    expect![[r#"
        work  Complete  3/3  14s
    "#]]
    .assert_eq(&table(&c, "jobs"));
    expect![[r#"
        SuccessfulCreate Created pod: POD
        SuccessfulCreate Created pod: POD
        SuccessfulCreate Created pod: POD
        Completed Job completed
    "#]]
    .assert_eq(&told(&c));
    assert!(pods(&c).iter().all(|p| p.metadata.finalizers.is_none()), "finished pods are let go");
}

#[test]
fn failures_are_tried_again_ever_later_up_to_the_limit() {
    let mut c = cluster(2);
    apply(&mut c, &job("  backoffLimit: 2\n", "exit 1"));
    run(&mut c, 120);
    expect![[r#"
        FailureTarget BackoffLimitExceeded: Job has reached the specified backoff limit
        Failed BackoffLimitExceeded: Job has reached the specified backoff limit
        active 0 succeeded 0 failed 3 completed [] failed []
    "#]]
    .assert_eq(&status(&c));
    expect![[r#"
        SuccessfulCreate Created pod: POD
        SuccessfulCreate Created pod: POD
        SuccessfulCreate Created pod: POD
        BackoffLimitExceeded Job has reached the specified backoff limit
    "#]]
    .assert_eq(&told(&c));
}

#[test]
fn each_index_has_its_number() {
    let mut c = cluster(2);
    let spec = "  completions: 4\n  parallelism: 4\n  completionMode: Indexed\n  backoffLimitPerIndex: 1\n";
    apply(&mut c, &job(spec, "test $JOB_COMPLETION_INDEX != 2"));
    run(&mut c, 90);
    expect![[r#"
        FailureTarget FailedIndexes: Job has failed indexes
        Failed FailedIndexes: Job has failed indexes
        active 0 succeeded 3 failed 2 completed [0,1,3] failed [2]
    "#]]
    .assert_eq(&status(&c));
}

#[test]
fn a_failure_policy_ends_the_job_at_once() {
    let mut c = cluster(2);
    let spec = "  backoffLimit: 6\n  podFailurePolicy:\n    rules:\n    - {action: FailJob, onExitCodes: {operator: In, \
                values: [42]}}\n";
    apply(&mut c, &job(spec, "exit 42"));
    run(&mut c, 30);
    let text = status(&c);
    let name = pods(&c)[0].metadata.name.clone().unwrap_or_default();
    expect![[r#"
        FailureTarget PodFailurePolicy: Container main for pod default/POD failed with exit code 42 matching FailJob rule at index 0
        Failed PodFailurePolicy: Container main for pod default/POD failed with exit code 42 matching FailJob rule at index 0
        active 0 succeeded 0 failed 1 completed [] failed []
    "#]].assert_eq(&text.replace(&name, "POD"));
}

#[test]
fn a_success_policy_ends_the_job_when_the_leader_is_done() {
    let mut c = cluster(2);
    let spec = "  completions: 3\n  parallelism: 3\n  completionMode: Indexed\n  successPolicy:\n    rules:\n    - \
                {succeededIndexes: \"0\"}\n";
    apply(&mut c, &job(spec, "test $JOB_COMPLETION_INDEX = 0 || sleep 1000"));
    run(&mut c, 90);
    expect![[r#"
        SuccessCriteriaMet SuccessPolicy: Matched rules at index 0
        Complete SuccessPolicy: Matched rules at index 0
        active 0 succeeded 1 failed 0 completed [0] failed []
    "#]]
    .assert_eq(&status(&c));
}

#[test]
fn a_deadline_ends_a_job_and_its_ttl_deletes_it() {
    let mut c = cluster(2);
    apply(&mut c, &job("  activeDeadlineSeconds: 10\n  ttlSecondsAfterFinished: 60\n", "sleep 1000"));
    run(&mut c, 60);
    expect![[r#"
        FailureTarget DeadlineExceeded: Job was active longer than specified deadline
        Failed DeadlineExceeded: Job was active longer than specified deadline
        active 0 succeeded 0 failed 1 completed [] failed []
    "#]]
    .assert_eq(&status(&c));
    run(&mut c, 120);
    assert_eq!(status(&c), "gone\n");
    assert_eq!(pods(&c).len(), 0, "its pods go with it");
}

#[test]
fn a_suspended_job_has_no_pods_until_it_is_resumed() {
    let mut c = cluster(2);
    apply(&mut c, &job("  suspend: true\n", "sleep 1"));
    run(&mut c, 20);
    expect![[r#"
        work  Suspended  0/1  
    "#]]
    .assert_eq(&table(&c, "jobs"));
    assert_eq!(pods(&c).len(), 0);
    apply(&mut c, &job("  suspend: false\n", "sleep 1"));
    run(&mut c, 30);
    expect![[r#"
        Suspended Job suspended
        SuccessfulCreate Created pod: POD
        Resumed Job resumed
        Completed Job completed
    "#]]
    .assert_eq(&told(&c));
}
