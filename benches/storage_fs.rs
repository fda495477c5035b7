//! Compares storing a run of 20 results in a directory with a bare write and fsync of the same bytes, with a short and a long
//! history.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::fs::File;
use std::io::Write;
use std::path::Path;

use checkup::check_file::{self, FileName};
use checkup::storage_fs::Fs;
use checkup::{CheckResult, Checkup, Report, Timestamp};
use criterion::{Criterion, criterion_group, criterion_main};

fn storage_fs(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let results: Vec<_> = (0..20).map(|index| CheckResult::new(format!("check {index}"), "127.0.0.1:1")).collect();
    let mut report = Report::new(results);
    let mut group = criterion.benchmark_group("storage_fs");
    group.sample_size(20);

    let dir = tempfile::tempdir().expect("a temporary directory");
    let bytes = check_file::encode(&report.results).expect("results have a JSON form");
    let mut number = 0;
    group.bench_function("bare write and fsync", |bencher| {
        bencher.iter(|| {
            number += 1;
            write(&dir.path().join(number.to_string()), &bytes).expect("a file can be written");
        });
    });

    for history in [1_000, 100_000] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for age in 0..history {
            let name = FileName::at(Timestamp::from_unix_nanos(1_700_000_000_000_000_000 + age));
            std::fs::write(dir.path().join(name.as_str()), &bytes).expect("a file can be written");
        }
        let checkup = Checkup::builder().storage(Fs::new(dir.path())).build().expect("a valid storage");
        group.bench_function(format!("store after {history} files"), |bencher| {
            bencher.iter(|| {
                // A different report each time, because storing the same report again has no effect.
                report.results[0].timestamp = Timestamp::now();
                runtime.block_on(checkup.store(&report)).expect("a report can be stored")
            });
        });
    }
    group.finish();
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

criterion_group!(benches, storage_fs);
criterion_main!(benches);
