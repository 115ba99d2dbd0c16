//! The baseline level: nothing by which a pod becomes more than a pod. Models `policy/check_*.go`.

use super::{AnyContainer, Names, Subject, Violation, containers, plural, quoted, setters, violation};
use k8s_openapi::api::core::v1::{LifecycleHandler, Probe, SELinuxOptions};

pub(super) type Check = fn(Subject<'_>, u32) -> Option<Violation>;

/// In the order of their names, which is that of messages.
pub(super) const CHECKS: &[(&str, Check)] = &[
    ("appArmorProfile", app_armor),
    ("capabilities_baseline", capabilities),
    ("hostNamespaces", host_namespaces),
    ("hostPathVolumes", host_path_volumes),
    ("hostPorts", host_ports),
    ("hostProbesAndHostLifecycle", host_probes),
    ("privileged", privileged),
    ("procMount", proc_mount_baseline),
    ("seLinuxOptions", se_linux),
    ("seccompProfile_baseline", seccomp),
    ("sysctls", sysctls),
    ("windowsHostProcess", windows_host_process),
];

fn app_armor(s: Subject<'_>, _: u32) -> Option<Violation> {
    let allowed = |t: &str| matches!(t, "RuntimeDefault" | "Localhost");
    let mut values = Names::new();
    let own = s.security().and_then(|c| c.app_armor_profile.as_ref()).map(|p| p.type_.as_str());
    let own = own.filter(|t| !allowed(t));
    values.extend(own);
    let mut bad = Vec::new();
    for c in s.containers() {
        let profile = c.security.and_then(|c| c.app_armor_profile.as_ref()).map(|p| p.type_.as_str());
        if let Some(t) = profile.filter(|t| !allowed(t)) {
            bad.push(c.name);
            values.insert(t);
        }
    }
    let good = |v: &str| v.is_empty() || v == "runtime/default" || v.starts_with("localhost/");
    let annotations = s.annotations.into_iter().flatten();
    let annotations = annotations.filter(|(k, _)| k.starts_with("container.apparmor.security.beta.kubernetes.io/"));
    let annotations: Vec<String> = annotations.filter(|(_, v)| !good(v)).map(|(k, v)| format!("{k}={v:?}")).collect();
    let mut list: Vec<&str> = values.into_iter().collect();
    list.extend(annotations.iter().map(String::as_str));
    let noted = (!annotations.is_empty()).then(|| plural("annotation", "annotations", annotations.len()).to_string());
    let who: Vec<String> = setters(own.is_some(), &bad).into_iter().chain(noted).collect();
    if who.is_empty() {
        return None;
    }
    let reason = plural("forbidden AppArmor profile", "forbidden AppArmor profiles", list.len());
    violation(reason, format!("{} must not set AppArmor profile type to {}", who.join(" and "), quoted(list)))
}

const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// What a container adds.
pub(super) fn added<'a>(c: &AnyContainer<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    let capabilities = c.security.and_then(|s| s.capabilities.as_ref());
    capabilities.and_then(|c| c.add.as_ref()).into_iter().flatten().map(String::as_str)
}

fn capabilities(s: Subject<'_>, _: u32) -> Option<Violation> {
    let (mut bad, mut forbidden) = (Vec::new(), Names::new());
    for c in s.containers() {
        let wrong: Vec<&str> = added(&c).filter(|a| !CAPABILITIES.contains(a)).collect();
        if !wrong.is_empty() {
            bad.push(c.name);
            forbidden.extend(wrong);
        }
    }
    if bad.is_empty() {
        return None;
    }
    let detail =
        format!("{} must not include {} in securityContext.capabilities.add", containers(&bad), quoted(forbidden));
    violation("non-default capabilities", detail)
}

fn host_namespaces(s: Subject<'_>, _: u32) -> Option<Violation> {
    let uses = [
        (s.spec.host_network, "hostNetwork=true"),
        (s.spec.host_pid, "hostPID=true"),
        (s.spec.host_ipc, "hostIPC=true"),
    ];
    let uses: Vec<&str> = uses.into_iter().filter(|(on, _)| *on == Some(true)).map(|(_, what)| what).collect();
    if uses.is_empty() { None } else { violation("host namespaces", uses.join(", ")) }
}

