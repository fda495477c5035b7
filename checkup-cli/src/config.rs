//! Finds and loads the config file.

use std::collections::{HashMap, HashSet};
use std::env;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use checkup_core::config::{Format, Registry};
use checkup_core::{Check, Checkup, ConfigError, ConfigErrorKind, Storage};

use crate::args::Global;
use crate::exit::Error;
use crate::output::stderr::{complain, program};
use crate::{descriptors, discover, node, spool};

/// The name of a config from standard input in messages.
const STDIN: &str = "standard input";

/// A config file that has not been read yet.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    /// Its name in messages.
    pub(crate) label: String,
    /// Whether it was found, rather than named by the user.
    is_found: bool,
}

impl Source {
    /// The file that `config` names, or else the one that is found.
    pub(crate) fn find(config: Option<&Path>) -> Result<Self, Error> {
        if let Some(path) = config {
            return Ok(Self::named(path));
        }
        let start =
            env::current_dir().map_err(|error| Error::usage(format!("cannot find the current folder: {error}")))?;
        let path = discover::config_file(&start)?;
        let label = label(&start, &path);
        // Paths below the current folder are shown relative to it.
        let path = path.strip_prefix(&start).map(Path::to_owned).unwrap_or(path);
        Ok(Self { path, label, is_found: true })
    }

    /// The file with this name; `-` is standard input.
    pub(crate) fn named(path: &Path) -> Self {
        let label = if path == Path::new("-") { STDIN.to_owned() } else { path.display().to_string() };
        Self { path: path.to_owned(), label, is_found: false }
    }

    /// Reads it and builds its checks. There must be at least one: a truncated file must not pass as healthy.
    pub(crate) fn load(&self, registry: &Registry) -> Result<Checkup, ConfigError> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        self.read()
            .and_then(|(text, format)| match self.is_stdin() {
                true => registry.parse(&text, format),
                false => registry.parse_in(&text, format, folder),
            })
            .and_then(not_empty)
            .map_err(|error| error.in_file(&self.label))
    }

    /// Loads it, and warns of probable mistakes in it. Reports that cannot be stored go to a spool.
    pub(crate) fn load_with_spool(&self, registry: &Registry, global: &Global) -> Result<Checkup, Error> {
        self.load_for(registry, !global.quiet)
    }

    /// Loads it again, for a command that keeps running; `select` makes the command's checkup from it. If it is invalid, the
    /// problems are reported and there is no checkup: the command keeps the old one.
    pub(crate) fn reload(
        &self,
        registry: &Registry,
        global: &Global,
        select: impl Fn(Checkup) -> Result<Checkup, Error>,
    ) -> Option<Checkup> {
        let loaded = match self.is_stdin() {
            true => Err(Error::usage("a configuration from standard input cannot be read again")),
            false => self.load_with_spool(registry, global).and_then(select),
        };
        match loaded {
            Ok(checkup) => {
                if !global.quiet {
                    complain(&format!("{}: the configuration was read again", self.label));
                }
                Some(checkup)
            }
            Err(error) => {
                error.print();
                complain("the configuration was not changed: the previous one stays in use");
                None
            }
        }
    }

    fn load_for(&self, registry: &Registry, readers: bool) -> Result<Checkup, Error> {
        let checkup = self.load(registry)?;
        if readers {
            self.warn(&checkup);
            self.point_out_old_folder(&checkup);
        }
        Ok(descriptors::bounded(spool::with_default(checkup, &self.path)))
    }

    /// Warns of things in its checks that are allowed, but probably a mistake.
    pub(crate) fn warn(&self, checkup: &Checkup) {
        for (name, count) in shared_names(checkup) {
            complain(&format!(
                "{}: warning: {count} checks are named {name:?}; `--only` and `depends_on` mean all of them, `message --about` the first",
                self.label
            ));
        }
    }

    fn read(&self) -> Result<(String, Format), ConfigError> {
        let unreadable = |error: io::Error| {
            let reason = match error.kind() {
                io::ErrorKind::NotFound => {
                    format!("it does not exist; `{} init {}` writes a sample", program(), self.path.display())
                }
                _ => error.to_string(),
            };
            ConfigError::new(ConfigErrorKind::Io, "", format!("cannot be read: {reason}"))
        };
        if self.is_stdin() {
            let text = io::read_to_string(io::stdin().lock()).map_err(unreadable)?;
            // Text that does not look like JSON is YAML. JSON has its own parser, whose messages are better.
            let format = if text.trim_start().starts_with('{') { Format::Json } else { Format::Yaml };
            return Ok((text, format));
        }
        let format = Format::of(&self.path)?;
        let mut file = File::open(&self.path).map_err(unreadable)?;
        if self.is_found {
            // Another user may have replaced the file since it was found.
            let metadata = file.metadata().map_err(unreadable)?;
            discover::refuse_foreign(&self.path, &metadata)
                .map_err(|error| ConfigError::new(ConfigErrorKind::Io, "", error.to_string()))?;
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(unreadable)?;
        Ok((text, format))
    }

    fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }

    /// Points out the check files of earlier versions, to which relative paths were relative to the working directory. Once the
    /// storage has been used, nothing is reported any more.
    fn point_out_old_folder(&self, checkup: &Checkup) {
        let Some(dir) = checkup.storage().and_then(|storage| storage.identity()).and_then(folder_of) else { return };
        let (Some(folder), Ok(here)) = (self.path.parent(), env::current_dir()) else { return };
        let Ok(folder) = std::path::absolute(folder) else { return };
        let Ok(relative) = dir.strip_prefix(&folder) else { return };
        let old = here.join(relative);
        if old != dir && has_check_files(&old) && !has_check_files(&dir) {
            complain(&format!(
                "{}: note: relative paths are relative to the folder of the config file, so results are stored in {}; \
                 earlier ones are in {}, and can be moved",
                self.label,
                dir.display(),
                old.display()
            ));
        }
    }
}

