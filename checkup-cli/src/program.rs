//! [`Program`]: the name and version of the command.

/// The name and version of a program that is this command line, as its help, its version and its diagnostics show them.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use checkup_cli::Program;
/// use checkup_core::config::Registry;
///
/// fn main() -> ExitCode {
///     let registry = Registry::new(); // with your checkers and storages
///     Program::new("shopcheck", env!("CARGO_PKG_VERSION")).main(registry)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

impl Program {
    /// A program with this name and version.
    pub const fn new(name: &'static str, version: &'static str) -> Self {
        Self { name, version }
    }
}