fn host_path_volumes(s: Subject<'_>, _: u32) -> Option<Violation> {
    let volumes = s.spec.volumes.iter().flatten().filter(|v| v.host_path.is_some());
    let names: Vec<&str> = volumes.map(|v| v.name.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let volumes = plural("volume", "volumes", names.len());
    violation("hostPath volumes", format!("{volumes} {}", quoted(names)))
}

fn host_ports(s: Subject<'_>, _: u32) -> Option<Violation> {
    let (mut bad, mut ports) = (Vec::new(), std::collections::BTreeSet::new());
    for c in s.containers() {
        let of_host: Vec<String> =
            c.ports.iter().filter_map(|p| p.host_port).filter(|p| *p != 0).map(|p| p.to_string()).collect();
        if !of_host.is_empty() {
            bad.push(c.name);
            ports.extend(of_host);
        }
    }
    if bad.is_empty() {
        return None;
    }
    let (uses, what) = (plural("uses", "use", bad.len()), plural("hostPort", "hostPorts", ports.len()));
    let list = ports.into_iter().collect::<Vec<_>>().join(", ");
    violation("hostPort", format!("{} {uses} {what} {list}", containers(&bad)))
}

fn host_probes(s: Subject<'_>, version: u32) -> Option<Violation> {
    fn of_probe(p: &Probe) -> impl Iterator<Item = &str> {
        let http = p.http_get.as_ref().and_then(|h| h.host.as_deref());
        http.into_iter().chain(p.tcp_socket.as_ref().and_then(|t| t.host.as_deref()))
    }
    fn of_handler(h: &LifecycleHandler) -> impl Iterator<Item = &str> {
        let http = h.http_get.as_ref().and_then(|h| h.host.as_deref());
        http.into_iter().chain(h.tcp_socket.as_ref().and_then(|t| t.host.as_deref()))
    }
    if version < 34 {
        return None;
    }
    let (mut bad, mut hosts) = (Names::new(), Names::new());
    for c in s.containers() {
        let probes = c.probes.into_iter().flatten().flat_map(of_probe);
        let handlers = c.lifecycle.into_iter().flat_map(|l| [l.post_start.as_ref(), l.pre_stop.as_ref()]);
        let found: Vec<&str> =
            probes.chain(handlers.flatten().flat_map(of_handler)).filter(|h| !h.is_empty()).collect();
        if !found.is_empty() {
            bad.insert(c.name);
            hosts.extend(found);
        }
    }
    if bad.is_empty() {
        return None;
    }
    let bad: Vec<&str> = bad.into_iter().collect();
    let uses = plural("uses", "use", bad.len());
    let what = plural("probe or lifecycle host", "probe or lifecycle hosts", hosts.len());
    violation("probe or lifecycle host", format!("{} {uses} {what} {}", containers(&bad), quoted(hosts)))
}

fn privileged(s: Subject<'_>, _: u32) -> Option<Violation> {
    let bad = s.containers().filter(|c| c.security.is_some_and(|s| s.privileged == Some(true)));
    let bad: Vec<&str> = bad.map(|c| c.name).collect();
    if bad.is_empty() {
        return None;
    }
    violation("privileged", format!("{} must not set securityContext.privileged=true", containers(&bad)))
}

fn proc_mount_baseline(s: Subject<'_>, version: u32) -> Option<Violation> {
    if version >= 35 && s.has_user_namespace() { None } else { proc_mount(s) }
}

pub(super) fn proc_mount(s: Subject<'_>) -> Option<Violation> {
    let (mut bad, mut kinds) = (Vec::new(), Names::new());
    for c in s.containers() {
        if let Some(kind) = c.security.and_then(|s| s.proc_mount.as_deref()).filter(|k| *k != "Default") {
            bad.push(c.name);
            kinds.insert(kind);
        }
    }
    if bad.is_empty() {
        return None;
    }
    violation("procMount", format!("{} must not set securityContext.procMount to {}", containers(&bad), quoted(kinds)))
}

fn se_linux(s: Subject<'_>, version: u32) -> Option<Violation> {
    let (mut types, mut user, mut role) = (Names::new(), false, false);
    let mut check = |o: &'_ SELinuxOptions| -> (bool, Option<String>) {
        let text = |v: &Option<String>| v.clone().filter(|v| !v.is_empty());
        let kind = text(&o.type_).filter(|t| {
            let known = ["container_t", "container_init_t", "container_kvm_t"].contains(&t.as_str());
            !(known || (version >= 31 && t == "container_engine_t"))
        });
        let (u, r) = (text(&o.user).is_some(), text(&o.role).is_some());
        user |= u;
        role |= r;
        (kind.is_some() || u || r, kind)
    };
    let mut found: Vec<String> = Vec::new();
    let own = s.security().and_then(|c| c.se_linux_options.as_ref()).is_some_and(|o| {
        let (bad, kind) = check(o);
        found.extend(kind);
        bad
    });
    let mut bad = Vec::new();
    for c in s.containers() {
        if let Some(o) = c.security.and_then(|c| c.se_linux_options.as_ref()) {
            let (wrong, kind) = check(o);
            found.extend(kind);
            if wrong {
                bad.push(c.name);
            }
        }
    }
    types.extend(found.iter().map(String::as_str));
    let who = setters(own, &bad)?;
    let mut what = Vec::new();
    if !types.is_empty() {
        what.push(format!("{} {}", plural("type", "types", types.len()), quoted(types)));
    }
    if user {
        what.push("user may not be set".into());
    }
    if role {
        what.push("role may not be set".into());
    }
    let detail = format!("{who} set forbidden securityContext.seLinuxOptions: {}", what.join("; "));
    violation("seLinuxOptions", detail)
}

