//! What fuzzing of config files found stays fixed. The other crates read their corpus in their own tests.

#[path = "corpus/config.rs"]
mod config;

use std::path::Path;

#[test]
fn kept_config_files_are_taken() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/config");
    checkup_testkit::for_each_input(&corpus, config::read);
}
