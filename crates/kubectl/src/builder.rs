//! Which objects a command line means: files, types and names, selectors. Models `cli-runtime/pkg/resource/builder.go`.

use crate::client::query;
use crate::cx::Cx;
use crate::discovery::Discovery;
use crate::error::Error;
use crate::mapping::Mapping;
use serde_json::Value;

/// One object that a command is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Info {
    pub mapping: Mapping,
    /// Empty for what is in no namespace.
    pub namespace: String,
    pub name: String,
    /// The file it is from.
    pub source: String,
    /// As the file or the server has it; null before it was asked for.
    pub object: Value,
}

impl Info {
    pub fn path(&self) -> String {
        self.mapping.path(Some(&self.namespace), Some(&self.name))
    }
    /// Models `rest.Request.Name`: without a name the path would be the list's.
    ///
    /// # Errors
    /// There is none.
    pub fn named(&self) -> Result<(), Error> {
        if self.name.is_empty() { Err(Error::text("resource name may not be empty")) } else { Ok(()) }
    }
    /// `deployments/web`.
    pub fn object_name(&self) -> String {
        format!("{}/{}", self.mapping.resource, self.name)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Builder {
    pub all_namespaces: bool,
    pub filenames: Vec<String>,
    pub kustomize: String,
    pub recursive: bool,
    pub selector: Option<String>,
    pub field_selector: Option<String>,
    pub all: bool,
    /// A type alone means all of it.
    pub empty_selector: bool,
    pub single_type: bool,
    /// Files are asked for at the server.
    pub latest: bool,
    pub local: bool,
    /// All objects are found that can be; errors come at the end.
    pub continue_on_error: bool,
    pub subresource: String,
    pub chunk: i64,
    /// Headers and query of reads, for tables.
    pub accept: Option<String>,
    pub query: Vec<(&'static str, &'static str)>,
    /// Lists as they come instead of their items.
    pub whole_lists: bool,
    /// What is named is not asked for.
    pub unread: bool,
}

/// What was found, and what went wrong meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub infos: Vec<Info>,
    pub errors: Vec<Error>,
    /// One object was asked for by name.
    pub single: bool,
}

impl Found {
    pub fn all(self) -> Result<Vec<Info>, Error> {
        aggregate(self.errors)?;
        Ok(self.infos)
    }
}

/// Models `utilerrors.NewAggregate` and `Reduce`:
/// one error as it is, several together; what files brought comes last, and by itself when there is nothing else.
pub(crate) fn aggregate(errors: Vec<Error>) -> Result<(), Error> {
    let (nested, mut errors): (Vec<Error>, Vec<Error>) =
        errors.into_iter().partition(|e| matches!(e, Error::Nested(_)));
    let nested: Vec<Error> = nested
        .into_iter()
        .flat_map(|e| match e {
            Error::Nested(list) => list,
            e => vec![e],
        })
        .collect();
    if errors.is_empty() {
        errors = nested;
    } else if !nested.is_empty() {
        errors.push(Error::Nested(nested));
    }
    match errors.len() {
        0 => Ok(()),
        1 => Err(errors.remove(0)),
        _ => Err(Error::Many(errors)),
    }
}

pub(crate) const MISSING: &str = "You must provide one or more resources by argument or filename.\n\
    Example resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'";

impl Builder {
    /// From the flags that most commands share.
    pub fn of(cx: &Cx<'_, '_>) -> Builder {
        let selector = |name: &str| cx.flags.changed(name).then(|| cx.flags.string(name).trim().to_string());
        Builder {
            all_namespaces: cx.command.flag("all-namespaces").is_some() && cx.flags.bool("all-namespaces"),
            filenames: if cx.command.flag("filename").is_some() { cx.flags.list("filename") } else { Vec::new() },
            kustomize: if cx.command.flag("kustomize").is_some() {
                cx.flags.string("kustomize").into()
            } else {
                String::new()
            },
            recursive: cx.flags.bool("recursive"),
            selector: selector("selector").filter(|s| !s.is_empty()),
            field_selector: selector("field-selector").filter(|s| !s.is_empty()),
            all: cx.command.flag("all").is_some() && cx.flags.bool("all"),
            ..Builder::default()
        }
    }

