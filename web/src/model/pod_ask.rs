//! What a pod asks of the scheduler, read from its manifest: one line a field that any plugin looks at. Pure.

use serde_json::Value;

fn compact(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        Value::Array(items) => items.iter().map(compact).collect::<Vec<_>>().join(", "),
        Value::Object(map) => map.iter().map(|(k, v)| format!("{k}={}", compact(v))).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// `key=value:Effect` as kubectl writes tolerations.
fn toleration(t: &Value) -> String {
    let get = |k: &str| t[k].as_str().unwrap_or_default();
    let key = if get("key").is_empty() { "*" } else { get("key") };
    let value = if get("value").is_empty() { String::new() } else { format!("={}", get("value")) };
    let effect = if get("effect").is_empty() { String::new() } else { format!(":{}", get("effect")) };
    format!("{key}{value}{effect}")
}

fn requests(spec: &Value) -> Vec<String> {
    let containers = spec["containers"].as_array().into_iter().flatten();
    let one = |c: &Value| {
        let requests = c["resources"]["requests"].as_object()?;
        let text: Vec<String> = requests.iter().map(|(k, v)| format!("{k} {}", compact(v))).collect();
        Some(text.join(", "))
    };
    containers.filter_map(one).filter(|t| !t.is_empty()).collect()
}

/// Codes (`ask.<code>` in the catalogue) and values.
pub fn asks(pod: &Value) -> Vec<(&'static str, String)> {
    let spec = &pod["spec"];
    let mut out = Vec::new();
    let mut say = |code: &'static str, text: String| {
        if !text.is_empty() {
            out.push((code, text));
        }
    };
    let requests = requests(spec);
    say("requests", if requests.is_empty() { "—".into() } else { requests.join(" + ") });
    let selector = &spec["nodeSelector"];
    say("selector", if selector.is_object() { compact(selector) } else { String::new() });
    // Every pod tolerates a node that is away for a while; the default is no news.
    let tolerations = spec["tolerations"].as_array().into_iter().flatten();
    let own = tolerations.filter(|t| !t["key"].as_str().unwrap_or_default().starts_with("node.kubernetes.io/"));
    say("tolerations", own.map(toleration).collect::<Vec<_>>().join(", "));
    for (code, field) in
        [("node-affinity", "nodeAffinity"), ("affinity", "podAffinity"), ("anti-affinity", "podAntiAffinity")]
    {
        let value = &spec["affinity"][field];
        say(code, if value.is_object() { affinity(value) } else { String::new() });
    }
    let spread = spec["topologySpreadConstraints"].as_array().into_iter().flatten();
    let spread = spread.map(|c| {
        format!("{} ≤ {} ({})", compact(&c["topologyKey"]), compact(&c["maxSkew"]), compact(&c["whenUnsatisfiable"]))
    });
    say("spread", spread.collect::<Vec<_>>().join(", "));
    if let Some(priority) = spec["priority"].as_i64().filter(|p| *p != 0) {
        let class = spec["priorityClassName"].as_str().unwrap_or_default();
        say("priority", format!("{priority} {class}").trim().to_string());
    }
    let ports =
        spec["containers"].as_array().into_iter().flatten().flat_map(|c| c["ports"].as_array().into_iter().flatten());
    say("ports", ports.filter_map(|p| p["hostPort"].as_i64()).map(|p| p.to_string()).collect::<Vec<_>>().join(", "));
    let volumes = spec["volumes"].as_array().into_iter().flatten();
    let claims = volumes.filter_map(|v| v["persistentVolumeClaim"]["claimName"].as_str());
    say("claims", claims.collect::<Vec<_>>().join(", "));
    let images = spec["containers"].as_array().into_iter().flatten().filter_map(|c| c["image"].as_str());
    say("images", images.collect::<Vec<_>>().join(", "));
    out
}

/// The terms of an affinity in a line: what is compared, and over which topology.
fn affinity(value: &Value) -> String {
    let mut out = Vec::new();
    walk(value, &mut |map| {
        let values = compact(&map["values"]);
        if let (Some(key), Some(operator)) = (map["key"].as_str(), map["operator"].as_str()) {
            out.push(format!("{key} {operator} {values}").trim_end().to_string());
        }
        if map["matchLabels"].is_object() {
            out.push(compact(&map["matchLabels"]));
        }
        if let Some(topology) = map["topologyKey"].as_str() {
            out.push(format!("@ {topology}"));
        }
    });
    out.join(", ")
}

fn walk(value: &Value, on: &mut impl FnMut(&Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|v| walk(v, on)),
        Value::Object(map) => {
            // What is inside first: a term's labels stand before its topology.
            map.values().for_each(|v| walk(v, on));
            on(value);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_plugins_look_at_is_told() {
        let pod = json!({"spec": {
            "containers": [{"image": "nginx", "resources": {"requests": {"cpu": "500m"}}, "ports": [{"containerPort": 80, "hostPort": 8080}]}],
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [
                {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"},
                {"key": "team", "value": "a", "effect": "NoSchedule"},
            ],
            "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "kubernetes.io/hostname"},
            ]}},
            "priority": 0,
        }});
        let text: Vec<String> = asks(&pod).into_iter().map(|(code, text)| format!("{code}: {text}")).collect();
        let want = [
            "requests: cpu 500m",
            "selector: disk=ssd",
            "tolerations: team=a:NoSchedule",
            "anti-affinity: app=web, @ kubernetes.io/hostname",
            "ports: 8080",
            "images: nginx",
        ];
        assert_eq!(text, want);
    }
}
