//! Failing requests are errors, in time and without secrets.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use checkup_core::StorageError;
use checkup_core::archive::NamedFiles;
use tokio::time::timeout;

use super::super::drive::{
    all_of, assert_without, block_on, block_on_apart, block_on_paused, leaves_the_thread, never_blocks,
};
use super::{NAMES, NamedFilesFixture, offered};

/// Longer than anything waits, with all its retries.
const NETWORK_LIMIT: Duration = Duration::from_secs(600);

/// "The implementation bounds every wait on a network with a timeout."
pub fn a_silent_network_is_an_error_in_time(fixture: &NamedFilesFixture) {
    let open = offered(fixture.hanging.as_ref(), "hanging");
    for (what, outcome) in each_call(|call| block_on_paused(async { timeout(NETWORK_LIMIT, call(open())).await.ok() }))
    {
        let outcome = outcome.unwrap_or_else(|| panic!("{what} waits for a silent network without end"));
        assert!(outcome.is_err(), "nobody has answered, and yet {what} succeeds");
    }
}

/// "It does not block the thread", whatever the call.
pub fn no_call_blocks_the_thread(fixture: &NamedFilesFixture) {
    let files = (fixture.open)();
    each_call(|call| block_on(never_blocks("a call", || call(Arc::clone(&files)))));
}

/// "It does not block the thread": while a call hangs, another task on its thread goes on.
pub fn a_hanging_call_does_not_block_the_thread(fixture: &NamedFilesFixture) {
    let open = offered(fixture.hanging.as_ref(), "hanging");
    each_call(|call| block_on_apart(leaves_the_thread(call(open()))));
}

/// What cannot be done is an error, and nothing else.
pub fn what_fails_is_an_error(fixture: &NamedFilesFixture) {
    let open = offered(fixture.failing.as_ref(), "failing");
    for (what, outcome) in each_call(|call| block_on(call(open()))) {
        assert!(outcome.is_err(), "the files cannot be used, and yet {what} succeeds");
    }
}

/// "Errors contain no credentials."
pub fn errors_hold_no_secret(fixture: &NamedFilesFixture) {
    let open = offered(fixture.failing.as_ref(), "failing");
    for (what, outcome) in each_call(|call| block_on(call(open()))) {
        let error = outcome.expect_err("failing files fail");
        assert_without(fixture.secret.expose(), &format!("the error of {what}"), &all_of(&error));
    }
}

/// The secret is not shown by `Debug`.
pub fn debug_holds_no_secret(fixture: &NamedFilesFixture) {
    let files = (fixture.open)();
    // Lazily created parts could show it too.
    let _ = block_on(files.list("", 1));
    assert_without(fixture.secret.expose(), "`Debug`", &format!("{files:?} {files:#?}"));
}

type Outcome = Pin<Box<dyn Future<Output = Result<(), StorageError>> + Send>>;
type Call = Box<dyn Fn(Arc<dyn NamedFiles>) -> Outcome>;

/// The outcome of each kind of call.
fn each_call<T>(run: impl Fn(Call) -> T) -> Vec<(&'static str, T)> {
    let calls: [(_, Call); 3] = [
        (
            "a put if absent",
            Box::new(|files| Box::pin(async move { files.put_if_absent(NAMES[0], b"[]").await.map(drop) })),
        ),
        ("a put", Box::new(|files| Box::pin(async move { files.put(NAMES[1], b"{}").await }))),
        ("a listing", Box::new(|files| Box::pin(async move { files.list("", 1).await.map(drop) }))),
    ];
    calls.into_iter().map(|(what, call)| (what, run(call))).collect()
}