    pub fn has_files(&self) -> bool {
        !self.filenames.is_empty() || !self.kustomize.is_empty()
    }

    /// Finds everything; `args` are the words of the command line.
    pub async fn find(&self, cx: &mut Cx<'_, '_>, args: &[String]) -> Result<Found, Error> {
        if self.has_files() {
            return self.by_files(cx, args).await;
        }
        if self.all && (self.selector.is_some() || self.field_selector.is_some()) {
            return Err(Error::text("setting 'all' parameter but found a non empty selector. "));
        }
        let args = several_types(args);
        let slashes = args.iter().filter(|a| a.contains('/')).count();
        if slashes > 0 && slashes != args.len() {
            return Err(Error::text(
                "there is no need to specify a resource type as a separate argument when passing arguments in \
                 resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource \
                 resource/<resource_name>'",
            ));
        }
        let selecting = self.selector.is_some() || self.field_selector.is_some() || self.all;
        if slashes > 0 {
            let mut tuples = Vec::new();
            for a in &args {
                tuples.push(tuple(a)?);
            }
            if selecting {
                return Err(Error::text(
                    "selectors and the all flag cannot be used when passing resource/name arguments",
                ));
            }
            let discovery = cx.discovery().await?;
            let mut found = Found { single: tuples.len() == 1, ..Found::default() };
            let mut types: Vec<Mapping> = Vec::new();
            for (t, _) in &tuples {
                let m = discovery.resource(t)?;
                if !types.contains(&m) {
                    types.push(m);
                }
            }
            if types.len() > 1 && self.single_type {
                return Err(Error::text("you may only specify a single resource type"));
            }
            for (t, name) in tuples {
                let m = discovery.resource(&t)?;
                self.one(cx, m, name, &mut found).await?;
            }
            return Ok(found);
        }
        let Some(types) = args.first() else {
            if selecting {
                return Err(Error::text("at least one resource must be specified to use a selector"));
            }
            return Err(Error::text(MISSING));
        };
        let discovery = cx.discovery().await?;
        let types = expand(&discovery, types);
        let names = &args[1..];
        if names.is_empty() && (selecting || self.empty_selector) {
            return self.by_selector(cx, &discovery, &types).await;
        }
        if selecting {
            return Err(Error::text("name cannot be provided when a selector is specified"));
        }
        if names.is_empty() {
            self.mappings(&discovery, &types)?;
            return Err(Error::text("resource(s) were provided, but no name was specified"));
        }
        if types.len() > 1 {
            return Err(Error::text("you must specify only one resource"));
        }
        let mut mappings = self.mappings(&discovery, &types)?;
        let mut found = Found { single: names.len() == 1, ..Found::default() };
        let m = mappings.remove(0);
        for name in names {
            self.one(cx, m.clone(), name.clone(), &mut found).await?;
        }
        Ok(found)
    }

    /// As [`Builder::find`], without asking the server for what is named.
    pub async fn names(&self, cx: &mut Cx<'_, '_>, args: &[String]) -> Result<Found, Error> {
        Builder { unread: true, ..self.clone() }.find(cx, args).await
    }

    fn mappings(&self, discovery: &Discovery, types: &[String]) -> Result<Vec<Mapping>, Error> {
        if types.len() > 1 && self.single_type {
            return Err(Error::text("you may only specify a single resource type"));
        }
        let mut list: Vec<Mapping> = Vec::new();
        for t in types {
            let m = discovery.resource(t)?;
            if !list.contains(&m) {
                list.push(m);
            }
        }
        Ok(list)
    }

