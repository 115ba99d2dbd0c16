//! Dynamic resource allocation: pods claim devices, wait for them, and give them back. The manifests of
//! https://kubernetes.io/docs/tasks/configure-pod-container/assign-resources/allocate-devices-dra/ and of the tutorial
//! https://kubernetes.io/docs/tutorials/cluster-management/install-use-dra/, with slices as a driver writes them.

use api::KindRef;
use api::kinds::{job, pod, resourceclaim};
use cluster::Cluster;
use expect_test::expect;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions;
use testkit::{apply, cluster, events, run, table};

const CLASS: &str = "\
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata: {name: example-device-class}
spec:
  selectors:
  - cel:
      expression: |-
        device.driver == \"driver.example.com\"
";

const TEMPLATE: &str = "\
apiVersion: resource.k8s.io/v1
kind: ResourceClaimTemplate
metadata: {name: example-resource-claim-template}
spec:
  spec:
    devices:
      requests:
      - name: gpu-claim
        exactly:
          deviceClassName: example-device-class
          selectors:
            - cel:
                expression: |-
                  device.attributes[\"driver.example.com\"].type == \"gpu\" &&
                  device.capacity[\"driver.example.com\"].memory == quantity(\"64Gi\")
---
apiVersion: resource.k8s.io/v1
kind: ResourceClaim
metadata: {name: example-resource-claim}
spec:
  devices:
    requests:
    - name: single-gpu-claim
      exactly:
        deviceClassName: example-device-class
        selectors:
        - cel:
            expression: device.attributes[\"driver.example.com\"].type == \"gpu\"
";

const JOB: &str = "\
apiVersion: batch/v1
kind: Job
metadata: {name: example-dra-job}
spec:
  completions: 10
  parallelism: 2
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: container0, image: 'ubuntu:24.04', command: [sleep, '9999'], resources: {claims: [{name: separate-gpu-claim}]}}
      - {name: container1, image: 'ubuntu:24.04', command: [sleep, '9999'], resources: {claims: [{name: shared-gpu-claim}]}}
      resourceClaims:
      - {name: separate-gpu-claim, resourceClaimTemplateName: example-resource-claim-template}
      - {name: shared-gpu-claim, resourceClaimName: example-resource-claim}
";

fn slice(node: &str, devices: usize) -> String {
    let device = |i| {
        format!("  - {{name: gpu-{i}, attributes: {{type: {{string: gpu}}}}, capacity: {{memory: {{value: 64Gi}}}}}}\n")
    };
    let devices: String = (0..devices).map(device).collect();
    format!(
        "apiVersion: resource.k8s.io/v1\nkind: ResourceSlice\nmetadata: {{name: {node}-gpus}}\nspec:\n  driver: \
         driver.example.com\n  nodeName: {node}\n  pool: {{name: {node}, generation: 1, resourceSliceCount: 1}}\n  \
         devices:\n{devices}"
    )
}

/// As kubectl does.
fn delete(c: &mut Cluster, kind: KindRef, key: &str) {
    let options = DeleteOptions { propagation_policy: Some("Background".into()), ..Default::default() };
    let request = cluster::requests::delete(meta::User::admin(), kind, &key.into(), options);
    c.request(request).into_result().expect("it is there");
}

#[test]
fn a_jobs_pods_have_a_device_each_and_share_one() {
    let mut c = cluster(2);
    apply(&mut c, CLASS);
    apply(&mut c, &slice("node-1", 3));
    apply(&mut c, TEMPLATE);
    apply(&mut c, JOB);
    run(&mut c, 60);
    expect![[r#"
        example-dra-job-2wg6p  2/2  Running  0
        example-dra-job-pdt69  2/2  Running  0
    "#]]
    .assert_eq(&table(&c, "pods"));
    expect![[r#"
        example-dra-job-2wg6p-separate-gpu-claim-g6tng  allocated,reserved
        example-dra-job-pdt69-separate-gpu-claim-w4r5x  allocated,reserved
        example-resource-claim  allocated,reserved
    "#]]
    .assert_eq(&table(&c, "resourceclaims"));
    expect![[r#"
        node-1-gpus  node-1  driver.example.com  node-1
    "#]]
    .assert_eq(&table(&c, "resourceslices"));
    let taken = c.object(&resourceclaim::KIND, &"default/example-resource-claim".into()).expect("the claim").to_value();
    expect![[r#"{"devices":{"results":[{"device":"gpu-1","driver":"driver.example.com","pool":"node-1","request":"single-gpu-claim"}]},"nodeSelector":{"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":["node-1"]}]}]}}"#]].assert_eq(&taken["status"]["allocation"].to_string());
    delete(&mut c, &job::KIND, "default/example-dra-job");
    run(&mut c, 60);
    expect![[r#"
        example-resource-claim  pending
    "#]]
    .assert_eq(&table(&c, "resourceclaims"));
}

#[test]
fn a_pod_waits_for_claim_class_and_devices() {
    let mut c = cluster(2);
    let pod = "\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
  - {name: main, image: 'ubuntu:24.04', command: [sleep, '9999'], resources: {claims: [{name: gpu}]}}
  resourceClaims: [{name: gpu, resourceClaimName: example-resource-claim}]
";
    apply(&mut c, pod);
    run(&mut c, 20);
    // It is held back before the queue: nothing is said about it.
    expect![[r#"
        p  0/1  Pending  0
    "#]]
    .assert_eq(&table(&c, "pods"));
    expect![[r#""#]].assert_eq(&events(&c, "p"));
    apply(&mut c, TEMPLATE);
    run(&mut c, 20);
    expect![[r#"
        FailedScheduling 0/2 nodes are available: request single-gpu-claim: device class example-device-class does not exist. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.
    "#]].assert_eq(&events(&c, "p"));
    apply(&mut c, CLASS);
    run(&mut c, 20);
    expect![[r#"
        FailedScheduling 0/2 nodes are available: request single-gpu-claim: device class example-device-class does not exist. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.
        FailedScheduling 0/2 nodes are available: 2 cannot allocate all claims. still not schedulable, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.
    "#]].assert_eq(&events(&c, "p"));
    apply(&mut c, &slice("node-2", 1));
    run(&mut c, 20);
    expect![[r#"
        p  1/1  Running  0
    "#]]
    .assert_eq(&table(&c, "pods"));
    // The device is taken.
    let own = "resourceClaimTemplateName: example-resource-claim-template";
    apply(&mut c, &pod.replace("name: p}", "name: q}").replace("resourceClaimName: example-resource-claim", own));
    run(&mut c, 20);
    expect![[r#"
        p  1/1  Running  0
        q  0/1  Pending  0
    "#]]
    .assert_eq(&table(&c, "pods"));
    expect![[r#"
        FailedScheduling 0/2 nodes are available: 2 cannot allocate all claims. still not schedulable, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.
    "#]].assert_eq(&events(&c, "q"));
    // Whoever has it gives it back.
    delete(&mut c, &pod::KIND, "default/p");
    run(&mut c, 60);
    expect![[r#"
        q  1/1  Running  0
    "#]]
    .assert_eq(&table(&c, "pods"));
    expect![[r#"
        example-resource-claim  pending
        q-gpu-tngt8  allocated,reserved
    "#]]
    .assert_eq(&table(&c, "resourceclaims"));
}

#[test]
fn a_kubelet_runs_nobody_whose_claim_is_not_allocated() {
    let mut c = cluster(1);
    apply(&mut c, CLASS);
    apply(&mut c, TEMPLATE);
    apply(
        &mut c,
        "\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  nodeName: node-1
  containers:
  - {name: main, image: 'ubuntu:24.04', command: [sleep, '9999'], resources: {claims: [{name: gpu}]}}
  resourceClaims: [{name: gpu, resourceClaimTemplateName: example-resource-claim-template}]
",
    );
    run(&mut c, 30);
    expect![[r#"
        p  0/1  ContainerCreating  0
    "#]]
    .assert_eq(&table(&c, "pods"));
    expect![[r#"
        FailedPrepareDynamicResources Failed to prepare dynamic resources: prepare dynamic resources: prepare resource claim: pod "default/p": ResourceClaim not created yet
    "#]].assert_eq(&events(&c, "p"));
}
