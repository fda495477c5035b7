//! Test doubles of the three plugin traits. Clones share their counts and contents.

mod memory_storage;
mod recording_notifier;
mod stub_checker;

pub use memory_storage::MemoryStorage;
pub use recording_notifier::RecordingNotifier;
pub use stub_checker::{StubAttempt, StubChecker};