    async fn one(&self, cx: &mut Cx<'_, '_>, m: Mapping, name: String, found: &mut Found) -> Result<(), Error> {
        if m.namespaced && self.all_namespaces {
            return Err(Error::text("a resource cannot be retrieved by name across all namespaces"));
        }
        let namespace = if m.namespaced { cx.namespace() } else { String::new() };
        let mut info = Info { mapping: m, namespace, name, ..Info::default() };
        if self.unread {
            found.infos.push(info);
            return Ok(());
        }
        match self.fetch(cx, &info).await {
            Ok(object) => {
                info.object = object;
                found.infos.push(info);
            }
            Err(e @ Error::Connection(_)) => return Err(e),
            Err(e) => found.errors.push(e),
        }
        Ok(())
    }

    /// Models `Info.Get`: an object that is not there because its namespace is not says the latter.
    pub async fn fetch(&self, cx: &Cx<'_, '_>, info: &Info) -> Result<Value, Error> {
        info.named()?;
        let mut path = info.path();
        if !self.subresource.is_empty() {
            path = format!("{path}/{}", self.subresource);
        }
        let got = self.read(cx, path + &query(&self.query)).await;
        match got {
            Err(e) if e.is_not_found() && !info.namespace.is_empty() && info.namespace != "default" => {
                match cx.get(format!("/api/v1/namespaces/{}", info.namespace)).await {
                    Err(ns) if ns.is_not_found() => Err(ns),
                    _ => Err(e),
                }
            }
            got => got,
        }
    }

    async fn read(&self, cx: &Cx<'_, '_>, path: String) -> Result<Value, Error> {
        let accept = self.accept.as_deref().unwrap_or("application/json");
        cx.send(crate::client::Request::get(path).header("Accept", accept)).await
    }

    async fn by_selector(&self, cx: &mut Cx<'_, '_>, discovery: &Discovery, types: &[String]) -> Result<Found, Error> {
        if !self.subresource.is_empty() {
            return Err(Error::text("subresource cannot be used when bulk resources are specified"));
        }
        let mut found = Found::default();
        for m in self.mappings(discovery, types)? {
            let namespace = if m.namespaced && !self.all_namespaces { cx.namespace() } else { String::new() };
            match self.list(cx, &m, &namespace).await {
                Ok(list) if self.whole_lists => {
                    for object in list {
                        found.infos.push(Info {
                            mapping: m.clone(),
                            namespace: namespace.clone(),
                            object,
                            ..Info::default()
                        });
                    }
                }
                Ok(pages) => {
                    for mut list in pages {
                        let (api_version, kind) = (list["apiVersion"].clone(), list["kind"].clone());
                        let kind = kind.as_str().and_then(|k| k.strip_suffix("List")).unwrap_or(&m.kind).to_string();
                        let Value::Array(items) = list["items"].take() else { continue };
                        for mut object in items {
                            if let Some(o) = object.as_object_mut() {
                                o.entry("apiVersion").or_insert_with(|| api_version.clone());
                                o.entry("kind").or_insert_with(|| kind.clone().into());
                            }
                            found.infos.push(of_object(m.clone(), object));
                        }
                    }
                }
                Err(e @ Error::Connection(_)) => return Err(e),
                Err(e) if self.continue_on_error => found.errors.push(e),
                Err(e) => return Err(e),
            }
        }
        Ok(found)
    }

