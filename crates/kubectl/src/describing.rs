//! `kubectl describe`. Models `kubectl/pkg/cmd/describe`.

use crate::builder::{Builder, Info, aggregate};
use crate::cx::Cx;
use crate::describe::{Settings, describe};
use crate::error::Error;

pub(crate) async fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let b = Builder {
        continue_on_error: true,
        empty_selector: true,
        latest: true,
        chunk: cx.flags.int("chunk-size"),
        ..Builder::of(cx)
    };
    if cx.args.is_empty() && !b.has_files() {
        return Err(Error::text(
            "You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of \
             supported resources.\n",
        ));
    }
    let settings = Settings { show_events: cx.flags.bool("show-events") };
    let args = cx.args.clone();
    let found = b.find(cx, &args).await?;
    let mut errors = found.errors;
    if let [word, name] = args.as_slice()
        && matches!(errors.as_slice(), [e] if e.is_not_found())
    {
        return by_prefix(cx, &b, word, name, &settings, errors.remove(0)).await;
    }
    let mut first = true;
    for info in &found.infos {
        if let Err(e) = info.named() {
            errors.push(e);
            continue;
        }
        match described(cx, info, &settings).await {
            Ok(text) => {
                let before = if std::mem::take(&mut first) { "" } else { "\n\n" };
                cx.out(&format!("{before}{text}"));
            }
            Err(e) if errors.contains(&e) => {}
            Err(e) => errors.push(e),
        }
    }
    if found.infos.is_empty() && errors.is_empty() {
        let text = if b.all_namespaces {
            "No resources found\n".to_string()
        } else {
            format!("No resources found in {} namespace.\n", cx.namespace())
        };
        cx.err(&text);
    }
    aggregate(errors)
}

async fn described(cx: &Cx<'_, '_>, info: &Info, settings: &Settings) -> Result<String, Error> {
    describe(cx.client(), &info.mapping, &info.object, settings).await
}

/// All whose names begin so. Models `DescribeMatchingResources`.
async fn by_prefix(
    cx: &mut Cx<'_, '_>,
    b: &Builder,
    word: &str,
    prefix: &str,
    settings: &Settings,
    missing: Error,
) -> Result<(), Error> {
    let all = b.find(cx, &[word.to_string()]).await?.all()?;
    let mut any = false;
    for info in all.iter().filter(|i| i.name.starts_with(prefix)) {
        any = true;
        let text = described(cx, info, settings).await?;
        cx.out(&format!("{text}\n"));
    }
    if any { Ok(()) } else { Err(missing) }
}
