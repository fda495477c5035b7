//! Compares encoding and decoding a check file of 100 results with `serde_json`'s own untyped values.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::time::Duration;

use checkup::{Attempt, CheckResult, check_file};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn results(criterion: &mut Criterion) {
    let results: Vec<_> = (0..100)
        .map(|index| {
            let mut result = CheckResult::new(format!("check {index}"), "https://example.com/health");
            result.attempts = vec![Attempt::success(Duration::from_micros(1234)); 3];
            result
        })
        .collect();
    let encoded = check_file::encode(&results).expect("results have a JSON form");

    let mut group = criterion.benchmark_group("results");
    group.throughput(Throughput::Bytes(encoded.len() as u64));
    group.bench_function("encode", |bencher| bencher.iter(|| check_file::encode(&results)));
    group.bench_function("decode", |bencher| bencher.iter(|| check_file::decode(&encoded)));
    group.bench_function("decode untyped", |bencher| {
        bencher.iter(|| serde_json::from_slice::<serde_json::Value>(&encoded));
    });
    group.finish();
}

criterion_group!(benches, results);
criterion_main!(benches);
