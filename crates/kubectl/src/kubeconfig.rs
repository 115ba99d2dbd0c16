//! A kubeconfig of several clusters, users and contexts, and who a command is because of it.
//! Models `client-go/tools/clientcmd`.

use crate::error::Error;
use crate::flags::Flags;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Who sends a request, as a kubeconfig says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// The user that the client is anyway.
    Own,
    Certified {
        user: String,
        groups: Vec<String>,
    },
    /// Whom it is about, the server knows; empty: nothing is shown.
    Token(String),
}

/// Entries by name, as JSON objects with upstream's fields; what is empty is left out.
pub type Entries = BTreeMap<String, Value>;

#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where it is kept, for messages.
    pub file: String,
    pub clusters: Entries,
    pub users: Entries,
    pub contexts: Entries,
    /// `current-context`; may be empty.
    pub context: String,
    pub preferences: Value,
    /// As the document has them.
    pub(crate) kind: String,
    pub(crate) api_version: String,
    /// The server that the client reaches, and the user that it is there.
    own: (String, Value),
}

/// The fields of a document's parts, in the order in which they are written.
pub(crate) const CLUSTER: [&str; 7] = [
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority",
    "certificate-authority-data",
    "proxy-url",
    "disable-compression",
];
pub(crate) const USER: [&str; 14] = [
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "token",
    "tokenFile",
    "as",
    "as-uid",
    "as-groups",
    "as-user-extra",
    "username",
    "password",
    "auth-provider",
    "exec",
];
pub(crate) const CONTEXT: [&str; 3] = ["cluster", "user", "namespace"];
/// What is written even when it is empty.
const ALWAYS: [&str; 3] = ["server", "cluster", "user"];
/// Bytes, in base64.
pub(crate) const DATA: [&str; 3] = ["certificate-authority-data", "client-certificate-data", "client-key-data"];

