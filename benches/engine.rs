//! Measures the overhead of the engine: a check that does nothing, compared with a bare tokio task that does nothing.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use checkup::{Checkup, check_fn};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const COUNT: usize = 10_000;

fn engine(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::Elements(COUNT as u64)).sample_size(20);

    group.bench_function("bare tokio::spawn", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let tasks: Vec<_> = (0..COUNT).map(|_| tokio::spawn(async {})).collect();
                for task in tasks {
                    task.await.expect("an empty task ends");
                }
            });
        });
    });

    let checks = (0..COUNT).map(|_| check_fn("nothing", || async { Ok::<_, std::io::Error>(()) }));
    let checkup = Checkup::builder().checks(checks).build().expect("checks without settings");
    group.bench_function("check_fn through the engine", |bencher| {
        bencher.iter_batched(|| checkup.clone(), |checkup| runtime.block_on(checkup.check()), BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, engine);
criterion_main!(benches);
