//! A kubeconfig's text, taken apart so far that entries which nobody chooses need not be right.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::Error;

/// A cluster, user or context: what it is called, what it says, and where.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) fields: Map<String, Value>,
    pub(crate) file: PathBuf,
}

/// What one file, or several together, say.
#[derive(Default)]
pub(crate) struct Document {
    pub(crate) clusters: Vec<Entry>,
    pub(crate) users: Vec<Entry>,
    pub(crate) contexts: Vec<Entry>,
    pub(crate) current_context: Option<String>,
}

impl Document {
    /// Reads a file's text. An empty one says nothing, which is right.
    pub(crate) fn parse(text: &[u8], file: &Path) -> Result<Self, Error> {
        let wrong = |line: Option<u64>, problem: String| Error::NotAKubeconfig {
            file: file.display().to_string(),
            line: line.map(|line| format!(":{line}")).unwrap_or_default(),
            problem,
        };
        let text = decode(text).map_err(|problem| wrong(None, problem.to_owned()))?;
        let top = match value(&text).map_err(|(line, problem)| wrong(line, problem))? {
            Value::Null => return Ok(Self::default()),
            Value::Object(top) => top,
            _ => {
                return Err(wrong(
                    None,
                    "this is not a kubeconfig: it must be a mapping with `clusters`, `users` and `contexts`"
                        .into(),
                ));
            }
        };
        for (field, expected) in [("kind", "Config"), ("apiVersion", "v1")] {
            match top.get(field) {
                None | Some(Value::Null) => {}
                Some(Value::String(is)) if is.is_empty() || is == expected => {}
                Some(_) => {
                    return Err(wrong(
                        None,
                        format!("this is not a kubeconfig: its `{field}` must be {expected}"),
                    ));
                }
            }
        }
        let entries = |list: &str, of: &str| {
            entries(top.get(list), of, file).map_err(|problem| wrong(None, format!("`{list}` {problem}")))
        };
        Ok(Self {
            clusters: entries("clusters", "cluster")?,
            users: entries("users", "user")?,
            contexts: entries("contexts", "context")?,
            current_context: text_of(top.get("current-context"))
                .map_err(|problem| wrong(None, format!("`current-context` {problem}")))?,
        })
    }

    /// Takes in what another says, where this one doesn't: the first file that has an entry, or a current
    /// context, wins.
    pub(crate) fn merge(mut self, later: Self) -> Self {
        for (list, later) in [
            (&mut self.clusters, later.clusters),
            (&mut self.users, later.users),
            (&mut self.contexts, later.contexts),
        ] {
            let known = list.len();
            for entry in later {
                if list.iter().take(known).all(|earlier| earlier.name != entry.name) {
                    list.push(entry);
                }
            }
        }
        self.current_context = self.current_context.or(later.current_context);
        self
    }

    /// The names of the contexts, for messages.
    pub(crate) fn known_contexts(&self) -> String {
        let names: Vec<&str> = self.contexts.iter().map(|context| context.name.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }
}

/// A text that isn't empty.
fn text_of(value: Option<&Value>) -> Result<Option<String>, &'static str> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err("must be a text; put it in quotes"),
    }
}

/// The entries of a list. One without a name, or that isn't a mapping, can't be chosen, and is passed over.
fn entries(list: Option<&Value>, of: &str, file: &Path) -> Result<Vec<Entry>, String> {
    let list = match list {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(format!("must be a list of entries with `name` and `{of}`")),
    };
    let mut entries: Vec<Entry> = Vec::with_capacity(list.len());
    for item in list {
        let Ok(Some(name)) = text_of(item.get("name")) else { continue };
        let fields = match item.get(of) {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(fields)) => fields.clone(),
            Some(_) => continue,
        };
        if entries.iter().any(|entry| entry.name == name) {
            return Err(format!(
                "has two entries with the name {name:?}; a name may be there once in a file"
            ));
        }
        entries.push(Entry { name, fields, file: file.to_owned() });
    }
    Ok(entries)
}

/// The text, which Windows' editors begin with a byte order mark, or write as UTF-16.
fn decode(text: &[u8]) -> Result<Zeroizing<String>, &'static str> {
    const NOT_TEXT: &str = "this is no text in UTF-8, as a kubeconfig is";
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units =
            Zeroizing::new(bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect::<Vec<_>>());
        String::from_utf16(&units).map_err(|_| "this is no text in UTF-16, though it begins as such")
    };
    let text = match text {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes)?,
        [0xef, 0xbb, 0xbf, rest @ ..] => str::from_utf8(rest).map_err(|_| NOT_TEXT)?.to_owned(),
        rest => str::from_utf8(rest).map_err(|_| NOT_TEXT)?.to_owned(),
    };
    Ok(Zeroizing::new(text))
}

/// The first YAML document, or JSON. Messages of the parsers may quote what they read, so of those only the
/// line is taken.
fn value(text: &str) -> Result<Value, (Option<u64>, String)> {
    // JSON may be indented with tabs, and holds a key twice more often than YAML does
    if text.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str(text)
    {
        return Ok(value);
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 64, max_nodes: 500_000, max_events: 2_000_000, max_anchors: 1_000, max_aliases: 1_000,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000, max_replay_stack_depth: 8 },
        // kubectl's YAML 1.1 takes `y` and `no` for booleans, also where they are names
        strict_booleans: true,
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
    };
    let mut reader = text.as_bytes();
    // kubectl reads the first document of several
    let mut documents = serde_saphyr::read_with_options(&mut reader, options);
    match documents.next() {
        None => Ok(Value::Null),
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => {
            let line = error.location().map(|location| location.line()).filter(|line| *line > 0);
            Err((line, "this is neither YAML nor JSON; correct the line, or look with `kubectl config view` what kubectl says of it".into()))
        }
    }
}

#[cfg(test)]
mod tests;
