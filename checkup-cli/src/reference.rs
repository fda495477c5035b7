//! [`Reference`]: what config files may contain, from their JSON Schema, for people.

mod markdown;
mod shape;
mod words;

use checkup_core::config::{Kind, Registry};
use serde_json::Value;

pub(crate) use words::in_short;

/// Keys that are for programs.
const HIDDEN: [&str; 2] = ["$schema", "type"];

/// How deep keys of keys are described.
const MAX_DEPTH: usize = 6;

/// What config files may contain.
#[derive(Debug)]
pub(crate) struct Reference {
    /// The keys of the root.
    pub(crate) root: Vec<Entry>,
    /// The keys that every check has.
    pub(crate) of_checks: Vec<Entry>,
    /// The types of checkers, storages and notifiers.
    pub(crate) types: Vec<Type>,
}

/// A type, with the keys that only it has.
#[derive(Debug)]
pub(crate) struct Type {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) about: Vec<String>,
    pub(crate) entries: Vec<Entry>,
}

/// A key.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// What values it has, such as `duration`.
    pub(crate) values: String,
    /// Paragraphs.
    pub(crate) about: Vec<String>,
    pub(crate) is_required: bool,
    /// The keys of its object, or of the objects in its list.
    pub(crate) entries: Vec<Entry>,
}

/// What a path such as `http.tls.ca_file` names.
#[derive(Debug)]
pub(crate) enum Topic<'a> {
    Type(&'a Type),
    Entry { path: String, entry: &'a Entry },
}

impl Reference {
    /// The reference for the types of a registry.
    pub(crate) fn of(registry: &Registry) -> Self {
        let schema = registry.schema();
        let definitions = &schema["$defs"];
        let of_checks = entries(&[&definitions["every_check"]], 0);
        let mut types = Vec::new();
        for kind in [Kind::Checker, Kind::Storage, Kind::Notifier] {
            let alternatives = definitions[kind.as_str()]["oneOf"].as_array().into_iter().flatten();
            types.extend(alternatives.map(|schema| Type {
                kind,
                name: schema["title"].as_str().unwrap_or_default().to_owned(),
                about: words::paragraphs(&schema["description"]),
                entries: {
                    let mut own = entries(&[schema], 0);
                    own.retain(|entry| kind != Kind::Checker || !of_checks.iter().any(|other| other.key == entry.key));
                    own
                },
            }));
        }
        Self { root: entries(&[&schema], 0), of_checks, types }
    }

    /// Everything as a Markdown document.
    pub(crate) fn to_markdown(&self) -> String {
        markdown::document(self)
    }

    /// The types of one kind.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Type> {
        self.types.iter().filter(move |found| found.kind == kind)
    }

    /// What this path names: a type (`http`), a key of one (`http.tls.ca_file`), a key of every check (`attempts`), a key of the root
    /// (`status_page.groups`), or a key of any type (`must_contain`).
    pub(crate) fn find(&self, path: &str) -> Vec<Topic<'_>> {
        let mut parts = path.split('.').map(|part| part.split('[').next().unwrap_or(part));
        let first = parts.next().unwrap_or_default();
        let rest: Vec<_> = parts.collect();
        // As places in errors: `checkers[3].timeout`, `storage.dir`.
        if let Some(kind) = [Kind::Checker, Kind::Storage, Kind::Notifier]
            .into_iter()
            .find(|kind| !rest.is_empty() && (first == kind.as_str() || first.strip_suffix('s') == Some(kind.as_str())))
        {
            return self.in_types(kind, &rest);
        }
        if let Some(found) = self.types.iter().find(|found| found.name == first) {
            if rest.is_empty() {
                return vec![Topic::Type(found)];
            }
            let common = if found.kind == Kind::Checker { self.of_checks.as_slice() } else { &[] };
            let entry = descend(&found.entries, &rest).or_else(|| descend(common, &rest));
            return entry.map(|entry| Topic::Entry { path: path.to_owned(), entry }).into_iter().collect();
        }
        let keys = [&[first], rest.as_slice()].concat();
        if let Some(entry) = descend(&self.root, &keys).or_else(|| descend(&self.of_checks, &keys)) {
            return vec![Topic::Entry { path: path.to_owned(), entry }];
        }
        let of_types = self.types.iter().filter_map(|found| {
            let entry = descend(&found.entries, &keys)?;
            Some(Topic::Entry { path: format!("{}.{path}", found.name), entry })
        });
        of_types.collect()
    }

    /// The key at this path in all types of a kind.
    fn in_types(&self, kind: Kind, keys: &[&str]) -> Vec<Topic<'_>> {
        let path = keys.join(".");
        let of_types = self.of_kind(kind).filter_map(|found| {
            let entry = descend(&found.entries, keys)?;
            Some(Topic::Entry { path: format!("{}.{path}", found.name), entry })
        });
        let mut all: Vec<_> = of_types.collect();
        if kind == Kind::Checker {
            all.extend(descend(&self.of_checks, keys).map(|entry| Topic::Entry { path, entry }));
        }
        all
    }

    /// All names that a path may begin with.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let types = self.types.iter().map(|found| found.name.as_str());
        let of_types = self.types.iter().flat_map(|found| &found.entries);
        types.chain(self.root.iter().chain(&self.of_checks).chain(of_types).map(|entry| entry.key.as_str()))
    }
}

