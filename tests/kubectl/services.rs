//! Services and their endpoints.

use crate::table;
use system_tests::Server;

#[test]
fn a_service_finds_its_pods() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    assert_eq!(s.apply("service.yaml"), "service/my-service created\ndeployment.apps/backend created\n");
    let services = s.k("get services");
    let (columns, rows) = table(&services);
    assert_eq!(columns, ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]);
    let mine = rows.iter().find(|r| r[0] == "my-service").unwrap_or_else(|| panic!("{services}"));
    assert_eq!((mine[1], mine[3], mine[4]), ("ClusterIP", "<none>", "80/TCP"));
    let kubernetes = rows.iter().find(|r| r[0] == "kubernetes").unwrap_or_else(|| panic!("{services}"));
    assert_eq!((kubernetes[2], kubernetes[4]), ("10.96.0.1", "443/TCP"));

    s.k("rollout status deployment/backend --timeout=60s");
    let ready = "get endpointslices -l kubernetes.io/service-name=my-service -o jsonpath={..conditions.ready}";
    s.until(ready, |o| o == "true true");
    let slices = s.k("get endpointslices -l kubernetes.io/service-name=my-service");
    assert_eq!(table(&slices).0, ["NAME", "ADDRESSTYPE", "PORTS", "ENDPOINTS", "AGE"]);
    assert!(slices.contains("9376"), "{slices}");

    s.k("scale deployment/backend --replicas=0");
    s.until(ready, str::is_empty);
    assert_eq!(s.k("expose deployment backend --port=8080 --name=again"), "service/again exposed\n");
}