impl Config {
    /// One of each, whose client certificate is the host's own affair.
    pub fn one(server: &str, cluster: &str, user: &str, context: &str, namespace: &str) -> Config {
        let data = |what: &str| Value::from(STANDARD.encode(format!("{what} of {cluster}\n")));
        let me = json!({
            "client-certificate-data": data("certificate"), "client-key-data": data("key"),
        });
        let mut c = json!({"cluster": cluster, "user": user});
        if !namespace.is_empty() {
            c["namespace"] = namespace.into();
        }
        let there = json!({"server": server, "certificate-authority-data": data("authority")});
        Config {
            file: "/root/.kube/config".into(),
            clusters: [(cluster.to_string(), there)].into(),
            users: [(user.to_string(), me.clone())].into(),
            contexts: [(context.to_string(), c)].into(),
            context: context.into(),
            preferences: json!({}),
            kind: "Config".into(),
            api_version: "v1".into(),
            own: (server.into(), me),
        }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// It is no kubeconfig.
    pub fn parse(file: &str, text: &str) -> Result<Config, String> {
        let documents = manifest::parse_values(&[(file, text)], manifest::Limits::REQUEST)
            .map_err(|p| p.into_iter().map(|p| p.kubectl).collect::<String>())?;
        let v = documents.into_iter().next().map(|d| d.value).unwrap_or_default();
        let named = |list: &str, field: &str| -> Entries {
            let items = v[list].as_array().cloned().unwrap_or_default();
            items.iter().map(|i| (i["name"].as_str().unwrap_or("").to_string(), i[field].clone())).collect()
        };
        let mut config = Config {
            file: file.into(),
            clusters: named("clusters", "cluster"),
            users: named("users", "user"),
            contexts: named("contexts", "context"),
            context: v["current-context"].as_str().unwrap_or("").into(),
            preferences: v.get("preferences").filter(|p| !p.is_null()).cloned().unwrap_or_else(|| json!({})),
            kind: text_of(&v, "kind").into(),
            api_version: text_of(&v, "apiVersion").into(),
            own: Default::default(),
        };
        let current = config.contexts.get(&config.context).cloned().unwrap_or_default();
        config.own = (config.server(), config.users.get(text_of(&current, "user")).cloned().unwrap_or_default());
        Ok(config)
    }

    /// With the server and the user that another one's client is.
    pub(crate) fn served_by(self, other: &Config) -> Config {
        Config { own: other.own.clone(), ..self }
    }

    fn current(&self, field: &str) -> String {
        self.contexts.get(&self.context).map_or("", |c| text_of(c, field)).into()
    }
    /// The current context's; empty: none was set.
    pub fn namespace(&self) -> String {
        self.current("namespace")
    }
    /// The current context's user, by name.
    pub fn user(&self) -> String {
        self.current("user")
    }
    /// The current context's server.
    pub fn server(&self) -> String {
        self.clusters.get(&self.current("cluster")).map_or("", |c| text_of(c, "server")).into()
    }

    /// With what a command line says: `--context`, `--user`, `--cluster`.
    ///
    /// # Errors
    /// There is no such thing.
    pub(crate) fn chosen(&self, command: &str, flags: &Flags) -> Result<Config, Error> {
        let mut c = self.clone();
        // Bindings' subjects have a flag of the same name.
        let subjects = matches!(command, "create rolebinding" | "create clusterrolebinding" | "set subject");
        let named = |flag: &str| {
            let name = if subjects && flag == "user" { "" } else { flags.string(flag) };
            Some(name.to_string()).filter(|n| !n.is_empty())
        };
        if let Some(name) = named("context") {
            if !c.contexts.contains_key(&name) {
                let said = format!("Error in configuration: context was not found for specified context: {name}");
                return Err(Error::Plain(said));
            }
            c.context = name;
        } else if !c.context.is_empty() && !c.contexts.contains_key(&c.context) {
            let said = format!("Error in configuration: context was not found for specified context: {}", c.context);
            return Err(Error::Plain(said));
        }
        let (user, cluster) = (named("user"), named("cluster"));
        if let Some(name) = cluster.as_ref().filter(|n| !c.clusters.contains_key(*n)) {
            return Err(Error::text(format!("no server found for cluster {name:?}")));
        }
        if let Some(name) = user.as_ref().filter(|n| !c.users.contains_key(*n)) {
            return Err(Error::text(format!("auth info {name:?} does not exist")));
        }
        let entry = c.contexts.entry(c.context.clone()).or_insert_with(|| json!({}));
        for (field, name) in [("user", user), ("cluster", cluster)] {
            if let Some(name) = name {
                entry[field] = name.into();
            }
        }
        Ok(c)
    }

    /// As whom requests are sent.
    ///
    /// # Errors
    /// Nobody is there.
    pub(crate) fn identity(&self, flags: &Flags) -> Result<Who, Error> {
        let server = self.server();
        if server != self.own.0 {
            let at = match server.split_once("://").map_or(server.as_str(), |(_, rest)| rest) {
                "" => "localhost:8080",
                at => at,
            };
            return Err(Error::Plain(format!(
                "The connection to the server {at} was refused - did you specify the right host or port?"
            )));
        }
        let user = self.users.get(&self.user()).cloned().unwrap_or_default();
        if user == self.own.1 {
            return Ok(Who::Own);
        }
        // Who shows a certificate is who it names, whatever token comes with it: servers look at certificates first.
        // Whether the cluster signed it is not looked at: there is no TLS on this way.
        let certificate = STANDARD.decode(text_of(&user, "client-certificate-data")).ok();
        if let Some(shown) = certificate.and_then(|pem| crate::describe::pki::subject_of(&pem)) {
            return Ok(Who::Certified { user: shown.common_name, groups: shown.organization });
        }
        let token = match flags.string("token") {
            "" => text_of(&user, "token"),
            token => token,
        };
        Ok(Who::Token(token.into()))
    }

    /// The document.
    pub(crate) fn document(&self) -> Value {
        let list = |entries: &Entries, field: &str, order: &[&str]| -> Value {
            match entries.is_empty() {
                true => Value::Null,
                false => entries.iter().map(|(n, v)| json!({"name": n, field: ordered(v, order)})).collect(),
            }
        };
        json!({
            "kind": "Config", "apiVersion": "v1", "preferences": self.preferences,
            "clusters": list(&self.clusters, "cluster", &CLUSTER),
            "users": list(&self.users, "user", &USER),
            "contexts": list(&self.contexts, "context", &CONTEXT),
            "current-context": self.context,
        })
    }
}

pub(crate) fn text_of<'a>(v: &'a Value, field: &str) -> &'a str {
    v[field].as_str().unwrap_or("")
}

/// Fields in upstream's order, without what is empty.
fn ordered(v: &Value, order: &[&str]) -> Value {
    let mut out = Map::new();
    for field in order {
        let value = &v[*field];
        let empty = match value {
            Value::Null | Value::Bool(false) => true,
            Value::String(s) => s.is_empty(),
            Value::Array(a) => a.is_empty(),
            _ => false,
        };
        if !empty {
            out.insert((*field).into(), value.clone());
        } else if ALWAYS.contains(field) && order.len() != USER.len() {
            out.insert((*field).into(), "".into());
        }
    }
    out.into()
}