fn descend<'a>(entries: &'a [Entry], keys: &[&str]) -> Option<&'a Entry> {
    let (first, rest) = keys.split_first()?;
    let entry = entries.iter().find(|entry| entry.key == *first)?;
    if rest.is_empty() { Some(entry) } else { descend(&entry.entries, rest) }
}

/// The keys of an object, which may have one of several forms; required ones first, then by name.
fn entries(forms: &[&Value], depth: usize) -> Vec<Entry> {
    let mut entries = Vec::new();
    for form in forms {
        let is_required = |key: &str| {
            forms.len() == 1 && form["required"].as_array().is_some_and(|keys| keys.iter().any(|name| name == key))
        };
        for (key, property) in form["properties"].as_object().into_iter().flatten() {
            if HIDDEN.contains(&key.as_str()) || property["deprecated"] == Value::Bool(true) {
                continue;
            }
            let mut about = words::paragraphs(&property["description"]);
            if about.is_empty() && forms.len() > 1 {
                about = words::paragraphs(&form["description"]);
            }
            about.extend(shape::choices(property));
            let inner = if depth < MAX_DEPTH { shape::inner(property) } else { Vec::new() };
            entries.push(Entry {
                key: key.clone(),
                values: shape::values(property),
                about,
                is_required: is_required(key),
                entries: self::entries(&inner, depth + 1),
            });
        }
    }
    // By name, not as found: that order depends on whether another crate enables `serde_json/preserve_order`.
    entries.sort_by(|a, b| (!a.is_required, &a.key).cmp(&(!b.is_required, &b.key)));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference() -> Reference {
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        /// Checks a queue.
        ///
        /// ```
        /// let code = "for programmers";
        /// ```
        struct Queue {
            /// The queue, see [`depth`](Self::depth). Never empty.
            endpoint_url: String,
            /// The longest it may be. Default: 10.
            #[serde(default)]
            depth: u32,
            /// Who may read it.
            #[serde(default)]
            readers: Vec<Reader>,
        }

        /// A reader.
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        struct Reader {
            /// The name.
            name: String,
        }

        #[checkup_core::async_trait]
        impl checkup_core::Checker for Queue {
            fn endpoint(&self) -> std::borrow::Cow<'_, str> {
                (&*self.endpoint_url).into()
            }

            async fn attempt(&self) -> Result<checkup_core::Observation, checkup_core::Failure> {
                Ok(checkup_core::Observation::new())
            }
        }

        let mut registry = Registry::new();
        registry.checker::<Queue>("queue");
        Reference::of(&registry)
    }

    fn paths(path: &str) -> Vec<String> {
        let reference = reference();
        let topics = reference.find(path).into_iter();
        topics
            .map(|topic| match topic {
                Topic::Type(found) => found.name.clone(),
                Topic::Entry { path, entry } => format!("{path}: {}", entry.values),
            })
            .collect()
    }

    #[test]
    fn keys_are_described_without_code_and_links() {
        let reference = reference();
        let queue = &reference.types[0];
        assert_eq!((queue.name.as_str(), &queue.about[..]), ("queue", &["Checks a queue.".to_owned()][..]));
        let entries: Vec<_> = queue.entries.iter().map(|entry| (entry.key.as_str(), entry.is_required)).collect();
        assert_eq!(entries, [("endpoint_url", true), ("depth", false), ("readers", false)]);
        assert_eq!(queue.entries[0].about, ["The queue, see `depth`. Never empty."]);
        assert!(reference.of_checks.iter().any(|entry| entry.key == "attempts"));
    }

    #[test]
    fn a_path_names_a_type_or_a_key_of_it_of_all_checks_or_of_the_root() {
        assert_eq!(paths("queue"), ["queue"]);
        assert_eq!(paths("queue.readers.name"), ["queue.readers.name: text"]);
        assert_eq!(paths("queue.attempts"), ["queue.attempts: whole number"]);
        assert_eq!(paths("depth"), ["queue.depth: whole number"]);
        assert_eq!(paths("checkers[3].readers[0].name"), ["queue.readers.name: text"]);
        assert_eq!(paths("timeout"), ["timeout: duration"]);
        assert_eq!(paths("spool.dir"), ["spool.dir: text"]);
        assert!(paths("nonsense").is_empty() && paths("queue.nonsense").is_empty());
    }
}
