//! IP addresses and CIDRs. Models `k8s.io/apimachinery/pkg/util/validation/ip.go`.

use meta::{FieldError, Path};
use std::net::IpAddr;

/// Also addresses with leading zeros, as fields from before v1.33 take them. Models `IsValidIPForLegacyField`.
pub fn ip(path: &Path, value: &str) -> Vec<FieldError> {
    if sloppy_ip(value).is_some() {
        return Vec::new();
    }
    vec![FieldError::invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]
}

/// In the usual notation only. Models `IsValidIP`.
pub fn strict_ip(path: &Path, value: &str) -> Vec<FieldError> {
    let Some(ip) = sloppy_ip(value) else { return self::ip(path, value) };
    let mut errors = Vec::new();
    if value.parse::<IpAddr>().is_err() {
        errors.push(FieldError::invalid(path, value, "must not have leading 0s"));
    }
    if is_mapped(ip) {
        errors.push(FieldError::invalid(path, value, "must not be an IPv4-mapped IPv6 address"));
    }
    if errors.is_empty() && ip.to_string() != value {
        errors.push(FieldError::invalid(path, value, format!("must be in canonical form (\"{ip}\")")));
    }
    errors
}

/// Models `IsValidCIDRForLegacyField`.
pub fn cidr(path: &Path, value: &str) -> Vec<FieldError> {
    if sloppy_cidr(value).is_some() {
        return Vec::new();
    }
    vec![FieldError::invalid(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")]
}

/// Whether some of the addresses are IPv4 and some IPv6.
pub fn is_dual_stack<'a>(ips: impl IntoIterator<Item = &'a str>) -> bool {
    let (mut v4, mut v6) = (false, false);
    for ip in ips {
        match ip.split('/').next().and_then(sloppy_ip).map(standard) {
            Some(IpAddr::V4(_)) => v4 = true,
            Some(IpAddr::V6(_)) => v6 = true,
            None => {}
        }
    }
    v4 && v6
}

/// Addresses that only mean something on one machine. Models `ValidateEndpointIP`.
pub fn non_special(path: &Path, value: &str) -> Vec<FieldError> {
    let Some(ip) = sloppy_ip(value).map(standard) else {
        return vec![FieldError::invalid(path, value, "must be a valid IP address")];
    };
    let (link_local, link_multicast) = match ip {
        IpAddr::V4(v) => (v.is_link_local(), v.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(v) => (v.is_unicast_link_local(), v.segments()[0] & 0xff0f == 0xff02),
    };
    let mut errors = Vec::new();
    for (is, why) in [
        (ip.is_unspecified(), format!("may not be unspecified ({value})")),
        (ip.is_loopback(), "may not be in the loopback range (127.0.0.0/8, ::1/128)".into()),
        (link_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)".into()),
        (link_multicast, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)".into()),
    ] {
        if is {
            errors.push(FieldError::invalid(path, value, why));
        }
    }
    errors
}

/// A notation that will be refused some day, or an IPv6 address written in an unusual way. Models `GetWarningsForIP`.
pub fn ip_warning(path: &Path, value: &str) -> Option<String> {
    let ip = sloppy_ip(value)?;
    let usual = standard(ip);
    if value.parse::<IpAddr>().is_err() || is_mapped(ip) {
        return Some(format!(
            "{path}: non-standard IP address {value:?} will be considered invalid in a future Kubernetes release: use \
             \"{usual}\""
        ));
    }
    (ip.is_ipv6() && usual.to_string() != value)
        .then(|| format!("{path}: IPv6 address {value:?} should be in RFC 5952 canonical format (\"{usual}\")"))
}

/// Models `GetWarningsForCIDR`.
pub fn cidr_warnings(path: &Path, value: &str) -> Vec<String> {
    let Some((ip, bits)) = sloppy_cidr(value) else { return Vec::new() };
    let (ip, masked) = (standard(ip), standard(mask(ip, bits)));
    let mut out = Vec::new();
    if ip != masked {
        let whole = if ip.is_ipv4() { 32 } else { 128 };
        out.push(format!(
            "{path}: CIDR value {value:?} is ambiguous in this context (should be \"{masked}/{bits}\" or \
             \"{ip}/{whole}\"?)"
        ));
    }
    let strict = value
        .split_once('/')
        .is_some_and(|(i, b)| i.parse::<IpAddr>().is_ok_and(|i| !is_mapped(i)) && (b == "0" || !b.starts_with('0')));
    if !strict {
        out.push(format!(
            "{path}: non-standard CIDR value {value:?} will be considered invalid in a future Kubernetes release: use \
             \"{masked}/{bits}\""
        ));
    }
    let usual = format!("{ip}/{bits}");
    if out.is_empty() && ip.is_ipv6() && usual != value {
        out.push(format!("{path}: IPv6 CIDR value {value:?} should be in RFC 5952 canonical format ({usual:?})"));
    }
    out
}

fn is_mapped(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v) if v.to_ipv4_mapped().is_some())
}

/// An IPv4 address in IPv6 clothes is the IPv4 address, as Go's `net.IP` has it.
fn standard(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v) => v.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

fn mask(ip: IpAddr, bits: u32) -> IpAddr {
    match ip {
        IpAddr::V4(v) => IpAddr::V4((u32::from(v) & u32::MAX.checked_shl(32 - bits).unwrap_or(0)).into()),
        IpAddr::V6(v) => IpAddr::V6((u128::from(v) & u128::MAX.checked_shl(128 - bits).unwrap_or(0)).into()),
    }
}

/// Leading zeros are decimal here. Models `netutils.ParseIPSloppy`.
pub fn sloppy_ip(value: &str) -> Option<IpAddr> {
    if let Ok(ip) = value.parse() {
        return Some(ip);
    }
    let parts: Vec<&str> = value.split('.').collect();
    let number = |s: &&str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if parts.len() != 4 || !parts.iter().all(number) {
        return None;
    }
    let octets: Vec<u8> = parts.iter().filter_map(|p| p.parse().ok()).collect();
    <[u8; 4]>::try_from(octets).ok().map(IpAddr::from)
}

/// Whether one network lies in the other and is smaller; `None` when one cannot be read.
pub fn is_strict_subnet(inner: &str, outer: &str) -> Option<bool> {
    let ((inner, inner_bits), (outer, outer_bits)) = (sloppy_cidr(inner)?, sloppy_cidr(outer)?);
    let (inner, outer) = (standard(inner), standard(outer));
    let inside = inner.is_ipv4() == outer.is_ipv4() && mask(inner, outer_bits) == mask(outer, outer_bits);
    Some(inside && outer_bits < inner_bits)
}

/// Models `netutils.ParseCIDRSloppy`.
fn sloppy_cidr(value: &str) -> Option<(IpAddr, u32)> {
    let (ip, bits) = value.split_once('/')?;
    let ip = sloppy_ip(ip)?;
    let max = if ip.is_ipv4() { 32 } else { 128 };
    let plain = !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit());
    bits.parse().ok().filter(|b| plain && *b <= max).map(|b| (ip, b))
}
