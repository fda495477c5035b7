//! The `checkup` command with the checker `redis` built in, and no other.

fn main() -> std::process::ExitCode {
    let mut registry = checkup_core::config::Registry::new();
    registry.checker::<checkup_redis::Redis>("redis");
    checkup_cli::main(registry)
}
