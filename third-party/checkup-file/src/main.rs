//! The `checkup` command with the checker `file` built in, and no other.

fn main() -> std::process::ExitCode {
    let mut registry = checkup_core::config::Registry::new();
    registry.checker::<checkup_file::FileExists>("file");
    checkup_cli::main(registry)
}
