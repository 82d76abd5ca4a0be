//! How long rendering takes, how it grows with the number of services, and how much memory it needs at the most.

use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Model checked already: values, views, templates, all in memory.
#[divan::bench(args = [4, 50, 100, 200, 500], sample_count = 20)]
fn render(bencher: Bencher, services: usize) {
    let platform = many_services::one_server(services);
    bencher.bench(|| generator::generate(&platform));
}

/// Checking the declaration.
#[divan::bench(args = [4, 50, 100, 200, 500], sample_count = 20)]
fn resolve(bencher: Bencher, services: usize) {
    let declared = many_services::one_server(services).platform().clone();
    bencher.with_inputs(|| declared.clone()).bench_values(|platform| platform.resolve().map(drop).is_ok());
}
