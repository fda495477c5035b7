//! The command `checkup`, with the checkers and storages of this project.

use std::process::ExitCode;

fn main() -> ExitCode {
    checkup_cli::main(checkup::default_registry())
}
