//! The `checkup` command with the checker `file` built in.

fn main() -> std::process::ExitCode {
    let mut registry = checkup::default_registry();
    registry.checker::<checkup_file::FileExists>("file");
    checkup_cli::main(registry)
}