    /// All pages of a list.
    async fn list(&self, cx: &Cx<'_, '_>, m: &Mapping, namespace: &str) -> Result<Vec<Value>, Error> {
        let mut pages = Vec::new();
        let (mut token, chunk) = (String::new(), self.chunk.to_string());
        loop {
            let mut pairs = vec![
                ("labelSelector", self.selector.as_deref().unwrap_or("")),
                ("fieldSelector", self.field_selector.as_deref().unwrap_or("")),
                ("limit", if self.chunk > 0 { chunk.as_str() } else { "" }),
                ("continue", token.as_str()),
            ];
            pairs.extend(self.query.iter().copied());
            let page = self.read(cx, m.path(Some(namespace), None) + &query(&pairs)).await;
            let page = page.map_err(|e| self.not_listed(m, e))?;
            token = page["metadata"]["continue"].as_str().unwrap_or("").to_string();
            pages.push(page);
            if token.is_empty() {
                return Ok(pages);
            }
        }
    }

    /// Models `EnhanceListError`.
    fn not_listed(&self, m: &Mapping, e: Error) -> Error {
        match e {
            Error::Status(mut s) if matches!(s.reason(), "BadRequest" | "NotFound") => {
                let what = format!(
                    "{}, Resource={}",
                    if m.group.is_empty() { format!("/{}", m.version) } else { m.api_version() },
                    m.resource
                );
                let (labels, fields) =
                    (self.selector.as_deref().unwrap_or(""), self.field_selector.as_deref().unwrap_or(""));
                let said = s.message();
                s.0["message"] = if labels.is_empty() && fields.is_empty() {
                    format!("Unable to list {what:?}: {said}").into()
                } else {
                    format!("Unable to find {what:?} that match label selector {labels:?}, field selector {fields:?}: {said}").into()
                };
                Error::Status(s)
            }
            e => e,
        }
    }

    async fn by_files(&self, cx: &mut Cx<'_, '_>, args: &[String]) -> Result<Found, Error> {
        let mut found = Found::default();
        let mut items = Vec::new();
        if let Some(selector) = &self.selector {
            meta_matches(selector, &Value::Null)?;
        }
        let mut unread = Vec::new();
        found.single = crate::files::read(cx, self, &mut items, &mut unread).await?;
        if !args.is_empty() && self.local {
            return Err(Error::text(
                "can only use local files by -f rsrc.yaml or --filename=rsrc.json when --local=true is set",
            ));
        }
        if !args.is_empty() {
            return Err(Error::text(
                "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
            ));
        }
        if !self.continue_on_error {
            aggregate(std::mem::take(&mut unread).into_iter().map(|(_, e)| e).collect())?;
        }
        let mut unread = unread.into_iter().peekable();
        let discovery = if self.local { Discovery::default() } else { cx.discovery().await? };
        let mut nested = Vec::new();
        for (i, (source, object)) in items.into_iter().enumerate() {
            found.errors.extend(std::iter::from_fn(|| unread.next_if(|(at, _)| *at <= i)).map(|(_, e)| e));
            let info = match self.of_file(cx, &discovery, source, object) {
                Ok(Some(info)) => info,
                Ok(None) => continue,
                Err(e) if self.continue_on_error => {
                    found.errors.push(e);
                    continue;
                }
                Err(e) => {
                    found.errors.push(e);
                    return Ok(found);
                }
            };
            // What has no name yet cannot be there.
            let info = if self.latest && !info.name.is_empty() {
                match self.fetch(cx, &info).await {
                    Ok(object) => Info { object, ..info },
                    Err(e) => {
                        nested.push(e);
                        continue;
                    }
                }
            } else {
                info
            };
            found.infos.push(info);
        }
        found.errors.extend(unread.map(|(_, e)| e));
        if !nested.is_empty() {
            found.errors.push(Error::Nested(nested));
        }
        Ok(found)
    }

