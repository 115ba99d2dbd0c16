use super::{Order, Quotas, Settings, ToyCloud};
use crate::provider::{Answer, Call, InstanceRef, Provider, Wanted};
use meta::{Duration, Key, Time};

fn order(node: &str) -> Order<'_> {
    Order { node, internal_ip: "172.18.0.3", cpu_milli: 4000, memory_bytes: 8 << 30, zone: "" }
}

fn wanted(name: &str) -> Call {
    Call::EnsureLoadBalancer(Wanted {
        name: name.into(),
        service: Key::new("default", name),
        ports: Vec::new(),
        hosts: Vec::new(),
        address: String::new(),
        source_ranges: Vec::new(),
    })
}

fn at(secs: u64) -> Time {
    Time(secs * 1_000_000)
}

#[test]
fn machines_spread_over_zones_and_cost_by_the_hour() {
    let mut c = ToyCloud::new(Settings::default());
    for n in ["a", "b", "c", "d"] {
        c.launch(at(0), &order(n)).unwrap();
    }
    let zones: Vec<&str> = ["a", "b", "c", "d"].map(|n| c.instance_of(n).unwrap().zone.as_str()).into();
    assert_eq!(zones, ["toy-1a", "toy-1b", "toy-1c", "toy-1a"]);
    assert!(c.instance_of("c").unwrap().spot, "every third");
    // Three at $0.085 and one at three tenths of it.
    assert_eq!(c.rate_micros(), 3 * 85_000 + 25_500);
    assert_eq!(c.cost_micros(at(3600)), 280_500);
    c.stop(at(3600), "a");
    assert_eq!(c.cost_micros(at(7200)), 280_500 + 195_500);
    c.start(at(7200), "a");
    assert_eq!(c.rate_micros(), 280_500);
}

#[test]
fn quotas_zones_and_names_are_respected() {
    let mut c = ToyCloud::new(Settings {
        quotas: Quotas { instances: 2, routes: 1, load_balancers: 1, disks: 1 },
        ..Settings::default()
    });
    assert!(c.set_zone(at(0), "toy-1a", true) && !c.set_zone(at(0), "toy-1a", true) && !c.set_zone(at(0), "x", true));
    assert_eq!(c.launch(at(0), &order("a")).unwrap().zone, "toy-1b");
    let refused = c.launch(at(0), &Order { zone: "toy-1a", ..order("b") }).unwrap_err();
    assert_eq!(refused.message, "InsufficientInstanceCapacity: zone toy-1a has no capacity at present");
    c.launch(at(0), &order("b")).unwrap();
    let refused = c.launch(at(0), &order("c")).unwrap_err();
    assert_eq!(refused.message, "InstanceLimitExceeded: the limit of 2 instances is reached");
    let (took, first) = c.call(at(0), "t", &wanted("one"));
    assert!(took >= Duration::from_secs(8), "setting up takes its time");
    let ip = |a: &Answer| match a {
        Answer::LoadBalancer(Some(s)) => s.ingress.as_ref().unwrap()[0].ip.clone().unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(ip(&first.unwrap()), "203.0.113.10");
    let refused = c.call(at(0), "t", &wanted("two")).1.unwrap_err();
    assert_eq!(refused.message, "LoadBalancerLimitExceeded: the limit of 1 load balancers is reached");
    c.call(at(0), "t", &Call::EnsureLoadBalancerDeleted { name: "one".into() }).1.unwrap();
    assert_eq!(ip(&c.call(at(0), "t", &wanted("two")).1.unwrap()), "203.0.113.10", "the address is free again");
}

#[test]
fn another_machine_of_the_same_name_is_another_instance() {
    let mut c = ToyCloud::new(Settings::default());
    let id = ToyCloud::provider_id(c.launch(at(0), &order("a")).unwrap());
    c.terminate(at(1), "a");
    c.launch(at(2), &order("a")).unwrap();
    let old = InstanceRef { node: "a".into(), provider_id: id };
    assert_eq!(c.call(at(3), "t", &Call::InstanceExists(old)).1, Ok(Answer::Yes(false)));
    let new = InstanceRef { node: "a".into(), provider_id: String::new() };
    assert_eq!(c.call(at(3), "t", &Call::InstanceExists(new)).1, Ok(Answer::Yes(true)));
}

#[test]
fn failures_come_by_the_seed() {
    let run = |seed| {
        let mut c = ToyCloud::new(Settings { seed, failures_permille: 300, ..Settings::default() });
        (0..40).map(|_| c.call(at(0), "t", &Call::ListRoutes).1.is_err()).collect::<Vec<_>>()
    };
    assert_eq!(run(7), run(7));
    assert!(run(7).contains(&true) && run(7).contains(&false) && run(7) != run(8));
}

#[test]
fn a_disk_is_of_one_zone_and_of_one_machine() {
    let mut c = ToyCloud::new(Settings { spot_every: 0, ..Settings::default() });
    let [a, b, d] = ["a", "b", "d"].map(|n| c.launch(at(0), &order(n)).unwrap().id.clone());
    let far = c.launch(at(0), &order("e")).unwrap().id.clone();
    let idle = c.rate_micros();
    let mut call = |call: Call| c.call(at(0), "t", &call).1;
    let make = Call::CreateDisk { name: "one".into(), gib: 10, zone: "toy-1a".into() };
    let Ok(Answer::Disk(disk)) = call(make.clone()) else { panic!("it is made") };
    assert_eq!(call(make), Ok(Answer::Disk(disk.clone())), "asking twice makes one");
    let attach = |instance: &String| Call::AttachDisk { id: disk.id.clone(), instance: instance.clone() };
    assert_eq!(call(attach(&a)), Ok(Answer::Attached("/dev/vdb".into())));
    let why = |r: crate::provider::Reply| r.unwrap_err().message.replace(&disk.id, "DISK");
    assert_eq!(why(call(attach(&far))), format!("DiskInUse: DISK is attached to {a}"));
    assert_eq!(why(call(Call::DeleteDisk { id: disk.id.clone() })), format!("DiskInUse: DISK is attached to {a}"));
    call(Call::DetachDisk { id: disk.id.clone(), instance: a.clone() }).unwrap();
    assert_eq!(why(call(attach(&b))), format!("ZoneMismatch: DISK is in toy-1a, {b} is in toy-1b"));
    assert_eq!(why(call(attach(&d))), format!("ZoneMismatch: DISK is in toy-1a, {d} is in toy-1c"));
    assert_eq!(call(attach(&far)), Ok(Answer::Attached("/dev/vdb".into())));
    call(Call::ResizeDisk { id: disk.id.clone(), gib: 20 }).unwrap();
    assert_eq!(c.rate_micros() - idle, 20 * 139);
    assert!(c.terminate(at(0), "e"));
    assert_eq!(c.disks().next().unwrap().attached, None);
    assert!(c.call(at(0), "t", &Call::DeleteDisk { id: disk.id }).1.is_ok());
    assert_eq!((c.disks().count(), c.rate_micros()), (0, idle - 85_000));
}
