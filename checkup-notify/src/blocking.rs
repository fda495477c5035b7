//! Work that blocks, such as reading the system's root certificates, apart from the threads of the runtime.

use tokio::task::spawn_blocking;

/// Does this work in a separate thread. A panic continues in the caller.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is shutting down; what is awaited here is dropped with it.
        Err(_) => std::future::pending().await,
    }
}
