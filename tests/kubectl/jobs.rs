//! CronJobs and what Jobs can do, with the examples of the Kubernetes docs.

use crate::table;
use system_tests::Server;

#[test]
fn a_cronjob_from_first_to_last() {
    let Some(s) = Server::start(&["--speed", "20"]) else { return };
    let create = ["create", "cronjob", "hello", "--image=busybox:1.36", "--schedule=* * * * *", "--", "date"];
    assert_eq!(s.kubectl(&create).good(), "cronjob.batch/hello created\n");
    let cronjobs = s.k("get cronjobs");
    let (columns, rows) = table(&cronjobs);
    assert_eq!(columns, ["NAME", "SCHEDULE", "TIMEZONE", "SUSPEND", "ACTIVE", "LAST SCHEDULE", "AGE"]);
    assert_eq!(rows[0][..4], ["hello", "* * * * *", "<none>", "False"]);

    assert_eq!(s.k("create job by-hand --from=cronjob/hello"), "job.batch/by-hand created\n");
    s.k("wait --for=condition=complete job/by-hand --timeout=60s");
    let by_hand = s.k("get job by-hand -o jsonpath={.metadata.annotations}{.metadata.ownerReferences[0].name}");
    assert_eq!(by_hand, "{\"cronjob.kubernetes.io/instantiate\":\"manual\"}hello");

    let jobs = s.until("get jobs -o name", |o| o.lines().count() >= 2);
    let timely = jobs.lines().find(|j| j.starts_with("job.batch/hello-")).unwrap_or_default();
    s.k(&format!("wait --for=condition=complete {timely} --timeout=60s"));
    let described = s.k("describe cronjob hello");
    for words in [
        "Schedule:                      * * * * *",
        "Concurrency Policy:            Allow",
        "Suspend:                       False",
        "Successful Job History Limit:  3",
        "Failed Job History Limit:      1",
        "SuccessfulCreate",
        "Created job hello-",
    ] {
        assert!(described.contains(words), "no {words} in\n{described}");
    }
    // What is beyond the limit goes, the one that was made by hand too: the CronJob owns it.
    s.k("patch cronjob hello -p {\"spec\":{\"suspend\":true,\"successfulJobsHistoryLimit\":0}}");
    s.until("get jobs -o name", |o| !o.contains(timely));
    s.until("get cronjob hello", |o| table(o).1.first().is_some_and(|r| r[3] == "True"));
    s.k("delete cronjob hello");
    s.until("get jobs,pods -o name", str::is_empty);
}

#[test]
fn indexes_reach_their_pods() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    s.apply("job-indexed.yaml");
    s.k("wait --for=condition=complete job/indexed-job --timeout=60s");
    let described = s.k("describe job indexed-job");
    for words in [
        "Completions:        5",
        "Completion Mode:    Indexed",
        "Pods Statuses:      0 Active (0 Ready) / 5 Succeeded / 0 Failed",
        "Completed Indexes:  0-4",
        "Created pod: indexed-job-3-",
    ] {
        assert!(described.contains(words), "no {words} in\n{described}");
    }
    assert_eq!(s.k("logs -l batch.kubernetes.io/job-completion-index=3"), "3\n");
}

#[test]
fn an_exit_code_can_fail_the_whole_job() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    s.apply("job-failure-policy.yaml");
    s.k("wait --for=condition=Failed job/job-pod-failure-policy-example --timeout=60s");
    let get = "get job job-pod-failure-policy-example -o jsonpath={.status.conditions[?(@.type==\"Failed\")]";
    assert_eq!(s.k(&format!("{get}.reason}}")), "PodFailurePolicy");
    let message = s.k(&format!("{get}.message}}"));
    assert!(message.starts_with("Container main for pod default/job-pod-failure-policy-example-"), "{message}");
    assert!(message.ends_with(" failed with exit code 42 matching FailJob rule at index 0"), "{message}");
    let jobs = s.k("get jobs");
    assert_eq!(table(&jobs).1[0][..3], ["job-pod-failure-policy-example", "Failed", "0/12"]);
}

#[test]
fn some_indexes_can_be_enough() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    s.apply("job-success-policy.yaml");
    s.k("wait --for=condition=complete job/job-success --timeout=60s");
    let get = "get job job-success -o jsonpath={.status.conditions[?(@.type==\"SuccessCriteriaMet\")]";
    assert_eq!(s.k(&format!("{get}.reason}}")), "SuccessPolicy");
    assert_eq!(s.k(&format!("{get}.message}}")), "Matched rules at index 0");
    assert_eq!(s.k("get job job-success -o jsonpath={.status.completedIndexes}"), "2");
}

#[test]
fn every_index_has_its_own_limit() {
    let Some(s) = Server::start(&["--speed", "20"]) else { return };
    s.apply("job-backoff-per-index.yaml");
    s.k("wait --for=condition=Failed job/job-backoff-limit-per-index-example --timeout=60s");
    let get = |path: &str| s.k(&format!("get job job-backoff-limit-per-index-example -o jsonpath={path}"));
    assert_eq!(get("{.status.completedIndexes}"), "1,3,5,7,9");
    assert_eq!(get("{.status.failedIndexes}"), "0,2,4,6,8");
    assert_eq!(get("{.status.succeeded}/{.status.failed}"), "5/10");
    assert_eq!(get("{.status.conditions[?(@.type==\"Failed\")].reason}"), "FailedIndexes");
    assert_eq!(get("{.status.conditions[?(@.type==\"Failed\")].message}"), "Job has failed indexes");
}
