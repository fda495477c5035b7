//! The command `checkup` with the checker `redis` in it: every command, `schema` and `validate` included.

fn main() -> std::process::ExitCode {
    let mut registry = checkup::default_registry();
    registry.checker::<checkup_redis::Redis>("redis");
    checkup_cli::main(registry)
}