    fn of_file(
        &self,
        cx: &Cx<'_, '_>,
        discovery: &Discovery,
        source: String,
        object: Value,
    ) -> Result<Option<Info>, Error> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_string();
        let (api_version, kind) = (text("/apiVersion"), text("/kind"));
        let (name, namespace) = (text("/metadata/name"), text("/metadata/namespace"));
        let mapping = match discovery.kind(&api_version, &kind) {
            Some(m) => m.clone(),
            None if self.local => {
                let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
                Mapping {
                    group: group.into(),
                    version: version.into(),
                    resource: kind.to_lowercase(),
                    kind: kind.clone(),
                    namespaced: true,
                    ..Mapping::default()
                }
            }
            // Found by its kind alone, then asked for at no version.
            None if api_version.is_empty() && discovery.kind("v1", &kind).is_some() => {
                let nowhere = crate::client::Response { status: 404, ..Default::default() };
                let refused = crate::client::refusal(&nowhere);
                let deleting = cx.command.name() == "delete";
                return Err(if deleting { refused.with_source("deleting", &source) } else { refused });
            }
            None => {
                return Err(Error::text(format!(
                    "resource mapping not found for name: {name:?} namespace: {namespace:?} from {source:?}: no matches for \
                     kind {kind:?} in version {api_version:?}\nensure CRDs are installed first"
                )));
            }
        };
        let mut info = Info { mapping, namespace, name, source, object };
        if info.mapping.namespaced {
            let wanted = cx.namespace();
            if info.namespace.is_empty() {
                info.namespace = wanted;
                if let Some(m) = info.object.get_mut("metadata").and_then(Value::as_object_mut)
                    && !self.local
                {
                    m.insert("namespace".into(), info.namespace.clone().into());
                }
            } else if cx.explicit_namespace() && info.namespace != wanted {
                return Err(Error::text(format!(
                    "the namespace from the provided object {:?} does not match the namespace {wanted:?}. You must pass \
                     '--namespace={}' to perform this operation.",
                    info.namespace, info.namespace
                )));
            }
        } else {
            info.namespace.clear();
        }
        if let Some(selector) = &self.selector
            && !meta_matches(selector, &info.object)?
        {
            return Ok(None);
        }
        Ok(Some(info))
    }
}

/// Whether a label selector picks an object of a file.
fn meta_matches(selector: &str, object: &Value) -> Result<bool, Error> {
    let bad = |e: String| Error::text(format!("the provided selector {selector:?} is not valid: {e}"));
    let parsed = meta::labels::Selector::parse(selector).map_err(|e| bad(e.to_string()))?;
    let labels = object.pointer("/metadata/labels").and_then(Value::as_object);
    let labels = labels.into_iter().flatten().map(|(k, v)| (k.clone(), v.as_str().unwrap_or("").to_string())).collect();
    Ok(parsed.matches(Some(&labels)))
}

pub(crate) fn of_object(mapping: Mapping, object: Value) -> Info {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_string();
    let namespace = if mapping.namespaced { text("/metadata/namespace") } else { String::new() };
    Info { namespace, name: text("/metadata/name"), mapping, object, source: String::new() }
}

/// `a,b c d` means `a/c a/d b/c b/d`.
fn several_types(args: &[String]) -> Vec<String> {
    match args.split_first() {
        Some((types, names)) if !names.is_empty() && types.contains(',') => types
            .split(',')
            .filter(|t| !t.is_empty())
            .flat_map(|t| names.iter().map(move |n| format!("{t}/{n}")))
            .collect(),
        _ => args.to_vec(),
    }
}

fn tuple(text: &str) -> Result<(String, String), Error> {
    let parts: Vec<&str> = text.split('/').collect();
    let [kind, name] = parts.as_slice() else {
        return Err(Error::text("arguments in resource/name form may not have more than one slash"));
    };
    if kind.is_empty() || name.is_empty() || kind.contains(',') {
        return Err(Error::text("arguments in resource/name form must have a single resource and name"));
    }
    Ok(((*kind).into(), (*name).into()))
}

/// Types parted by commas, categories as what is in them.
fn expand(discovery: &Discovery, types: &str) -> Vec<String> {
    let mut out = Vec::new();
    for t in types.split(',') {
        match discovery.category(t) {
            Some(list) => out.extend(list),
            None => out.push(t.into()),
        }
    }
    out
}
