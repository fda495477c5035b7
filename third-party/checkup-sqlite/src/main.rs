//! The `checkup` command with the storage `sqlite3` built in.

fn main() -> std::process::ExitCode {
    let mut registry = checkup::default_registry();
    registry.storage::<checkup_sqlite::Sqlite>("sqlite3");
    checkup_cli::main(registry)
}