pub(super) fn valid_seccomp(kind: &str) -> bool {
    matches!(kind, "Localhost" | "RuntimeDefault")
}

fn seccomp(s: Subject<'_>, version: u32) -> Option<Violation> {
    if version < 19 { seccomp_annotations(s) } else { seccomp_set(s) }
}

fn seccomp_annotations(s: Subject<'_>) -> Option<Violation> {
    let good = |v: &str| matches!(v, "runtime/default" | "docker/default") || v.starts_with("localhost/");
    let of_containers = s.containers().map(|c| format!("container.seccomp.security.alpha.kubernetes.io/{}", c.name));
    let keys = std::iter::once("seccomp.security.alpha.kubernetes.io/pod".to_string()).chain(of_containers);
    let mut forbidden: Vec<String> = keys
        .filter_map(|k| {
            let value = s.annotations?.get(&k).filter(|v| !good(v))?;
            Some(format!("{k}={value:?}"))
        })
        .collect();
    if forbidden.is_empty() {
        return None;
    }
    forbidden.sort();
    forbidden.dedup();
    let what = plural("annotation", "annotations", forbidden.len());
    violation("seccompProfile", format!("forbidden {what} {}", forbidden.join(", ")))
}

/// What is set and wrong.
pub(super) fn seccomp_set(s: Subject<'_>) -> Option<Violation> {
    let mut values = Names::new();
    let own = s.security().and_then(|c| c.seccomp_profile.as_ref()).map(|p| p.type_.as_str());
    let own = own.filter(|t| !valid_seccomp(t));
    values.extend(own);
    let mut bad = Vec::new();
    for c in s.containers() {
        let kind = c.security.and_then(|c| c.seccomp_profile.as_ref()).map(|p| p.type_.as_str());
        if let Some(kind) = kind.filter(|k| !valid_seccomp(k)) {
            bad.push(c.name);
            values.insert(kind);
        }
    }
    let who = setters(own.is_some(), &bad)?;
    let detail = format!("{who} must not set securityContext.seccompProfile.type to {}", quoted(values));
    violation("seccompProfile", detail)
}

/// Name and the version since which it is allowed.
const SYSCTLS: [(&str, u32); 12] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
];

fn sysctls(s: Subject<'_>, version: u32) -> Option<Violation> {
    let all = s.security().and_then(|c| c.sysctls.as_ref()).into_iter().flatten().map(|s| s.name.as_str());
    let allowed = |name: &str| SYSCTLS.iter().any(|(n, since)| *n == name && *since <= version);
    let forbidden: Vec<&str> = all.filter(|n| !allowed(n)).collect();
    if forbidden.is_empty() { None } else { violation("forbidden sysctls", forbidden.join(", ")) }
}

fn windows_host_process(s: Subject<'_>, _: u32) -> Option<Violation> {
    let own = s.security().and_then(|c| c.windows_options.as_ref()).is_some_and(|w| w.host_process == Some(true));
    let bad = s
        .containers()
        .filter(|c| c.security.and_then(|s| s.windows_options.as_ref()).is_some_and(|w| w.host_process == Some(true)));
    let bad: Vec<&str> = bad.map(|c| c.name).collect();
    let who = setters(own, &bad)?;
    violation("hostProcess", format!("{who} must not set securityContext.windowsOptions.hostProcess=true"))
}
