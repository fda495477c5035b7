//! The environment variables that a command gets from the monitor.

use std::ffi::{OsStr, OsString};

/// Variables that programs need and that hold no secrets.
const HARMLESS: &[&str] =
    &["HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER", "XDG_RUNTIME_DIR"];

/// Those that programs on Windows need to start.
const OF_WINDOWS: &[&str] = &[
    "APPDATA",
    "COMSPEC",
    "LOCALAPPDATA",
    "NUMBER_OF_PROCESSORS",
    "OS",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "USERNAME",
    "USERPROFILE",
    "WINDIR",
];

/// The variables of the monitor that a command gets without `inherit_environment`.
pub(crate) fn harmless() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| is_harmless(name))
}

fn is_harmless(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    // Names on Windows do not depend on case.
    let name = if cfg!(windows) { name.to_ascii_uppercase() } else { name.to_owned() };
    let name = name.as_str();
    name.starts_with("LC_") || HARMLESS.contains(&name) || (cfg!(windows) && OF_WINDOWS.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_harmless() {
        for name in ["PATH", "HOME", "LC_ALL", "TZ"] {
            assert!(is_harmless(OsStr::new(name)), "{name}");
        }
        for name in ["AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "LD_PRELOAD", "PATHS", "XLC_ALL", ""] {
            assert!(!is_harmless(OsStr::new(name)), "{name}");
        }
    }
}
