//! The command `checkup` with the checker `file` in it.

fn main() -> std::process::ExitCode {
    let mut registry = checkup::default_registry();
    registry.checker::<checkup_file::FileExists>("file");
    checkup_cli::main(registry)
}
