//! The command `checkup` with the storage `sqlite3` in it.

fn main() -> std::process::ExitCode {
    let mut registry = checkup::default_registry();
    registry.storage::<checkup_sqlite::Sqlite>("sqlite3");
    checkup_cli::main(registry)
}
