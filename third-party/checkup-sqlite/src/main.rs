//! The `checkup` command with the storage `sqlite3` and the checker `tcp` built in.

fn main() -> std::process::ExitCode {
    let mut registry = checkup_core::config::Registry::new();
    registry.storage::<checkup_sqlite::Sqlite>("sqlite3");
    checkup_tcp::register(&mut registry);
    checkup_cli::main(registry)
}
