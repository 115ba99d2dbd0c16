//! CronJobs as the Kubernetes docs tell of them.

use expect_test::expect;
use k8s_openapi::api::batch::v1::Job;
use testkit::{apply, cluster, events, run, table};

const HELLO: &str = include_str!("../manifests/cronjob.yaml");

#[test]
fn a_job_every_minute_and_only_the_last_three_are_kept() {
    let mut c = cluster(2);
    apply(&mut c, HELLO);
    run(&mut c, 340);
    let jobs: Vec<String> = table(&c, "jobs").lines().map(|l| l.split("  ").nth(1).unwrap_or("").into()).collect();
    assert_eq!(jobs, ["Complete"; 3]);
    let minute = |j: &Job| j.metadata.name.as_deref().and_then(|n| n.rsplit_once('-')?.1.parse::<u64>().ok());
    let mut minutes: Vec<u64> = c.view().list::<Job>().filter_map(minute).collect();
    minutes.sort_unstable();
    assert!(minutes.windows(2).all(|w| w[1] == w[0] + 1), "one a minute: {minutes:?}");
    let told = events(&c, "hello");
    for words in [
        "SuccessfulCreate Created job hello-",
        "SawCompletedJob Saw completed job: hello-",
        "condition: Complete",
        "SuccessfulDelete Deleted job hello-",
    ] {
        assert!(told.contains(words), "no {words} in\n{told}");
    }
}

#[test]
fn a_suspended_cron_job_does_nothing_and_forbid_waits() {
    let mut c = cluster(2);
    apply(&mut c, &HELLO.replace("  schedule:", "  suspend: true\n  schedule:"));
    run(&mut c, 130);
    expect![[r#"
        hello  * * * * *  <none>  True  0  <none>
    "#]]
    .assert_eq(&table(&c, "cronjobs"));
    let long = HELLO
        .replace("  schedule:", "  concurrencyPolicy: Forbid\n  schedule:")
        .replace("date; echo", "sleep 150; echo");
    apply(&mut c, &long);
    run(&mut c, 130);
    assert_eq!(c.view().list::<Job>().count(), 1);
    let told = events(&c, "hello");
    assert!(told.contains("JobAlreadyActive Not starting job because prior execution is running"), "{told}");
}
