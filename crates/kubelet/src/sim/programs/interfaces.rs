//! What a container's network looks like from inside: `ip`, `ifconfig`, `route`, `arp`. As a point-to-point plugin makes it
//! (kind's): one interface, and the node at its other end.

use super::Io;

/// The node's address on the pods' side: the first of their range.
fn gateway(ip: &str) -> String {
    ip.rsplit_once('.').map_or_else(String::new, |(net, _)| format!("{net}.1"))
}

fn network(ip: &str) -> String {
    ip.rsplit_once('.').map_or_else(String::new, |(net, _)| format!("{net}.0"))
}

/// An address of hardware that belongs to an address, as the CNI's bridge makes it.
fn hardware(ip: &str) -> String {
    let numbers = ip.split('.').filter_map(|n| n.parse::<u8>().ok());
    let all: Vec<String> = [0x0a, 0x58].into_iter().chain(numbers).map(|n| format!("{n:02x}")).collect();
    all.join(":")
}

pub fn run(io: &mut Io, name: &str) -> i32 {
    let ip = io.m.spec.pod_ip.clone();
    match name {
        "ip" => ip_program(io, &ip),
        "ifconfig" => ifconfig(io, &ip),
        "route" => route(io, &ip),
        _ => arp(io, &ip),
    }
}

fn links(ip: &str) -> [(&'static str, String); 2] {
    let other = "brd 00:00:00:00:00:00";
    [
        (
            "lo",
            format!(
                "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN qlen 1000\n    link/loopback \
                 00:00:00:00:00:00 {other}"
            ),
        ),
        (
            "eth0",
            format!(
                "2: eth0@if7: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue state UP qlen 1000\n    \
                 link/ether {} brd ff:ff:ff:ff:ff:ff",
                hardware(ip)
            ),
        ),
    ]
}

/// `ip addr`, `ip link`, `ip route`, `ip neigh`, each with `show`; words may be shortened.
fn ip_program(io: &mut Io, ip: &str) -> i32 {
    let words: Vec<String> = io.operands();
    let object = words.first().map_or("", String::as_str);
    let is = |whole: &str| !object.is_empty() && whole.starts_with(object);
    let action = words.get(1).map_or("show", String::as_str);
    if !["show", "list", "lst", "dev"].iter().any(|a| a.starts_with(action)) && !object.is_empty() {
        io.complain(format!("ip: `{object} {action}` is not simulated"));
        return 1;
    }
    let named = |link: &str| {
        let mut said =
            words.iter().skip(1).filter(|w| !matches!(w.as_str(), "show" | "list" | "dev" | "s" | "sh" | "ls"));
        said.next_back().is_none_or(|w| w == link)
    };
    let gateway = gateway(ip);
    if is("address") || is("link") {
        for (name, text) in links(ip).into_iter().filter(|(name, _)| named(name)) {
            io.line(text);
            if is("address") {
                io.line(match name {
                    "lo" => {
                        "    inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever".to_string()
                    }
                    _ => format!(
                        "    inet {ip}/24 brd {}.255 scope global eth0\n       valid_lft forever preferred_lft forever",
                        ip.rsplit_once('.').map_or("", |(net, _)| net)
                    ),
                });
            }
        }
        return 0;
    }
    if is("route") {
        let net = network(ip);
        io.line(format!(
            "default via {gateway} dev eth0\n{net}/24 via {gateway} dev eth0  src {ip}\n{gateway} dev eth0 scope link  src {ip}"
        ));
        return 0;
    }
    if is("neighbour") || is("neighbor") {
        io.line(format!("{gateway} dev eth0 lladdr {} ref 1 used 0/0/0 probes 1 REACHABLE", hardware(&gateway)));
        return 0;
    }
    io.complain("ip: only address, link, route and neigh are simulated");
    1
}

/// `ifconfig [-a] [INTERFACE]`. Packets are not counted.
fn ifconfig(io: &mut Io, ip: &str) -> i32 {
    let counters = |queue: &str| {
        format!(
            "          RX packets:0 errors:0 dropped:0 overruns:0 frame:0\n          TX packets:0 errors:0 dropped:0 overruns:0 \
             carrier:0\n          collisions:0 txqueuelen:{queue} \n          RX bytes:0 (0.0 B)  TX bytes:0 (0.0 B)\n"
        )
    };
    let net = ip.rsplit_once('.').map_or("", |(net, _)| net);
    let all = [
        (
            "eth0",
            format!(
                "eth0      Link encap:Ethernet  HWaddr {}  \n          inet addr:{ip}  Bcast:{net}.255  Mask:255.255.255.0\n          \
                 UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n{}",
                hardware(ip).to_uppercase(),
                counters("1000")
            ),
        ),
        (
            "lo",
            format!(
                "lo        Link encap:Local Loopback  \n          inet addr:127.0.0.1  Mask:255.0.0.0\n          \
                 UP LOOPBACK RUNNING  MTU:65536  Metric:1\n{}",
                counters("1000")
            ),
        ),
    ];
    let operands = io.operands();
    if operands.len() > 1 {
        io.complain("ifconfig: changing the network is not simulated");
        return 1;
    }
    match operands.first() {
        None => all.iter().for_each(|(_, text)| io.line(text)),
        Some(name) => match all.iter().find(|(n, _)| n == name) {
            Some((_, text)) => io.line(text),
            None => {
                io.complain(format!("ifconfig: {name}: error fetching interface information: Device not found"));
                return 1;
            }
        },
    }
    0
}

/// `route [-n]`
fn route(io: &mut Io, ip: &str) -> i32 {
    if !io.operands().is_empty() {
        io.complain("route: changing the network is not simulated");
        return 1;
    }
    let (gateway, numeric) = (gateway(ip), io.flag('n'));
    let any = if numeric { "0.0.0.0" } else { "default" };
    let nobody = if numeric { "0.0.0.0" } else { "*" };
    io.line("Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface");
    for (to, via, mask, flags) in [
        (any, gateway.as_str(), "0.0.0.0", "UG"),
        (network(ip).as_str(), gateway.as_str(), "255.255.255.0", "UG"),
        (gateway.as_str(), nobody, "255.255.255.255", "UH"),
    ] {
        io.line(format!("{to:<15} {via:<15} {mask:<15} {flags:<5} 0      0        0 eth0"));
    }
    0
}

/// `arp [-an]`: the node is all that a pod sees of its link.
fn arp(io: &mut Io, ip: &str) -> i32 {
    let gateway = gateway(ip);
    io.line(format!("? ({gateway}) at {} [ether]  on eth0", hardware(&gateway)));
    0
}

#[cfg(test)]
mod tests {
    #[test]
    fn addresses_belong_together() {
        assert_eq!(super::gateway("10.244.1.7"), "10.244.1.1");
        assert_eq!(super::hardware("10.244.1.7"), "0a:58:0a:f4:01:07");
    }
}
