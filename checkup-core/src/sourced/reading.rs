//! The context in which the settings of one object are read: its variables, and the folder of its file.
//!
//! It is thread-local, because serde passes nothing but the value to the type of a setting. Texts are found by their content,
//! so it does not matter which types a value passes through.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Variable;
use crate::source::Texts;

thread_local! {
    static READING: RefCell<Reading> = RefCell::default();
}

/// The variables and the folder of the object that is being read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// The texts in which variables were replaced.
    #[cfg_attr(not(feature = "config"), allow(dead_code, reason = "only config files have variables"))]
    pub(crate) texts: Texts,
    /// The folder that relative paths are relative to.
    pub(crate) folder: Option<Arc<Path>>,
}

#[cfg(feature = "config")]
impl Reading {
    /// Runs `read` with this context on this thread.
    pub(crate) fn during<T>(self, read: impl FnOnce() -> T) -> T {
        /// Restores the previous context, even if `read` panics.
        struct Restore(Option<Reading>);
        impl Drop for Restore {
            fn drop(&mut self) {
                READING.set(self.0.take().unwrap_or_default());
            }
        }
        let _restore = Restore(Some(READING.replace(self)));
        read()
    }
}

/// The parts of a setting's text that came from environment variables. It works while settings are read from a config file and
/// turned into a checker, storage or notifier; at any other time a text has no such parts.
///
/// Most plugins use [`Sourced`](crate::Sourced) instead, which keeps them.
pub fn variables_in(text: &str) -> Box<[Variable]> {
    READING.with_borrow(|reading| reading.texts.get(text).cloned().unwrap_or_default())
}

/// Resolves a path of the settings against the folder of the config file that is being read. An absolute path, and any path at another
/// time, is returned as it is.
///
/// A setting of the type [`PathBuf`] is resolved without this. It is for texts that may also be something else, such as a command that is
/// a path or a plain name. Call it while the settings are read or the plugin is made.
pub fn resolve_path(path: &str) -> PathBuf {
    resolve(path).unwrap_or_else(|| path.into())
}

/// Resolves a relative path against the folder of the config file that is being read, if there is one.
pub(crate) fn resolve(path: &str) -> Option<PathBuf> {
    let relative = Path::new(path);
    if path.is_empty() || relative.has_root() {
        return None;
    }
    READING.with_borrow(|reading| {
        let folder = reading.folder.as_deref().filter(|folder| !folder.as_os_str().is_empty())?;
        Some(folder.join(relative.strip_prefix(".").unwrap_or(relative)))
    })
}
