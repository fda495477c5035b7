//! The `checkup` command with the checker `redis` built in.

fn main() -> std::process::ExitCode {
    let mut registry = checkup::default_registry();
    registry.checker::<checkup_redis::Redis>("redis");
    checkup_cli::main(registry)
}