/// Loads the config that the arguments name, or else the one that is found, and warns of probable mistakes in it. Reports that
/// cannot be stored go to a spool.
pub(crate) fn load(registry: &Registry, global: &Global) -> Result<Checkup, Error> {
    Source::find(global.config.as_deref())?.load_with_spool(registry, global)
}

/// Like [`load`], with warnings only if someone is likely to read them.
pub(crate) fn load_for(registry: &Registry, global: &Global, readers: bool) -> Result<Checkup, Error> {
    let source = Source::find(global.config.as_deref())?;
    source.load_for(registry, readers && !global.quiet)
}

/// The storage, or an error that says what needs it.
pub(crate) fn needs_storage<'a>(checkup: &'a Checkup, what: &str) -> Result<&'a Arc<dyn Storage>, Error> {
    let missing = || Error::usage(format!("{what} needs a `storage` in the config file, and there is none"));
    checkup.storage().ok_or_else(missing)
}

fn not_empty(checkup: Checkup) -> Result<Checkup, ConfigError> {
    if node::whole(&checkup).checks().len() == 0 {
        return Err(ConfigError::invalid("", "the config file has no checks; expected at least one in `checkers`"));
    }
    Ok(checkup)
}

/// The names that several checks share, in the order of the first check of each, with how many checks have it.
fn shared_names(checkup: &Checkup) -> Vec<(String, usize)> {
    let hasher = RandomState::new();
    let hash = |check: &Check| hasher.hash_one(&*check.name());
    // Hashes are small, and there may be a hundred thousand checks. Few names are shared.
    let mut hashes: Vec<_> = checkup.checks().map(hash).collect();
    hashes.sort_unstable();
    let same = hashes.chunk_by(|one, other| one == other).filter(|same| same.len() > 1);
    let shared: HashSet<_> = same.map(|same| same[0]).collect();
    if shared.is_empty() {
        return Vec::new();
    }
    let mut counts = HashMap::<_, usize>::new();
    for check in checkup.checks().filter(|check| shared.contains(&hash(check))) {
        *counts.entry(check.name()).or_default() += 1;
    }
    let named = checkup.checks().filter_map(|check| counts.remove_entry(&check.name()));
    named.filter(|(_, count)| *count > 1).map(|(name, count)| (name.into_owned(), count)).collect()
}

/// The folder of an `fs` storage, by its identity.
fn folder_of(identity: String) -> Option<PathBuf> {
    identity.strip_prefix("file://").map(PathBuf::from)
}

fn has_check_files(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().ends_with("-check.json"))
}

/// The path from `start` to a file in it or in a parent of it.
fn label(start: &Path, path: &Path) -> String {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return path.display().to_string() };
    let up = start.strip_prefix(folder).map_or(0, |below| below.components().count());
    let mut label = PathBuf::new();
    label.extend(std::iter::repeat_n("..", up));
    label.push(name);
    label.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_a_parent_is_named_relative_to_where_the_user_is() {
        assert_eq!(label(Path::new("/a/b/c"), Path::new("/a/checkup.json")), "../../checkup.json");
        assert_eq!(label(Path::new("/a"), Path::new("/a/checkup.json")), "checkup.json");
    }
}
