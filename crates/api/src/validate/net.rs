//! IP addresses and CIDRs. Models `k8s.io/apimachinery/pkg/util/validation/ip.go`.

use meta::{FieldError, Path};
use std::net::IpAddr;

/// Models `IsValidIP`.
pub fn ip(path: &Path, value: &str) -> Vec<FieldError> {
    if value.parse::<IpAddr>().is_ok() {
        return Vec::new();
    }
    vec![FieldError::invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]
}

/// Models `IsValidCIDR`.
pub fn cidr(path: &Path, value: &str) -> Vec<FieldError> {
    let ok = value.split_once('/').is_some_and(|(ip, bits)| {
        let max = match ip.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        bits.bytes().all(|b| b.is_ascii_digit()) && bits.parse::<u32>().is_ok_and(|n| n <= max)
    });
    if ok {
        return Vec::new();
    }
    vec![FieldError::invalid(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")]
}

/// Whether some of the addresses are IPv4 and some IPv6.
pub fn is_dual_stack<'a>(ips: impl IntoIterator<Item = &'a str>) -> bool {
    let (mut v4, mut v6) = (false, false);
    for ip in ips {
        match ip.split('/').next().and_then(|i| i.parse::<IpAddr>().ok()) {
            Some(IpAddr::V4(_)) => v4 = true,
            Some(IpAddr::V6(_)) => v6 = true,
            None => {}
        }
    }
    v4 && v6
}

/// Addresses that only mean something on one machine. Models `ValidateNonSpecialIP`.
pub fn non_special(path: &Path, value: &str) -> Vec<FieldError> {
    let Ok(ip) = value.parse::<IpAddr>() else {
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
