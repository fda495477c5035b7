//! Tests the whole contract of a checker.

use checkup_file::FileExists;
use checkup_testkit::conformance::CheckerFixture;

fn factory() -> CheckerFixture {
    CheckerFixture::new(|| FileExists { path: "Cargo.toml".into() })
        .failing(|| FileExists { path: "no such file".into() })
}

checkup_testkit::checker_conformance!(factory, without: [hanging, endless, tries, open, secret]);
